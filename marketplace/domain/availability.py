"""How much of a listing can be had when: windows, maintenance, and what several listings share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from marketplace.domain.periods import Period


@dataclass(frozen=True, slots=True)
class CapacityWindow:
    """So many units for a half-open span of time."""

    starts_at: datetime
    ends_at: datetime
    quantity: Decimal


def capacity_in(
    period: Period, windows: Iterable[CapacityWindow], maintenance: Iterable[Period] = ()
) -> Decimal:
    """Return the units that can be had through all of a period; 0 where there is a gap.

    Args:
        period: the time asked for.
        windows: the listing's windows, which do not overlap.
        maintenance: times in which the listing sells nothing.
    """
    if any(pause.overlaps(period) for pause in maintenance):
        return Decimal(0)
    touching = sorted(
        (w for w in windows if w.starts_at < period.ends_at and w.ends_at > period.starts_at),
        key=lambda window: window.starts_at,
    )
    reached = period.starts_at
    for window in touching:
        if window.starts_at > reached:
            return Decimal(0)
        reached = window.ends_at
    if reached < period.ends_at or not touching:
        return Decimal(0)
    return min(window.quantity for window in touching)


def first_overlap(windows: Sequence[CapacityWindow]) -> int | None:
    """Return the place, in the given order, of a window that overlaps an earlier-starting one."""
    order = sorted(range(len(windows)), key=lambda index: windows[index].starts_at)
    for before, after in pairwise(order):
        if windows[after].starts_at < windows[before].ends_at:
            return after
    return None


def peak_quantity(windows: Iterable[CapacityWindow]) -> Decimal:
    """Return the most units that are on offer at any one time, all windows together."""
    changes: list[tuple[datetime, Decimal]] = []
    for window in windows:
        changes.append((window.starts_at, window.quantity))
        changes.append((window.ends_at, -window.quantity))
    total = peak = Decimal(0)
    # At one instant ends come before starts: half-open windows that touch do not add up.
    for _, change in sorted(changes):
        total += change
        peak = max(peak, total)
    return peak
