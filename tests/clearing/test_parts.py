"""Parts of the engine that only large books exercise."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.clearing import clear, verify
from orders.clearing.csv_tables import csv_bytes, csv_of_columns
from orders.clearing.market import build_market, distinct_rows
from orders.clearing.merit_order import (
    MeritOrder,
    build_merit_order,
    offered_lots,
    step_lots,
)
from orders.clearing.money_unit import money_unit
from orders.clearing.period_clearing import PeriodModel
from orders.clearing.row_tables import RowTable, column_of, combined, first_rows, numbered, sums
from orders.clearing.types import Auction, FlowRow
from orders.clearing.windows import Ladder, coarse_rungs, cut_window
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


def test_rungs_take_neighbouring_steps_of_a_node_and_side_together() -> None:
    node = np.array([0, 0, 0, 0, 1, 1])
    price = np.array([1.0, 2.0, 3.0, 5.0, 7.0, 9.0])
    is_buy = np.array([False, False, False, True, True, True])
    lots = np.array([5, 15, 4, 6, 0, 2])
    ladder = Ladder.of(node, price, 2)

    rungs = coarse_rungs(ladder, is_buy, lots, 2)

    assert rungs.node.tolist() == [0, 0, 0, 1]
    assert rungs.is_buy.tolist() == [False, False, True, True]
    assert rungs.lots.tolist() == [20, 4, 6, 2]  # the step without lots is none
    assert rungs.price.tolist() == [1.75, 3, 5, 9]


def test_few_rungs_find_the_prices_that_windows_begin_with() -> None:
    auction = NeutralMarket(3, curves=4_000).build().auction()
    merit, model = _first_period(auction)
    lots = step_lots(merit, offered_lots(auction, {}))[merit.steps_of(0)]
    none = np.zeros(len(model.market.nodes))

    guess = model.first_centre(lots)
    answer = model.solve(lots, none, np.zeros(len(model.capacity)))

    assert answer is not None
    assert np.abs(guess / answer.node_price - 1).max() < 0.05


def _first_period(auction: Auction) -> tuple[MeritOrder, PeriodModel]:
    market = build_market(auction)
    merit = build_merit_order(market)
    return merit, PeriodModel(market, merit, 0, money_unit(market))


def test_each_combination_has_one_number_and_a_first_row() -> None:
    columns = [np.array([2, -1, 2]), np.array([0, 3, 0])]

    numbers = combined(columns)

    assert numbers[0] == numbers[2] != numbers[1]
    assert sorted(first_rows(numbers).tolist()) == [0, 1]
    assert sorted(distinct_rows(columns)) == [(-1, 3), (2, 0)]


WHOLE = st.integers(-(10**10), 10**10) | st.integers(-3, 3)


@given(st.lists(st.tuples(WHOLE, WHOLE, WHOLE, WHOLE), min_size=1, max_size=30))
def test_combinations_are_numbered_as_tuples_are(rows: list[tuple[int, ...]]) -> None:
    rows = rows + rows[:3]

    numbers = combined(np.array(column) for column in zip(*rows, strict=True)).tolist()

    ranks = {row: rank for rank, row in enumerate(sorted(set(rows)))}
    assert numbers == [ranks[row] for row in rows]


@pytest.mark.parametrize("step", [1, 10**9])
def test_numbers_far_apart_are_numbered_like_near_ones(step: int) -> None:
    found, places = numbered(np.array([7, -2, 7, 3]) * step)

    assert found.tolist() == [-2 * step, 3 * step, 7 * step]
    assert places.tolist() == [2, 0, 2, 1]


def test_sums_are_exact_beyond_what_floats_hold() -> None:
    large = np.array([2**55, 1, 2**55, 3])

    assert sums(np.array([0, 0, 1, 1]), large, 3).tolist() == [2**55 + 1, 2**55 + 3, 0]


def test_a_table_by_column_holds_the_rows_it_was_made_of() -> None:
    rows = tuple(FlowRow("W", "E", "p", period, Decimal(period), Decimal(0)) for period in (1, 2))

    table = RowTable.of(FlowRow, rows)

    assert tuple(table) == rows
    assert table == rows
    assert (table[1], table[:1], len(table)) == (rows[1], rows[:1], 2)
    assert table != rows[:1]


def test_columns_are_written_as_their_rows_would_be() -> None:
    texts = ["plain", "with, comma", 'with "quotes"', "with\nline", "", "中文", "a'b"] * 2
    numbers = [str(number) for number in range(len(texts))]

    found = csv_of_columns(("a", "b"), [column_of(texts), column_of(numbers)], str)

    assert found == csv_bytes(("a", "b"), list(zip(texts, numbers, strict=True)))


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
