"""Parts of a bill: how much of one amount belongs to a part of another."""

from __future__ import annotations

from decimal import Decimal

from marketplace.domain.decimals import multiply_exactly
from marketplace.domain.money import round_quotient

_ZERO = Decimal("0.00")


def matching_part(whole: Decimal, *, part: Decimal, of: Decimal) -> Decimal:
    """Return the share of `whole` that `part` has in `of`, in fen, half up, never above `whole`.

    Nothing belongs to a part of nothing.
    """
    if not of or not whole:
        return _ZERO
    if part >= of:
        return whole
    return round_quotient(multiply_exactly(whole, part), of, 2)
