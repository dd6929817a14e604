"""A changed order is an improvement when it is at least as much at every price."""

from decimal import Decimal

import pytest

from orders.domain.improvement import block_improves, curve_improves


def _steps(*pairs):
    return [(Decimal(price), Decimal(units)) for price, units in pairs]


@pytest.mark.parametrize(
    ("new", "is_improvement"),
    [
        ([(8, 10), (6, 5)], True),  # the same
        ([(8, 12), (6, 5)], True),  # more
        ([(9, 10), (6, 5)], True),  # dearer
        ([(8, 15)], True),  # the second step moved up
        ([(8, 10)], False),  # the second step gone
        ([(9, 5), (6, 10)], False),  # less at 8
        ([(7, 30)], False),  # nothing at 8 any more
    ],
)
def test_a_bid_improves(new, is_improvement) -> None:
    old = _steps((8, 10), (6, 5))

    assert curve_improves(old, _steps(*new), is_buy=True) is is_improvement


def test_an_ask_improves_towards_lower_prices() -> None:
    old = _steps((5, 10), (7, 10))

    assert curve_improves(old, _steps((5, 20)), is_buy=False)
    assert not curve_improves(old, _steps((6, 10), (7, 10)), is_buy=False)


def test_a_block_keeps_every_period() -> None:
    legs = [(1, 4, Decimal(10))]
    better = {"old_limit": Decimal(8), "old_legs": legs, "is_buy": True}

    assert block_improves(**better, new_limit=Decimal(8), new_legs=[(1, 4, Decimal(12))])
    assert not block_improves(**better, new_limit=Decimal(9), new_legs=[(1, 3, Decimal(12))])
    assert not block_improves(**better, new_limit=Decimal("7.5"), new_legs=legs)
