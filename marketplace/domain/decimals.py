"""Exact decimals: strict reading of numbers that people and programs send, ticks and lots.

Nothing here rounds. Rounding has one home, `marketplace.domain.money`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

# Wide enough for the product of five 18-digit numbers; anything longer is a programming error and
# raises `Inexact` instead of losing a digit.
_EXACT = Context(prec=100, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])

_NUMBER = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?")


class DecimalRefused(ValueError):
    """A text is not a number this market takes.

    Attributes:
        code: stable machine name of the broken rule: `empty`, `not_ascii`, `not_a_number`,
            `too_precise`, `too_large` or `negative`.
        params: the limits behind the rule, for the message shown to the user.
    """

    def __init__(self, code: str, **params: int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def parse_decimal(
    text: str, *, max_digits: int = 12, places: int = 6, allow_negative: bool = False
) -> Decimal:
    """Return the number written in `text`, or refuse it; there is no middle way.

    Only plain ASCII digits with an optional point and minus sign are numbers here. Exponents,
    underscores, thousands separators, blanks, NaN, Infinity and digits of other scripts are
    refused, because what they would become depends on who reads them. `-0` becomes `0`.

    Args:
        text: what was sent, unstripped.
        max_digits: most digits before the point.
        places: most digits after the point; zeros count, so that nothing is silently cut.
        allow_negative: whether a number below zero is meaningful here.

    Raises:
        DecimalRefused: with a stable `code`.
        TypeError: when `text` is not a string (a JSON number may have lost digits already).
    """
    if not isinstance(text, str):
        raise TypeError("a decimal is read from text only")
    match = _match_number(text)
    fraction = match["fraction"] or ""
    if len(match["whole"].lstrip("0")) > max_digits or len(match["whole"]) > max_digits + 6:
        raise DecimalRefused("too_large", max_digits=max_digits)
    if len(fraction) > places:
        raise DecimalRefused("too_precise", places=places)
    value = Decimal(text)
    if value.is_zero():
        return value.copy_abs()
    if value < 0 and not allow_negative:
        raise DecimalRefused("negative")
    return value


def _match_number(text: str) -> re.Match[str]:
    """Return the parts of a plainly written number, or refuse the text."""
    if not text:
        raise DecimalRefused("empty")
    if not text.isascii():
        raise DecimalRefused("not_ascii")
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise DecimalRefused("not_a_number")
    return match


def multiply_exactly(*factors: Decimal | int) -> Decimal:
    """Return the product of all factors without losing a digit.

    Raises:
        decimal.Inexact: when the product needs more than 100 digits.
    """
    product = Decimal(1)
    for factor in factors:
        product = _EXACT.multiply(product, Decimal(factor))
    return product


def add_exactly(terms: Iterable[Decimal]) -> Decimal:
    """Return the sum of all terms without losing a digit; the sum of nothing is zero.

    Raises:
        decimal.Inexact: when the sum needs more than 100 digits.
    """
    total = Decimal(0)
    for term in terms:
        total = _EXACT.add(total, term)
    return total


def divide_exactly(dividend: Decimal | int, divisor: Decimal | int) -> Decimal:
    """Return the quotient when it ends within 100 digits.

    Raises:
        decimal.Inexact: when the quotient does not end, such as 1 / 3.
        decimal.DivisionByZero: when the divisor is zero.
    """
    return _EXACT.divide(Decimal(dividend), Decimal(divisor))


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Say whether `value` is a whole number of `step`s.

    Raises:
        ValueError: when the step is not above zero.
    """
    if not step.is_finite() or step <= 0:
        raise ValueError("a step must be above zero")
    if not value.is_finite():
        return False
    return not _EXACT.remainder(value, step)


def on_tick(price: Decimal, tick: Decimal) -> bool:
    """Say whether a price is a whole number of the product's price ticks."""
    return is_multiple(price, tick)


def on_lot(quantity: Decimal, lot: Decimal) -> bool:
    """Say whether a quantity is a whole number of the product's lots."""
    return is_multiple(quantity, lot)


def to_steps(value: Decimal, step: Decimal) -> int:
    """Return how many whole ticks or lots `value` is.

    Raises:
        ValueError: when the value is off the grid of `step`.
    """
    if not is_multiple(value, step):
        raise ValueError(f"{value} is not a multiple of {step}")
    return int(_EXACT.divide_int(value, step))


def from_steps(steps: int, step: Decimal) -> Decimal:
    """Return the value of so many whole ticks or lots."""
    return multiply_exactly(steps, step)
