"""An order at gate closure is in the frozen book, or refused: never taken and lost."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.services.clock import set_clock
from orders.models import Auction, AuctionState, Order, OrderState
from orders.services import submission
from orders.services.gates import book_fingerprint, close_gate
from orders.services.refusals import GateClosed
from tests.concurrency.racing import Checkpoint, in_background, in_parallel
from tests.factories.orders import bid, open_auction_now, pass_gate, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.runtime_role

SUBMITS = 200


def test_no_order_of_two_hundred_is_lost_at_the_boundary() -> None:
    market, auction = _open_market()
    actor = buyer("10000000")
    set_clock(
        market_at=auction.gate_closes_at - timedelta(milliseconds=1200),
        speed=Decimal(1),
        is_demo=True,
    )

    def close() -> str:
        while not close_gate(auction_id=auction.pk):
            time.sleep(0.01)
        return "closed"

    def submit() -> Order:
        return bid(actor, auction, market.product, market.city, (8, 1))

    outcomes = in_parallel([close, *[submit] * SUBMITS])

    accepted = {order.pk for order in outcomes if isinstance(order, Order)}
    refused = [error for error in outcomes if isinstance(error, GateClosed)]
    assert len(accepted) + len(refused) == SUBMITS
    assert accepted
    assert refused
    auction.refresh_from_db()
    book = Order.objects.filter(auction=auction, state=OrderState.ACTIVE)
    assert accepted == set(book.filter(side="buy").values_list("pk", flat=True))
    assert (auction.book_order_count, auction.book_sha256) == book_fingerprint(auction)


def test_the_closer_waits_for_an_order_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    auction, count_in_book = _close_while_an_order_is_under_way(monkeypatch)

    assert auction.state == AuctionState.CLOSED
    assert auction.book_order_count == count_in_book


def test_without_the_gate_lock_an_order_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "share_gate", lambda auction_id: None)

    auction, count_in_book = _close_while_an_order_is_under_way(monkeypatch)

    assert auction.state == AuctionState.CLOSED
    assert auction.book_order_count == count_in_book - 1  # taken, and in no frozen book


def _open_market() -> tuple[Market, Auction]:
    stop_clock()
    return two_hub_market(), open_auction_now()


def _close_while_an_order_is_under_way(monkeypatch: pytest.MonkeyPatch) -> tuple[Auction, int]:
    """Hold an order between its look at the clock and its commit, and close the gate meanwhile."""
    market, auction = _open_market()
    actor = buyer()
    checkpoint = Checkpoint()
    look = submission.require_open

    def look_and_wait(auction: Auction) -> object:
        now = look(auction)
        checkpoint.reach()
        return now

    monkeypatch.setattr(submission, "require_open", look_and_wait)
    with in_background(lambda: bid(actor, auction, market.product, market.city)) as order:
        checkpoint.wait_until_reached()
        pass_gate(auction)
        with in_background(lambda: close_gate(auction_id=auction.pk)) as closing:
            time.sleep(0.5)
            checkpoint.let_on()
            assert order.result(timeout=20).pk
            assert closing.result(timeout=20) is True
    auction.refresh_from_db()
    return auction, Order.objects.filter(auction=auction, state=OrderState.ACTIVE).count()
