"""Lists to choose from, each thing by its name and not by its code."""

from typing import Any

from django import forms

from marketplace.templatetags.market_ui import localname
from settlement.models import BankAccount


class ChoiceList(forms.CheckboxSelectMultiple):
    """Boxes to tick, one below the other; a long list moves by itself."""

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__({"class": "choice-list", **(attrs or {})}, choices)


class NamedChoice(forms.ModelChoiceField):
    """Offers layouts or members by their names."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the name in the page's language."""
        return localname(obj)


class NamedChoices(forms.ModelMultipleChoiceField):
    """Offers several members by their names."""

    widget = ChoiceList

    def label_from_instance(self, obj: Any) -> str:
        """Return the name in the page's language."""
        return localname(obj)


class BankAccountChoice(forms.ModelChoiceField):
    """Offers the market's accounts by bank and number."""

    def label_from_instance(self, obj: BankAccount) -> str:
        """Return code, bank and number."""
        return f"{obj.code} · {obj.bank_name} {obj.number}"
