"""Indicative figures at fixed marks, of many members or of none."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from marketplace.services.clock import set_clock
from orders.models import Auction, AuctionCalendar, IndicativeCell, IndicativeMark
from orders.selectors.indicative import indicative_rows, latest_mark
from orders.services.indicative import due_marks, mark_before, publish_indicative
from tests.factories.orders import START, bid, closed, open_auction_now, stop_clock
from tests.factories.trading import Market, buyer, supplier, two_hub_market

pytestmark = pytest.mark.django_db
MARK = START + timedelta(minutes=15)


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


def _at(moment) -> None:
    set_clock(market_at=moment, speed=Decimal(0), is_demo=True)


def _crowd(market: Market, auction: Auction, count: int, price: int = 8) -> None:
    for number in range(count):
        bid(buyer(), auction, market.product, market.city, (price, 10 + number))


def test_marks_are_due_once_and_not_made_up_for(market: Market) -> None:
    auction = open_auction_now(gate_opens_at=START)
    assert due_marks() == []  # the gate opened after the last mark
    _at(START + timedelta(minutes=37))

    assert due_marks() == [(auction.pk, START + timedelta(minutes=30))]
    assert publish_indicative(auction_id=auction.pk, marked_at=due_marks()[0][1]) is True
    assert due_marks() == []
    mark = IndicativeMark.objects.get().marked_at
    assert publish_indicative(auction_id=auction.pk, marked_at=mark) is False
    assert mark_before(START + timedelta(minutes=14, seconds=59), 15) == START


def test_a_calendar_switches_them_off_and_a_fast_clock_waits(market: Market, settings) -> None:
    auction = open_auction_now()
    _at(MARK)
    AuctionCalendar.objects.update(indicative_minutes=0)
    assert due_marks() == []

    AuctionCalendar.objects.update(indicative_minutes=15)
    settings.INDICATIVE_PAUSE_S = 60
    publish_indicative(auction_id=auction.pk, marked_at=MARK)
    _at(START + timedelta(minutes=30))
    assert due_marks() == []
    assert timezone.now() - IndicativeMark.objects.get().recorded_at < timedelta(minutes=1)


def test_cells_of_fewer_than_five_members_are_not_shown(market: Market) -> None:
    auction = open_auction_now()
    _crowd(market, auction, 2)  # four members with the two sellers
    publish_indicative(auction_id=auction.pk, marked_at=MARK)
    assert not IndicativeCell.objects.exists()

    for units in (12, 13, 14):
        bid(buyer(), auction, market.product, market.city, (8, units))
    publish_indicative(auction_id=auction.pk, marked_at=MARK + timedelta(minutes=15))

    cells = IndicativeCell.objects.all()
    assert {cell.hub for cell in cells} == {market.city}  # the asks of two members are hidden
    assert {cell.period for cell in cells} == {1, 2, 3, 4}
    assert {(cell.price, cell.volume, cell.imbalance) for cell in cells} == {
        (Decimal(5), Decimal(60), Decimal(60))
    }


def test_all_hubs_together_when_nobody_can_be_told_apart(market: Market) -> None:
    auction = open_auction_now()
    _crowd(market, auction, 5)
    for price in ("6", "6.5", "7"):
        supplier(market.product, market.east, price)
    later = open_auction_now(calendar=auction.calendar, gate_opens_at=START - timedelta(minutes=2))
    _crowd(market, later, 5)
    publish_indicative(auction_id=later.pk, marked_at=MARK)

    rows = indicative_rows(latest_mark(later))

    assert [row.hub for row in rows] == [None, market.city]
    assert rows[0].volume == rows[1].volume == Decimal(240)  # 60 units through four hours


def test_nothing_is_published_once_the_gate_is_closed(market: Market) -> None:
    auction = open_auction_now()
    _crowd(market, auction, 5)
    closed(auction)

    assert publish_indicative(auction_id=auction.pk, marked_at=MARK) is False
    assert not IndicativeMark.objects.exists()


def test_the_book_is_left_as_it_is(market: Market) -> None:
    auction = open_auction_now()
    _crowd(market, auction, 5)
    before = list(auction.orders.order_by("id").values())
    publish_indicative(auction_id=auction.pk, marked_at=MARK)

    assert list(auction.orders.order_by("id").values()) == before
    assert not auction.runs.exists()
