"""Form fields that read numbers and times as the market does, and refusals put beside fields."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from marketplace.domain.decimals import DecimalRefused, parse_decimal
from marketplace.domain.errors import RuleBroken
from marketplace.services.checks import plain
from marketplace.services.error_texts import code_text, error_text

LOCAL_TIME_FORMAT = "%Y-%m-%dT%H:%M"


class PlainDecimalField(forms.CharField):
    """A number in plain ASCII digits; what is refused stays in the field as it was typed."""

    def __init__(
        self,
        *,
        places: int = 6,
        max_digits: int = 12,
        allow_negative: bool = False,
        **options: Any,
    ) -> None:
        self.places = places
        self.max_digits = max_digits
        self.allow_negative = allow_negative
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal"}))
        super().__init__(max_length=40, **options)

    def clean(self, value: Any) -> Any:
        """Return a Decimal, or None when nothing was entered and nothing is needed."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_decimal(
                text,
                max_digits=self.max_digits,
                places=self.places,
                allow_negative=self.allow_negative,
            )
        except DecimalRefused as refusal:
            raise ValidationError(code_text(refusal.code, dict(refusal.params))) from None

    def prepare_value(self, value: Any) -> Any:
        """Show a stored number as people write it."""
        return plain(value) if isinstance(value, Decimal) else value


class MarketTimeField(forms.DateTimeField):
    """An instant in market time (the middleware makes the market's zone the current one)."""

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "widget",
            forms.DateTimeInput(
                attrs={"type": "datetime-local", "step": "900"}, format=LOCAL_TIME_FORMAT
            ),
        )
        options.setdefault("input_formats", [LOCAL_TIME_FORMAT, "%Y-%m-%d %H:%M"])
        options.setdefault(
            "error_messages", {"invalid": _("Enter a date and time such as 2026-12-01 08:00.")}
        )
        super().__init__(**options)


class DayField(forms.DateField):
    """A date, with the browser's own date picker."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        options.setdefault("input_formats", ["%Y-%m-%d"])
        options.setdefault("error_messages", {"invalid": _("Enter a date such as 2026-12-01.")})
        super().__init__(**options)


def add_refusal(
    form: forms.BaseForm, error: RuleBroken, *, names: Mapping[str, str] | None = None
) -> None:
    """Put a refusal of a service beside the field that broke the rule, else above the form.

    `names` maps inputs of the service to fields of the form where they differ.
    """
    field = (names or {}).get(error.field or "", error.field)
    messages = getattr(error, "messages", None) or [error_text(error)]
    form.add_error(field if field in form.fields else None, list(messages))
