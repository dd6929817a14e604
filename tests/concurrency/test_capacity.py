"""A listing is sold once, over all auctions that close at the same time."""

import io
import time
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from orders import clearing
from orders.models import Auction, CapacityClaim, CapacityCommitment, Order, RunArchive
from orders.services import capacity, freezing
from orders.services.freezing import freeze_book
from orders.services.gates import close_gate
from tests.concurrency.racing import Checkpoint, in_background
from tests.factories.orders import open_auction_now, pass_gate, stop_clock
from tests.factories.trading import Market, two_hub_market

pytestmark = pytest.mark.runtime_role


def test_one_book_freezes_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    _, first, second = _two_closed_auctions()

    error = _freeze_both(monkeypatch, first, second)

    assert error is None
    assert not second.runs.exists()  # it found the network taken, and is left for the next knock
    assert freeze_book(auction_id=second.pk) is True
    assert _link_room(first) > 0
    assert _link_room(second) == 0


def test_without_the_network_lock_two_books_get_the_same_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, first, second = _two_closed_auctions()
    monkeypatch.setattr(freezing, "try_network", lambda: True)
    monkeypatch.setattr(freezing, "claim_capacity", lambda *, auction: None)

    assert _freeze_both(monkeypatch, first, second) is None

    assert _link_room(first) == _link_room(second) > 0


def test_two_auctions_share_what_a_listing_has(monkeypatch: pytest.MonkeyPatch) -> None:
    market, first, second = _two_closed_auctions()
    monkeypatch.setattr(freezing, "try_network", lambda: True)

    error = _freeze_both(monkeypatch, first, second)

    assert error is None
    claimed = CapacityClaim.objects.filter(commitment__listing=market.west_listing)
    assert {claim.auction_id for claim in claimed if claim.claimed} == {first.pk}
    commitments = CapacityCommitment.objects.filter(listing=market.west_listing)
    assert {row.committed for row in commitments} == {Decimal(100)}
    late = Order.objects.get(auction=second, listing=market.west_listing)
    assert (late.state, late.reason_code) == ("quarantined", "capacity_taken")


def test_without_row_locks_the_database_refuses_the_double_sale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market, first, second = _two_closed_auctions()
    monkeypatch.setattr(freezing, "try_network", lambda: True)
    monkeypatch.setattr(capacity, "_OPEN_LISTINGS", "SELECT 1")  # the statement that locks

    error = _freeze_both(monkeypatch, first, second)

    assert isinstance(error, IntegrityError)
    assert "no_double_sale" in str(error)
    assert not second.runs.exists()
    commitments = CapacityCommitment.objects.filter(listing=market.west_listing)
    assert {row.committed for row in commitments} == {Decimal(100)}


def test_the_database_refuses_to_commit_more_than_there_is() -> None:
    market, first, _ = _two_closed_auctions()
    freeze_book(auction_id=first.pk)
    row = CapacityCommitment.objects.filter(listing=market.west_listing).first()
    assert row is not None

    with pytest.raises(IntegrityError, match="no_double_sale"), transaction.atomic():
        CapacityCommitment.objects.filter(pk=row.pk).update(committed=row.available + 1)


def _two_closed_auctions() -> tuple[Market, Auction, Auction]:
    """Return two auctions of the same hours, both with the same listings in their books."""
    stop_clock()
    market = two_hub_market()
    first = open_auction_now()
    second = open_auction_now(delivery_starts_at=first.delivery_starts_at)
    pass_gate(first)
    for auction in (first, second):
        assert close_gate(auction_id=auction.pk)
    _make_commitment_rows(first)
    return market, first, second


def _make_commitment_rows(auction: Auction) -> None:
    """Claim and free once, so that the rows of the slots are there before the race."""
    with transaction.atomic():
        capacity.claim_capacity(auction=auction)
        capacity.release_claims(auction=auction)


def _freeze_both(
    monkeypatch: pytest.MonkeyPatch, first: Auction, second: Auction
) -> Exception | None:
    """Freeze the second book while the first has claimed and not yet committed."""
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
            error = following.exception(timeout=20)
            assert error is None or isinstance(error, Exception)
            return error


def _link_room(auction: Auction) -> Decimal:
    """Return the Gbit/s of all links, directions and periods in an auction's bundle."""
    archive = RunArchive.objects.get(run__auction=auction)
    bundle = clearing.read_bundle(io.BytesIO(bytes(archive.bundle)))
    return sum(
        (sum(link.forward_capacity) + sum(link.reverse_capacity) for link in bundle.links),
        Decimal(0),
    )
