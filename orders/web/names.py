"""What auctions, periods and windows are called on a page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext, pgettext

from marketplace.templatetags.market_ui import localname, unit_text
from orders.models import Auction, CalendarKind

MIDNIGHT = "00:00"


def market_zone() -> ZoneInfo:
    """Return the market's time zone."""
    return ZoneInfo(settings.MARKET_TIME_ZONE)


def auction_name(auction: Auction) -> str:
    """Return what the auction is and when it delivers: Day-ahead 11-23."""
    return f"{localname(auction.calendar)} {delivery_text(auction)}"


def delivery_text(auction: Auction) -> str:
    """Return the delivery window as short as its calendar allows."""
    start = timezone.localtime(auction.delivery_starts_at, market_zone())
    last = timezone.localtime(auction.delivery_ends_at, market_zone()) - timedelta(seconds=1)
    if auction.calendar.kind == CalendarKind.INTRADAY:
        return f"{start:%m-%d %H:%M}–{end_clock(auction.delivery_ends_at)}"
    if auction.calendar.kind == CalendarKind.MONTHLY:
        return f"{start:%Y-%m}"
    if start.date() == last.date():
        return f"{start:%m-%d}"
    return f"{start:%m-%d} – {last:%m-%d}"


def end_clock(moment: datetime) -> str:
    """Return the clock of an end: midnight is 24:00 of the day that ends."""
    clock = f"{timezone.localtime(moment, market_zone()):%H:%M}"
    return "24:00" if clock == MIDNIGHT else clock


@dataclass(frozen=True, slots=True)
class PeriodName:
    """A delivery period of an auction, counted from 1."""

    number: int
    starts_at: datetime
    ends_at: datetime
    label: str


def periods_of(auction: Auction) -> list[PeriodName]:
    """Return every delivery period of the auction with its label in market time."""
    step = timedelta(minutes=auction.period_minutes)
    names = []
    for index in range(auction.period_count):
        start = auction.delivery_starts_at + index * step
        names.append(PeriodName(index + 1, start, start + step, _period_label(auction, start)))
    return names


def _period_label(auction: Auction, start: datetime) -> str:
    local = timezone.localtime(start, market_zone())
    if auction.period_minutes >= 24 * 60:
        return f"{local:%m-%d}"
    whole_days = auction.delivery_ends_at - auction.delivery_starts_at > timedelta(days=1)
    return f"{local:%m-%d %H:%M}" if whole_days else f"{local:%H:%M}"


def end_label(period: PeriodName, auction: Auction) -> str:
    """Return the end of a period as a choice: its clock, or the end of a whole day."""
    if auction.period_minutes >= 24 * 60:
        return gettext("end of %(day)s") % {"day": period.label}
    day = period.label.rpartition(" ")[0]
    return f"{day} {end_clock(period.ends_at)}".strip()


def window_text(auction: Auction, first_period: int, last_period: int) -> str:
    """Return periods first to last, inclusive, as a window in market time."""
    step = timedelta(minutes=auction.period_minutes)
    start = timezone.localtime(
        auction.delivery_starts_at + (first_period - 1) * step, market_zone()
    )
    end = auction.delivery_starts_at + last_period * step
    last = timezone.localtime(end, market_zone()) - timedelta(seconds=1)
    if start.date() == last.date():
        return f"{start:%m-%d %H:%M}–{end_clock(end)}"
    return f"{start:%m-%d %H:%M} – {last:%m-%d} {end_clock(end)}"


def unit_price_text(product: object) -> str:
    """Return the unit of a price per hour, such as 元/卡时 or CNY per card·h."""
    unit = unit_text(product)
    return pgettext("unit of price", "CNY/%(unit)s") % {"unit": unit}


def yes_no(value: bool) -> str:
    """Return yes or no."""
    return gettext("yes") if value else gettext("no")
