"""What a listing promises at most, and what it earns at least; and windows that repeat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from marketplace.domain.availability import CapacityWindow
from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_quotient
from marketplace.domain.periods import local_instant

MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Promise:
    """The worst case of a listing for its supplier.

    Attributes:
        starts_at: when the first window begins.
        ends_at: when the last window ends.
        most_units: units in the largest window.
        hours: hours in which anything is on offer.
        unit_hours: what must be delivered when everything is sold.
        least_cny: what that earns at the asked prices, CNY before tax and fee, to the fen; a
            clearing price is never below the ask.
    """

    starts_at: datetime
    ends_at: datetime
    most_units: Decimal
    hours: Decimal
    unit_hours: Decimal
    least_cny: Decimal


def promise_of(
    windows: Sequence[CapacityWindow], steps: Iterable[tuple[Decimal, Decimal]]
) -> Promise | None:
    """Return what is promised, None without a window.

    Args:
        windows: the calendar, not overlapping.
        steps: (units, CNY per unit and hour) of the price curve.
    """
    if not windows:
        return None
    curve = sorted(steps, key=lambda step: step[1])
    seconds = [_seconds(window) for window in windows]
    pairs = list(zip(windows, seconds, strict=True))
    unit_seconds = add_exactly(multiply_exactly(w.quantity, s) for w, s in pairs)
    least = add_exactly(multiply_exactly(_hour_value(w.quantity, curve), s) for w, s in pairs)
    return Promise(
        starts_at=min(window.starts_at for window in windows),
        ends_at=max(window.ends_at for window in windows),
        most_units=max(window.quantity for window in windows),
        hours=Decimal(sum(seconds)) / 3600,
        unit_hours=unit_seconds / 3600,
        least_cny=round_quotient(least, 3600, 2),
    )


def repeated_windows(
    *,
    first_day: date,
    last_day: date,
    from_clock: time,
    until_clock: time,
    weekdays: Iterable[int],
) -> list[tuple[datetime, datetime]]:
    """Return a stretch of each chosen day; one that ends before it begins runs past midnight.

    The same clock twice means a whole day. Neighbours that touch become one.

    Args:
        first_day: market date.
        last_day: market date, itself included; at most a year later.
        from_clock: beginning, market time.
        until_clock: end, market time.
        weekdays: Monday is 0.
    """
    chosen = set(weekdays)
    found: list[tuple[datetime, datetime]] = []
    count = min((last_day - first_day).days + 1, MOST_DAYS)
    for day in (first_day + timedelta(days=number) for number in range(count)):
        if day.weekday() not in chosen:
            continue
        end_day = day if until_clock > from_clock else day + timedelta(days=1)
        starts_at, ends_at = local_instant(day, from_clock), local_instant(end_day, until_clock)
        if found and found[-1][1] >= starts_at:
            found[-1] = (found[-1][0], ends_at)
        else:
            found.append((starts_at, ends_at))
    return found


def _seconds(window: CapacityWindow) -> int:
    return (window.ends_at - window.starts_at) // timedelta(seconds=1)


def _hour_value(units: Decimal, curve: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Return what so many units cost in an hour, the cheapest first."""
    left, value = units, Decimal(0)
    for quantity, price in curve:
        taken = min(left, quantity)
        value = add_exactly([value, multiply_exactly(taken, price)])
        left -= taken
    return value
