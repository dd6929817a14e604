"""Capacity of a listing over time, and what several offer together."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.availability import (
    CapacityWindow,
    capacity_in,
    first_overlap,
    peak_quantity,
)
from marketplace.domain.periods import Period

ZERO = datetime(2026, 12, 1, tzinfo=UTC)


def _at(hour: int) -> datetime:
    return ZERO + timedelta(hours=hour)


def _window(start: int, end: int, quantity: int) -> CapacityWindow:
    return CapacityWindow(_at(start), _at(end), Decimal(quantity))


windows = st.lists(
    st.builds(
        lambda start, length, quantity: _window(start, start + length, quantity),
        st.integers(0, 20),
        st.integers(1, 6),
        st.integers(1, 9),
    ),
    max_size=8,
)


def test_the_least_window_of_a_time_counts_and_a_gap_is_nothing() -> None:
    calendar = [_window(0, 2, 8), _window(2, 4, 5), _window(5, 6, 9)]
    assert capacity_in(Period(_at(0), _at(4)), calendar) == 5
    assert capacity_in(Period(_at(0), _at(2)), calendar) == 8
    assert capacity_in(Period(_at(3), _at(6)), calendar) == 0
    assert capacity_in(Period(_at(6), _at(7)), calendar) == 0
    pause = Period(_at(1), _at(2))
    assert capacity_in(Period(_at(0), _at(2)), calendar, [pause]) == 0
    assert capacity_in(Period(_at(2), _at(3)), calendar, [pause]) == 5


@given(windows)
def test_the_peak_is_the_greatest_sum_over_all_hours(offered: list[CapacityWindow]) -> None:
    hours = [
        sum(w.quantity for w in offered if w.starts_at <= _at(hour) < w.ends_at)
        for hour in range(30)
    ]
    assert peak_quantity(offered) == max(hours)


@given(windows)
def test_an_overlap_is_found_exactly_when_there_is_one(calendar: list[CapacityWindow]) -> None:
    pairs = [
        (a, b)
        for i, a in enumerate(calendar)
        for b in calendar[i + 1 :]
        if a.starts_at < b.ends_at and b.starts_at < a.ends_at
    ]
    assert (first_overlap(calendar) is not None) == bool(pairs)
