"""Parsing of single cells of a bundle: exact decimals, whole numbers, references."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from orders.clearing.errors import BundleRefused

_MAX_DIGITS = 30
# Lots and ticks stay far below 2**63, so that sums over a million rows are exact in 64 bits.
MAX_LOTS = 10**10


def as_text(value: object, *, file: str, line: int | None, column: str) -> str:
    """Return the text of a cell handed over in memory; binary floats are refused."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        raise BundleRefused(
            file, line, f"{column}: binary floats are not exact; use Decimal or text"
        )
    if isinstance(value, Decimal):
        return format_decimal(value) if value.is_finite() else str(value)
    if isinstance(value, (list, tuple)):
        return ";".join(as_text(v, file=file, line=line, column=column) for v in value)
    return str(value).strip()


def format_decimal(value: Decimal) -> str:
    """Return a plain, normalised text: no exponent, no trailing zeros, no minus zero."""
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_decimal(text: str, *, file: str, line: int | None, column: str) -> Decimal:
    """Return the exact number in a cell.

    Raises:
        BundleRefused: empty, not a number, not finite, not ASCII, or absurdly long.
    """
    if not text or not text.isascii() or len(text) > _MAX_DIGITS or "_" in text:
        raise BundleRefused(file, line, f"{column}: {text[:40]!r} is not a decimal number")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise BundleRefused(file, line, f"{column}: {text!r} is not a decimal number") from error
    if not number.is_finite():
        raise BundleRefused(file, line, f"{column}: {text!r} is not a finite number")
    if abs(number.adjusted()) > _MAX_DIGITS:
        raise BundleRefused(file, line, f"{column}: {text!r} is out of range")
    return number


def parse_positive(text: str, *, file: str, line: int | None, column: str) -> Decimal:
    """Return a number above zero."""
    number = parse_decimal(text, file=file, line=line, column=column)
    if number <= 0:
        raise BundleRefused(file, line, f"{column}: {text} must be above zero")
    return number


def parse_non_negative(text: str, *, file: str, line: int | None, column: str) -> Decimal:
    """Return a number that is zero or more."""
    number = parse_decimal(text, file=file, line=line, column=column)
    if number < 0:
        raise BundleRefused(file, line, f"{column}: {text} is negative")
    return number


def parse_optional(text: str, *, file: str, line: int | None, column: str) -> Decimal | None:
    """Return a non-negative number, or None for an empty cell."""
    return parse_non_negative(text, file=file, line=line, column=column) if text else None


def parse_integer(
    text: str, *, low: int, high: int, file: str, line: int | None, column: str
) -> int:
    """Return a whole number between two bounds."""
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise BundleRefused(file, line, f"{column}: {text!r} is not a whole number")
    number = int(text)
    if not low <= number <= high:
        raise BundleRefused(file, line, f"{column}: {number} is outside {low} to {high}")
    return number


def parse_reference(
    text: str, index: Mapping[str, int], *, file: str, line: int | None, column: str
) -> int:
    """Return the position of a named thing."""
    found = index.get(text)
    if found is None:
        raise BundleRefused(file, line, f"{column}: unknown {text!r}")
    return found


def parse_classes(
    text: str, *, file: str, line: int | None, column: str
) -> tuple[Decimal, ...] | None:
    """Return an ascending list of limits separated by `;`, or None for an empty cell."""
    if not text:
        return None
    limits = [
        parse_non_negative(part.strip(), file=file, line=line, column=column)
        for part in text.split(";")
    ]
    if len(set(limits)) != len(limits):
        raise BundleRefused(file, line, f"{column}: {text} names a limit twice")
    if len(limits) > 6:
        raise BundleRefused(file, line, f"{column}: more than six limits")
    return tuple(sorted(limits))


def whole_steps(number: Decimal, tick: Decimal, *, file: str, line: int | None, column: str) -> int:
    """Return how many ticks or lots a number is.

    Raises:
        BundleRefused: off the tick, or too large for exact arithmetic.
    """
    steps = number / tick
    if steps != steps.to_integral_value() or steps * tick != number:
        raise BundleRefused(file, line, f"{column}: {number} is not a multiple of {tick}")
    if abs(steps) > MAX_LOTS:
        raise BundleRefused(file, line, f"{column}: {number} is too large")
    return int(steps)
