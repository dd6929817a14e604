"""Forms of the funds desk: receipts, credit limits, decisions, tax invoices."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.models import Organisation, OrganisationState
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import DayField, PlainDecimalField
from settlement.models import CreditKind


class MemberChoice(forms.ModelChoiceField):
    """Shows a member by code and name."""

    def __init__(self, **options: Any) -> None:
        members = Organisation.objects.filter(
            is_platform=False, state__in=[OrganisationState.APPROVED, OrganisationState.SUSPENDED]
        )
        super().__init__(queryset=members.order_by("code"), **options)

    def label_from_instance(self, obj: Organisation) -> str:
        """Return code and name."""
        return f"{obj.code} · {localname(obj)}"


class DepositForm(forms.Form):
    """Money seen on the custodian-bank account."""

    organisation = MemberChoice(label=_("Member"))
    amount = PlainDecimalField(label=_("Amount, CNY"), places=2)
    bank_reference = forms.CharField(
        label=_("Bank reference"),
        max_length=60,
        help_text=_("As on the bank statement; each counts once."),
    )
    received_on = DayField(label=_("Received on"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class LimitForm(forms.Form):
    """A credit limit or bank guarantee that replaces the member's present one of the kind."""

    organisation = MemberChoice(label=_("Member"))
    kind = forms.ChoiceField(label=_("Kind"), choices=CreditKind.choices)
    amount = PlainDecimalField(
        label=_("Amount, CNY"), places=2, help_text=_("Zero ends the present one.")
    )
    guarantee_number = forms.CharField(
        label=_("Number of the guarantee"), max_length=60, required=False
    )
    guarantor = forms.CharField(label=_("Bank that guarantees"), max_length=80, required=False)
    expires_on = DayField(label=_("Expires on"), required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class DecisionForm(forms.Form):
    """The reason of a decision; a refusal needs one."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, is_required: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["reason"].required = is_required
