"""Tonnes of one recognition line shared by the retirement lines that made it.

Each share is the difference of running sums rounded as the whole is (R2), so the shares add up to
the whole to the gram, in whatever pieces the serials were retired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.domain.decimals import add_exactly, multiply_exactly
from settlement.domain.carbon.energy import ceil_tonnes, floor_tonnes


@dataclass(frozen=True, slots=True)
class RecognisedShare:
    """What one retirement line counts, tonnes with 6 decimals.

    Attributes:
        credits: units of the line.
        recognised_t: floored share of credits × f.
        applied_t: the part of it that covers need.
        usage_t: ceiled share of the caps' use.
    """

    credits: int
    recognised_t: Decimal
    applied_t: Decimal
    usage_t: Decimal


def share_out(
    counts: Sequence[int], *, per_credit: Decimal, need_t: Decimal
) -> list[RecognisedShare]:
    """Share recognised, applied and used tonnes among retirement lines in their order.

    Args:
        counts: units of each line.
        per_credit: recognised tonnes per credit, exact.
        need_t: need that the lines meet together, 6 decimals.
    """
    shares = []
    before = _totals(0, per_credit, need_t)
    units = 0
    for count in counts:
        units += count
        after = _totals(units, per_credit, need_t)
        parts = [add_exactly([new, -old]) for new, old in zip(after, before, strict=True)]
        shares.append(RecognisedShare(count, *parts))
        before = after
    return shares


def _totals(units: int, per_credit: Decimal, need_t: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    worth = multiply_exactly(units, per_credit)
    return floor_tonnes(worth), floor_tonnes(min(worth, need_t)), ceil_tonnes(worth)
