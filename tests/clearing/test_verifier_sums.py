"""The verifier adds up exactly, whatever numbers a result holds."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.clearing import Auction, Result, clear, verify
from orders.clearing.row_tables import Column
from orders.clearing.types import AssignmentRow
from orders.clearing.verification_columns import (
    ODD,
    distinct,
    groups,
    product_totals,
    totals,
    whole_ticks,
)
from tests.clearing.books import buy, sell, small_auction

SIDE = 16
# Sixteen times this is nothing to a sum of 64 bits.
SIXTEENTH = 2**60
LARGE = 2**62 - 1


def crowd(units: int = SIDE) -> Auction:
    """As many buyers as sellers at one hub, each of some units."""
    sells = [sell(f"s{k:02d}", "2", units) for k in range(SIDE)]
    return small_auction([*sells, *(buy(f"b{k:02d}", "8", units) for k in range(SIDE))])


def all_pairs(quantity: Callable[[int, int], Decimal | int]) -> tuple[AssignmentRow, ...]:
    """Every seller serves every buyer."""
    return tuple(
        AssignmentRow(
            *(f"b{k:02d}", "", f"s{n:02d}", "", f"s{n:02d}", "W", "W", "gpu", 1),
            Decimal(quantity(k, n)),
        )
        for k in range(SIDE)
        for n in range(SIDE)
    )


def rules_broken(auction: Auction, result: Result) -> set[str]:
    return {violation.rule for violation in verify(auction, result)}


def test_each_seller_may_serve_each_buyer() -> None:
    auction = crowd()

    assert verify(auction, replace(clear(auction), assignments=all_pairs(lambda *_: 1))) == []


@pytest.mark.parametrize("more", [SIXTEENTH, -SIXTEENTH, 2**58, 10**30])
def test_lots_that_pass_64_bits_in_all_are_rule_one(more: int) -> None:
    auction = crowd()
    forged = replace(clear(auction), assignments=all_pairs(lambda *_: 1 + more))

    assert {"1", "8"} <= rules_broken(auction, forged)


@pytest.mark.parametrize("more", [SIXTEENTH, 2**61 - 1, 10**30])
def test_accepted_lots_that_pass_64_bits_in_all_are_rule_two(more: int) -> None:
    auction = crowd()
    result = clear(auction)
    rows = tuple(
        row._replace(accepted_quantity=row.accepted_quantity + more) for row in result.curve_results
    )

    assert {"1", "2", "8"} <= rules_broken(auction, replace(result, curve_results=rows))


def test_assignments_in_a_book_without_orders_are_rule_one() -> None:
    auction = small_auction([])
    rows = all_pairs(lambda *_: 1)[:2]

    found = verify(auction, replace(clear(auction), assignments=rows))

    assert sum("unknown order" in violation.detail for violation in found) == len(rows)
    assert {violation.rule for violation in found} >= {"1"}


COLUMN = st.lists(st.tuples(st.integers(0, 3), st.integers(-LARGE, LARGE)), max_size=40)


@given(COLUMN)
def test_totals_are_those_of_integers(rows: list[tuple[int, int]]) -> None:
    group = np.array([place for place, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows], dtype=np.int64)

    assert totals(group, values, 4) == [sum(v for g, v in rows if g == k) for k in range(4)]


@given(COLUMN)
def test_totals_of_products_are_those_of_integers(rows: list[tuple[int, int]]) -> None:
    group = np.array([place for place, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows], dtype=np.int64)

    found = product_totals(group, values, values[::-1], 4)

    pairs = list(zip(rows, reversed(rows), strict=True))
    assert found == [sum(a[1] * b[1] for a, b in pairs if a[0] == k) for k in range(4)]


@given(st.lists(st.none() | st.sampled_from("abc")))
def test_distinct_values_stand_for_their_cells(cells: list[str | None]) -> None:
    values, places = distinct(cells)

    assert values == list(dict.fromkeys(cells))
    assert [values[place] for place in places.tolist()] == cells


@given(st.lists(st.tuples(*[st.integers(-LARGE, LARGE)] * 3), min_size=1, max_size=20))
def test_groups_are_those_of_tuples(rows: list[tuple[int, ...]]) -> None:
    rows = rows + rows[:3]
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]

    first, group = groups(columns)

    assert len(first) == len(set(rows))
    assert [rows[row] for row in first[group].tolist()] == rows


def test_no_sum_of_whole_ticks_passes_what_64_bits_hold() -> None:
    ticks = [Decimal("0.5")]
    for count in (1, 2, 7, 256):
        most = 2**61 // count - 1
        column = Column([Decimal(most) / 2, Decimal(most + 1) / 2], np.array([0] * count))
        product = np.zeros(count, dtype=np.int64)

        assert whole_ticks(column, product, ticks).tolist() == [most] * count
        above = Column(column.values, np.array([1] * count))
        assert whole_ticks(above, product, ticks).tolist() == [ODD] * count


@pytest.mark.parametrize("text", ["0.25", "1." + "0" * 70 + "1", "9E+999999", "NaN", "Infinity"])
def test_what_is_no_number_of_ticks_is_odd(text: str) -> None:
    column = Column([Decimal(text)], np.zeros(1, dtype=np.int64))

    assert whole_ticks(column, np.zeros(1, dtype=np.int64), [Decimal("0.5")]).tolist() == [ODD]
