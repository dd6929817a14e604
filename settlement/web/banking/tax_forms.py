"""Forms of tax invoices: what is asked for, and what the tax platform answered."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.templatetags.market_ui import currency_and_unit, figure
from marketplace.web.form_fields import DayField
from settlement.models import Invoice, TaxInvoiceKind
from settlement.web.banking.choices import ChoiceList


class RequestForm(forms.Form):
    """Which bills go on the tax invoice, and of which kind it is."""

    kind = forms.ChoiceField(label=_("Kind"), choices=TaxInvoiceKind.choices)
    bills: "forms.ModelMultipleChoiceField[Invoice]" = forms.ModelMultipleChoiceField(
        label=_("Bills"),
        queryset=Invoice.objects.none(),
        to_field_name="number",
        widget=ChoiceList,
        error_messages={"required": _("Choose at least one bill.")},
    )

    def __init__(self, bills: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["bills"]
        field.queryset = bills  # type: ignore[attr-defined]
        field.label_from_instance = _bill_text  # type: ignore[attr-defined]


class NumberForm(forms.Form):
    """What the tax platform gave."""

    tax_number = forms.CharField(
        label=_("Tax invoice number"), max_length=20, help_text=_("20 digits of the 数电票.")
    )
    issued_on = DayField(label=pgettext_lazy("tax invoice", "Issued on"))


class RedForm(NumberForm):
    """The red-letter invoice and its confirmation form."""

    confirmation = forms.CharField(label=_("Number of the confirmation form"), max_length=30)
    field_order = ("confirmation", "tax_number", "issued_on")


class FailureForm(forms.Form):
    """Why the tax platform would not issue."""

    code = forms.ChoiceField(
        label=_("Why"),
        choices=[
            ("quota", _("The quota is used up")),
            ("title", _("Title or tax id is wrong")),
            ("platform", _("The tax platform does not answer")),
            ("other", pgettext_lazy("reason", "Something else")),
        ],
    )
    text = forms.CharField(label=_("What it said"), max_length=200)


def _bill_text(bill: Invoice) -> str:
    before, after = currency_and_unit("CNY", "")
    gross = f"{before} {figure(bill.gross)} {after}".strip()
    parts = (bill.number, bill.get_direction_display(), bill.issued_on, gross)
    return " · ".join(str(part) for part in parts)
