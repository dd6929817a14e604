"""A listing that joins open books does so once, and never behind a closed gate."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.models import Listing, OutboxEvent
from marketplace.services.listings import create_listing, revise_listing
from marketplace.services.outbox import apply_once
from orders.models import Auction, Order
from orders.services import late_offers
from orders.services.gates import close_gate
from tests.concurrency.racing import Checkpoint, in_background
from tests.factories.orders import START, open_auction_now, pass_gate, stop_clock
from tests.factories.trading import Market, two_hub_market

pytestmark = pytest.mark.runtime_role


def test_two_workers_with_two_events_make_one_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _asks_of_two_workers(monkeypatch) == 1


def test_without_the_listings_rows_two_asks_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_offers, "_locked", lambda listing_ids: listing_ids)

    assert _asks_of_two_workers(monkeypatch) == 2


def test_the_closer_waits_for_listings_that_join(monkeypatch: pytest.MonkeyPatch) -> None:
    auction = _close_while_listings_join(monkeypatch)

    assert auction.book_order_count == Order.objects.filter(auction=auction).count() == 3


def test_without_the_gate_lock_an_ask_is_in_no_book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_offers, "share_gate", lambda auction_id: None)

    auction = _close_while_listings_join(monkeypatch)

    assert auction.book_order_count == 2
    assert Order.objects.filter(auction=auction).count() == 3


def _listed(market: Market) -> Listing:
    return create_listing(
        actor=market.west_seller,
        pool=market.west_listing.pool,
        name="夜间空闲",
        quantity=Decimal(10),
        price_steps=[(Decimal(10), Decimal(4))],
        windows=[(START, START + timedelta(days=2), Decimal(10))],
    )


def _hold(monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """Hold the first worker after it copied, before it commits; let every other one pass."""
    checkpoint = Checkpoint()
    copy = late_offers.copy_standing_offers

    def copy_and_wait(*, auction_id: int, only: list[int]) -> int:
        copied = copy(auction_id=auction_id, only=only)
        if not checkpoint.was_reached:
            checkpoint.reach()
        return copied

    monkeypatch.setattr(late_offers, "copy_standing_offers", copy_and_wait)
    return checkpoint


def _apply(event: OutboxEvent) -> bool:
    return apply_once(consumer=late_offers.CONSUMER, event=event, apply=late_offers._join)


def _asks_of_two_workers(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let a worker apply the second event while another is about to commit the first one."""
    stop_clock()
    market = two_hub_market()
    auction = open_auction_now()
    checkpoint = _hold(monkeypatch)
    listing = _listed(market)
    revise_listing(actor=market.west_seller, public_id=listing.public_id, note="changed")
    with in_background(lambda: late_offers.join_open_auctions(limit=1)) as first:
        checkpoint.wait_until_reached()
        with in_background(lambda: _apply(OutboxEvent.objects.latest("pk"))) as second:
            time.sleep(0.5)
            checkpoint.let_on()
            assert first.result(timeout=20) == 1
            assert second.result(timeout=20) is True
    return Order.objects.filter(auction=auction, listing=listing).count()


def _close_while_listings_join(monkeypatch: pytest.MonkeyPatch) -> Auction:
    """Close the gate while a worker is between its copy and its commit."""
    stop_clock()
    market = two_hub_market()
    auction = open_auction_now()
    _listed(market)
    checkpoint = _hold(monkeypatch)
    with in_background(late_offers.join_open_auctions) as joining:
        checkpoint.wait_until_reached()
        pass_gate(auction)
        with in_background(lambda: close_gate(auction_id=auction.pk)) as closing:
            time.sleep(0.5)
            checkpoint.let_on()
            assert joining.result(timeout=20) == 1
            assert closing.result(timeout=20) is True
    auction.refresh_from_db()
    return auction
