"""What fits in fractions, or but for a last digit, is published where it fits in whole lots."""

from decimal import Decimal

import pytest

from orders.clearing import clear, verify
from orders.clearing.candidates import Candidate, Injection, published_ratio
from tests.clearing.books import RandomBook


def candidate(*lots: int) -> Candidate:
    injections = tuple(Injection(period, 0, -each) for period, each in enumerate(lots))
    nothing = Decimal(0)
    return Candidate(0, 0, True, nothing, nothing, nothing, injections, (), False)


@pytest.mark.parametrize(
    ("value", "lots", "published"),
    [
        (1 / 3, (3,), "0.333333334"),
        (2 / 3, (3, 7), "0.666666667"),
        (1 / 3, (4,), "0.333333333"),
        (0.25, (4,), "0.25"),
        (0.9999999999, (3,), "1"),
        (1e-12, (3,), "0"),
    ],
)
def test_a_third_of_three_lots_is_a_lot(
    value: float, lots: tuple[int, ...], published: str
) -> None:
    ratio = published_ratio(value, candidate(*lots))

    assert ratio == Decimal(published)
    assert [int(each * ratio) for each in lots] == [int(each * value + 1e-9) for each in lots]


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(5101, id="a listing holds a placement in fractions only"),
        pytest.param(5113, id="a third of three lots"),
    ],
)
def test_result_in_whole_lots_is_valid(seed: int) -> None:
    auction = RandomBook(seed, carbon=True, blocks=8, flexibles=6).auction()

    assert verify(auction, clear(auction)) == []
