"""Orders are changed in place; in the last phase for the better only, and none leaves the book."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.domain.errors import RuleBroken
from marketplace.ports.commitments import CapacityCommitted, ListingBound
from marketplace.services.clock import set_clock
from marketplace.services.listings import add_maintenance, pause_listing, withdraw_listing
from orders.models import Auction, Order, OrderState
from orders.ports.collateral import collateral_port
from orders.services.cancellation import cancel_order
from orders.services.order_request import Step
from orders.services.revision import OrderChange, revise_order
from orders.services.submission import submit_order
from tests.factories.orders import (
    START,
    bid,
    block_request,
    open_auction_now,
    pass_gate,
    published,
    stop_clock,
)
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


def _curve(*pairs) -> OrderChange:
    steps = tuple(Step(Decimal(price), Decimal(units)) for price, units in pairs)
    return OrderChange(steps=steps)


def _enter_last_phase(auction: Auction) -> None:
    Auction.objects.filter(pk=auction.pk).update(no_cancel_from=START + timedelta(minutes=30))
    set_clock(market_at=START + timedelta(minutes=31), speed=Decimal(0), is_demo=True)


def _code(act, **arguments) -> str:
    with pytest.raises(RuleBroken) as caught:
        act(**arguments)
    return caught.value.code


def test_before_the_last_phase_an_order_may_ask_for_less(market: Market) -> None:
    auction = open_auction_now()
    actor = buyer("1000")
    order = bid(actor, auction, market.product, market.city, (8, 10))

    changed = revise_order(actor=actor, order_public_id=order.public_id, change=_curve((6, 2)))

    order.refresh_from_db()
    assert (order.state, order.reason_code) == (OrderState.CANCELLED, "replaced")
    assert changed.state == OrderState.ACTIVE
    free = collateral_port().available_cny(organisation_id=actor.organisation.pk)
    assert free == 1000 - changed.worst_case_cny


def test_in_the_last_phase_an_order_only_improves(market: Market) -> None:
    auction = open_auction_now()
    actor = buyer()
    order = bid(actor, auction, market.product, market.city, (8, 10), (6, 5))
    _enter_last_phase(auction)
    arguments = {"actor": actor, "order_public_id": order.public_id}

    worse = _code(revise_order, **arguments, change=_curve((8, 10)))
    no_cancel = _code(cancel_order, **arguments)
    order.refresh_from_db()
    assert (worse, no_cancel, order.state) == ("only_improvements", "no_cancel_phase", "active")

    better = revise_order(**arguments, change=_curve((9, 12), (6, 5)))
    assert better.limit_price == 9
    assert Order.objects.filter(organisation=actor.organisation, state="active").count() == 1
    assert bid(buyer(), auction, market.product, market.city).pk  # new orders are welcome


def test_a_block_improves_by_limit_and_units(market: Market) -> None:
    auction = open_auction_now()
    actor = buyer()
    order = submit_order(
        actor=actor, request=block_request(auction, market.product, market.city, limit=8)
    )
    _enter_last_phase(auction)
    arguments = {"actor": actor, "order_public_id": order.public_id}

    assert (
        _code(revise_order, **arguments, change=OrderChange(limit_price=Decimal(7)))
        == "only_improvements"
    )
    assert (
        _code(revise_order, **arguments, change=OrderChange(quantity=Decimal(5)))
        == "only_improvements"
    )
    better = revise_order(
        **arguments, change=OrderChange(limit_price=Decimal(9), quantity=Decimal(20))
    )

    assert (better.limit_price, better.quantity) == (9, 20)
    published(auction)
    better.refresh_from_db()
    assert better.state == OrderState.FILLED


def test_a_refused_change_leaves_the_order_as_it_was(market: Market) -> None:
    auction = open_auction_now()
    actor = buyer("700")
    order = bid(actor, auction, market.product, market.city, (8, 10))
    free = collateral_port().available_cny(organisation_id=actor.organisation.pk)

    code = _code(
        revise_order, actor=actor, order_public_id=order.public_id, change=_curve((9, 900))
    )

    order.refresh_from_db()
    assert (code, order.state) == ("insufficient_collateral", OrderState.ACTIVE)
    assert collateral_port().available_cny(organisation_id=actor.organisation.pk) == free


def test_after_closure_and_for_others_nothing_is_changed(market: Market) -> None:
    auction = open_auction_now()
    actor = buyer()
    order = bid(actor, auction, market.product, market.city)
    change = {"order_public_id": order.public_id, "change": _curve((9, 20))}

    assert _code(revise_order, actor=buyer(), **change) == "not_found"
    pass_gate(auction)
    assert _code(revise_order, actor=actor, **change) == "gate_closed"


def test_in_the_last_phase_no_listing_leaves_by_the_back_door(market: Market) -> None:
    auction = open_auction_now()
    listing, seller = market.west_listing, market.west_seller
    _enter_last_phase(auction)

    for leave in (pause_listing, withdraw_listing):
        with pytest.raises(ListingBound):
            leave(actor=seller, public_id=listing.public_id)
    with pytest.raises(CapacityCommitted):
        add_maintenance(
            actor=seller,
            public_id=listing.public_id,
            starts_at=auction.delivery_starts_at,
            ends_at=auction.delivery_ends_at,
        )

    published(auction)
    assert pause_listing(actor=seller, public_id=listing.public_id).state == "paused"
