"""Lists to choose from, each thing by its name and not by its code."""

from typing import Any

from django import forms

from marketplace.templatetags.market_ui import localname
from settlement.models import BankAccount


class NamedChoice(forms.ModelChoiceField):
    """Offers layouts or members by their names."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the name in the page's language."""
        return localname(obj)


class NamedChoices(forms.ModelMultipleChoiceField):
    """Offers several members by their names."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        """Return the name in the page's language."""
        return localname(obj)


class BankAccountChoice(forms.ModelChoiceField):
    """Offers the market's accounts by bank and number."""

    def label_from_instance(self, obj: BankAccount) -> str:
        """Return code, bank and number."""
        return f"{obj.code} · {obj.bank_name} {obj.number}"
