"""Flexible, interruptible, alternative and linked orders, from entry to outcome."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override

from marketplace.models import Hub
from orders.models import Allocation, AllocationPeriod, Auction, Order, OrderState
from orders.services import refusals
from orders.services.cancellation import cancel_order
from orders.services.submission import Leg, Option, OrderRequest, preview_order, submit_order
from orders.web.reasons import reason_text
from tests.factories.orders import (
    block_request,
    curve_request,
    frozen,
    open_auction_now,
    published,
    stop_clock,
)
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market(gbps="2")


@pytest.fixture
def auction(market: Market) -> Auction:
    return open_auction_now()


def job_request(auction: Auction, market: Market, hub: Hub, **fields: Any) -> OrderRequest:
    """Ten units for two of the four hours, at 8."""
    values = {"kind": "flexible", "duration": 2, **fields}
    return block_request(auction, market.product, hub, **values)


def bought(order: Order) -> dict[int, Decimal]:
    """Return period to units of an order."""
    rows = AllocationPeriod.objects.filter(allocation__buy_order=order)
    found: dict[int, Decimal] = {}
    for period, quantity in rows.values_list("period", "quantity"):
        found[period] = found.get(period, Decimal(0)) + quantity
    return dict(sorted(found.items()))


def test_flexible_order_gets_its_run_and_keeps_only_its_cost(
    market: Market, auction: Auction
) -> None:
    order = submit_order(actor=buyer(), request=job_request(auction, market, market.west))
    held = order.worst_case_cny

    published(auction)

    order.refresh_from_db()
    assert (order.state, order.reason_code) == (OrderState.FILLED, "filled")
    # 10 units for two hours at 8, with fee and tax; the price is 5.
    assert held == Decimal("171.30")
    assert order.accepted_unit_hours == 20
    periods = list(bought(order))
    assert bought(order) == dict.fromkeys(periods, Decimal(10))
    assert periods[1] - periods[0] == 1
    assert Allocation.objects.get(buy_order=order).buyer_net_cny == 100


def test_interruptible_order_is_bought_and_one_too_cheap_says_by_how_much(
    market: Market, auction: Auction
) -> None:
    owner = buyer()
    wanted = {"kind": "interruptible", "duration": 3}
    good = submit_order(actor=owner, request=job_request(auction, market, market.west, **wanted))
    poor = submit_order(
        actor=owner, request=job_request(auction, market, market.west, limit=4, **wanted)
    )

    published(auction)

    good.refresh_from_db()
    poor.refresh_from_db()
    assert (good.state, len(bought(good))) == (OrderState.FILLED, 3)
    assert (poor.state, poor.reason_code) == (OrderState.REJECTED, "out_of_the_money")
    assert {key: poor.reason_params[key] for key in ("limit", "price", "missing")} == {
        "limit": "4",
        "price": "5",
        "missing": "1",
    }


def test_flexible_order_on_one_listing_pays_its_own_way(market: Market, auction: Auction) -> None:
    request = job_request(auction, market, market.east, placement="single", limit=12)
    order = submit_order(actor=buyer(), request=request)

    published(auction)

    order.refresh_from_db()
    assert order.state == OrderState.FILLED
    assert Allocation.objects.filter(buy_order=order).values("listing").distinct().count() == 1


def test_only_one_alternative_is_bought_and_the_dearest_is_held(
    market: Market, auction: Auction
) -> None:
    options = (
        Option(Decimal(8), hub=market.west.code, quantity=Decimal(10)),
        Option(
            Decimal(12), hub=market.east.code, legs=(Leg(1, 1, Decimal(4)), Leg(3, 4, Decimal(2)))
        ),
    )
    request = replace(
        block_request(auction, market.product, market.west),
        limit_price=None,
        quantity=None,
        options=options,
    )
    owner = buyer()

    assert preview_order(actor=owner, request=request).unit_hours == 40
    order = submit_order(actor=owner, request=request)
    published(auction)

    order.refresh_from_db()
    assert order.limit_price == 12
    # 40 unit-hours at 8 are dearer than 8 unit-hours at 12.
    assert order.worst_case_cny == Decimal("342.60")
    assert (order.state, order.acceptance) == (OrderState.FILLED, 1)
    assert bought(order) == dict.fromkeys(range(1, 5), Decimal(10))
    assert order.options.count() == 2


def test_child_is_not_taken_without_its_parent(market: Market, auction: Auction) -> None:
    owner = buyer()
    # At a price of 5 the parent would lose 160 CNY, more than the 120 the child could carry.
    parent = submit_order(
        actor=owner, request=block_request(auction, market.product, market.west, limit=1)
    )
    child = submit_order(
        actor=owner,
        request=block_request(auction, market.product, market.west, parent_order=parent.public_id),
    )

    published(auction)

    parent.refresh_from_db()
    child.refresh_from_db()
    assert parent.reason_code == "out_of_the_money"
    assert (child.state, child.reason_code) == (OrderState.REJECTED, "parent_rejected")


def test_child_carries_a_parent_that_loses_less(market: Market, auction: Auction) -> None:
    owner = buyer()
    parent = submit_order(
        actor=owner, request=block_request(auction, market.product, market.west, limit=4)
    )
    linked = block_request(auction, market.product, market.west, parent_order=parent.public_id)
    child = submit_order(actor=owner, request=linked)

    published(auction)

    parent.refresh_from_db()
    child.refresh_from_db()
    assert (parent.state, child.state) == (OrderState.FILLED, OrderState.FILLED)


def test_child_of_a_cancelled_order_is_set_aside(market: Market, auction: Auction) -> None:
    owner = buyer()
    request = block_request(auction, market.product, market.west)
    parent = submit_order(actor=owner, request=request)
    linked = block_request(auction, market.product, market.west, parent_order=parent.public_id)
    child = submit_order(actor=owner, request=linked)
    grandchild = submit_order(
        actor=owner,
        request=block_request(auction, market.product, market.west, parent_order=child.public_id),
    )
    cancel_order(actor=owner, order_public_id=parent.public_id)

    frozen(auction)

    for order in (child, grandchild):
        order.refresh_from_db()
        assert (order.state, order.reason_code) == (OrderState.QUARANTINED, "parent_not_in_book")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"duration": 5}, refusals.DurationOutsideWindow),
        ({"duration": 0}, refusals.DurationOutsideWindow),
        ({"duration": None}, refusals.FieldRequired),
        ({"limit_price": None}, refusals.FieldRequired),
        ({"quantity": None}, refusals.FieldRequired),
        ({"options": (Option(Decimal(5)),)}, refusals.OptionsForBlocksOnly),
        ({"min_acceptance": Decimal("1.2")}, refusals.ShareOutOfRange),
    ],
)
def test_wrong_flexible_order_is_refused_with_its_rule(
    market: Market, auction: Auction, fields: dict[str, Any], refusal: type[Exception]
) -> None:
    base = job_request(auction, market, market.west)
    request = replace(base, **fields)

    with pytest.raises(refusal):
        submit_order(actor=buyer(), request=request)


def test_an_ask_cannot_be_flexible(market: Market, auction: Auction) -> None:
    request = job_request(
        auction, market, market.west, side="sell", listing=market.west_listing.public_id
    )

    with pytest.raises(refusals.FlexibleOrdersBuy):
        submit_order(actor=market.west_seller, request=request)


def test_nobody_hangs_an_order_on_a_strangers(market: Market, auction: Auction) -> None:
    strange = submit_order(
        actor=buyer(), request=block_request(auction, market.product, market.west)
    )
    request = block_request(auction, market.product, market.west, parent_order=strange.public_id)

    with pytest.raises(refusals.ParentNotLinkable):
        submit_order(actor=buyer(), request=request)


def test_a_full_link_is_named_with_the_price_beyond_it(market: Market, auction: Auction) -> None:
    """20 units fit through the link: the west costs 5, the east 9."""
    rich = submit_order(
        actor=buyer(),
        request=curve_request(auction, market.product, market.east, [(20, 60)]),
    )
    poor = submit_order(
        actor=buyer(), request=job_request(auction, market, market.east, limit=7, quantity=5)
    )

    published(auction)

    rich.refresh_from_db()
    poor.refresh_from_db()
    assert rich.state == OrderState.FILLED
    assert (poor.state, poor.reason_code) == (OrderState.REJECTED, "link_full")
    assert poor.reason_params["price"] == "9"
    assert poor.reason_params["price_without_congestion"].startswith("5")
    assert poor.reason_params["link_en"] == f"{market.west.name_en}–{market.east.name_en}"
    with override("en"):
        assert "The link WEST cluster–EAST cluster was full" in reason_text(poor)


def test_each_alternative_says_what_became_of_it(market: Market, auction: Auction) -> None:
    options = (Option(Decimal(8)), Option(Decimal(8), hub=market.east.code))
    request = replace(block_request(auction, market.product, market.west), options=options)
    order = submit_order(actor=buyer(), request=request)

    published(auction)

    order.refresh_from_db()
    outcomes = {one["option"]: one["reason"] for one in order.reason_params["options"]}
    assert outcomes["2"] == "another_option_accepted"
