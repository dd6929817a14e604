"""What becomes of orders between gate closure and the bundle."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.models import ListingState, MaintenanceWindow, OrganisationState, Product
from orders import clearing
from orders.models import Auction, ClearingRun, CurveStep, Order, OrderState, RunArchive
from orders.ports.collateral import collateral_port
from orders.services.freezing import freeze_book
from orders.services.pseudonyms import pseudonym
from orders.services.submission import submit_order
from tests.factories.orders import (
    bid,
    block_request,
    closed,
    frozen,
    open_auction_now,
    published,
    stop_clock,
)
from tests.factories.trading import Market, buyer, supplier, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


@pytest.fixture
def auction(market: Market) -> Auction:
    return open_auction_now()


def _bundle(auction: Auction) -> clearing.Auction:
    archive = RunArchive.objects.get(run__auction=auction)
    return clearing.read_bundle(io.BytesIO(bytes(archive.bundle)))


def test_the_bundle_holds_the_book_under_pseudonyms(market: Market, auction: Auction) -> None:
    order = bid(buyer(), auction, market.product, market.city, (8, 10))

    frozen(auction)

    bundle = _bundle(auction)
    name = pseudonym(auction.pseudonym_salt, "o", order.public_id)
    assert name in bundle.curves.order_id
    archive = RunArchive.objects.get(run__auction=auction)
    for private in (order.organisation.code, str(market.west_listing.public_id)):
        assert private.encode() not in bytes(archive.bundle)
    run = ClearingRun.objects.get(auction=auction)
    assert run.bundle_sha256 == clearing.bundle_sha256(bundle)
    assert (auction.book_order_count, run.order_count) == (3, 3)


def test_prices_of_short_periods_are_scaled(market: Market) -> None:
    auction = open_auction_now(period_minutes=15, periods=8)
    bid(buyer(), auction, market.product, market.city, (8, 10))

    published(auction)

    bundle = _bundle(auction)
    assert bundle.products[0].price_tick == Decimal("0.0025")
    assert bundle.products[0].price_max == 25
    allocation = auction.allocations.get()
    assert allocation.unit_hours == 20
    prices = set(allocation.periods.values_list("seller_price", flat=True))
    assert min(prices) >= 5  # per hour again, at least what was asked
    assert allocation.seller_net_cny == sum(
        row.quantity * row.seller_price / 4 for row in allocation.periods.all()
    )


def test_a_poison_order_is_set_aside_and_its_hold_is_freed(
    market: Market, auction: Auction
) -> None:
    poisoned, healthy = buyer("1000"), buyer("1000")
    poison = bid(poisoned, auction, market.product, market.city, (8, 10))
    good = bid(healthy, auction, market.product, market.city, (8, 10))
    # As if the tick had been changed under the order.
    CurveStep.objects.filter(order=poison).update(price=Decimal("8.005"))

    published(auction)

    poison.refresh_from_db()
    good.refresh_from_db()
    assert (poison.state, poison.reason_code) == (OrderState.QUARANTINED, "off_price_tick")
    assert collateral_port().available_cny(organisation_id=poisoned.organisation.pk) == 1000
    assert good.state == OrderState.FILLED


def test_what_only_the_engine_refuses_is_set_aside_too(
    market: Market, auction: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = bid(buyer(), auction, market.product, market.city, (8, 10))
    good = bid(buyer(), auction, market.product, market.city, (9, 10))
    name = pseudonym(auction.pseudonym_salt, "o", poison.public_id)
    build = clearing.auction_from_tables

    def refuse(meta: dict, tables: dict) -> clearing.Auction:
        for number, row in enumerate(tables["curve_orders"], start=2):
            if row["order_id"] == name:
                raise clearing.BundleRefused("curve_orders.csv", number, "too strange")
        return build(meta, tables)

    monkeypatch.setattr(clearing, "auction_from_tables", refuse)
    frozen(auction)

    poison.refresh_from_db()
    good.refresh_from_db()
    assert (poison.state, poison.reason_code) == (OrderState.QUARANTINED, "refused_by_engine")
    assert poison.reason_params == {"detail": "too strange"}
    assert good.state == OrderState.ACTIVE
    assert ClearingRun.objects.get(auction=auction).order_count == 3


@pytest.mark.parametrize("cause", ["listing", "member", "maintenance"])
def test_asks_that_cannot_be_honoured_are_set_aside(
    market: Market, auction: Auction, cause: str
) -> None:
    ask = Order.objects.get(auction=auction, listing=market.west_listing)
    if cause == "listing":
        market.west_listing.state = ListingState.PAUSED
        market.west_listing.save()
    elif cause == "member":
        organisation = market.west_seller.organisation
        organisation.state = OrganisationState.SUSPENDED
        organisation.save()
    else:
        MaintenanceWindow.objects.create(
            listing=market.west_listing,
            starts_at=auction.delivery_starts_at,
            ends_at=auction.delivery_ends_at,
        )

    frozen(auction)

    ask.refresh_from_db()
    codes = {
        "listing": "listing_not_active",
        "member": "member_not_admitted",
        "maintenance": "capacity_taken",
    }
    assert (ask.state, ask.reason_code) == (OrderState.QUARANTINED, codes[cause])


def test_an_ask_is_cut_to_what_is_left_dearest_units_first(market: Market) -> None:
    _, listing = supplier(market.product, market.west, "6", quantity="50")
    listing.price_steps.all().delete()
    for step, (quantity, price) in enumerate(((30, 4), (20, 6)), start=1):
        listing.price_steps.create(step=step, quantity=quantity, price=price)
    auction = open_auction_now()
    MaintenanceWindow.objects.create(
        listing=listing,
        starts_at=auction.delivery_starts_at,
        ends_at=auction.delivery_starts_at + timedelta(hours=1),
    )
    listing.quantity = Decimal(40)
    listing.save()

    frozen(auction)

    bundle = _bundle(auction)
    order = Order.objects.get(auction=auction, listing=listing)
    name = pseudonym(auction.pseudonym_salt, "o", order.public_id)
    rows = [
        (int(bundle.curves.period[i]) + 1, int(bundle.curves.quantity_lots[i]))
        for i, order_id in enumerate(bundle.curves.order_id)
        if order_id == name
    ]
    assert sorted(rows) == sorted([(period, lots) for period in (2, 3, 4) for lots in (10, 30)])


def test_requirements_are_resolved_to_listings(market: Market, auction: Auction) -> None:
    pool = market.east_listing.pool
    pool.dengbao_level, pool.is_xinchuang, pool.trust_level = 3, True, 2
    pool.save()
    request = block_request(
        *(auction, market.product, market.city),
        limit=20,
        placement="single",
        min_dengbao_level=3,
        requires_xinchuang=True,
        min_trust_level=1,
    )
    order = submit_order(actor=buyer(), request=request)

    published(auction)

    block = _bundle(auction).blocks[0]
    name = pseudonym(auction.pseudonym_salt, "l", market.east_listing.public_id)
    assert block.eligible_listings == (name,)
    order.refresh_from_db()
    assert order.state == OrderState.FILLED
    assert auction.allocations.get().listing == market.east_listing


def test_an_order_that_nobody_qualifies_for_is_set_aside(market: Market, auction: Auction) -> None:
    request = block_request(
        *(auction, market.product, market.city), placement="single", min_dengbao_level=4
    )
    order = submit_order(actor=buyer(), request=request)

    frozen(auction)

    order.refresh_from_db()
    assert (order.state, order.reason_code) == (OrderState.QUARANTINED, "no_eligible_listing")


def test_a_product_taken_out_of_the_auction_takes_its_orders_along(
    market: Market, auction: Auction
) -> None:
    other = Product.objects.create(
        code="GP-X",
        resource_class="GP",
        name_zh="核",
        name_en="core",
        unit_zh="核时",
        unit_en="core·h",
        price_tick="0.01",
        clearing_price_tick="0.0001",
        quantity_lot=1,
        price_max=10,
        bandwidth_gbps_per_unit="0.1",
        power_w_per_unit=10,
        reference_price=1,
    )
    order = bid(buyer(), auction, market.product, market.city)
    auction.products.set([other])

    frozen(auction)

    order.refresh_from_db()
    assert order.reason_code == "not_traded_any_more"


def test_freezing_twice_makes_one_run(market: Market, auction: Auction) -> None:
    closed(auction)

    assert freeze_book(auction_id=auction.pk) is True
    assert freeze_book(auction_id=auction.pk) is False

    assert ClearingRun.objects.filter(auction=auction).count() == 1
