"""Many bids at once are the same orders as one by one, under the same rules."""

from decimal import Decimal

import pytest

from marketplace.domain.errors import RuleBroken
from orders.models import BlockLeg, CurveStep, Order
from orders.ports.collateral import InsufficientCollateral, collateral_port
from orders.services.bulk_submission import BidsOnly, submit_bids
from orders.services.submission import submit_order
from tests.factories.orders import (
    block_request,
    curve_request,
    open_auction_now,
    pass_gate,
    stop_clock,
)
from tests.factories.trading import buyer, two_hub_market

pytestmark = pytest.mark.django_db

_OWN = {"id", "public_id", "hold_reference", "recorded_at"}


@pytest.fixture(autouse=True)
def _still_clock() -> None:
    stop_clock()


def _row(order: Order) -> dict[str, object]:
    order.refresh_from_db()
    fields = {f.attname: getattr(order, f.attname) for f in order._meta.concrete_fields}
    fields["steps"] = list(
        CurveStep.objects.filter(order=order).values_list("first_period", "price", "quantity")
    )
    fields["legs"] = list(
        BlockLeg.objects.filter(option__order=order).values_list("first_period", "quantity")
    )
    return {name: value for name, value in fields.items() if name not in _OWN}


def test_bids_in_bulk_equal_bids_one_by_one() -> None:
    market = two_hub_market()
    auction = open_auction_now()
    actor = buyer()
    requests = [
        curve_request(auction, market.product, market.city, [(8, 10), (6, 5)]),
        block_request(auction, market.product, market.city, max_rtt_ms=Decimal(30)),
    ]
    single = [submit_order(actor=actor, request=request) for request in requests]
    free = collateral_port().available_cny(organisation_id=actor.organisation.pk)
    bulk = submit_bids(auction=auction, bids=[(actor, request) for request in requests])
    assert [_row(order) for order in bulk] == [_row(order) for order in single]
    held = free - collateral_port().available_cny(organisation_id=actor.organisation.pk)
    assert held == sum(order.worst_case_cny for order in single)


def test_one_bid_without_money_leaves_the_others() -> None:
    market = two_hub_market()
    auction = open_auction_now()
    rich, poor = buyer(), buyer("1")
    request = curve_request(auction, market.product, market.city)
    outcomes = submit_bids(auction=auction, bids=[(poor, request), (rich, request)])
    assert isinstance(outcomes[0], InsufficientCollateral)
    assert outcomes[0].missing_cny > 0
    assert list(Order.objects.filter(side="buy")) == [outcomes[1]]


def test_any_other_broken_rule_takes_nothing() -> None:
    market = two_hub_market()
    auction = open_auction_now()
    actor = buyer()
    before = collateral_port().available_cny(organisation_id=actor.organisation.pk)
    good = curve_request(auction, market.product, market.city)
    wrong = [
        curve_request(auction, market.product, market.city, [("8.001", 10)]),
        curve_request(auction, market.product, market.city, last_period=99),
        curve_request(auction, market.product, market.city, side="sell"),
    ]
    for request in wrong:
        with pytest.raises(RuleBroken):
            submit_bids(auction=auction, bids=[(actor, good), (actor, request)])
    other = open_auction_now()
    with pytest.raises(BidsOnly):
        submit_bids(auction=other, bids=[(actor, good)])
    pass_gate(auction)
    with pytest.raises(RuleBroken) as caught:
        submit_bids(auction=auction, bids=[(actor, good)])
    assert caught.value.code == "gate_closed"
    assert not Order.objects.filter(side="buy").exists()
    assert collateral_port().available_cny(organisation_id=actor.organisation.pk) == before
