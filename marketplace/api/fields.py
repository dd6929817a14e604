"""Input fields that take exactly one way of writing a value, and output fields that lose nothing.

A number that some library would "understand" anyway (1_000, full-width digits, 1e5, a JSON float)
means what its reader thinks it means; here it is refused with a stable code.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace.domain.decimals import DecimalRefused, parse_decimal
from marketplace.services.error_texts import code_text

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(?:Z|[+-][0-9]{2}:[0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LINE_CONTROLS = frozenset("\n\r\t")


@extend_schema_field(
    {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$", "example": "7.50"}
)
class StrictDecimalField(serializers.Field):
    """A decimal written as a JSON string of plain ASCII digits."""

    default_error_messages = {
        "not_a_string": _("Write the number as a JSON string, such as “7.50”."),
    }

    def __init__(
        self,
        *,
        max_digits: int = 12,
        places: int = 6,
        allow_negative: bool = False,
        **options: Any,
    ) -> None:
        self.max_digits, self.places, self.allow_negative = max_digits, places, allow_negative
        super().__init__(**options)

    def to_internal_value(self, data: object) -> Decimal:
        """Return the number, or refuse what is not plainly one."""
        if not isinstance(data, str):
            self.fail("not_a_string")
        try:
            return parse_decimal(
                data,
                max_digits=self.max_digits,
                places=self.places,
                allow_negative=self.allow_negative,
            )
        except DecimalRefused as refusal:
            text = code_text(refusal.code, dict(refusal.params))
            raise serializers.ValidationError(text, code=refusal.code) from None

    def to_representation(self, value: Decimal) -> str:
        """Return the number without an exponent."""
        return format(value, "f")


@extend_schema_field({"type": "string", "format": "decimal", "example": "7.500000"})
class ExactDecimalField(serializers.Field):
    """A decimal of an answer: a string with the digits that are stored.

    `places` is for values that were just stored and do not show the column's digits yet.
    """

    def __init__(self, *, places: int | None = None, **options: Any) -> None:
        self.places = places
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        """Return the number, of a sum of money its amount, without an exponent."""
        number = Decimal(getattr(value, "amount", value))
        if self.places is not None:
            number = number.quantize(Decimal(1).scaleb(-self.places))
        return format(number, "f")


@extend_schema_field({"type": "string", "format": "date-time"})
class InstantField(serializers.Field):
    """An instant with an explicit offset; a local time without one is refused."""

    default_error_messages = {
        "not_an_instant": _("Write the time with its offset, such as 2026-12-01T08:00:00+08:00."),
    }

    def to_internal_value(self, data: object) -> datetime:
        """Return the instant, or refuse what is not fully one."""
        if not isinstance(data, str) or not _INSTANT.fullmatch(data):
            self.fail("not_an_instant")
        try:
            instant = parse_datetime(data)
        except ValueError:
            instant = None
        # The first and last day of the calendar cannot be moved to another zone.
        if instant is None or not 1 < instant.year < 9999:
            self.fail("not_an_instant")
        return instant

    def to_representation(self, value: datetime) -> str:
        """Return the instant in ISO 8601 with its offset."""
        return value.isoformat()


@extend_schema_field({"type": "string", "format": "date"})
class DayField(serializers.Field):
    """A calendar day, such as 2026-12-01."""

    default_error_messages = {
        "not_a_day": _("Write the day as 2026-12-01."),
    }

    def to_internal_value(self, data: object) -> date:
        """Return the day, or refuse what is not one."""
        if not isinstance(data, str) or not _DAY.fullmatch(data):
            self.fail("not_a_day")
        try:
            return date.fromisoformat(data)
        except ValueError:
            self.fail("not_a_day")

    def to_representation(self, value: date) -> str:
        """Return the day in ISO 8601."""
        return value.isoformat()


class TextField(serializers.CharField):
    """A JSON string without control characters; numbers do not pass for texts."""

    default_error_messages = {
        "invalid": _("This must be a text."),
        "control_characters": _("The text holds control characters."),
    }

    def __init__(self, *, many_lines: bool = False, **options: Any) -> None:
        self.many_lines = many_lines
        options.setdefault("max_length", 200)
        super().__init__(**options)

    def to_internal_value(self, data: object) -> str:
        """Return the text, or refuse what cannot be shown or stored."""
        if not isinstance(data, str):
            self.fail("invalid")
        allowed = _LINE_CONTROLS if self.many_lines else frozenset()
        if any(not _is_printable(character, allowed) for character in data):
            self.fail("control_characters")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer; texts, floats and booleans do not pass for one."""

    def to_internal_value(self, data: object) -> int:
        """Return the integer, or refuse another JSON type."""
        if type(data) is not int:
            self.fail("invalid")
        return data


class YesNoField(serializers.BooleanField):
    """A JSON true or false; "yes", 1 and "on" do not pass for one."""

    def to_internal_value(self, data: object) -> bool:
        """Return the boolean, or refuse another JSON type."""
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:40])
        return data


class IdentifierField(serializers.UUIDField):
    """A UUID written with its hyphens."""

    def to_internal_value(self, data: object) -> UUID:
        """Return the UUID, or refuse another type or spelling."""
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid", value=str(data)[:40])
        return super().to_internal_value(data)


class ChoiceField(serializers.ChoiceField):
    """One of a list of strings; other JSON types are refused, not looked up."""

    def to_internal_value(self, data: object) -> Any:
        """Return the choice, or refuse it."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=str(data)[:40])
        return super().to_internal_value(data)


def _is_printable(character: str, allowed: frozenset[str]) -> bool:
    code = ord(character)
    if code < 32 or code == 127:
        return character in allowed
    return not 0xD800 <= code <= 0xDFFF  # half of a surrogate pair cannot be stored
