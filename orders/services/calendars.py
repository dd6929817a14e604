"""Calendars make auctions, ahead of their gates."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from marketplace.domain.periods import AuctionKind
from marketplace.models import Product
from orders.domain.windows import AuctionWindow, CalendarRule, windows_ahead
from orders.models import Auction, AuctionCalendar, AuctionState, AuctionTransition, CalendarKind
from orders.services.locks import calendar_lock

DEFAULT_CALENDARS: tuple[dict[str, Any], ...] = (
    {
        "code": "DA",
        "kind": CalendarKind.DAY_AHEAD,
        "name_zh": "日前集中竞价",
        "name_en": "Day-ahead auction",
        "period_minutes": 60,
        "gate_opens_lead_minutes": 36 * 60,
        "gate_closes_lead_minutes": 12 * 60,
        "no_cancel_minutes": 30,
    },
    {
        "code": "ID",
        "kind": CalendarKind.INTRADAY,
        "name_zh": "日内集中竞价",
        "name_en": "Intraday auction",
        "period_minutes": 30,
        "cadence_minutes": 30,
        "gate_opens_lead_minutes": 90,
        "gate_closes_lead_minutes": 15,
        "no_cancel_minutes": 5,
    },
    {
        "code": "WK",
        "kind": CalendarKind.WEEKLY,
        "name_zh": "周集中竞价",
        "name_en": "Weekly auction",
        "period_minutes": 60,
        "gate_opens_lead_minutes": 6 * 1440,
        "gate_closes_lead_minutes": 3 * 1440 - 14 * 60,
        "no_cancel_minutes": 60,
    },
    {
        "code": "MO",
        "kind": CalendarKind.MONTHLY,
        "name_zh": "月集中竞价（包月）",
        "name_en": "Monthly auction",
        "period_minutes": 1440,
        "gate_opens_lead_minutes": 20 * 1440,
        "gate_closes_lead_minutes": 5 * 1440 - 14 * 60,
        "no_cancel_minutes": 120,
    },
)


@transaction.atomic
def ensure_default_calendars() -> list[AuctionCalendar]:
    """Make the four standard calendars where they are missing; existing ones stay as they are.

    Day-ahead closes at noon of the day before, intraday every 30 minutes for the rest of the day,
    weekly and monthly at 14:00 three and five days before they begin.
    """
    made = []
    for fields in DEFAULT_CALENDARS:
        calendar, _ = AuctionCalendar.objects.get_or_create(
            code=fields["code"], defaults={k: v for k, v in fields.items() if k != "code"}
        )
        made.append(calendar)
    return made


def create_due_auctions(*, now: datetime) -> list[Auction]:
    """Make the auctions of every active calendar that open within a day, and always the next one.

    Two callers at once make each auction once: calendars are locked, windows are unique. An auction
    whose gate would have closed already is not made up for.

    Args:
        now: market time.
    """
    made: list[Auction] = []
    for calendar in AuctionCalendar.objects.filter(is_active=True).order_by("id"):
        made.extend(_create_for(calendar, now))
    return made


def _create_for(calendar: AuctionCalendar, now: datetime) -> list[Auction]:
    # An intraday calendar has many auctions a day: only those about to open are worth a row.
    is_intraday = calendar.kind == CalendarKind.INTRADAY
    ahead = timedelta(minutes=calendar.cadence_minutes if is_intraday else 1440)
    windows = windows_ahead(
        _rule(calendar), now=now, ahead=ahead, zone=ZoneInfo(settings.MARKET_TIME_ZONE)
    )
    if not _missing(calendar, windows):
        return []
    with transaction.atomic():
        calendar_lock(calendar.pk)
        products = list(calendar.products.all()) or list(Product.objects.filter(active=True))
        made = Auction.objects.bulk_create(
            [_auction(calendar, window) for window in _missing(calendar, windows)]
        )
        through = Auction.products.through
        through.objects.bulk_create(
            [
                through(auction_id=auction.pk, product_id=product.pk)
                for auction in made
                for product in products
            ]
        )
        AuctionTransition.objects.bulk_create(
            [
                AuctionTransition(auction=auction, to_state=auction.state, market_at=now)
                for auction in made
            ]
        )
    return made


def _missing(calendar: AuctionCalendar, windows: Iterable[AuctionWindow]) -> list[AuctionWindow]:
    wanted = {window.delivery.starts_at: window for window in windows}
    there = Auction.objects.filter(calendar=calendar, delivery_starts_at__in=list(wanted))
    for starts_at in there.values_list("delivery_starts_at", flat=True):
        wanted.pop(starts_at, None)
    return list(wanted.values())


def _rule(calendar: AuctionCalendar) -> CalendarRule:
    return CalendarRule(
        code=calendar.code,
        kind=AuctionKind(calendar.kind),
        cadence_minutes=calendar.cadence_minutes,
        horizon_minutes=calendar.horizon_minutes,
        gate_opens_lead_minutes=calendar.gate_opens_lead_minutes,
        gate_closes_lead_minutes=calendar.gate_closes_lead_minutes,
        no_cancel_minutes=calendar.no_cancel_minutes,
    )


def _auction(calendar: AuctionCalendar, window: AuctionWindow) -> Auction:
    return Auction(
        code=window.code,
        calendar=calendar,
        period_minutes=calendar.period_minutes,
        delivery_starts_at=window.delivery.starts_at,
        delivery_ends_at=window.delivery.ends_at,
        gate_opens_at=window.gate_opens_at,
        gate_closes_at=window.gate_closes_at,
        no_cancel_from=window.no_cancel_from,
        state=AuctionState.SCHEDULED,
    )
