"""The live market after the day: an intraday auction every half hour of a tenfold clock."""

import time
from datetime import time as clock_time
from datetime import timedelta
from decimal import Decimal

from config.demo import trading
from config.demo.cast import gather_cast
from config.demo.day import DELIVERY_STEP, act, jump_to
from config.demo.stage import Stage
from marketplace.domain.periods import local_instant, market_date
from marketplace.selectors.clock import market_now
from marketplace.services.member_seed import extend_calendars
from orders.models import AuctionCalendar, CalendarKind

LIVE_SPEED = Decimal(10)
LIVE_FROM = clock_time(9)
HORIZON_MINUTES = 240
ACT_EVERY_S = 10.0
CALENDARS_EVERY_S = 600.0
CLOSING_SOON = timedelta(minutes=90)


class LiveMarket:
    """Keeps the demonstration's members trading until it is stopped."""

    def __init__(self, stage: Stage) -> None:
        """Remember the stage; nothing runs yet."""
        self._stage = stage
        self._next_act = 0.0
        self._next_calendars = time.monotonic() + CALENDARS_EVERY_S

    def begin(self) -> None:
        """Move the clock through the night to a morning and let intraday auctions run."""
        morning = local_instant(market_date(market_now()), LIVE_FROM)
        cast = gather_cast()
        while (now := min(market_now() + DELIVERY_STEP, morning)) < morning:
            jump_to(now, speed=Decimal(1))
            act(self._stage, cast, now=market_now())
        jump_to(morning, speed=LIVE_SPEED)
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
        soon = trading.untraded_auctions(now=market_now(), closing_within=CLOSING_SOON)
        for auction in soon:
            self._stage.say(f"{auction.code}: {trading.bid_in(cast, auction)} 笔申报 orders")
        act(self._stage, cast, now=market_now(), is_live=True)
        if time.monotonic() > self._next_calendars:
            self._next_calendars = time.monotonic() + CALENDARS_EVERY_S
            extend_calendars(days=6)
