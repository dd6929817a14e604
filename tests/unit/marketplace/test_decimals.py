from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.decimals import (
    DecimalRefused,
    add_exactly,
    divide_exactly,
    from_steps,
    multiply_exactly,
    on_lot,
    on_tick,
    parse_decimal,
    to_steps,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("7.50", "7.50"),
        ("000123", "123"),
        ("123456789012.123456", "123456789012.123456"),
    ],
)
def test_plainly_written_numbers_are_read(text: str, value: str) -> None:
    parsed = parse_decimal(text)

    assert str(parsed) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" 1", "not_a_number"),
        ("1 ", "not_a_number"),
        ("1 000", "not_a_number"),
        ("1\n", "not_a_number"),
        ("1e5", "not_a_number"),
        ("1E+400", "not_a_number"),
        ("1_000", "not_a_number"),
        ("1,000", "not_a_number"),
        ("+1", "not_a_number"),
        ("--1", "not_a_number"),
        (".5", "not_a_number"),
        ("5.", "not_a_number"),
        ("NaN", "not_a_number"),
        ("sNaN", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("-inf", "not_a_number"),
        ("0x10", "not_a_number"),
        ("１２", "not_ascii"),
        ("٣", "not_ascii"),
        ("1。0", "not_ascii"),
        ("1.1234567", "too_precise"),
        ("1.0000000", "too_precise"),
        ("1234567890123", "too_large"),
        ("0" * 40, "too_large"),
        ("-1", "negative"),
        ("-0.01", "negative"),
    ],
)
def test_everything_else_is_refused_with_a_stable_code(text: str, code: str) -> None:
    with pytest.raises(DecimalRefused) as refusal:
        parse_decimal(text)

    assert refusal.value.code == code


def test_limits_are_told_with_the_refusal() -> None:
    with pytest.raises(DecimalRefused) as refusal:
        parse_decimal("1.123", places=2)

    assert refusal.value.params == {"places": 2}


@pytest.mark.parametrize("text", ["-0", "-0.00"])
def test_minus_zero_becomes_zero(text: str) -> None:
    assert not parse_decimal(text).is_signed()


def test_negative_numbers_pass_where_they_mean_something() -> None:
    assert parse_decimal("-1.5", allow_negative=True) == Decimal("-1.5")


@pytest.mark.parametrize("value", [1, 1.5, True, None, Decimal(1)])
def test_numbers_that_are_not_text_are_a_programming_error(value: object) -> None:
    with pytest.raises(TypeError):
        parse_decimal(value)  # type: ignore[arg-type]


@given(st.text(alphabet="0123456789.-+eE_ ,NaInf１٣", max_size=12))
def test_reading_never_yields_anything_but_a_finite_number_in_bounds(text: str) -> None:
    try:
        value = parse_decimal(text)
    except DecimalRefused:
        return

    assert value.is_finite()
    assert 0 <= value < 10**12
    assert -value.as_tuple().exponent <= 6  # type: ignore[operator]


def test_ticks_and_lots_are_exact() -> None:
    assert on_tick(Decimal("7.50"), Decimal("0.01"))
    assert not on_tick(Decimal("7.505"), Decimal("0.01"))
    assert on_lot(Decimal(16), Decimal(8))
    assert not on_lot(Decimal(12), Decimal(8))
    assert not on_tick(Decimal("NaN"), Decimal("0.01"))


@pytest.mark.parametrize("step", ["0", "-1", "NaN"])
def test_a_step_must_be_above_zero(step: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        on_tick(Decimal(1), Decimal(step))


@given(st.integers(-(10**12), 10**12), st.sampled_from(["0.0001", "0.01", "0.5", "1", "8", "16"]))
def test_steps_and_values_convert_both_ways(steps: int, step: str) -> None:
    assert to_steps(from_steps(steps, Decimal(step)), Decimal(step)) == steps


def test_a_value_off_the_grid_has_no_steps() -> None:
    with pytest.raises(ValueError, match="not a multiple"):
        to_steps(Decimal("0.015"), Decimal("0.01"))


def test_sums_and_products_keep_every_digit() -> None:
    wide = Decimal("123456789012.123456")

    assert multiply_exactly(wide, wide, wide).as_tuple().exponent == -18
    assert add_exactly([wide, Decimal("1E-30")]) - wide != 1
    assert str(add_exactly([Decimal("1E+27"), Decimal("0.01")])) == "1" + "0" * 27 + ".01"


def test_a_quotient_without_end_is_refused() -> None:
    with pytest.raises(Inexact):
        divide_exactly(1, 3)
