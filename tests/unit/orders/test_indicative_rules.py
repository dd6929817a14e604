"""Which indicative figures may be shown: enough members in each cell, and in what is left."""

from decimal import Decimal

import pytest

from orders.domain.concentration import concentration_of, is_outlier
from orders.domain.indicative import (
    CellBook,
    may_show_sum,
    rounded_price,
    rounded_units,
    shown_hubs,
)


def _cell(*members: int) -> CellBook:
    return CellBook(members=set(members))


def test_a_hub_is_shown_from_five_members_on() -> None:
    assert shown_hubs({1: _cell(1, 2, 3, 4), 2: _cell(1, 2, 3, 4, 5)}) == {2}


@pytest.mark.parametrize(
    ("books", "is_shown"),
    [
        ({1: _cell(1, 2), 2: _cell(3, 4)}, False),  # four in all
        ({1: _cell(1, 2), 2: _cell(3, 4, 5)}, True),  # five, no hub shown
        ({1: _cell(1, 2, 3, 4, 5), 2: _cell(6)}, False),  # the sum would tell what 6 does
        ({1: _cell(1, 2, 3, 4, 5)}, True),
        ({1: _cell(1, 2, 3, 4, 5), 2: _cell(6, 7), 3: _cell(8, 9, 10)}, True),
    ],
)
def test_the_sum_never_tells_what_is_hidden(books, is_shown) -> None:
    assert may_show_sum(books) is is_shown


def test_figures_are_rounded() -> None:
    assert rounded_price(Decimal("7.4567"), Decimal("0.01")) == Decimal("7.5")
    assert rounded_units(Decimal("1234.5")) == 1200
    assert rounded_units(Decimal(-87)) == -87
    assert rounded_units(Decimal(-876)) == -880
    assert rounded_units(Decimal(0)) == 0


def test_imbalance_is_what_bids_take_minus_what_asks_give() -> None:
    book = CellBook(
        bids=[(Decimal(8), Decimal(10)), (Decimal(6), Decimal(5))],
        asks=[(Decimal(7), Decimal(4)), (Decimal(9), Decimal(100))],
    )

    assert book.imbalance_at(Decimal(7)) == 6


def test_concentration_of_equals_and_of_one() -> None:
    equals = concentration_of([Decimal(10)] * 4)
    alone = concentration_of([Decimal(3), Decimal(0)])

    assert (equals.hhi, equals.top_share, equals.sellers) == (
        Decimal("0.25"),
        Decimal("0.75"),
        4,
    )
    assert (alone.hhi, alone.sellers) == (1, 1)
    assert concentration_of([Decimal(0)]) is None


def test_a_price_is_an_outlier_only_far_from_a_course_of_five() -> None:
    course = [Decimal(n) for n in (10, 11, 9, 10, 10)]

    assert is_outlier(Decimal(15), course)
    assert not is_outlier(Decimal(11), course)
    assert not is_outlier(Decimal(99), course[:4])
