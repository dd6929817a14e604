from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.periods import (
    AuctionKind,
    Period,
    day_periods,
    day_window,
    delivery_window,
    describe_period,
    first_of_next_month,
    intraday_periods,
    is_on_grid,
    local_instant,
    market_date,
    month_periods,
    month_window,
    slots_of,
    split_period,
    week_periods,
    week_window,
)

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
days = st.dates(date(2020, 1, 1), date(2035, 12, 30))


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return local_instant(date(2026, 11, day), time(hour, minute))


def test_a_period_is_kept_in_utc_and_half_open() -> None:
    period = Period(at(9), at(10))

    assert period.starts_at == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert period.starts_at.tzinfo is UTC
    assert period.minutes == 60
    assert period.contains(at(9))
    assert not period.contains(at(10))


def test_touching_periods_do_not_overlap() -> None:
    first, second = Period(at(9), at(10)), Period(at(10), at(11))

    assert not first.overlaps(second)
    assert first.intersection(second) is None
    assert first.intersection(Period(at(9, 30), at(12))) == Period(at(9, 30), at(10))
    assert Period(at(9), at(11)).covers(second)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (at(10), at(10)),
        (at(10), at(9)),
        (datetime(2026, 11, 23), at(9)),
        (at(9), datetime(2026, 11, 23, 9)),
    ],
)
def test_empty_and_zoneless_periods_are_refused(start: datetime, end: datetime) -> None:
    """S-20: naive time stamps are refused."""
    with pytest.raises(ValueError, match="period"):
        Period(start, end)


@given(days)
def test_a_market_day_has_24_hours_that_meet(day: date) -> None:
    periods = day_periods(day)

    assert len(periods) == 24
    assert periods[0].starts_at == day_window(day).starts_at
    assert periods[-1].ends_at == day_window(day + timedelta(days=1)).starts_at
    assert all(a.ends_at == b.starts_at for a, b in pairwise(periods))


def test_a_day_of_a_zone_with_summer_time_is_stepped_by_elapsed_time() -> None:
    assert len(day_periods(date(2026, 3, 29), BERLIN)) == 23
    assert len(day_periods(date(2026, 10, 25), BERLIN)) == 25


@pytest.mark.parametrize(
    ("day", "zone", "quarters"),
    [
        (date(2026, 3, 29), BERLIN, 92),
        (date(2026, 10, 25), BERLIN, 100),
        (date(2026, 10, 24), BERLIN, 96),
        (date(2026, 3, 29), SHANGHAI, 96),
        (date(2028, 2, 29), SHANGHAI, 96),
    ],
)
def test_a_day_has_the_quarter_hours_that_pass(day: date, zone: ZoneInfo, quarters: int) -> None:
    """S-20: intervals by UTC instants; a day has 92, 96 or 100 quarter hours; leap day."""
    slots = slots_of(day_window(day, zone))

    assert len(slots) == quarters
    assert {slot.minutes for slot in slots} == {15}
    assert len({slot.starts_at for slot in slots}) == quarters
    assert all(a.ends_at == b.starts_at for a, b in pairwise(slots))
    assert {market_date(slot.starts_at, zone) for slot in slots} == {day}


def test_local_times_that_are_not_or_are_twice() -> None:
    """S-20: a wall-clock time that does not exist is refused; of two the first is meant."""
    with pytest.raises(ValueError, match="does not exist"):
        local_instant(date(2026, 3, 29), time(2, 30), BERLIN)

    first = local_instant(date(2026, 10, 25), time(2, 30), BERLIN)
    second = local_instant(date(2026, 10, 25), time(2, 30, fold=1), BERLIN)
    assert (first.hour, second.hour) == (0, 1)
    assert Period(first, second).minutes == 60


def test_a_leap_month_and_the_month_of_an_instant_follow_the_stated_zone() -> None:
    """S-20: month end in Shanghai is not month end in UTC."""
    assert month_window(date(2028, 2, 1)).minutes == 29 * 1440
    instant = datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert market_date(instant, SHANGHAI) == date(2026, 12, 1)
    assert market_date(instant, ZoneInfo("UTC")) == date(2026, 11, 30)
    assert month_window(date(2026, 11, 1)).ends_at == instant


@given(days)
def test_a_week_starts_on_monday_and_has_168_hours(day: date) -> None:
    periods = week_periods(day)

    assert len(periods) == 168
    assert market_date(periods[0].starts_at).weekday() == 0
    assert week_window(day).covers(day_window(day))


@given(days)
def test_a_month_has_one_period_a_day(day: date) -> None:
    periods = month_periods(day)

    assert len(periods) == (first_of_next_month(day) - day.replace(day=1)).days
    assert periods[0].starts_at == month_window(day).starts_at
    assert periods[-1].ends_at == month_window(day).ends_at
    assert {period.minutes for period in periods} == {1440}


def test_month_boundaries_are_those_of_the_market_not_of_utc() -> None:
    """S-20: months end by the stated zone, not by UTC."""
    assert month_window(date(2026, 12, 15)).starts_at == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert first_of_next_month(date(2026, 12, 31)) == date(2027, 1, 1)
    assert first_of_next_month(date(2027, 1, 31)) == date(2027, 2, 1)


def test_an_intraday_auction_sells_the_rest_of_the_day() -> None:
    periods = intraday_periods(at(20, 7), period_minutes=15)

    assert periods[0].starts_at == at(20, 15)
    assert periods[-1].ends_at == at(0, day=24)
    assert len(periods) == 15
    assert intraday_periods(at(20, 15), period_minutes=15)[0].starts_at == at(20, 15)


def test_nothing_is_left_to_sell_just_before_midnight() -> None:
    assert intraday_periods(at(23, 46), period_minutes=15) == []
    assert len(intraday_periods(at(23, 45), period_minutes=15)) == 1


def test_windows_follow_the_kind_of_auction() -> None:
    day = date(2026, 11, 25)

    assert delivery_window(AuctionKind.DAY_AHEAD, day) == day_window(day)
    assert delivery_window(AuctionKind.INTRADAY, day) == day_window(day)
    assert delivery_window(AuctionKind.WEEKLY, day) == week_window(day)
    assert delivery_window(AuctionKind.MONTHLY, day) == month_window(day)


def test_slots_cover_a_window_on_the_quarter_hour_grid() -> None:
    assert len(slots_of(day_window(date(2026, 11, 23)))) == 96
    with pytest.raises(ValueError, match="slot boundary"):
        slots_of(Period(at(9, 7), at(9, 22)))
    with pytest.raises(ValueError, match="whole number"):
        split_period(Period(at(9), at(10)), minutes=45)
    with pytest.raises(ValueError, match="at least a minute"):
        split_period(Period(at(9), at(10)), minutes=0)
    assert is_on_grid(at(9, 45), minutes=15)
    assert not is_on_grid(at(9, 45) + timedelta(seconds=1), minutes=15)


@pytest.mark.parametrize(
    ("period", "zh", "en"),
    [
        (Period(at(9), at(10)), "2026年11月23日(周一) 09:00–10:00", "2026-11-23 09:00–10:00"),
        (
            Period(at(23), at(0, day=24)),
            "2026年11月23日(周一) 23:00–24:00",
            "2026-11-23 23:00–24:00",
        ),
        (
            Period(at(22), at(2, day=24)),
            "2026年11月23日(周一) 22:00 至 2026年11月24日(周二) 02:00",
            "2026-11-23 22:00 to 2026-11-24 02:00",
        ),
        (day_window(date(2026, 11, 23)), "2026年11月23日(周一)", "2026-11-23"),
        (month_window(date(2026, 11, 23)), "2026年11月", "2026-11"),
    ],
)
def test_periods_are_written_in_market_time(period: Period, zh: str, en: str) -> None:
    assert describe_period(period, "zh-hans") == zh
    assert describe_period(period, "en") == en
