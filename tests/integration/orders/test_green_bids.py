"""Bids with a carbon limit: what they are refused for, what serves them, and what green costs."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.domain.errors import RuleBroken
from marketplace.models import Listing, Product
from orders.models import Auction, ClearingPrice, Order
from orders.services.clearing import archived
from orders.services.freezing import freeze_book
from orders.services.order_request import OrderRequest
from orders.services.request_record import record_of, request_of
from orders.services.revision import OrderChange, revise_order
from orders.services.submission import Option, Step, preview_order, submit_order
from settlement.models import GridEmissionFactor
from settlement.services.carbon_estimates import EstimatedCarbon
from settlement.services.deliveries import complete_due_deliveries, create_deliveries
from settlement.services.grid_factors import load_grid_factors
from settlement.services.invariants import broken_invariants
from settlement.services.settling import settle_auction
from tests.factories.marketplace import ProductFactory
from tests.factories.orders import (
    bid,
    block_request,
    closed,
    curve_request,
    open_auction_now,
    published,
    stop_clock,
)
from tests.factories.settlement import deliver, move_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db
GREEN, LOW = Decimal(0), Decimal(120)


def declare(listing: Listing, grams: str, evidence: str = "绿证 1") -> None:
    """Let a listing's pool declare its carbon."""
    pool = listing.pool
    pool.carbon_g_per_unit_hour, pool.carbon_evidence = Decimal(grams), evidence
    pool.save()


@pytest.fixture
def market() -> Market:
    """West sells at 5 and burns coal; east sells at 9 and is green."""
    stop_clock()
    market = two_hub_market()
    Product.objects.update(carbon_classes_g=[GREEN, LOW, Decimal(240)])
    declare(market.west_listing, "200")
    declare(market.east_listing, "0")
    return market


@pytest.fixture
def auction(market: Market) -> Auction:
    return open_auction_now()


def green(auction: Auction, market: Market, *steps: tuple[int, int], **fields: object) -> Order:
    """Place a curve bid in the city with a carbon limit, green only unless said otherwise."""
    fields.setdefault("max_carbon_g", GREEN)
    request = curve_request(auction, market.product, market.city, steps, **fields)
    return submit_order(actor=buyer("1000000"), request=request)


def refusal(request: OrderRequest) -> RuleBroken:
    with pytest.raises(RuleBroken) as caught:
        preview_order(actor=buyer(), request=request)
    return caught.value


def sellers(order: Order) -> set[int]:
    return set(order.auction.allocations.filter(buy_order=order).values_list("listing", flat=True))


def price(auction: Auction, hub: str, grams: Decimal | None, *, is_delivered: bool) -> Decimal:
    """Return the price of the first period without a latency limit."""
    return ClearingPrice.objects.get(
        run__auction=auction,
        hub__code=hub,
        period=1,
        is_delivered=is_delivered,
        max_rtt_ms=None,
        carbon_class_g=grams,
    ).price


@pytest.mark.parametrize(
    ("limit", "stored"), [("0", 0), ("119.9", 0), ("120", 120), ("239", 120), ("900", 240)]
)
def test_a_limit_is_snapped_to_the_stricter_class(market, auction, limit, stored):
    assert green(auction, market, (8, 10), max_carbon_g=Decimal(limit)).max_carbon_g == stored


@pytest.mark.parametrize("limit", ["-1", "NaN", "Infinity"])
def test_a_limit_that_is_no_class_is_refused(market, auction, limit):
    request = curve_request(auction, market.product, market.city, max_carbon_g=Decimal(limit))

    broken = refusal(request)

    assert (broken.code, broken.field) == ("carbon_class_unknown", "max_carbon_g")
    assert "0, 120, 240" in str(broken)


def test_a_product_without_classes_takes_no_limit(market, auction):
    Product.objects.update(carbon_classes_g=[])

    request = curve_request(auction, market.product, market.city, max_carbon_g=LOW)

    assert refusal(request).code == "carbon_class_unknown"


def test_alternatives_share_a_class(market, auction):
    auction.products.add(ProductFactory(code="AI-U", carbon_classes_g=[Decimal(100), LOW]))
    options = (Option(Decimal(8), quantity=Decimal(1)),)
    options += (Option(Decimal(8), product="AI-U", quantity=Decimal(1)),)
    asked = {"limit_price": None, "quantity": None, "options": options}

    request = block_request(auction, market.product, market.city, max_carbon_g=LOW)
    both = OrderRequest(**{**vars(request), **asked})
    strict = OrderRequest(**{**vars(both), "max_carbon_g": Decimal(100)})

    assert preview_order(actor=buyer(), request=both).max_carbon_g == LOW
    assert refusal(strict).code == "carbon_class_unknown"


def test_an_ask_has_no_carbon_limit(market, auction):
    request = curve_request(
        auction,
        market.product,
        market.west,
        side="sell",
        listing=market.west_listing.public_id,
        max_carbon_g=GREEN,
    )
    with pytest.raises(RuleBroken) as caught:
        submit_order(actor=market.west_seller, request=request)
    assert caught.value.code == "sell_order_takes_no_limits"


def test_a_green_bid_is_served_by_its_class_alone_and_pays_the_premium(market, auction):
    clean = green(auction, market, (12, 30))
    plain = bid(buyer(), auction, market.product, market.city, (12, 30))

    published(auction)

    assert sellers(clean) == {market.east_listing.pk}
    assert sellers(plain) == {market.west_listing.pk}
    assert price(auction, "EAST", GREEN, is_delivered=False) == 9
    assert price(auction, "WEST", None, is_delivered=False) == 5
    premium = price(auction, "CITY", GREEN, is_delivered=True) - price(
        auction, "CITY", None, is_delivered=True
    )
    assert premium > 0
    run = auction.runs.get()
    paid, got = clean.bought.get(), plain.bought.get()
    assert paid.seller_net_cny > got.seller_net_cny
    assert run.buyer_payments_cny == paid.buyer_net_cny + got.buyer_net_cny
    assert run.seller_receipts_cny == paid.seller_net_cny + got.seller_net_cny


def test_units_are_counted_once_however_many_classes_have_a_price(market, auction):
    green(auction, market, (12, 30))
    bid(buyer(), auction, market.product, market.city, (12, 20))

    published(auction)

    rows = ClearingPrice.objects.filter(run__auction=auction, period=1)
    assert sum(row.supplied for row in rows) == 50
    assert sum(row.consumed for row in rows) == 50


def test_a_looser_class_is_served_by_stricter_supply_too(market, auction):
    order = green(auction, market, (12, 30), max_carbon_g=Decimal(240))

    published(auction)

    assert sellers(order) == {market.west_listing.pk}


def test_a_bid_that_green_is_too_dear_for_learns_so(market, auction):
    order = green(auction, market, (7, 30))
    bid(buyer(), auction, market.product, market.city, (7, 20))

    published(auction)

    order.refresh_from_db()
    assert (order.state, order.reason_code) == ("rejected", "carbon")
    params = order.reason_params
    assert Decimal(params["price_without_limit"]) < 7 < Decimal(params["price"])


@pytest.mark.parametrize("kind", ["block", "single", "flexible", "interruptible"])
def test_every_kind_of_bid_carries_the_limit(market, auction, kind):
    shape = {"placement": "single"} if kind == "single" else {}
    if kind in ("flexible", "interruptible"):
        shape = {"kind": kind, "duration": 2}
    request = block_request(
        auction, market.product, market.city, limit=12, max_carbon_g=GREEN, **shape
    )
    order = submit_order(actor=buyer(), request=request)

    published(auction)

    order.refresh_from_db()
    assert order.state == "filled"
    assert sellers(order) == {market.east_listing.pk}


def test_without_evidence_the_grid_speaks(market, auction, monkeypatch):
    """East declares 0 g without proof: the estimate of its grid counts, and nothing is green."""
    declare(market.east_listing, "0", evidence="")
    monkeypatch.setattr(
        EstimatedCarbon,
        "grams_per_unit_hour",
        lambda self, ids: dict.fromkeys(ids, Decimal("119.9991")),
    )
    strict = green(auction, market, (12, 10))
    loose = green(auction, market, (12, 10), max_carbon_g=LOW)

    published(auction)

    strict.refresh_from_db()
    assert (strict.state, sellers(strict)) == ("rejected", set())
    assert strict.reason_code == "no_supply_in_class"
    assert sellers(loose) == {market.east_listing.pk}


def test_without_evidence_and_grid_factor_a_listing_serves_no_class(market, auction):
    assert not GridEmissionFactor.objects.exists()
    declare(market.east_listing, "0", evidence="")
    order = green(auction, market, (12, 10), max_carbon_g=LOW)

    published(auction)

    assert sellers(order) == set()


def test_the_bundle_says_the_class_and_not_the_figure(market):
    """At half-hour periods 120 g an hour are 60 g a period."""
    declare(market.east_listing, "101.777")
    auction = open_auction_now(period_minutes=30)
    order = green(auction, market, (12, 10), max_carbon_g=LOW)

    bundle = archived(published(auction).runs.get())[0]

    assert {row.carbon_intensity for row in bundle.listings} == {Decimal(60), Decimal(120)}
    assert sellers(order) == {market.east_listing.pk}
    assert price(auction, "EAST", LOW, is_delivered=False) > 0


def test_a_class_that_is_gone_sets_the_bid_aside(market, auction):
    order = green(auction, market, (8, 10))
    Product.objects.update(carbon_classes_g=[LOW])

    freeze_book(auction_id=closed(auction).pk)

    order.refresh_from_db()
    assert (order.state, order.reason_code) == ("quarantined", "carbon_class_unknown")


def test_a_changed_bid_keeps_its_limit(market, auction):
    actor = buyer()
    request = curve_request(auction, market.product, market.city, max_carbon_g=LOW)
    order = submit_order(actor=actor, request=request)

    changed = revise_order(
        actor=actor,
        order_public_id=order.public_id,
        change=OrderChange(steps=[Step(Decimal(9), Decimal(10))]),
    )

    assert changed.max_carbon_g == LOW


def test_a_green_auction_is_settled_to_the_fen(market, auction):
    load_grid_factors()
    green(auction, market, (12, 30))
    bid(buyer(), auction, market.product, market.city, (12, 30))
    published(auction)
    create_deliveries(auction.pk)
    deliver(auction)
    over = auction.delivery_ends_at + timedelta(days=2)
    move_clock(over)
    complete_due_deliveries(over)

    run = settle_auction(auction_id=auction.pk)

    assert run.state == "posted"
    assert broken_invariants() == []


def test_what_is_kept_of_a_request_has_the_limit(market, auction):
    request = curve_request(auction, market.product, market.city, max_carbon_g=LOW)

    assert request_of(record_of(request)) == request
