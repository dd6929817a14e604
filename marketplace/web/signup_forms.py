"""The form with which a person and an organisation sign up."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace.domain.credit_code import CreditCodeRefused, validate_credit_code
from marketplace.services.error_texts import code_text
from marketplace.web.form_fields import DayField

LICENCE_KINDS = [
    ("", pgettext_lazy("telecom licence", "None (buyers need none)")),
    ("B11", _("B11 Internet data centre (IDC, cloud included)")),
    ("B14", _("B14 Internet access (ISP)")),
    ("A", _("A Basic telecom services")),
]
PERSON_FIELDS = ("display_name", "email", "mobile", "password", "password_again")


class OrganisationForm(forms.Form):
    """The organisation: identity, licence, invoicing data."""

    name_zh = forms.CharField(
        label=_("Chinese name"), max_length=120, help_text=_("As on the business licence.")
    )
    name_en = forms.CharField(label=_("English name"), max_length=160, required=False)
    credit_code = forms.CharField(
        label=_("Unified social credit code"),
        max_length=40,
        help_text=_("18 characters; the last one is a check character."),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
    )
    city = forms.CharField(label=_("City"), max_length=60, required=False)
    is_buyer = forms.BooleanField(label=_("Buys compute"), required=False, initial=True)
    is_supplier = forms.BooleanField(label=_("Sells compute"), required=False)
    telecom_licence_kind = forms.ChoiceField(
        label=_("Telecom licence"), choices=LICENCE_KINDS, required=False
    )
    telecom_licence_number = forms.CharField(
        label=_("Licence number"), max_length=60, required=False
    )
    telecom_licence_expires_on = DayField(label=_("Licence expires on"), required=False)
    invoice_title = forms.CharField(
        label=_("Invoice title"),
        max_length=120,
        required=False,
        help_text=_("Left empty: the Chinese name."),
    )
    tax_id = forms.CharField(
        label=_("Tax id"),
        max_length=20,
        required=False,
        help_text=_("Left empty: the unified social credit code."),
    )
    invoice_address = forms.CharField(label=_("Registered address"), max_length=200, required=False)
    invoice_phone = forms.CharField(label=_("Registered phone"), max_length=30, required=False)
    bank_name = forms.CharField(label=_("Bank"), max_length=120, required=False)
    bank_account = forms.CharField(label=_("Bank account"), max_length=40, required=False)
    contact_name = forms.CharField(label=_("Contact"), max_length=60, required=False)
    contact_phone = forms.CharField(label=_("Contact phone"), max_length=30, required=False)

    def clean_credit_code(self) -> str:
        """Say which part of the code is wrong while the rest of the form is checked as well."""
        try:
            return validate_credit_code(self.cleaned_data["credit_code"].strip())
        except CreditCodeRefused as refusal:
            raise ValidationError(code_text(refusal.code, {})) from None

    def clean(self) -> dict[str, Any]:
        """Ask for a trading role, and for the licence of a supplier."""
        given = super().clean() or {}
        if not (given.get("is_buyer") or given.get("is_supplier")):
            self.add_error(
                "is_buyer", gettext("Choose whether the organisation sells, buys, or both.")
            )
        if given.get("is_supplier"):
            for name in ("telecom_licence_kind", "telecom_licence_number"):
                if not given.get(name) and name not in self.errors:
                    self.add_error(name, gettext("A supplier needs a telecom licence."))
        return given


class SignUpForm(OrganisationForm):
    """The person on top of the organisation."""

    display_name = forms.CharField(
        label=_("Your name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("You sign in with it."),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    mobile = forms.CharField(
        label=_("Mobile number"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    password = forms.CharField(
        label=_("Password"),
        help_text=_("At least 10 characters."),
        strip=False,
        widget=forms.PasswordInput(render_value=True, attrs={"autocomplete": "new-password"}),
    )
    password_again = forms.CharField(
        label=_("Password, once more"),
        strip=False,
        widget=forms.PasswordInput(render_value=True, attrs={"autocomplete": "new-password"}),
    )

    def clean_password_again(self) -> str:
        """Refuse a second entry that differs."""
        again = self.cleaned_data["password_again"]
        if again != self.cleaned_data.get("password", again):
            raise ValidationError(gettext("The two passwords differ."))
        return again
