"""The operator halts, resumes, cancels and clears again; failures park an auction."""

from decimal import Decimal

import pytest

from marketplace.domain.errors import NotPermitted, RuleBroken
from marketplace.models import AuditEvent, OutboxEvent
from marketplace.ports.commitments import CapacityCommitted
from orders.models import (
    Allocation,
    AuctionState,
    CapacityClaim,
    CapacityCommitment,
    LinkCommitment,
    Order,
    OrderState,
    RunState,
)
from orders.ports.collateral import collateral_port
from orders.services import clearing, progress
from orders.services.auctions import (
    advance_auction,
    cancel_auction,
    claim_due_auctions,
    halt_auction,
    resume_auction,
)
from orders.services.capacity import units_in_flight
from orders.services.leases import LEASE_S, take_lease
from orders.services.listing_commitments import BookedCommitments
from tests.factories.marketplace import operator
from tests.factories.orders import bid, frozen, open_auction_now, pass_gate, published, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


def test_a_halted_auction_waits_and_goes_on(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    halt_auction(actor=operator(), auction_id=auction.pk, reason="check the book")
    pass_gate(auction)

    assert claim_due_auctions() == []
    assert advance_auction(auction_id=auction.pk) == AuctionState.HALTED

    resume_auction(actor=operator(), auction_id=auction.pk, reason="all in order")
    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED
    actions = AuditEvent.objects.order_by("id").values_list("action", "reason")
    assert list(actions) == [
        ("auction.halted", "check the book"),
        ("auction.resumed", "all in order"),
    ]


def test_a_cancelled_auction_frees_money_and_capacity(market: Market) -> None:
    auction = open_auction_now()
    actor = buyer("1000")
    order = bid(actor, auction, market.product, market.city)
    frozen(auction)
    since = auction.delivery_starts_at
    assert units_in_flight(listing_id=market.west_listing.pk, since=since)

    cancel_auction(actor=operator(), auction_id=auction.pk, reason="wrong prices")

    auction.refresh_from_db()
    order.refresh_from_db()
    assert auction.state == AuctionState.CANCELLED
    assert (order.state, order.reason_code) == (OrderState.CANCELLED, "auction_cancelled")
    assert order.reason_params == {"reason": "wrong prices"}
    assert collateral_port().available_cny(organisation_id=actor.organisation.pk) == 1000
    assert not Order.objects.filter(auction=auction, state=OrderState.ACTIVE).exists()
    assert not units_in_flight(listing_id=market.west_listing.pk, since=since)
    assert auction.runs.get().state == RunState.CANCELLED
    assert OutboxEvent.objects.filter(topic="auction.cancelled").count() == 1


def test_a_published_auction_can_no_longer_be_stopped(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    published(auction)

    for step_in in (halt_auction, cancel_auction):
        with pytest.raises(RuleBroken) as caught:
            step_in(actor=operator(), auction_id=auction.pk, reason="too late")
        assert caught.value.code == "state_forbids"
    assert not AuditEvent.objects.exists()


def test_only_operators_step_in_and_only_with_a_reason(market: Market) -> None:
    auction = open_auction_now()

    with pytest.raises(NotPermitted):
        halt_auction(actor=buyer(), auction_id=auction.pk, reason="I want to")
    with pytest.raises(RuleBroken) as caught:
        halt_auction(actor=operator(), auction_id=auction.pk, reason="  ")

    assert (caught.value.code, caught.value.field) == ("reason_required", "reason")
    auction.refresh_from_db()
    assert auction.state == AuctionState.OPEN


def test_three_failures_park_an_auction(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    auction = frozen(open_auction_now())

    def fail(*, auction_id: int) -> bool:
        raise ArithmeticError("the engine stumbles")

    monkeypatch.setattr(progress, "compute_run", fail)
    for _ in range(3):
        with pytest.raises(ArithmeticError):
            advance_auction(auction_id=auction.pk)
        assert advance_auction(auction_id=auction.pk) == AuctionState.CLOSED  # paused
        type(auction).objects.filter(pk=auction.pk).update(lease_until=None)

    assert advance_auction(auction_id=auction.pk) == AuctionState.PARKED

    auction.refresh_from_db()
    assert auction.state_reason == ("3 failed attempts: ArithmeticError: the engine stumbles")
    monkeypatch.undo()
    resume_auction(actor=operator(), auction_id=auction.pk, reason="mended")
    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED
    versions = auction.runs.order_by("version").values_list("version", "state")
    assert list(versions) == [(1, RunState.CANCELLED), (2, RunState.PUBLISHED)]


def test_what_the_verifier_refuses_is_never_published(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    pass_gate(auction)
    engine = clearing.clearing
    monkeypatch.setattr(
        engine, "verify", lambda bundle, result: [engine.Violation("1", "WEST", "off by one")]
    )

    assert advance_auction(auction_id=auction.pk) == AuctionState.PARKED

    run = auction.runs.get()
    assert (run.state, run.violations) == (RunState.INVALID, [["1", "WEST", "off by one"]])
    assert not Allocation.objects.exists()
    assert Order.objects.get(side="buy").state == OrderState.ACTIVE


def test_a_live_lease_keeps_others_away(market: Market) -> None:
    auction = open_auction_now()
    pass_gate(auction)
    owner = take_lease(auction_id=auction.pk)

    assert owner is not None
    assert take_lease(auction_id=auction.pk) is None
    assert claim_due_auctions() == []
    auction.refresh_from_db()
    assert auction.attempts == 1
    assert auction.lease_until is not None
    assert LEASE_S == 30


def test_the_lease_of_a_dead_process_is_taken_over(market: Market) -> None:
    auction = open_auction_now()
    pass_gate(auction)
    owner = take_lease(auction_id=auction.pk)
    assert owner is not None
    host = owner.partition(":")[0]
    type(auction).objects.filter(pk=auction.pk).update(lease_owner=f"{host}:4194305:dead")

    assert claim_due_auctions() == [auction.pk]
    assert take_lease(auction_id=auction.pk) is not None


def test_what_was_sold_is_committed_and_no_more(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city, (8, 10))

    published(auction)

    rows = CapacityCommitment.objects.all()
    assert {(row.listing, row.available, row.committed) for row in rows} == {
        (market.west_listing, Decimal(100), Decimal(10))
    }
    assert rows.count() == 16  # four hours in quarters
    claims = CapacityClaim.objects.filter(auction=auction)
    assert {(claim.claimed, claim.kept) for claim in claims} == {(Decimal(10), Decimal(10))}
    loads = LinkCommitment.objects.all()
    assert {row.committed_gbps for row in loads} == {Decimal(1)}  # 10 units at 0.1 Gbit/s
    assert loads.count() == 32  # from west over east to the city


def test_a_calendar_keeps_what_is_being_cleared(market: Market) -> None:
    auction = frozen(open_auction_now())
    listing = market.west_listing

    with pytest.raises(CapacityCommitted) as caught:
        BookedCommitments().fit_commitments(
            listing_id=listing.pk, windows=[], maintenance=[], since=auction.delivery_starts_at
        )

    assert caught.value.params["committed"] == "100.000"
    cancel_auction(actor=operator(), auction_id=auction.pk, reason="start over")
    BookedCommitments().fit_commitments(
        listing_id=listing.pk, windows=[], maintenance=[], since=auction.delivery_starts_at
    )
