"""Parts of the engine that only large books exercise."""

import numpy as np

from orders.clearing import clear, verify
from orders.clearing.market import distinct_rows
from orders.clearing.windows import Ladder, crossing_prices, cut_window
from tests.clearing.books import buy, sell, small_auction
from tools.instances import NeutralMarket
from tools.national import NationalMarket


def test_a_window_keeps_the_steps_around_the_price_of_each_node() -> None:
    node = np.repeat([0, 1], 10)
    price = np.tile(np.arange(10.0), 2)

    ladder = Ladder.of(node, price, 2)
    window = cut_window(ladder, np.array([4.0, 8.5]), np.array([2, 2]))

    assert price[window.inside].tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert window.low_price.tolist() == [2, 6]
    assert window.high_node.tolist() == [0]
    assert window.high_price.tolist() == [7]


def test_a_crossing_is_where_supply_meets_demand_and_needs_both_sides() -> None:
    group = np.array([0, 0, 0, 1])
    price = np.array([1.0, 3.0, 2.0, 5.0])
    is_buy = np.array([False, False, True, True])
    lots = np.array([5, 5, 4, 9])

    found = crossing_prices(group, price, is_buy, lots, 2)

    assert found[0] == 1.0
    assert np.isnan(found[1])


def test_distinct_rows_give_every_row_its_place() -> None:
    columns = [np.array([2, -1, 2]), np.array([0, 3, 0])]

    rows, place = distinct_rows(columns)

    assert rows[place].tolist() == [[2, 0], [-1, 3], [2, 0]]


def test_a_price_far_outside_the_first_window_is_found() -> None:
    cheap = [sell(f"s{k:03d}", f"{1 + k / 100:.2f}", 1) for k in range(300)]
    dear = [buy(f"b{k:03d}", f"{90 - k / 100:.2f}", 1, "E") for k in range(250)]
    auction = small_auction(cheap + dear, links=[("W", "E", "5", "0.5", "1000")])

    result = clear(auction)

    assert verify(auction, result) == []
    assert sum(row.accepted_quantity for row in result.curve_results) == 500


def test_instances_of_the_bench_clear_and_verify() -> None:
    for market in (
        NeutralMarket(3, hubs=4, periods=6, curves=600, blocks=20, share=1.0, near=0.03),
        NationalMarket(3, products=3, periods=4, listings=12, curves=40, blocks=8),
    ):
        auction = market.build().auction()

        assert verify(auction, clear(auction)) == []
