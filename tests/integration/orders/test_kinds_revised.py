"""Flexible, interruptible, alternative and linked orders are changed in place like any other."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from marketplace.domain.errors import RuleBroken
from marketplace.permissions import Actor
from marketplace.services.clock import set_clock
from orders.models import Auction, Order, OrderState
from orders.ports.collateral import collateral_port
from orders.services.cancellation import cancel_order
from orders.services.revision import OptionChange, OrderChange, revise_order
from orders.services.submission import Leg, Option, submit_order
from settlement.models import Hold
from tests.factories.orders import START, block_request, open_auction_now, published, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


@pytest.fixture
def auction(market: Market) -> Auction:
    return open_auction_now()


def _enter(actor: Actor, auction: Auction, market: Market, **fields: Any) -> Order:
    request = block_request(auction, market.product, market.city, **fields)
    return submit_order(actor=actor, request=request)


def _job(actor: Actor, auction: Auction, market: Market, **fields: Any) -> Order:
    """Ten units at 8 for two of the three hours from the second on."""
    values = {"kind": "flexible", "duration": 2, "first_period": 2, **fields}
    return _enter(actor, auction, market, **values)


def _two_options(actor: Actor, auction: Auction, market: Market) -> Order:
    """Ten units at 8 in the city, or, instead, in two parts at 6 in the west."""
    parts = (Leg(1, 2, Decimal(10)), Leg(3, 4, Decimal(5)))
    options = (
        Option(limit_price=Decimal(8), quantity=Decimal(10)),
        Option(limit_price=Decimal(6), hub=market.west.code, legs=parts),
    )
    return _enter(actor, auction, market, quantity=1, options=options)


def _begin_last_phase(auction: Auction) -> None:
    Auction.objects.filter(pk=auction.pk).update(no_cancel_from=START + timedelta(minutes=30))
    set_clock(market_at=START + timedelta(minutes=31), speed=Decimal(0), is_demo=True)


def _changed(actor: Actor, order: Order, **change: Any) -> Order:
    values = {
        name: Decimal(value) if name in ("limit_price", "quantity") else value
        for name, value in change.items()
    }
    return revise_order(actor=actor, order_public_id=order.public_id, change=OrderChange(**values))


def _refused(actor: Actor, order: Order, **change: Any) -> tuple[str, str | None]:
    with pytest.raises(RuleBroken) as caught:
        _changed(actor, order, **change)
    order.refresh_from_db()
    assert order.state == OrderState.ACTIVE
    return caught.value.code, caught.value.field


def _free(actor: Actor) -> Decimal:
    return collateral_port().available_cny(organisation_id=actor.organisation.pk)


@pytest.mark.parametrize("kind", ["flexible", "interruptible"])
def test_a_job_changes_in_every_figure_and_keeps_the_rest(
    market: Market, auction: Auction, kind: str
) -> None:
    actor = buyer("1000")
    first = _job(actor, auction, market, kind=kind, min_acceptance=Decimal("0.5"), note="night")

    second = _changed(actor, first, limit_price=9, quantity=20, first_period=1, duration=3)

    first.refresh_from_db()
    assert (first.state, first.reason_code) == (OrderState.CANCELLED, "replaced")
    assert first.reason_params == {"order": str(second.public_id)}
    assert (second.kind, second.state, second.limit_price) == (kind, "active", 9)
    assert (second.first_period, second.last_period, second.duration) == (1, 4, 3)
    assert (second.quantity, second.min_acceptance) == (20, Decimal("0.5"))
    assert second.note == "night"
    published(auction)
    second.refresh_from_db()
    assert (second.state, second.accepted_unit_hours) == (OrderState.FILLED, 60)


def test_the_hold_changes_by_the_difference(market: Market, auction: Auction) -> None:
    actor = buyer("300")
    order = _job(actor, auction, market)
    assert order.worst_case_cny == Decimal("171.30")  # 10 units for two hours at 8, fee and tax

    dearer = _changed(actor, order, duration=3)

    assert dearer.worst_case_cny == Decimal("256.95")  # more than was free beside the old hold
    assert _free(actor) == 300 - dearer.worst_case_cny
    assert Hold.objects.get(reference=order.hold_reference).remaining == 0
    assert _refused(actor, dearer, quantity=20)[0] == "insufficient_collateral"
    assert _free(actor) == 300 - dearer.worst_case_cny
    cheaper = _changed(actor, dearer, limit_price=4)
    assert _free(actor) == 300 - cheaper.worst_case_cny


@pytest.mark.parametrize(
    "change",
    [
        {"limit_price": 7},
        {"quantity": 9},
        {"duration": 1},
        {"first_period": 3},
        {"last_period": 3},
        {"limit_price": 20, "duration": 1},
    ],
)
def test_in_the_last_phase_a_job_only_improves(
    market: Market, auction: Auction, change: dict[str, int]
) -> None:
    actor = buyer()
    order = _job(actor, auction, market)
    _begin_last_phase(auction)

    assert _refused(actor, order, **change)[0] == "only_improvements"

    better = _changed(actor, order, limit_price=9, quantity=12, first_period=1, duration=3)
    assert (better.limit_price, better.quantity, better.duration) == (9, 12, 3)


def test_a_job_that_does_not_fit_is_refused_as_on_entry(market: Market, auction: Auction) -> None:
    actor = buyer()
    order = _job(actor, auction, market)

    assert _refused(actor, order, duration=4) == ("duration_outside_window", "duration")
    assert _refused(actor, order, first_period=9)[0] == "window_outside_auction"


def test_alternatives_change_one_by_one(market: Market, auction: Auction) -> None:
    actor = buyer()
    order = _two_options(actor, auction, market)

    changes = (OptionChange(Decimal(9), Decimal(12)), OptionChange(Decimal(7)))
    changed = _changed(actor, order, options=changes)

    rows = changed.options.order_by("option_no")
    assert [row.limit_price for row in rows] == [9, 7]
    assert [(leg.hub.code, leg.quantity) for leg in rows[0].legs.all()] == [("CITY", 12)]
    assert [(leg.hub.code, leg.quantity) for leg in rows[1].legs.order_by("id")] == [
        ("WEST", 10),
        ("WEST", 5),
    ]
    published(auction)
    changed.refresh_from_db()
    assert changed.state == OrderState.FILLED


def test_each_alternative_improves_by_itself(market: Market, auction: Auction) -> None:
    actor = buyer()
    order = _two_options(actor, auction, market)
    _begin_last_phase(auction)

    worse = (OptionChange(Decimal(20), Decimal(90)), OptionChange(Decimal(5)))
    assert _refused(actor, order, options=worse) == ("only_improvements", "options")
    assert _changed(actor, order, options=(OptionChange(), OptionChange(Decimal(7)))).pk


def test_parts_that_an_order_does_not_have_are_named(market: Market, auction: Auction) -> None:
    actor = buyer()
    job = _job(actor, auction, market)
    options = _two_options(actor, auction, market)
    one, other = OptionChange(), OptionChange(quantity=Decimal(5))

    assert _refused(actor, job, options=(one,)) == ("not_revisable", "options")
    assert _refused(actor, options, duration=2) == ("not_revisable", "duration")
    assert _refused(actor, options, limit_price=9) == ("not_revisable", "limit_price")
    assert _refused(actor, options, options=(one,)) == ("not_revisable", "options")
    assert _refused(actor, options, options=(one, other)) == ("not_revisable", "options")


def test_a_linked_block_stays_linked_when_it_changes(market: Market, auction: Auction) -> None:
    actor = buyer()
    parent = _enter(actor, auction, market)
    child = _enter(actor, auction, market, limit=4, parent_order=parent.public_id)

    changed = _changed(actor, child, limit_price=6)

    assert changed.parent == parent


def test_blocks_follow_the_order_they_are_linked_to(market: Market, auction: Auction) -> None:
    actor = buyer()
    parent = _enter(actor, auction, market)
    child = _enter(actor, auction, market, limit=7, parent_order=parent.public_id)
    ended = _enter(actor, auction, market, limit=7, parent_order=parent.public_id)
    cancel_order(actor=actor, order_public_id=ended.public_id)
    _begin_last_phase(auction)

    changed = _changed(actor, parent, limit_price=9)

    child.refresh_from_db()
    ended.refresh_from_db()
    assert child.parent == changed
    assert ended.parent == parent  # history is kept
    published(auction)
    for order in (changed, child):
        order.refresh_from_db()
        assert order.state == OrderState.FILLED


def test_nobody_hangs_on_an_order_that_was_just_replaced(market: Market, auction: Auction) -> None:
    actor = buyer()
    parent = _enter(actor, auction, market)
    _changed(actor, parent, limit_price=9)

    with pytest.raises(RuleBroken) as caught:
        _enter(actor, auction, market, parent_order=parent.public_id)

    assert caught.value.code == "parent_not_linkable"
