"""Every order ends with a reason: why it was filled, or what was missing."""

from decimal import Decimal

import pytest

from orders.models import Auction, Order
from orders.selectors.order_book import merit_order
from orders.selectors.prices import flow_shares, heat_map, product_volumes, recent_average
from orders.services.publication import publish_run
from orders.services.submission import submit_order
from settlement.models import Hold
from tests.factories.orders import (
    bid,
    block_request,
    curve_request,
    open_auction_now,
    published,
    stop_clock,
    verified,
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


def _ended(order: Order) -> tuple[str, str, dict[str, object]]:
    order.refresh_from_db()
    return order.state, order.reason_code, order.reason_params


def test_a_bid_below_the_price_learns_how_much_was_missing(
    market: Market, auction: Auction
) -> None:
    low = bid(buyer(), auction, market.product, market.west, (4, 10))
    bid(buyer(), auction, market.product, market.west, (8, 10))

    published(auction)

    state, code, params = _ended(low)
    assert (state, code) == ("rejected", "out_of_the_money")
    price = Decimal(str(params["price"]))
    assert params["limit"] == "4"
    assert Decimal(str(params["missing"])) == price - 4
    assert low.acceptance == 0
    assert not Hold.objects.filter(reference=low.hold_reference, remaining__gt=0).exists()


def test_bids_at_the_margin_share(market: Market, auction: Auction) -> None:
    # 200 units of supply at most; 150 are bid at 20 and 100 at 15.
    bid(buyer("1000000"), auction, market.product, market.east, (20, 150))
    marginal = bid(buyer("1000000"), auction, market.product, market.east, (15, 100))

    published(auction)

    state, code, _ = _ended(marginal)
    assert (state, code) == ("partly_filled", "at_margin")
    assert marginal.accepted_unit_hours == 200  # 50 units for four hours
    assert marginal.acceptance == Decimal("0.5")


def test_latency_keeps_a_bid_from_cheaper_supply(market: Market, auction: Auction) -> None:
    request = curve_request(auction, market.product, market.city, [(7, 10)], max_rtt_ms=Decimal(10))
    near = submit_order(actor=buyer(), request=request)
    bid(buyer(), auction, market.product, market.city, (7, 10))

    published(auction)

    state, code, params = _ended(near)
    assert (state, code) == ("rejected", "latency")
    assert Decimal(str(params["price_without_limit"])) < 7 < Decimal(str(params["price"]))


def test_blocks_are_filled_or_told_why_not(market: Market, auction: Auction) -> None:
    good = submit_order(
        actor=buyer(),
        request=block_request(auction, market.product, market.city, limit=8, quantity=10),
    )
    poor = submit_order(
        actor=buyer(),
        request=block_request(auction, market.product, market.city, limit=2, quantity=10),
    )

    published(auction)

    assert _ended(good)[:2] == ("filled", "filled")
    state, code, params = _ended(poor)
    assert (state, code, params["limit"]) == ("rejected", "out_of_the_money", "2")


def test_a_single_placed_block_pays_its_own_way(market: Market, auction: Auction) -> None:
    request = block_request(
        auction, market.product, market.city, limit=12, quantity=30, placement="single"
    )
    order = submit_order(actor=buyer(), request=request)
    bid(buyer(), auction, market.product, market.city, (8, 10))

    published(auction)

    assert _ended(order)[0] == "filled"
    run = auction.runs.get()
    allocations = auction.allocations.all()
    assert allocations.filter(buy_order=order).count() == 1
    assert sum(a.buyer_net_cny for a in allocations) == run.buyer_payments_cny
    assert sum(a.seller_net_cny for a in allocations) == run.seller_receipts_cny
    tariffs = sum(row.tariff_price * row.quantity for a in allocations for row in a.periods.all())
    assert tariffs == run.tariffs_cny


def test_a_full_link_earns_a_rent(market: Market) -> None:
    links = market.west.links_out.get()
    links.forward_gbps = links.reverse_gbps = Decimal(1)  # ten units
    links.save()
    auction = open_auction_now()
    bid(buyer("1000000"), auction, market.product, market.city, (20, 60))

    published(auction)

    run = auction.runs.get()
    assert run.congestion_rent_cny > 0
    assert run.rents.filter(load_gbps=1, capacity_gbps=1, rent_cny_per_gbps__gt=0).count() == 4
    assert run.buyer_payments_cny == (
        run.seller_receipts_cny + run.congestion_rent_cny + run.tariffs_cny
    )
    assert {a.flow_type: a.unit_hours for a in auction.allocations.all()} == {
        "east_west": 40,
        "east_east": 200,
    }
    assert flow_shares(run=run) == {"east_west": 40, "east_east": 200}


def test_published_prices_are_read_in_few_queries(
    market: Market, auction: Auction, django_assert_num_queries: object
) -> None:
    bid(buyer(), auction, market.product, market.city, (8, 10))
    published(auction)
    run = auction.runs.get()

    with django_assert_num_queries(2):  # type: ignore[operator]
        found = heat_map(run=run, product=market.product)

    assert {hub.code for hub in found.hubs} >= {"WEST", "EAST"}
    assert found.periods == [1, 2, 3, 4]
    west = found.prices[[hub.code for hub in found.hubs].index("WEST")]
    assert all(price is not None and 5 <= price <= 8 for price in west)
    volumes = product_volumes(run=run)
    assert [(v.product, v.unit_hours, v.hubs) for v in volumes] == [(market.product, 40, 1)]
    assert recent_average(product=market.product, hub=market.city, is_delivered=True) is not None


def test_a_book_is_shown_after_publication_and_never_of_two_members(
    market: Market, auction: Auction
) -> None:
    for _ in range(3):
        bid(buyer(), auction, market.product, market.city, (8, 10))
    verified(auction)
    run = auction.runs.get()
    assert merit_order(run=run, product=market.product, period=1).demand == []

    publish_run(auction_id=auction.pk)
    run.refresh_from_db()
    book = merit_order(run=run, product=market.product, period=1)

    assert [(point.price, point.cumulative) for point in book.demand] == [(8, 30)]
    assert book.supply == []  # two suppliers only
    assert book.is_hidden
