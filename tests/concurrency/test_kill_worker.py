"""A worker killed anywhere in an auction: one result, the same bytes, nothing twice."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from marketplace.models import OutboxEvent
from orders import clearing
from orders.models import Allocation, Auction, AuctionState, ClearingRun, Order, RunState
from orders.services import interventions
from orders.services.auctions import advance_auction, resume_auction
from orders.services.clearing import result_sha256, zipped_result
from orders.services.submission import submit_order
from settlement.models import Hold, JournalEntry
from tests.concurrency.processes import Processes, eventually
from tests.factories.marketplace import operator
from tests.factories.orders import bid, block_request, open_auction_now, pass_gate, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = [pytest.mark.runtime_role, pytest.mark.processes]

KILLED = -9
PLACES = (
    "publish.after_lock",
    "close.after_close",
    "clear.after_compute",
    "publish.half_apply",
    "publish.before_commit",
    "publish.after_commit",
)
OVER = (AuctionState.PUBLISHED, AuctionState.SETTLING)


@dataclass(frozen=True)
class Outcome:
    """Everything an auction left behind that must not depend on who died."""

    result_sha256: str
    allocations: list[tuple[Any, ...]]
    orders: list[tuple[Any, ...]]
    holds: list[tuple[Any, ...]]
    capacity: list[tuple[Any, ...]]
    published: int
    entries: int


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Broker and beat; workers are the test's."""
    found = Processes(tmp_path)
    found.start_beat()
    yield found
    found.end_all()


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_worker_changes_nothing(processes: Processes, place: str) -> None:
    auction = _auction_at_its_gate()
    expected = _undisturbed(auction)

    victim = processes.start_worker("victim", failpoint=place)
    eventually(lambda: victim.poll() is not None, f"the death at {place}")
    assert victim.returncode == KILLED, processes.log_of("victim")
    processes.start_worker("healthy")
    eventually(lambda: _state(auction) in OVER, "the publication after the restart")

    assert _outcome(auction) == expected
    assert _recomputed(auction) == expected.result_sha256


def test_an_auction_that_kills_every_worker_is_parked(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The message to go on is lost: the sweep must find the auction.
    monkeypatch.setattr(interventions, "enqueue_on_commit", lambda task, **arguments: None)
    auction = _auction_at_its_gate()

    victim = processes.start_worker("victim", pool="prefork", failpoint="clear.after_compute")
    eventually(lambda: _state(auction) == AuctionState.PARKED, "the parking")

    auction.refresh_from_db()
    assert auction.state_reason.startswith("3 failed attempts")
    assert not Allocation.objects.exists()
    assert victim.poll() is None
    processes.end(victim)
    processes.start_worker("healthy")
    resume_auction(actor=operator(), auction_id=auction.pk, reason="the fault is mended")
    eventually(lambda: _state(auction) in OVER, "the publication")
    assert [run.state for run in auction.runs.order_by("version")] == [
        RunState.CANCELLED,
        RunState.PUBLISHED,
    ]


def _auction_at_its_gate() -> Auction:
    """Return an auction with curve and block bids whose gate closes now."""
    stop_clock()
    market = two_hub_market(gbps="3")
    auction = open_auction_now(calendar__is_active=False)
    actor = buyer("1000000")
    for number in range(12):
        bid(actor, auction, market.product, market.city, (6 + number % 5, 4 + number))
    _submit_blocks(auction, market)
    pass_gate(auction)
    return auction


def _submit_blocks(auction: Auction, market: Market) -> None:
    actor = buyer("1000000")
    for limit, quantity in ((12, 30), (8, 40), (9, 25)):
        request = block_request(
            auction, market.product, market.city, quantity=quantity, limit=limit
        )
        submit_order(actor=actor, request=request)


def _undisturbed(auction: Auction) -> Outcome:
    """Return what one worker in peace makes of the auction, and take it back."""
    with transaction.atomic():
        assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED
        outcome = _outcome(auction)
        transaction.set_rollback(True)
    return outcome


def _outcome(auction: Auction) -> Outcome:
    allocations = Allocation.objects.filter(auction=auction).order_by("number")
    orders = Order.objects.filter(auction=auction).order_by("id")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT listing_id, slot_starts_at, available, committed"
            " FROM orders_capacitycommitment ORDER BY 1, 2"
        )
        capacity = cursor.fetchall()
    return Outcome(
        result_sha256=ClearingRun.objects.get(auction=auction).result_sha256,
        allocations=list(
            allocations.values_list(
                "number", "buy_order_id", "sell_order_id", "unit_hours", "buyer_net_cny"
            )
        ),
        orders=list(orders.values_list("id", "state", "reason_code", "accepted_unit_hours")),
        holds=list(Hold.objects.order_by("source_id").values_list("source_id", "remaining")),
        capacity=capacity,
        published=OutboxEvent.objects.filter(topic="auction.published").count(),
        entries=JournalEntry.objects.count(),
    )


def _recomputed(auction: Auction) -> str:
    run = ClearingRun.objects.select_related("archive").get(auction=auction)
    bundle = clearing.read_bundle(io.BytesIO(bytes(run.archive.bundle)))
    return result_sha256(zipped_result(clearing.clear(bundle)))


def _state(auction: Auction) -> str:
    return str(Auction.objects.values_list("state", flat=True).get(pk=auction.pk))
