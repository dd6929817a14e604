"""A standing bid goes into every auction of its calendar, once, with its own hold."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from marketplace.models import OutboxEvent
from marketplace.permissions import Actor
from marketplace.services.clock import set_clock
from orders.domain.repeated_windows import periods_between
from orders.models import Auction, Order, StandingBid, StandingBidCopy, StandingBidState
from orders.services import standing_bids
from settlement.models import Hold
from tests.factories.orders import CalendarFactory, curve_request, open_auction_now, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market(db: None) -> Market:
    stop_clock()
    return two_hub_market()


def _standing(market: Market, actor: Actor, auction: Auction, **limits) -> StandingBid:
    request = curve_request(
        auction, market.product, market.city, ((8, 10),), first_period=2, last_period=3
    )
    return standing_bids.create_standing_bid(actor=actor, request=request, **limits)


def _next_auction(auction: Auction) -> Auction:
    """Open the next auction of the same calendar a day later."""
    later = auction.gate_opens_at + timedelta(days=1, minutes=1)
    set_clock(market_at=later, speed=Decimal(0), is_demo=True)
    return open_auction_now(calendar=auction.calendar)


def _buys(auction: Auction):
    return Order.objects.filter(auction=auction, side="buy")


def test_it_is_copied_once_into_the_next_auction_with_a_hold(market: Market) -> None:
    actor = buyer()
    first = open_auction_now()
    _standing(market, actor, first)
    auction = _next_auction(first)

    assert standing_bids.auctions_to_copy() == [auction.pk]
    assert standing_bids.copy_standing_bids(auction_id=auction.pk) == 1
    assert standing_bids.copy_standing_bids(auction_id=auction.pk) == 0
    assert standing_bids.auctions_to_copy() == []

    order = _buys(auction).get()
    assert (order.first_period, order.last_period, order.source) == (2, 3, "standing")
    assert Hold.objects.get().reference == order.hold_reference
    assert not _buys(first).exists()


def test_paused_it_leaves_auctions_out_and_ended_it_is_over(market: Market) -> None:
    actor = buyer()
    first = open_auction_now()
    standing = _standing(market, actor, first)
    standing_bids.pause_standing_bid(actor=actor, public_id=standing.public_id)
    auction = _next_auction(first)

    assert standing_bids.copy_standing_bids(auction_id=auction.pk) == 0

    standing_bids.resume_standing_bid(actor=actor, public_id=standing.public_id)
    assert standing_bids.copy_standing_bids(auction_id=auction.pk) == 1

    standing_bids.end_standing_bid(actor=actor, public_id=standing.public_id)
    assert standing_bids.copy_standing_bids(auction_id=_next_auction(auction).pk) == 0


def test_a_refusal_is_written_down_and_holds_up_no_other(market: Market) -> None:
    poor, rich = buyer("1"), buyer()
    first = open_auction_now()
    refused = _standing(market, poor, first)
    _standing(market, rich, first)
    auction = _next_auction(first)

    assert standing_bids.copy_standing_bids(auction_id=auction.pk) == 1

    copy = StandingBidCopy.objects.get(standing_bid=refused)
    assert (copy.order, copy.refusal_code) == (None, "insufficient_collateral")
    assert OutboxEvent.objects.filter(topic="standing_bid.refused").count() == 1


def test_it_ends_with_its_last_day_and_its_budget(market: Market) -> None:
    actor = buyer()
    first = open_auction_now()
    dated = _standing(market, actor, first, ends_on=first.delivery_starts_at.date())
    # One copy can cost 10 x 8 x 2 h = 160, with fee and tax 171.30.
    limited = _standing(market, actor, first, budget_cny=Decimal(300))
    second = _next_auction(first)
    standing_bids.copy_standing_bids(auction_id=second.pk)
    standing_bids.copy_standing_bids(auction_id=_next_auction(second).pk)

    dated.refresh_from_db()
    limited.refresh_from_db()
    assert (dated.state, dated.ended_reason) == (StandingBidState.ENDED, "date_reached")
    assert (limited.state, limited.ended_reason) == (StandingBidState.ENDED, "budget_used")
    assert Order.objects.filter(side="buy").count() == 1


def test_another_calendar_takes_none(market: Market) -> None:
    first = open_auction_now()
    _standing(market, buyer(), first)
    _next_auction(first)
    other = open_auction_now(calendar=CalendarFactory(code="WK"))

    assert standing_bids.copy_standing_bids(auction_id=other.pk) == 0


def test_a_stranger_cannot_end_it(market: Market) -> None:
    standing = _standing(market, buyer(), open_auction_now())

    with pytest.raises(standing_bids.StandingBidNotFound):
        standing_bids.end_standing_bid(actor=buyer(), public_id=standing.public_id)


def test_intraday_windows_follow_the_clock() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    start = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)  # 16:30 in Shanghai
    starts = [start + timedelta(minutes=15 * step) for step in range(30)]

    found = periods_between(starts, from_minute=17 * 60, until_minute=18 * 60, now=start, zone=zone)

    assert found == (3, 6)
    assert periods_between(starts, from_minute=0, until_minute=60, now=start, zone=zone) is None
