"""The price index: the worked example of docs/reference/price-index.md, and its edges."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.price_index import NOTHING, Traded, composite_index, index_of

CARD, CORE = 1, 2


def traded(unit_hours: int | str, price: int | str) -> Traded:
    return Traded(Decimal(unit_hours), Decimal(unit_hours) * Decimal(price))


def test_the_worked_example() -> None:
    days = [
        {CARD: traded(1000, "8.00"), CORE: traded(20000, "0.10")},
        {CARD: traded(900, "8.40"), CORE: traded(24000, "0.10")},
        {CORE: traded(20000, "0.12")},
    ]

    assert composite_index(days) == [Decimal("100.00"), Decimal("104.00"), Decimal("109.01")]
    assert index_of(days[1][CARD].price, Decimal("8.00")) == Decimal("105.00")


def test_a_price_is_weighted_by_volume() -> None:
    assert (traded(30, 9) + traded(10, 5)).price == 8


def test_nothing_sold_has_no_price_and_no_index() -> None:
    assert NOTHING.price is None
    assert index_of(None, Decimal(5)) is None
    assert index_of(Decimal(5), None) is None
    assert composite_index([{}, {CARD: NOTHING}]) == [None, None]


def test_a_new_product_moves_the_index_from_its_second_day_on() -> None:
    days = [
        {CARD: traded(10, 8)},
        {CARD: traded(10, 8), CORE: traded(1000, 1)},
        {CARD: traded(10, 8), CORE: traded(1000, 2)},
    ]

    first, second, third = composite_index(days)

    assert (first, second) == (100, 100)
    assert third == pytest.approx(Decimal("192.59"))


@given(st.lists(st.integers(1, 500), min_size=1, max_size=12))
def test_with_one_product_the_index_is_its_price_over_the_first(prices: list[int]) -> None:
    days = [{CARD: traded(7 + price % 5, price)} for price in prices]

    indices = composite_index(days)

    assert indices == [
        pytest.approx(Decimal(100 * price) / prices[0], abs=Decimal("0.006")) for price in prices
    ]


@given(st.integers(2, 9), st.lists(st.integers(1, 90), min_size=2, max_size=6))
def test_prices_that_all_change_alike_change_the_index_as_much(
    factor: int, amounts: list[int]
) -> None:
    day = {number: traded(amount, 3) for number, amount in enumerate(amounts)}
    later = {number: traded(amount + 1, 3 * factor) for number, amount in enumerate(amounts)}

    assert composite_index([day, later])[1] == 100 * factor
