"""Does what is on offer suffice for the shape of an order? Pure, on units by period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

Units = Mapping[int, Decimal]
ZERO = Decimal(0)


def units_throughout(room: Units, periods: Iterable[int]) -> Decimal:
    """Return the units that are free in every one of some periods; 0 for none."""
    return min((room.get(period, ZERO) for period in periods), default=ZERO)


def most_at_once(room: Units, periods: Iterable[int]) -> Decimal:
    """Return the most units that are free in any of some periods."""
    return max((room.get(period, ZERO) for period in periods), default=ZERO)


def best_run(room: Units, first: int, last: int, duration: int) -> Decimal:
    """Return the most units that are free through some run of periods within a window."""
    starts = range(first, last - duration + 2)
    return max(
        (units_throughout(room, range(start, start + duration)) for start in starts), default=ZERO
    )


def best_choice(room: Units, first: int, last: int, duration: int) -> Decimal:
    """Return the most units that are free in so many periods of a window, not in a row."""
    free = sorted((room.get(period, ZERO) for period in range(first, last + 1)), reverse=True)
    return free[duration - 1] if 0 < duration <= len(free) else ZERO


def first_with_units(room: Units) -> int | None:
    """Return the first period in which anything is free."""
    return min((period for period, units in room.items() if units > 0), default=None)
