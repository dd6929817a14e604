"""The most that an order can cost, before fees and tax.

Worked example and proof: `docs/reference/market-rules.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from marketplace.domain.decimals import divide_exactly, multiply_exactly

MINUTES_PER_HOUR = 60


def highest_outlay(steps: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Return the most a demand curve can cost in an hour, at any one clearing price.

    At a price the buyer takes at most what is bid there or higher, so the outlay is largest at one
    of the curve's own prices: the maximum of price x quantity bid at that price or above.

    Args:
        steps: (price per unit and hour, the step's own quantity).
    """
    demand, highest = Decimal(0), Decimal(0)
    for price, quantity in sorted(steps, reverse=True):
        demand += quantity
        highest = max(highest, multiply_exactly(price, demand))
    return highest


def curve_worst_case(
    steps: Sequence[tuple[Decimal, Decimal]], *, periods: int, period_minutes: int
) -> Decimal:
    """Return the most a curve order can cost over all its periods, CNY, exactly."""
    return _for_periods(highest_outlay(steps), periods=periods, period_minutes=period_minutes)


def block_worst_case(
    limit_price: Decimal, legs: Iterable[tuple[int, Decimal]], *, period_minutes: int
) -> Decimal:
    """Return the most a block order can cost, CNY, exactly: its limit times its whole profile.

    Args:
        limit_price: per unit and hour.
        legs: (number of periods, units in each).
        period_minutes: length of a period.
    """
    unit_periods = sum((multiply_exactly(count, units) for count, units in legs), Decimal(0))
    outlay = multiply_exactly(limit_price, unit_periods)
    return _for_periods(outlay, periods=1, period_minutes=period_minutes)


def flexible_worst_case(
    limit_price: Decimal, quantity: Decimal, *, duration: int, period_minutes: int
) -> Decimal:
    """Return the most a flexible or interruptible order can cost, CNY, exactly.

    It never pays above its limit for its whole quantity, whichever periods it gets.

    Args:
        limit_price: per unit and hour.
        quantity: units in each of its periods.
        duration: number of periods.
        period_minutes: length of a period.
    """
    legs = [(duration, quantity)]
    return block_worst_case(limit_price, legs, period_minutes=period_minutes)


def _for_periods(outlay: Decimal, *, periods: int, period_minutes: int) -> Decimal:
    total = multiply_exactly(outlay, periods, period_minutes)
    # A quarter of an hour divides 60, half an hour too; a day is a multiple of it.
    return divide_exactly(total, MINUTES_PER_HOUR)
