"""The live market after the day: an intraday auction every half hour of a tenfold clock."""

import time
from datetime import time as clock_time
from datetime import timedelta
from decimal import Decimal

from config.demo import trading
from config.demo.cast import gather_cast
from config.demo.day import Stage, act, jump_to
from marketplace.domain.periods import local_instant, market_date
from marketplace.selectors.clock import market_now
from marketplace.services.member_seed import extend_calendars
from orders.models import Auction, AuctionCalendar, AuctionState, CalendarKind, OrderSource

LIVE_SPEED = Decimal(10)
LIVE_FROM = clock_time(9)
HORIZON_MINUTES = 240
ACT_EVERY_S = 10.0
CALENDARS_EVERY_S = 600.0


class LiveMarket:
    """Keeps the demonstration's members trading until it is stopped."""

    def __init__(self, stage: Stage) -> None:
        """Remember the stage; nothing runs yet."""
        self._stage = stage
        self._next_act = 0.0
        self._next_calendars = time.monotonic() + CALENDARS_EVERY_S

    def begin(self) -> None:
        """Move the clock to a morning and let intraday auctions run."""
        jump_to(local_instant(market_date(market_now()), LIVE_FROM), speed=LIVE_SPEED)
        extend_calendars(days=6)
        AuctionCalendar.objects.filter(kind=CalendarKind.INTRADAY).update(
            is_active=True, horizon_minutes=HORIZON_MINUTES
        )
        self._stage.say(
            "实时市场 live market: 日内集中竞价每 3 分钟出清 an intraday auction clears every"
            " 3 minutes; Ctrl-C 停止 stops everything"
        )

    def tick(self) -> None:
        """Act when it is time; quick otherwise."""
        if time.monotonic() < self._next_act:
            return
        self._next_act = time.monotonic() + ACT_EVERY_S
        cast = gather_cast()
        for auction in self._untraded():
            appetite = (
                trading.DAY_AHEAD_APPETITE
                if auction.calendar.kind == CalendarKind.DAY_AHEAD
                else trading.intraday_appetite(auction)
            )
            outcome = trading.place_orders(cast, auction, appetite)
            self._stage.say(f"{auction.code}: {outcome['accepted']} 笔申报 orders")
        act(self._stage, cast, now=market_now())
        if time.monotonic() > self._next_calendars:
            self._next_calendars = time.monotonic() + CALENDARS_EVERY_S
            extend_calendars(days=6)

    def _untraded(self) -> list[Auction]:
        """Return open auctions that close soon and have no bid of the demonstration yet."""
        closing = Auction.objects.filter(
            calendar__kind__in=[CalendarKind.INTRADAY, CalendarKind.DAY_AHEAD],
            state=AuctionState.OPEN,
            gate_closes_at__gt=market_now() + timedelta(minutes=3),
            gate_closes_at__lt=market_now() + timedelta(minutes=90),
        ).exclude(orders__source=OrderSource.DEMO)
        return list(closing.select_related("calendar").order_by("gate_closes_at")[:2])
