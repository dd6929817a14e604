"""Legal but huge or tiny figures: sums near the limit are exact, taxes of many lines add up."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import (
    TaxableLine,
    round_money,
    split_exactly,
    vat_of,
    vat_summary,
    worst_case_cost,
)

LARGEST = Decimal("999999999999.999999")
ORDERS = 100_000
prices = st.integers(10**17, 10**18 - 1).map(lambda n: Decimal(n).scaleb(-6))
quantities = st.integers(1, 10**9).map(lambda n: Decimal(n).scaleb(-3))
fen = st.integers(1, 10**6).map(lambda n: Decimal(n).scaleb(-2))


@given(prices, quantities)
def test_products_near_the_limit_keep_every_digit(price: Decimal, quantity: Decimal) -> None:
    """S-15: 10¹² × 10⁶ is multiplied without rounding, and its worst case is never below it."""
    exact = int(price.scaleb(6)) * int(quantity.scaleb(3))

    assert multiply_exactly(price, quantity) == Decimal(exact).scaleb(-9)
    cost = worst_case_cost(
        multiply_exactly(price, quantity),
        fee_rate=Decimal(0),
        fee_vat_rate=Decimal(0),
        vat_rate=Decimal(0),
    )
    assert cost >= multiply_exactly(price, quantity)


def test_a_hundred_thousand_orders_near_the_limit_sum_to_the_last_digit() -> None:
    """S-15: sums over 10⁵ orders near the numeric limit do not overflow and lose nothing."""
    total = add_exactly([LARGEST] * ORDERS)

    assert total == Decimal(999_999_999_999_999_999 * ORDERS).scaleb(-6)
    assert sum(split_exactly(round_money(total), [1] * 3, 2)) == round_money(total)


def test_thirds_and_half_fen_are_divided_without_loss() -> None:
    """S-26: a third of a fen too much is nobody's; half a fen goes away from zero, once."""
    parts = split_exactly(Decimal("100.00"), [1, 1, 1], 2)

    assert parts == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    assert sum(parts) == Decimal("100.00")
    assert round_money(Decimal("0.005")) == Decimal("0.01")
    assert vat_of(Decimal("0.04"), Decimal("0.13")) == Decimal("0.01")


@settings(max_examples=5)
@given(st.lists(st.tuples(fen, st.sampled_from(["0.06", "0.13"])), min_size=1000, max_size=1000))
def test_a_bill_of_a_thousand_lines_meets_the_european_rules(
    rows: list[tuple[Decimal, str]],
) -> None:
    """S-26: 1,000 lines at 6 % and 13 %: I-11 is exact, the sums of EN 16931 hold.

    BR-CO-10 (net is the sum of lines), BR-S-08 (one base for each rate), BR-CO-17 (tax of a base is
    rounded once), BR-CO-14 (tax is the sum of the rates'), BR-CO-15 (gross is net and tax).
    """
    lines = [TaxableLine(net, Decimal(rate)) for net, rate in rows]
    summary = vat_summary(lines)

    net = add_exactly(line.net for line in lines)
    assert add_exactly(group.net for group in summary.groups) == net
    for group in summary.groups:
        base = add_exactly(line.net for line in lines if line.rate == group.rate)
        assert (group.net, group.vat) == (base, round_money(base * group.rate))
    assert add_exactly(summary.line_vats) == summary.vat
    assert summary.vat == add_exactly(group.vat for group in summary.groups)
    assert (summary.net, summary.gross) == (net, net + summary.vat)
    assert len({group.rate for group in summary.groups}) == len(summary.groups)


@pytest.mark.parametrize("rate", ["0.06", "0.13"])
def test_tax_of_the_smallest_line_is_rounded_once(rate: str) -> None:
    summary = vat_summary([TaxableLine(Decimal("0.01"), Decimal(rate))] * 1000)

    assert summary.groups[0].vat == Decimal(10) * Decimal(rate)
