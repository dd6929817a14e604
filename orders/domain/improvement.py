"""When does a changed order bind its member to at least as much as before?"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

PriceQuantity = tuple[Decimal, Decimal]


def curve_improves(
    old: Iterable[PriceQuantity], new: Iterable[PriceQuantity], *, is_buy: bool
) -> bool:
    """Tell whether a curve takes at least as much as another one at every price.

    Args:
        old: steps (price, quantity) in the book.
        new: steps that replace them.
        is_buy: a bid takes at prices up to its own, an ask gives at prices from its own.

    Returns:
        True when at each price the new curve buys (sells) no less than the old one.
    """
    before, after = list(old), list(new)
    prices = {price for price, _ in [*before, *after]}
    return all(
        _depth(after, price, is_buy=is_buy) >= _depth(before, price, is_buy=is_buy)
        for price in prices
    )


def block_improves(
    *,
    old_limit: Decimal,
    new_limit: Decimal,
    old_legs: Iterable[tuple[int, int, Decimal]],
    new_legs: Iterable[tuple[int, int, Decimal]],
    is_buy: bool,
) -> bool:
    """Tell whether a block offers no worse a limit and no fewer units in any period.

    Legs are (first period, last period, quantity).
    """
    is_better = new_limit >= old_limit if is_buy else new_limit <= old_limit
    before, after = _by_period(old_legs), _by_period(new_legs)
    return is_better and all(after.get(t, Decimal(0)) >= units for t, units in before.items())


@dataclass(frozen=True)
class Job:
    """A bid for so many units in so many periods of a window, in a row or not."""

    limit: Decimal
    units: Decimal
    duration: int
    first: int
    last: int


def job_improves(old: Job, new: Job) -> bool:
    """Tell whether a flexible or interruptible bid can be served wherever the old one could.

    The window holds the old one, and limit, units and duration are no less. Then every run (or
    choice) of periods that served the old bid lies in one that serves the new bid, with at least as
    many units in each period and at no lower a limit.
    """
    is_wider = new.first <= old.first and new.last >= old.last
    is_more = new.units >= old.units and new.duration >= old.duration
    return is_wider and is_more and new.limit >= old.limit


def _depth(steps: Iterable[PriceQuantity], price: Decimal, *, is_buy: bool) -> Decimal:
    taken = (q for p, q in steps if (p >= price if is_buy else p <= price))
    return sum(taken, Decimal(0))


def _by_period(legs: Iterable[tuple[int, int, Decimal]]) -> dict[int, Decimal]:
    units: dict[int, Decimal] = {}
    for first, last, quantity in legs:
        for period in range(first, last + 1):
            units[period] = units.get(period, Decimal(0)) + quantity
    return units
