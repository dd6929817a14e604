from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import CNY, JPY, Money, get_currency

from marketplace.domain.money import (
    TaxableLine,
    apportion,
    net_of,
    places_of,
    round_money,
    round_quotient,
    round_up,
    split_exactly,
    vat_of,
    vat_summary,
    with_vat,
    worst_case_cost,
)

amounts = st.decimals(-(10**9), 10**9, places=2, allow_nan=False)
positive_amounts = st.decimals(0, 10**9, places=2, allow_nan=False)
weights = st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any)


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        ("1.005", "1.01"),
        ("1.0049999999", "1.00"),
        ("2.675", "2.68"),
        ("-1.005", "-1.01"),
        ("-0.001", "0.00"),
        ("0", "0.00"),
        ("123456789012345678901234567890.125", "123456789012345678901234567890.13"),
    ],
)
def test_halves_are_rounded_away_from_zero(exact: str, rounded: str) -> None:
    assert str(round_money(Decimal(exact))) == rounded


def test_money_is_rounded_to_the_places_of_its_currency() -> None:
    assert round_money(Money("1.005", CNY)) == Money("1.01", CNY)
    assert round_money(Money("1.5", JPY)) == Money("2", JPY)


def test_an_unknown_currency_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="unknown currency"):
        round_money(Money("1", get_currency("BHD")))
    with pytest.raises(ValueError, match="unknown currency"):
        places_of("XXX")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_an_amount_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        round_money(Decimal(text))


def test_money_set_aside_is_rounded_up() -> None:
    assert round_up(Decimal("1.001")) == Decimal("1.01")
    assert round_up(Decimal("1.00")) == Decimal("1.00")


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**4), st.integers(0, 6))
def test_a_quotient_is_rounded_once_from_its_exact_value(
    dividend: int, divisor: int, places: int
) -> None:
    rounded = round_quotient(Decimal(dividend), divisor, places)

    error = abs(Fraction(rounded) - Fraction(dividend, divisor))
    assert error <= Fraction(1, 2 * 10**places)


def test_a_quotient_half_way_goes_away_from_zero() -> None:
    assert round_quotient(Decimal(1), 8, 2) == Decimal("0.13")
    assert round_quotient(Decimal(-1), 8, 2) == Decimal("-0.13")


@given(amounts, weights)
def test_parts_add_up_to_the_sum_and_stay_within_one_fen_of_their_quota(
    total: Decimal, shares: list[int]
) -> None:
    parts = split_exactly(total, shares, 2)

    assert sum(parts) == total
    for part, share in zip(parts, shares, strict=True):
        assert abs(Fraction(part) - Fraction(total) * share / sum(shares)) < Fraction(1, 100)


def test_left_over_units_go_to_the_largest_remainder_and_then_in_order() -> None:
    assert split_exactly(Decimal("1.00"), [1, 1, 1], 2) == [
        Decimal("0.34"),
        Decimal("0.33"),
        Decimal("0.33"),
    ]
    assert split_exactly(Decimal("0.02"), [1, 2, 2], 2) == [
        Decimal("0.00"),
        Decimal("0.01"),
        Decimal("0.01"),
    ]


def test_a_split_that_cannot_be_exact_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 2 decimals"):
        split_exactly(Decimal("0.001"), [1], 2)
    with pytest.raises(ValueError, match="below zero"):
        split_exactly(Decimal("1.00"), [2, -1], 2)
    with pytest.raises(ValueError, match="no weight"):
        split_exactly(Decimal("1.00"), [0, 0], 2)
    with pytest.raises(ValueError, match="not a rounding"):
        apportion([Fraction(1), Fraction(2)], Decimal(9), 0)


def test_nothing_can_be_split_among_zero_weights() -> None:
    assert split_exactly(Decimal("0.00"), [0, 0], 2) == [Decimal("0.00"), Decimal("0.00")]


def test_a_sum_with_tax_is_the_net_sum_plus_its_rounded_tax() -> None:
    assert vat_of(Decimal("10.25"), Decimal("0.06")) == Decimal("0.62")
    assert with_vat(Decimal("10.25"), Decimal("0.06")) == Decimal("10.87")
    assert with_vat(Decimal("7.5"), Decimal("0.06"), places=4) == Decimal("7.9500")


@given(positive_amounts, st.sampled_from(["0", "0.03", "0.06", "0.13"]))
def test_the_net_sum_comes_back_from_the_sum_with_tax(net: Decimal, rate: str) -> None:
    assert net_of(with_vat(net, Decimal(rate)), Decimal(rate)) == net


def test_tax_is_rounded_per_rate_group_and_split_back_to_the_lines() -> None:
    # Three lines of 10.10 at 6 %: 0.606 each. Line by line that would be 0.61 * 3 = 1.83.
    lines = [TaxableLine(Decimal("10.10"), Decimal("0.06"))] * 3
    lines.append(TaxableLine(Decimal("100.00"), Decimal("0.13")))

    tax = vat_summary(lines)

    assert [group.vat for group in tax.groups] == [Decimal("1.82"), Decimal("13.00")]
    assert tax.line_vats == tuple(map(Decimal, ("0.61", "0.61", "0.60", "13.00")))
    assert (tax.net, tax.vat, tax.gross) == (
        Decimal("130.30"),
        Decimal("14.82"),
        Decimal("145.12"),
    )


@given(
    st.lists(
        st.builds(
            TaxableLine,
            net=st.decimals(-(10**6), 10**6, places=2),
            rate=st.sampled_from([Decimal("0.06"), Decimal("0.060"), Decimal("0.13"), Decimal(0)]),
        ),
        max_size=30,
    )
)
def test_taxes_of_lines_and_groups_meet(lines: list[TaxableLine]) -> None:
    tax = vat_summary(lines)

    assert sum(tax.line_vats) == sum(group.vat for group in tax.groups) == tax.vat
    assert sum(group.net for group in tax.groups) == tax.net
    assert tax.gross == tax.net + tax.vat
    for line, vat in zip(lines, tax.line_vats, strict=True):
        assert abs(Fraction(vat) - Fraction(line.net) * Fraction(line.rate)) <= Fraction(1, 100)


def test_an_unrounded_line_is_not_taxed() -> None:
    with pytest.raises(ValueError, match="not rounded"):
        vat_summary([TaxableLine(Decimal("1.005"), Decimal("0.06"))])


@given(st.decimals(0, 10**6, places=6))
def test_the_worst_case_covers_the_bill(net: Decimal) -> None:
    rate, fee_rate = Decimal("0.06"), Decimal("0.005")

    held = worst_case_cost(net, fee_rate=fee_rate, vat_rate=rate, fee_vat_rate=rate)

    exact = Fraction(net) * (1 + Fraction(fee_rate)) * (1 + Fraction(rate))
    assert 0 <= Fraction(held) - exact < Fraction(1, 100)
