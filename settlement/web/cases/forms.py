"""Forms of disputes, vouchers, defaults and security deposits."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import Organisation, OrganisationState, ResourceClass
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import DayField, PlainDecimalField
from settlement.models import (
    DisputeGround,
    DisputeOutcome,
    DisputeState,
    DisputeVisibility,
    Invoice,
)
from settlement.services.cases.dispute_records import LONG_TEXT
from settlement.web.banking.choices import ChoiceList
from settlement.web.funds_forms import MemberChoice


def _long_text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONG_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        **options,
    )


class DisputeFilter(forms.Form):
    """Narrows the list by state."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", pgettext_lazy("filter", "All")),
            ("open", pgettext_lazy("dispute", "Open")),
            *DisputeState.choices,
        ],
    )


class DisputeForm(forms.Form):
    """What is questioned, why, and how much."""

    ground = forms.ChoiceField(label=_("Ground"), choices=DisputeGround.choices)
    amount = PlainDecimalField(
        label=_("Claimed, CNY before tax"),
        places=2,
        help_text=_("Only this part is held while the dispute is open."),
    )
    claim = _long_text(_("What is wrong"))


class AnswerForm(forms.Form):
    """The other side's answer."""

    text = _long_text(_("Your answer"))


class SayForm(forms.Form):
    """A message, a file, or both."""

    text = _long_text(_("Message"), required=False)
    file = forms.FileField(
        label=_("Evidence"),
        required=False,
        help_text=_("PDF, PNG or JPEG, at most 5 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
        error_messages={"empty": _("The file is empty.")},
    )
    visibility = forms.ChoiceField(
        label=_("Who reads it"), choices=DisputeVisibility.choices, widget=forms.RadioSelect
    )

    def clean(self) -> dict[str, Any]:
        """Ask for at least one of the two."""
        given = super().clean() or {}
        if not given.get("text") and not given.get("file") and not self.errors:
            self.add_error("text", _("Write a message or choose a file."))
        return given


class RulingForm(forms.Form):
    """What an operator proposes."""

    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=DisputeOutcome.choices, widget=forms.RadioSelect
    )
    amount = PlainDecimalField(
        label=_("Awarded, CNY before tax"),
        places=2,
        required=False,
        help_text=_("Only for an award in part."),
    )
    reason = _long_text(_("Reason"), help_text=_("Both sides read it."))


class ProgrammeForm(forms.Form):
    """A public body's money for members' compute."""

    code = forms.CharField(label=_("Code"), max_length=15)
    name_zh = forms.CharField(label=_("Name in Chinese"), max_length=80)
    name_en = forms.CharField(label=_("Name in English"), max_length=80)
    issuer_zh = forms.CharField(label=_("Issuer in Chinese"), max_length=80)
    issuer_en = forms.CharField(label=_("Issuer in English"), max_length=80)
    budget = PlainDecimalField(label=_("Budget, CNY"), places=2)
    share = PlainDecimalField(
        label=_("Share of the bill, %"), places=2, help_text=_("At most 100.")
    )
    member_cap = PlainDecimalField(label=_("Cap per member, CNY"), places=2)
    valid_from = DayField(label=_("Valid from"))
    valid_until = DayField(label=_("Valid until"))
    members = forms.ModelMultipleChoiceField(
        label=_("Members"),
        queryset=Organisation.objects.none(),
        required=False,
        widget=ChoiceList,
        help_text=_("None chosen: all buyers."),
    )
    regions = forms.CharField(
        label=_("Provinces of delivery"),
        required=False,
        max_length=200,
        help_text=_("In Chinese or English, separated by commas; empty: all."),
    )
    resource_classes = forms.MultipleChoiceField(
        label=_("Resource classes"),
        choices=ResourceClass.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all."),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["members"]
        field.queryset = Organisation.objects.filter(  # type: ignore[attr-defined]
            is_platform=False, is_buyer=True, state=OrganisationState.APPROVED
        ).order_by("code")
        field.label_from_instance = lambda one: f"{one.code} · {localname(one)}"  # type: ignore[attr-defined]


class VoucherForm(forms.Form):
    """A voucher for a member."""

    organisation = MemberChoice(label=_("Member"))
    amount = PlainDecimalField(label=_("Face value, CNY"), places=2)
    valid_until = DayField(
        label=_("Valid until"), required=False, help_text=_("Empty: as long as the programme.")
    )


class RedeemForm(forms.Form):
    """On which bill a voucher is used."""

    bill: "forms.ModelChoiceField[Invoice]" = forms.ModelChoiceField(
        label=_("Bill"), queryset=Invoice.objects.none()
    )

    def __init__(self, *args: Any, bills: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["bill"]
        field.queryset = bills  # type: ignore[attr-defined]
        field.label_from_instance = lambda one: f"{one.number} · {one.gross.amount}"  # type: ignore[attr-defined]


class DefaultForm(forms.Form):
    """Which member is to be declared in default, and why."""

    organisation = MemberChoice(label=_("Member"))
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )


class SecurityDepositForm(forms.Form):
    """Own money set apart as security."""

    amount = PlainDecimalField(label=_("Amount, CNY"), places=2)
    expires_on = DayField(label=_("Lodged until"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)
