"""What an order on one listing adds to the bound: what a listing could give it, and no more."""

from decimal import Decimal

import pytest

from orders.clearing import clear, verify
from tests.clearing.books import Row, block, buy, job, sell, small_auction

GREEN = {"carbon_classes": "0;600"}
LISTINGS: list[Row] = [
    {"listing_id": "L", "hub": "W", "carbon_intensity": "500"},
    {"listing_id": "M", "hub": "W", "carbon_intensity": ""},
]
OFFERS = [sell("s", "2", 5, listing_id="L"), sell("t", "2", 5, listing_id="M")]


@pytest.mark.parametrize(("limit", "counted"), [({}, "70"), ({"max_carbon": "0"}, "0")])
def test_what_a_listing_sells_in_two_classes_counts_together_where_nobody_tells_them_apart(
    limit: Row, counted: str
) -> None:
    """Five lots of L are in a curve at 500 g, five in a block at 0 g; the job needs ten."""
    auction = small_auction(
        [*OFFERS, buy("green", "2", 1, **limit)],
        block("clean", "sell", "2", [("W", 1, 5)], listing_id="L", carbon_intensity="0"),
        block("train", "buy", "9", [("W", 1, 10)], placement="single"),
        product=GREEN,
        listings=LISTINGS,
    )

    result = clear(auction)

    assert verify(auction, result) == []
    assert result.bound.upper_bound == Decimal(counted)


@pytest.mark.parametrize(("least", "counted"), [("1", "0"), ("0.5", "70"), ("0", "70")])
def test_a_flexible_order_counts_where_its_least_part_fits(least: str, counted: str) -> None:
    """Five lots are on each listing at 2; the job wants ten at 9 and is counted whole or not."""
    order = job("f", "9", 10, 1, (1, 1), min_acceptance=least, placement="single")
    auction = small_auction(OFFERS, listings=LISTINGS, flexible_orders=[order])

    result = clear(auction)

    assert verify(auction, result) == []
    assert result.bound.upper_bound == Decimal(counted)
