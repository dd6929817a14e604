"""Orders are taken with their hold, or refused by a named rule with nothing changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from marketplace.domain.errors import NotPermitted, RuleBroken
from marketplace.models import AuditEvent, ListingState, OrganisationState, Role
from marketplace.services.clock import set_clock
from orders.models import Auction, BlockLeg, CurveStep, Order, OrderState
from orders.ports.collateral import InsufficientCollateral, collateral_port
from orders.services.auctions import close_gate, halt_auction
from orders.services.cancellation import cancel_order
from orders.services.submission import Leg, OrderRequest, Step, preview_order, submit_order
from settlement.models import Hold
from tests.factories.marketplace import ScenarioFactory, member, operator
from tests.factories.orders import (
    bid,
    block_request,
    curve_request,
    open_auction_now,
    pass_gate,
    scheduled_auction,
    stop_clock,
)
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


@pytest.fixture
def auction(market: Market) -> Auction:
    return open_auction_now()


def _refused(actor: Any, request: OrderRequest, code: str) -> RuleBroken:
    """Submit, expect a refusal with a code, and that nothing at all has changed."""
    before = _rows()
    with pytest.raises(RuleBroken) as caught:
        submit_order(actor=actor, request=request)
    assert caught.value.code == code
    assert _rows() == before
    return caught.value


def _rows() -> tuple[int, ...]:
    return tuple(table.objects.count() for table in (Order, CurveStep, BlockLeg, Hold, AuditEvent))


def _curve(change: dict[str, Any]) -> Callable[[Auction, Market], OrderRequest]:
    return lambda auction, market: replace(
        curve_request(auction, market.product, market.city), **change
    )


def _block(change: dict[str, Any]) -> Callable[[Auction, Market], OrderRequest]:
    return lambda auction, market: replace(
        block_request(auction, market.product, market.city), **change
    )


def _steps(*steps: tuple[str, str]) -> dict[str, Any]:
    return {"steps": tuple(Step(Decimal(price), Decimal(quantity)) for price, quantity in steps)}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_curve(_steps(("8.001", "10"))), "off_price_tick"),
        (_curve(_steps(("100.01", "10"))), "price_out_of_band"),
        (_curve(_steps(("-1", "10"))), "price_out_of_band"),
        (_curve(_steps(("NaN", "10"))), "price_out_of_band"),
        (_curve(_steps(("Infinity", "10"))), "price_out_of_band"),
        (_curve(_steps(("8", "0"))), "quantity_not_positive"),
        (_curve(_steps(("8", "-1"))), "quantity_not_positive"),
        (_curve(_steps(("8", "NaN"))), "quantity_not_positive"),
        (_curve(_steps(("8", "0.5"))), "off_quantity_lot"),
        (_curve(_steps(("8", "1E+12"))), "quantity_too_large"),
        (_curve(_steps(("8", "1"), ("8.00", "2"))), "step_price_repeated"),
        (_curve({"steps": ()}), "steps_required"),
        (_curve(_steps(*((str(n), "1") for n in range(21)))), "too_many_steps"),
        (_curve({"last_period": 5}), "window_outside_auction"),
        (_curve({"first_period": 0}), "window_outside_auction"),
        (_curve({"first_period": 3, "last_period": 2}), "window_outside_auction"),
        (_curve({"product": "NONE"}), "product_not_traded"),
        (_curve({"hub": "NOWHERE"}), "hub_not_traded"),
        (_curve({"auction": uuid4()}), "not_found"),
        (_curve({"side": "hold"}), "choice_unknown"),
        (_curve({"scenario": "dreaming"}), "choice_unknown"),
        (_curve({"max_rtt_ms": Decimal("9.9")}), "latency_class_unknown"),
        (_curve({"max_rtt_ms": Decimal("NaN")}), "latency_class_unknown"),
        (_curve({"min_dengbao_level": 3}), "requirements_need_single_placement"),
        (_block({"requires_xinchuang": True}), "requirements_need_single_placement"),
        (_block({"limit_price": None}), "required"),
        (_block({"quantity": None}), "required"),
        (_block({"min_acceptance": Decimal("1.01")}), "share_out_of_range"),
        (_block({"min_acceptance": Decimal("NaN")}), "share_out_of_range"),
        (_block({"legs": (Leg(1, 2, Decimal(1)), Leg(2, 3, Decimal(1)))}), "legs_overlap"),
        (_block({"legs": (Leg(1, 9, Decimal(1)),)}), "window_outside_auction"),
    ],
)
def test_bad_figures_are_refused(
    market: Market,
    auction: Auction,
    make: Callable[[Auction, Market], OrderRequest],
    code: str,
) -> None:
    _refused(buyer(), make(auction, market), code)


def test_the_hold_covers_the_dearest_point_of_the_curve(market: Market, auction: Auction) -> None:
    actor = buyer()
    # At 9 the outlay is 90, at 6 it is 6 x 30 = 180: the lower price is the dearer one.
    order = bid(actor, auction, market.product, market.city, (9, 10), (6, 20))

    expected = collateral_port().worst_case(product_id=market.product.pk, net_cny=Decimal(720))
    assert order.worst_case_cny == expected.total_cny
    hold = Hold.objects.get(reference=order.hold_reference)
    assert hold.remaining == expected.total_cny
    assert (order.quantity, order.limit_price) == (30, 9)


def test_a_block_holds_its_limit_times_its_whole_profile(market: Market, auction: Auction) -> None:
    legs = (Leg(1, 1, Decimal(10)), Leg(3, 4, Decimal(5)))
    request = block_request(auction, market.product, market.city, limit=7, legs=legs)

    order = submit_order(actor=buyer(), request=request)

    expected = collateral_port().worst_case(product_id=market.product.pk, net_cny=Decimal(140))
    assert order.worst_case_cny == expected.total_cny
    assert order.quantity == 10
    assert BlockLeg.objects.filter(option__order=order).count() == 2


def test_too_little_money_says_how_much_is_missing(market: Market, auction: Auction) -> None:
    error = _refused(
        buyer("300"), curve_request(auction, market.product, market.city), "insufficient_collateral"
    )

    assert isinstance(error, InsufficientCollateral)
    assert error.params == {
        "required_cny": "342.60",
        "available_cny": "300.00",
        "missing_cny": "42.60",
    }


def test_an_order_beyond_the_notional_limit_is_refused(market: Market, auction: Auction) -> None:
    request = curve_request(auction, market.product, market.city, [(100, 100_000)])

    _refused(buyer(), request, "notional_too_large")


def test_a_scenario_fills_in_the_latency_class(market: Market, auction: Auction) -> None:
    ScenarioFactory(code="near", max_rtt_ms=Decimal(50))
    request = curve_request(auction, market.product, market.city, scenario="near")

    order = submit_order(actor=buyer(), request=request)

    assert order.max_rtt_ms == 30  # snapped to the stricter class
    assert order.scenario.code == "near"


def test_a_sell_order_needs_room_on_its_listing(market: Market, auction: Auction) -> None:
    standing = Order.objects.get(auction=auction, listing=market.west_listing)
    request = curve_request(
        *(auction, market.product, market.west, [(6, 10)]),
        side="sell",
        listing=market.west_listing.public_id,
    )
    error = _refused(market.west_seller, request, "capacity_exceeded")
    assert error.params == {"free": "0.000", "period": 1, "offered": "10"}

    cancel_order(actor=market.west_seller, order_public_id=standing.public_id)
    order = submit_order(actor=market.west_seller, request=request)

    assert (order.state, order.hold_reference, order.worst_case_cny) == ("active", None, 0)


def test_another_members_listing_is_not_found(market: Market, auction: Auction) -> None:
    request = curve_request(
        *(auction, market.product, market.west, [(6, 10)]),
        side="sell",
        listing=market.west_listing.public_id,
    )

    _refused(market.east_seller, request, "not_found")


def test_a_paused_listing_sells_nothing(market: Market, auction: Auction) -> None:
    market.west_listing.state = ListingState.PAUSED
    market.west_listing.save()
    request = curve_request(
        *(auction, market.product, market.west, [(6, 10)]),
        side="sell",
        listing=market.west_listing.public_id,
    )

    _refused(market.west_seller, request, "listing_not_active")


def test_roles_and_admission_are_asked(market: Market, auction: Auction) -> None:
    request = curve_request(auction, market.product, market.city)
    finance = member(buyer().organisation, Role.FINANCE)
    pending = buyer()
    pending.organisation.state = OrganisationState.SUSPENDED
    pending.organisation.save()

    _refused(finance, request, "not_permitted")
    _refused(pending, request, "not_admitted")
    _refused(operator(), request, "not_admitted")


def test_the_gate_decides(market: Market) -> None:
    auction = scheduled_auction()
    request = curve_request(auction, market.product, market.city)
    actor = buyer()
    _refused(actor, request, "gate_not_open")

    opened = open_auction_now()
    request = curve_request(opened, market.product, market.city)
    pass_gate(opened)  # nobody has closed it yet: the clock alone decides
    _refused(actor, request, "gate_closed")
    close_gate(auction_id=opened.pk)
    _refused(actor, request, "gate_closed")


def test_a_halted_auction_takes_nothing(market: Market, auction: Auction) -> None:
    order = bid(buyer(), auction, market.product, market.city)
    halt_auction(actor=operator(), auction_id=auction.pk, reason="suspicious orders")

    error = _refused(buyer(), curve_request(auction, market.product, market.city), "auction_halted")

    assert error.params == {"auction": auction.code}
    order.refresh_from_db()
    assert order.state == OrderState.ACTIVE


def test_cancelling_frees_the_hold_at_once(market: Market, auction: Auction) -> None:
    actor = buyer("1000")
    order = bid(actor, auction, market.product, market.city)

    cancelled = cancel_order(actor=actor, order_public_id=order.public_id)

    assert (cancelled.state, cancelled.reason_code) == ("cancelled", "cancelled_by_member")
    assert collateral_port().available_cny(organisation_id=actor.organisation.pk) == 1000
    with pytest.raises(RuleBroken) as caught:
        cancel_order(actor=actor, order_public_id=order.public_id)
    assert caught.value.code == "order_not_active"


@pytest.mark.parametrize(("minutes_before", "code"), [(10, "no_cancel_phase"), (0, "gate_closed")])
def test_late_orders_stay_in_the_book(market: Market, minutes_before: int, code: str) -> None:
    auction = open_auction_now()
    auction.no_cancel_from = auction.gate_closes_at - timedelta(minutes=10)
    auction.save()
    actor = buyer()
    order = bid(actor, auction, market.product, market.city)
    at = auction.gate_closes_at - timedelta(minutes=minutes_before)
    set_clock(market_at=at, speed=Decimal(0), is_demo=True)

    with pytest.raises(RuleBroken) as caught:
        cancel_order(actor=actor, order_public_id=order.public_id)

    assert caught.value.code == code
    order.refresh_from_db()
    assert order.state == OrderState.ACTIVE


def test_foreign_orders_are_not_found(market: Market, auction: Auction) -> None:
    order = bid(buyer(), auction, market.product, market.city)

    with pytest.raises(RuleBroken) as caught:
        cancel_order(actor=buyer(), order_public_id=order.public_id)

    assert caught.value.code == "not_found"
    with pytest.raises(NotPermitted):
        cancel_order(
            actor=member(order.organisation, Role.FINANCE), order_public_id=order.public_id
        )


def test_a_preview_changes_nothing_and_tells_the_hold(market: Market, auction: Auction) -> None:
    before = _rows()
    request = curve_request(auction, market.product, market.city, max_rtt_ms=Decimal(30))

    preview = preview_order(actor=buyer("300"), request=request)

    assert _rows() == before
    assert preview.worst_case.total_cny == Decimal("342.60")
    assert preview.missing_cny == Decimal("42.60")
    assert preview.unit_hours == 40
    assert [(hub.code, rtt) for hub, rtt in preview.hubs] == [("EAST", 5), ("WEST", 25)]
    assert preview.expected_price is None
