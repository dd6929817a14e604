"""However many workers try, an auction is published once and numbered without gaps."""

import time
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from marketplace.models import OutboxEvent
from orders.models import Allocation, Auction, AuctionState, ClearingRun
from orders.services import allocations, publication, transitions
from orders.services.auctions import advance_auction, claim_due_auctions
from orders.services.leases import renew_lease, take_lease
from orders.services.publication import publish_run
from orders.services.transitions import lock_auction
from tests.concurrency.racing import Checkpoint, in_background, in_parallel
from tests.factories.orders import bid, open_auction_now, pass_gate, stop_clock, verified
from tests.factories.trading import buyer, two_hub_market

pytestmark = pytest.mark.runtime_role


def test_four_workers_at_once_publish_once() -> None:
    auction = _auction_with_a_bid()
    pass_gate(auction)

    in_parallel([lambda: advance_auction(auction_id=auction.pk)] * 4, workers=4)

    auction.refresh_from_db()
    assert auction.state == AuctionState.PUBLISHED
    assert ClearingRun.objects.filter(auction=auction).count() == 1
    assert OutboxEvent.objects.filter(topic="auction.published").count() == 1
    assert auction.transitions.filter(to_state="published").count() == 1


def test_two_sweeps_claim_an_auction_once() -> None:
    auction = _auction_with_a_bid()
    pass_gate(auction)

    claims = in_parallel([claim_due_auctions] * 8, workers=8)

    assert [found for claim in claims for found in claim] == [auction.pk]


def test_a_lease_is_renewed_without_waiting_for_the_phase_that_holds_the_row() -> None:
    auction = _auction_with_a_bid()
    owner = take_lease(auction_id=auction.pk)
    assert owner is not None

    def renew() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        renew_lease(auction_id=auction.pk, owner=owner)

    with transaction.atomic():
        held = lock_auction(auction.pk)
        assert in_parallel([renew]) == [None]
    until = Auction.objects.get(pk=auction.pk).lease_until
    assert until == held.lease_until

    renew_lease(auction_id=auction.pk, owner=owner)

    renewed = Auction.objects.get(pk=auction.pk).lease_until
    assert until is not None
    assert renewed is not None
    assert renewed > until


def test_the_second_publisher_finds_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    auction = verified(_auction_with_a_bid())

    error, second = _publish_twice(monkeypatch, auction)

    assert error is None
    assert second is False
    assert Allocation.objects.count() == 1


def test_without_locks_the_database_refuses_the_second_publication(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    auction = verified(_auction_with_a_bid())
    _take_phase_locks_away(monkeypatch)

    error, _ = _publish_twice(monkeypatch, auction)

    assert isinstance(error, IntegrityError)
    assert Allocation.objects.count() == 1
    assert OutboxEvent.objects.filter(topic="auction.published").count() == 1


def test_confirmations_of_two_auctions_are_numbered_without_gaps() -> None:
    first, second = _two_verified_auctions()

    outcomes = in_parallel(
        [lambda: publish_run(auction_id=first.pk), lambda: publish_run(auction_id=second.pk)]
    )

    assert outcomes == [True, True]
    numbers = sorted(Allocation.objects.values_list("number", flat=True))
    assert numbers == ["CJ-20261122-000001", "CJ-20261122-000002"]


def test_without_the_series_lock_two_confirmations_want_one_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = _two_verified_auctions()
    monkeypatch.setattr(allocations, "series_lock", lambda day_number: None)

    error = _publish_between(monkeypatch, first, second)

    assert isinstance(error, IntegrityError)
    assert Allocation.objects.count() == 1


def _auction_with_a_bid() -> Auction:
    stop_clock()
    market = two_hub_market()
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city, (8, 10))
    return auction


def _two_verified_auctions() -> tuple[Auction, Auction]:
    stop_clock()
    market = two_hub_market()
    first = open_auction_now()
    second = open_auction_now(delivery_starts_at=first.delivery_ends_at)
    for auction in (first, second):
        bid(buyer(), auction, market.product, market.city, (8, 10))
    return verified(first), verified(second)


def _take_phase_locks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def unlocked_phase(name: str, auction_id: int, expected: str) -> Any:
        with transitions.transaction.atomic():
            yield Auction.objects.get(pk=auction_id)

    monkeypatch.setattr(publication, "auction_phase", unlocked_phase)
    monkeypatch.setattr(allocations, "series_lock", lambda day_number: None)
    monkeypatch.setattr(
        "django.db.models.query.QuerySet.select_for_update", lambda self, **_: self.all()
    )


def _publish_twice(
    monkeypatch: pytest.MonkeyPatch, auction: Auction
) -> tuple[BaseException | None, bool | None]:
    """Publish again while the first publisher has written and not yet committed."""
    with (
        _held_publisher(monkeypatch, auction) as (leading, checkpoint),
        in_background(lambda: publish_run(auction_id=auction.pk)) as following,
    ):
        time.sleep(0.7)
        checkpoint.let_on()
        assert leading.result(timeout=20) is True
        error = following.exception(timeout=20)
        return error, None if error else following.result()


def _publish_between(
    monkeypatch: pytest.MonkeyPatch, first: Auction, second: Auction
) -> BaseException | None:
    with (
        _held_publisher(monkeypatch, first) as (leading, checkpoint),
        in_background(lambda: publish_run(auction_id=second.pk)) as following,
    ):
        time.sleep(0.7)
        checkpoint.let_on()
        assert leading.result(timeout=20) is True
        return following.exception(timeout=20)


@contextmanager
def _held_publisher(monkeypatch: pytest.MonkeyPatch, auction: Auction) -> Any:
    """Hold the publisher of an auction when its allocations are written."""
    checkpoint = Checkpoint()
    write = publication.write_allocations

    def write_and_wait(context: Any, trades: Any, *, now: Any) -> None:
        write(context, trades, now=now)
        if context.auction.pk == auction.pk and not checkpoint.was_reached:
            checkpoint.reach()

    monkeypatch.setattr(publication, "write_allocations", write_and_wait)
    with in_background(lambda: publish_run(auction_id=auction.pk)) as leading:
        checkpoint.wait_until_reached()
        yield leading, checkpoint
