"""What a listing promises, against a count hour by hour; hours that repeat."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.availability import CapacityWindow
from marketplace.domain.promises import promise_of, repeated_windows

START = datetime(2026, 12, 1, tzinfo=UTC)
CURVE = [(Decimal(10), Decimal("7.50")), (Decimal(6), Decimal("9.25")), (Decimal(4), Decimal(12))]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 20)), min_size=1, max_size=6),
)
def test_promise_is_the_sum_over_hours_and_units(stretches):
    windows, at = [], START
    for hours, units in stretches:
        windows.append(CapacityWindow(at, at + timedelta(hours=hours), Decimal(units)))
        at += timedelta(hours=hours + 1)
    one_by_one = sorted(price for quantity, price in CURVE for _ in range(int(quantity)))

    promise = promise_of(windows, CURVE)

    assert promise.unit_hours == sum(hours * units for hours, units in stretches)
    assert promise.hours == sum(hours for hours, _ in stretches)
    assert promise.least_cny == sum(hours * sum(one_by_one[:units]) for hours, units in stretches)
    assert (promise.starts_at, promise.ends_at) == (START, windows[-1].ends_at)


def test_nothing_on_offer_promises_nothing():
    assert promise_of([], CURVE) is None


def repeated(from_clock: str, until_clock: str, weekdays: range = range(7)):
    """Return the windows of the first week of December 2026, Tuesday to Monday."""
    return repeated_windows(
        first_day=date(2026, 12, 1),
        last_day=date(2026, 12, 7),
        from_clock=time.fromisoformat(from_clock),
        until_clock=time.fromisoformat(until_clock),
        weekdays=weekdays,
    )


def test_nights_run_past_midnight():
    nights = repeated("20:00", "08:00")

    assert len(nights) == 7
    assert {end - start for start, end in nights} == {timedelta(hours=12)}
    assert nights[0][0] == datetime(2026, 12, 1, 12, tzinfo=UTC)  # 20:00 in Shanghai


def test_whole_days_that_touch_become_one():
    assert [end - start for start, end in repeated("00:00", "00:00")] == [timedelta(days=7)]


def test_only_chosen_weekdays_count():
    weekend = repeated("09:00", "18:00", range(5, 7))

    assert [start.astimezone(UTC).date() for start, _ in weekend] == [
        date(2026, 12, 5),
        date(2026, 12, 6),
    ]
