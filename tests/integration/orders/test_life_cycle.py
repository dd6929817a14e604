"""From the calendar to the publication, phase by phase."""

from decimal import Decimal

import pytest

from marketplace.models import OutboxEvent
from orders.models import (
    Allocation,
    AllocationPeriod,
    AuctionState,
    ClearingRun,
    OrderState,
    RunState,
)
from orders.ports.collateral import collateral_port
from orders.services.auctions import advance_auction
from orders.tasks import sweep_auctions
from tests.factories.orders import (
    bid,
    open_auction_now,
    pass_gate,
    published,
    stop_clock,
)
from tests.factories.trading import buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still_clock() -> None:
    stop_clock()


def test_a_day_clears_from_order_to_allocation() -> None:
    market = two_hub_market()
    auction = open_auction_now()
    actor = buyer()
    order = bid(actor, auction, market.product, market.city, (8, 10))

    published(auction)

    order.refresh_from_db()
    assert auction.state == AuctionState.PUBLISHED
    assert (order.state, order.reason_code) == (OrderState.FILLED, "filled")
    assert order.accepted_unit_hours == 40
    allocation = Allocation.objects.get(buy_order=order)
    assert allocation.seller_id == market.west_seller.organisation.pk
    assert allocation.flow_type == "east_west"
    assert allocation.number == "CJ-20261122-000001"
    assert allocation.periods.count() == 4
    run = ClearingRun.objects.get(auction=auction)
    assert run.state == RunState.PUBLISHED
    assert allocation.buyer_net_cny == run.buyer_payments_cny
    assert allocation.seller_net_cny == run.seller_receipts_cny


def test_the_hold_is_cut_to_the_cost_with_fee_and_tax() -> None:
    market = two_hub_market()
    auction = open_auction_now()
    actor = buyer("10000")
    order = bid(actor, auction, market.product, market.city, (8, 10))
    port = collateral_port()
    # 320 net, 3.20 fee, 6 % on both up to the fen: 19.40
    assert order.worst_case_cny == Decimal("342.60")
    assert port.available_cny(organisation_id=actor.organisation.pk) == 10000 - Decimal("342.60")

    published(auction)

    net = Allocation.objects.get().buyer_net_cny
    kept = port.worst_case(product_id=market.product.pk, net_cny=net).total_cny
    assert port.available_cny(organisation_id=actor.organisation.pk) == 10000 - kept


def test_one_knock_after_the_gate_publishes(django_capture_on_commit_callbacks: object) -> None:
    market = two_hub_market()
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city, (8, 10))
    pass_gate(auction)

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        sweep_auctions()

    auction.refresh_from_db()
    assert auction.state == AuctionState.PUBLISHED
    assert (auction.attempts, auction.lease_owner, auction.lease_until) == (0, "", None)
    assert OutboxEvent.objects.filter(topic="auction.published").count() == 1


def test_a_second_knock_changes_nothing() -> None:
    market = two_hub_market()
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city, (8, 10))
    pass_gate(auction)
    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED
    before = (Allocation.objects.count(), AllocationPeriod.objects.count())

    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED

    assert (Allocation.objects.count(), AllocationPeriod.objects.count()) == before
    assert ClearingRun.objects.count() == 1
    assert OutboxEvent.objects.filter(topic="auction.published").count() == 1
