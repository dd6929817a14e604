"""One trading day of the demonstration, step by step, on the demonstration clock.

The day is played by the real service: workers open, close, clear, verify, publish and settle. This
module moves the clock, lets the members act, and waits for what the workers do.
"""

import time
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from pathlib import Path

from config.demo import arrears, delivering, funding, imports, trading
from config.demo.cast import Cast, gather_cast
from config.demo.sign_in import enrol_platform
from config.demo.stage import DemonstrationStuck, Stage
from marketplace.domain.periods import MARKET_TIME_ZONE, local_instant, market_date
from marketplace.models import MarketClock, Organisation, Product
from marketplace.selectors.clock import market_now
from marketplace.services.clock import set_clock, set_speed
from marketplace.services.member_seed import extend_calendars, seed_members
from marketplace.services.reference_seed import seed_reference
from orders.models import Auction, AuctionCalendar, AuctionState, CalendarKind
from orders.services import late_offers
from orders.services.auctions import ensure_default_calendars
from settlement.models import Delivery, SettlementRun, SettlementState
from settlement.services.accounts import open_platform_accounts
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.grid_factors import load_grid_factors
from settlement.services.sla.terms import promise_service

MORNING = clock_time(10, 30)
MIDNIGHT = clock_time(0)
DAYS_LISTED = 6
BIDDING_SPEED = Decimal(60)
CLOSING_SPEED = Decimal(600)
DELIVERY_STEP = timedelta(hours=3)
DONE = frozenset({AuctionState.PUBLISHED, AuctionState.SETTLING})
STUCK = frozenset({AuctionState.PARKED, AuctionState.CANCELLED, AuctionState.HALTED})
_PAUSED_BY_DAY = (CalendarKind.INTRADAY,)


def prepare_market(
    stage: Stage, *, password: str, data: Path | None = None, has_past: bool = False
) -> date:
    """Seed what is missing, set the clock to a morning, and return the day of delivery ahead.

    With a past, a market that begins remembers a bill that nobody paid, see `config.demo.arrears`.
    """
    first = not MarketClock.objects.filter(pk=1).exists()
    today = market_date(market_now()) + timedelta(days=0 if first else 1)
    morning = local_instant(today, MORNING)
    past = arrears.remembers_from(morning) if first and has_past else None
    # The first morning may lie before the real hour: nothing has happened on this clock yet.
    set_clock(market_at=past or morning, speed=Decimal(0), is_demo=True)
    _seed(stage, password)
    if past is not None:
        arrears.play_arrears(stage, password=password)
        set_clock(market_at=morning, speed=Decimal(0), is_demo=True)
    extend_calendars(days=DAYS_LISTED)
    if data is not None:
        stage.say(f"  真实价格表 {imports.import_asks(stage.say, data)} 笔供给 real asks")
    _fund(stage)
    promise_service(Product.objects.all(), valid_from=today)
    if past is not None:
        # Only now: an auction takes the standing offers that are there when it opens.
        AuctionCalendar.objects.update(is_active=True)
    ensure_default_calendars()
    AuctionCalendar.objects.filter(kind__in=_PAUSED_BY_DAY).update(is_active=False)
    set_speed(speed=BIDDING_SPEED)
    stage.say(f"演示时钟 demo clock: {_text(market_now())}")
    return today + timedelta(days=1)


def _seed(stage: Stage, password: str) -> None:
    seed_reference()
    open_platform_accounts()
    load_grid_factors()
    load_factor_sets()
    seeded = seed_members(password=password, days=DAYS_LISTED)
    enrol_platform()
    stage.say(
        f"市场就绪 market: {seeded.organisations} 家主体 members, {seeded.pools} 个资源池 pools,"
        f" {seeded.listings} 笔常备供给 standing listings"
    )


def play_day(stage: Stage, *, day: date, data: Path | None = None) -> Auction:
    """Play a whole trading day and return its settled day-ahead auction."""
    auction = _open_auction(stage, day)
    _bid(stage, auction, data)
    _clear(stage, auction)
    cast = gather_cast()
    _deliver(stage, cast, auction)
    _settle(stage, auction)
    return auction


def _fund(stage: Stage) -> None:
    unfunded = funding.unfunded_members()
    members: list[Organisation] = [member for member, _deposit, _credit in unfunded]
    stage.wait_for("opening the members' accounts", lambda: funding.accounts_open(members))
    for member, deposit, credit in unfunded:
        funding.fund(member, deposit_cny=deposit, credit_cny=credit)
    if unfunded:
        total = sum((deposit for _member, deposit, _credit in unfunded), Decimal(0))
        stage.say(f"  保证金 deposits confirmed by two persons: {total:,} CNY")


def _open_auction(stage: Stage, day: date) -> Auction:
    found = Auction.objects.filter(
        calendar__kind=CalendarKind.DAY_AHEAD,
        delivery_starts_at=local_instant(day, MIDNIGHT),
        state=AuctionState.OPEN,
    )
    stage.wait_for("opening the day-ahead auction", found.exists)
    return found.get()


def _bid(stage: Stage, auction: Auction, data: Path | None) -> None:
    cast = gather_cast()
    stage.wait_for("taking new listings into the book", late_offers.have_all_joined)
    stage.say(f"申报 bidding in {auction.code}: {len(cast.buyers)} 家买方 buyers")
    if data is not None:
        stage.say(f"  真实作业 {imports.import_bids(stage.say, data, auction)} 笔申报 real orders")
    appetite = trading.DAY_AHEAD_APPETITE if data is None else trading.BESIDE_IMPORTS_APPETITE
    outcome = trading.place_orders(cast, auction, appetite)
    refused = sum(outcome.values()) - outcome["accepted"]
    stage.say(f"  {outcome['accepted']} 笔入簿 in the book, {refused} 笔被拒 refused with a reason")


def _clear(stage: Stage, auction: Auction) -> None:
    stage.say(f"等待申报截止 waiting for gate closure at {_text(auction.gate_closes_at)}")
    set_speed(speed=CLOSING_SPEED)
    stage.wait_for("gate closure", lambda: market_now() >= auction.gate_closes_at)
    set_speed(speed=Decimal(1))
    begun = time.monotonic()
    stage.wait_for(f"clearing {auction.code}", lambda: _is_published(auction))
    took = time.monotonic() - begun
    stage.say(f"  出清、独立校验、公布 cleared, verified, published in {took:.1f} s")


def _is_published(auction: Auction) -> bool:
    auction.refresh_from_db()
    if auction.state in STUCK:
        raise DemonstrationStuck(f"{auction.code} is {auction.state}: {auction.state_reason}")
    return auction.state in DONE


def _deliver(stage: Stage, cast: Cast, auction: Auction) -> None:
    made = Delivery.objects.filter(allocation__auction=auction)
    stage.wait_for("making the deliveries", made.exists)
    now = auction.delivery_starts_at - timedelta(hours=1)
    end = auction.delivery_ends_at + timedelta(minutes=5)
    while True:
        jump_to(now, speed=Decimal(1))
        _bid_ahead(stage, cast)
        act(stage, cast, now=market_now())
        if now >= end:
            return
        now = min(now + DELIVERY_STEP, end)


def _bid_ahead(stage: Stage, cast: Cast) -> None:
    """Bid for the day after as well, before the next step of the clock closes its gate."""
    within = DELIVERY_STEP + timedelta(minutes=1)
    for auction in trading.untraded_auctions(now=market_now(), closing_within=within):
        stage.say(f"{auction.code}: {trading.bid_in(cast, auction)} 笔申报 orders")


def jump_to(instant: datetime, *, speed: Decimal) -> None:
    """Move the clock forward to an instant; when it has passed already, only change the speed."""
    set_speed(speed=Decimal(0))
    if instant > market_now():
        set_clock(market_at=instant, speed=speed, is_demo=True)
    else:
        set_speed(speed=speed)


def act(stage: Stage, cast: Cast, *, now: datetime, is_live: bool = False) -> None:
    """Let suppliers hand over and meter, and buyers confirm, whatever is due now.

    In the live market they leave alone what visitors entered, see `config.demo.delivering`.
    """
    handed = delivering.hand_over_due(cast, now=now, is_live=is_live)
    confirmed = delivering.confirm_handed_over(cast, now=now, is_live=is_live)
    metered = delivering.meter_ended_periods(cast, now=now, is_live=is_live)
    stage.watch()
    if handed or confirmed or metered:
        stage.say(
            f"  {_text(now)} 交付 handed over {handed}, 确认 confirmed {confirmed},"
            f" 读数 readings {metered}"
        )


def _settle(stage: Stage, auction: Auction) -> None:
    posted = SettlementRun.objects.filter(auction=auction, state=SettlementState.POSTED)
    stage.wait_for("settling the day", posted.exists)
    stage.say(f"结算完成 settled: {posted.get(sequence=1).number}")


def _text(instant: datetime) -> str:
    return f"{instant.astimezone(MARKET_TIME_ZONE):%Y-%m-%d %H:%M}"
