"""The hold covers every price the market could come to, and no more than it must."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.domain.worst_case import block_worst_case, curve_worst_case, highest_outlay

PRICES = st.integers(min_value=0, max_value=500).map(Decimal)
STEPS = st.dictionaries(PRICES, st.integers(1, 50).map(Decimal), min_size=1, max_size=8)


def test_the_example_of_the_rule_book() -> None:
    assert highest_outlay([(Decimal(9), Decimal(10)), (Decimal(6), Decimal(20))]) == 180


@given(STEPS, PRICES)
def test_no_clearing_price_costs_more(steps: dict[Decimal, Decimal], price: Decimal) -> None:
    demand = sum((q for limit, q in steps.items() if limit >= price), Decimal(0))

    assert highest_outlay(steps.items()) >= price * demand


@given(STEPS)
def test_some_clearing_price_costs_as_much(steps: dict[Decimal, Decimal]) -> None:
    outlays = [
        price * sum((q for limit, q in steps.items() if limit >= price), Decimal(0))
        for price in steps
    ]

    assert highest_outlay(steps.items()) == max(outlays)


def test_periods_of_any_length_are_exact() -> None:
    steps = [(Decimal("7.77"), Decimal(3))]

    assert curve_worst_case(steps, periods=5, period_minutes=15) == Decimal("29.1375")
    assert curve_worst_case(steps, periods=30, period_minutes=1440) == Decimal("16783.20")


def test_a_block_costs_at_most_its_limit_times_its_profile() -> None:
    legs = [(2, Decimal(10)), (3, Decimal(4))]

    assert block_worst_case(Decimal("2.5"), legs, period_minutes=30) == Decimal(40)
