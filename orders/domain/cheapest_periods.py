"""Which periods of a window would have been cheapest."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal


def cheapest_average(
    prices: Sequence[Decimal | None], duration: int, *, in_a_row: bool
) -> Decimal | None:
    """Return the least average price over so many periods, None where there are too few.

    Args:
        prices: by period of the window; None where nothing could be had.
        duration: number of periods.
        in_a_row: whether the periods must follow each other.
    """
    if in_a_row:
        runs = [prices[start : start + duration] for start in range(len(prices) - duration + 1)]
    else:
        known = sorted(price for price in prices if price is not None)
        runs = [known[:duration]] if len(known) >= duration else []
    sums = [
        sum((price for price in run if price is not None), Decimal(0))
        for run in runs
        if all(price is not None for price in run)
    ]
    return min(sums) / duration if sums else None
