"""A listing is sold once, over all auctions that close at the same time."""

import io
import time
from decimal import Decimal

import pytest
from django.db import IntegrityError

from orders import clearing
from orders.models import (
    Allocation,
    Auction,
    AuctionState,
    CapacityCommitment,
    Order,
    RunArchive,
)
from orders.services import freezing
from orders.services.auctions import advance_auction
from orders.services.freezing import freeze_book
from orders.services.gates import close_gate
from tests.concurrency.racing import Checkpoint, in_background
from tests.factories.orders import bid, open_auction_now, pass_gate, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.runtime_role


def test_one_book_freezes_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    market, first, second = _two_closed_auctions()

    _freeze_both(monkeypatch, first, second)

    assert not second.runs.exists()  # it found the network taken, and is left for the next knock
    assert freeze_book(auction_id=second.pk) is True
    assert _link_room(first) > 0
    assert _link_room(second) == 0
    late = Order.objects.get(auction=second, listing=market.west_listing)
    assert (late.state, late.reason_code) == ("quarantined", "capacity_taken")


def test_what_one_auction_sells_the_next_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    market, first, second = _two_closed_auctions()
    freeze_book(auction_id=first.pk)
    assert advance_auction(auction_id=first.pk) == AuctionState.PUBLISHED

    assert advance_auction(auction_id=second.pk) == AuctionState.PUBLISHED

    rows = CapacityCommitment.objects.filter(listing=market.west_listing)
    assert {row.committed for row in rows} == {Decimal(100)}
    sold = Allocation.objects.filter(listing=market.west_listing)
    assert {a.auction_id: a.unit_hours for a in sold} == {first.pk: 320, second.pk: 80}


def test_without_the_network_lock_the_database_refuses_the_double_sale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market, first, second = _two_closed_auctions()
    monkeypatch.setattr(freezing, "try_network", lambda: True)
    _freeze_both(monkeypatch, first, second)
    assert _link_room(first) == _link_room(second) > 0  # both took the same
    assert advance_auction(auction_id=first.pk) == AuctionState.PUBLISHED

    with pytest.raises(IntegrityError, match="no_double_sale"):
        advance_auction(auction_id=second.pk)

    second.refresh_from_db()
    assert second.state == AuctionState.VERIFIED
    assert not Allocation.objects.filter(auction=second).exists()
    rows = CapacityCommitment.objects.filter(listing=market.west_listing)
    assert {row.committed for row in rows} == {Decimal(80)}


def _two_closed_auctions() -> tuple[Market, Auction, Auction]:
    """Return two auctions of the same hours, with the same listing and bids for 80 of its 100."""
    stop_clock()
    market = two_hub_market()
    first = open_auction_now()
    second = open_auction_now(delivery_starts_at=first.delivery_starts_at)
    for auction in (first, second):
        bid(buyer(), auction, market.product, market.west, (8, 80))
    pass_gate(first)
    for auction in (first, second):
        assert close_gate(auction_id=auction.pk)
    return market, first, second


def _freeze_both(monkeypatch: pytest.MonkeyPatch, first: Auction, second: Auction) -> None:
    """Freeze the second book while the first has taken its capacity and not yet committed."""
    checkpoint = Checkpoint()
    read = freezing.free_links

    def read_and_wait(*, auction: Auction) -> object:
        found = read(auction=auction)
        if auction.pk == first.pk:
            checkpoint.reach()
        return found

    monkeypatch.setattr(freezing, "free_links", read_and_wait)
    with in_background(lambda: freeze_book(auction_id=first.pk)) as leading:
        checkpoint.wait_until_reached()
        with in_background(lambda: freeze_book(auction_id=second.pk)) as following:
            time.sleep(0.5)
            checkpoint.let_on()
            assert leading.result(timeout=20) is True
            following.result(timeout=20)


def _link_room(auction: Auction) -> Decimal:
    """Return the Gbit/s of all links, directions and periods in an auction's bundle."""
    archive = RunArchive.objects.get(run__auction=auction)
    bundle = clearing.read_bundle(io.BytesIO(bytes(archive.bundle)))
    return sum(
        (sum(link.forward_capacity) + sum(link.reverse_capacity) for link in bundle.links),
        Decimal(0),
    )
