"""Which auctions a calendar makes: windows of delivery, gates, names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from marketplace.domain.periods import (
    AuctionKind,
    Period,
    day_window,
    delivery_window,
    first_of_next_month,
    market_date,
)

# However far the clock jumps, one knock makes no more auctions of a calendar than this.
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """The rule of a calendar; leads are minutes before the start of delivery."""

    code: str
    kind: AuctionKind
    cadence_minutes: int
    horizon_minutes: int
    gate_opens_lead_minutes: int
    gate_closes_lead_minutes: int
    no_cancel_minutes: int


@dataclass(frozen=True, slots=True)
class AuctionWindow:
    """One auction to be: what it sells, and when it takes orders."""

    code: str
    delivery: Period
    gate_opens_at: datetime
    gate_closes_at: datetime
    no_cancel_from: datetime


def windows_ahead(
    rule: CalendarRule, *, now: datetime, ahead: timedelta, zone: ZoneInfo
) -> list[AuctionWindow]:
    """Return the auctions whose gate is still to close and opens within `ahead` of `now`.

    The next one is always among them, however far away it is.
    """
    found: list[AuctionWindow] = []
    for delivery in _deliveries(rule, now, zone):
        window = _window(rule, delivery, zone)
        if window.gate_closes_at <= now:
            continue
        if found and window.gate_opens_at > now + ahead:
            break
        found.append(window)
        if len(found) >= MOST_AT_ONCE:
            break
    return found


def _deliveries(rule: CalendarRule, now: datetime, zone: ZoneInfo) -> Iterator[Period]:
    """Yield the delivery windows from the one that could still be open, without end."""
    day = market_date(now + timedelta(minutes=rule.gate_closes_lead_minutes), zone)
    while True:
        if rule.kind is AuctionKind.INTRADAY:
            yield from _intraday_deliveries(rule, day, zone)
        else:
            yield delivery_window(rule.kind, day, zone)
        day = _next_day(rule.kind, day)


def _next_day(kind: AuctionKind, day: date) -> date:
    if kind is AuctionKind.WEEKLY:
        return day - timedelta(days=day.weekday()) + timedelta(days=7)
    if kind is AuctionKind.MONTHLY:
        return first_of_next_month(day)
    return day + timedelta(days=1)


def _intraday_deliveries(rule: CalendarRule, day: date, zone: ZoneInfo) -> Iterator[Period]:
    """Yield one window a cadence step: so many minutes, or the rest of the day."""
    whole = day_window(day, zone)
    step = timedelta(minutes=rule.cadence_minutes)
    if not step:
        raise ValueError(f"the calendar {rule.code} needs a cadence")
    start = whole.starts_at
    while start < whole.ends_at:
        horizon = timedelta(minutes=rule.horizon_minutes)
        yield Period(start, start + horizon if horizon else whole.ends_at)
        start += step


def _window(rule: CalendarRule, delivery: Period, zone: ZoneInfo) -> AuctionWindow:
    start = delivery.starts_at
    closes_at = start - timedelta(minutes=rule.gate_closes_lead_minutes)
    opens_at = start - timedelta(minutes=rule.gate_opens_lead_minutes)
    return AuctionWindow(
        code=f"{rule.code}-{_suffix(rule.kind, start.astimezone(zone))}",
        delivery=delivery,
        gate_opens_at=opens_at,
        gate_closes_at=closes_at,
        no_cancel_from=max(opens_at, closes_at - timedelta(minutes=rule.no_cancel_minutes)),
    )


def _suffix(kind: AuctionKind, start: datetime) -> str:
    if kind is AuctionKind.WEEKLY:
        year, week, _ = start.isocalendar()
        return f"{year}W{week:02d}"
    formats = {
        AuctionKind.DAY_AHEAD: "%Y%m%d",
        AuctionKind.INTRADAY: "%Y%m%d-%H%M",
        AuctionKind.MONTHLY: "%Y%m",
    }
    return start.strftime(formats[kind])
