"""Delivery periods: half-open spans of time, and the windows that each kind of auction sells.

Instants are UTC; the market's time zone only decides where days, weeks and months begin. Periods
are stepped by elapsed time, so a day of a zone with daylight saving has 23 or 25 hours here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MARKET_TIME_ZONE = ZoneInfo("Asia/Shanghai")

SLOT_MINUTES = 15
"""Capacity is committed in slots of this length; every period is a whole number of them."""

_WEEKDAYS_ZH = "一二三四五六日"


class AuctionKind(StrEnum):
    """The calendars an auction can belong to."""

    DAY_AHEAD = "day_ahead"
    INTRADAY = "intraday"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open span: `starts_at` is inside, `ends_at` is not. Both are kept in UTC.

    Raises:
        ValueError: when an instant has no time zone or the span is empty.
    """

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise ValueError("a period needs instants with a time zone")
        object.__setattr__(self, "starts_at", self.starts_at.astimezone(UTC))
        object.__setattr__(self, "ends_at", self.ends_at.astimezone(UTC))
        if self.starts_at >= self.ends_at:
            raise ValueError("a period must end after it starts")

    @property
    def duration(self) -> timedelta:
        """Elapsed time from start to end."""
        return self.ends_at - self.starts_at

    @property
    def minutes(self) -> int:
        """Length in whole minutes."""
        return int(self.duration // timedelta(minutes=1))

    def contains(self, instant: datetime) -> bool:
        """Say whether an instant lies inside; the end does not."""
        return self.starts_at <= instant < self.ends_at

    def covers(self, other: Period) -> bool:
        """Say whether another period lies wholly inside this one."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def overlaps(self, other: Period) -> bool:
        """Say whether two periods share any time; touching ones do not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def intersection(self, other: Period) -> Period | None:
        """Return the time two periods share, or nothing."""
        if not self.overlaps(other):
            return None
        return Period(max(self.starts_at, other.starts_at), min(self.ends_at, other.ends_at))


def split_period(window: Period, *, minutes: int) -> list[Period]:
    """Cut a window into equal periods, in order, leaving no time over.

    Raises:
        ValueError: when the window is not a whole number of such periods.
    """
    if minutes <= 0:
        raise ValueError("a period must last at least a minute")
    step = timedelta(minutes=minutes)
    if window.duration % step:
        raise ValueError(f"the window is not a whole number of {minutes}-minute periods")
    count = window.duration // step
    starts = [window.starts_at + index * step for index in range(count)]
    return [Period(start, start + step) for start in starts]


def slots_of(window: Period) -> list[Period]:
    """Return the capacity slots a window covers.

    Raises:
        ValueError: when the window does not start and end on slot boundaries.
    """
    if not is_on_grid(window.starts_at, minutes=SLOT_MINUTES):
        raise ValueError("the window does not start on a slot boundary")
    return split_period(window, minutes=SLOT_MINUTES)


def is_on_grid(instant: datetime, *, minutes: int) -> bool:
    """Say whether an instant is a whole number of `minutes` since the UTC epoch."""
    return not (instant - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(minutes=minutes)


def day_window(day: date, zone: ZoneInfo = MARKET_TIME_ZONE) -> Period:
    """Return one calendar day of the market's time zone."""
    return Period(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def week_window(day: date, zone: ZoneInfo = MARKET_TIME_ZONE) -> Period:
    """Return the week, Monday to Monday, that a day falls into."""
    monday = day - timedelta(days=day.weekday())
    return Period(_midnight(monday, zone), _midnight(monday + timedelta(days=7), zone))


def month_window(day: date, zone: ZoneInfo = MARKET_TIME_ZONE) -> Period:
    """Return the calendar month that a day falls into."""
    first = day.replace(day=1)
    return Period(_midnight(first, zone), _midnight(first_of_next_month(day), zone))


def first_of_next_month(day: date) -> date:
    """Return the first day of the month after the one a day falls into."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def rest_of_day_window(
    after: datetime, *, period_minutes: int, zone: ZoneInfo = MARKET_TIME_ZONE
) -> Period | None:
    """Return what is left of the market day from the next period boundary, or nothing.

    A period that starts exactly at `after` still counts.
    """
    day = day_window(market_date(after, zone), zone)
    step = timedelta(minutes=period_minutes)
    elapsed = after - day.starts_at
    starts_at = day.starts_at + -(-elapsed // step) * step
    return Period(starts_at, day.ends_at) if starts_at < day.ends_at else None


def day_periods(day: date, zone: ZoneInfo = MARKET_TIME_ZONE) -> list[Period]:
    """Return the delivery periods of a day-ahead auction: the hours of a day."""
    return split_period(day_window(day, zone), minutes=60)


def intraday_periods(
    after: datetime, *, period_minutes: int = 15, zone: ZoneInfo = MARKET_TIME_ZONE
) -> list[Period]:
    """Return the delivery periods of an intraday auction: the rest of the day, in short steps."""
    window = rest_of_day_window(after, period_minutes=period_minutes, zone=zone)
    return split_period(window, minutes=period_minutes) if window else []


def week_periods(day: date, zone: ZoneInfo = MARKET_TIME_ZONE) -> list[Period]:
    """Return the delivery periods of a weekly auction: the hours of a week."""
    return split_period(week_window(day, zone), minutes=60)


def month_periods(day: date, zone: ZoneInfo = MARKET_TIME_ZONE) -> list[Period]:
    """Return the delivery periods of a monthly auction: the days of a month."""
    window = month_window(day, zone)
    first = day.replace(day=1)
    days: list[Period] = []
    while not days or days[-1].ends_at < window.ends_at:
        days.append(day_window(first + timedelta(days=len(days)), zone))
    return days


def delivery_window(kind: AuctionKind, day: date, zone: ZoneInfo = MARKET_TIME_ZONE) -> Period:
    """Return the whole window an auction of a kind sells for the day, week or month of `day`."""
    if kind is AuctionKind.WEEKLY:
        return week_window(day, zone)
    if kind is AuctionKind.MONTHLY:
        return month_window(day, zone)
    return day_window(day, zone)


def local_instant(day: date, at: time, zone: ZoneInfo = MARKET_TIME_ZONE) -> datetime:
    """Return the UTC instant of a wall-clock time in the market's zone.

    Of a time that comes twice the first is meant, unless its `fold` says the second.

    Raises:
        ValueError: the clock jumps over that time on that day.
    """
    local = datetime.combine(day, at, tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"{local:%Y-%m-%d %H:%M} does not exist in {zone.key}")
    return instant


def market_date(instant: datetime, zone: ZoneInfo = MARKET_TIME_ZONE) -> date:
    """Return the date an instant falls on in the market's zone."""
    return instant.astimezone(zone).date()


def describe_period(period: Period, language: str, zone: ZoneInfo = MARKET_TIME_ZONE) -> str:
    """Return a period as people write it, in the market's time.

    Whole months and days are named as such; the end of a span that ends at midnight is written
    24:00 of the day before, as timetables do.
    """
    chinese = language.lower().startswith("zh")
    first = market_date(period.starts_at, zone)
    if period == month_window(first, zone):
        return f"{first.year}年{first.month}月" if chinese else f"{first:%Y-%m}"
    if period == day_window(first, zone):
        return _day_name(first, chinese=chinese)
    last, end = _inclusive_end(period, zone)
    start = f"{period.starts_at.astimezone(zone):%H:%M}"
    if last == first:
        return f"{_day_name(first, chinese=chinese)} {start}–{end}"
    joint = "至" if chinese else "to"
    return (
        f"{_day_name(first, chinese=chinese)} {start} {joint} "
        f"{_day_name(last, chinese=chinese)} {end}"
    )


def _inclusive_end(period: Period, zone: ZoneInfo) -> tuple[date, str]:
    local = period.ends_at.astimezone(zone)
    if local.time() == time(0):
        return local.date() - timedelta(days=1), "24:00"
    return local.date(), f"{local:%H:%M}"


def _day_name(day: date, *, chinese: bool) -> str:
    if not chinese:
        return f"{day:%Y-%m-%d}"
    return f"{day.year}年{day.month}月{day.day}日(周{_WEEKDAYS_ZH[day.weekday()]})"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return local_instant(day, time(0), zone)
