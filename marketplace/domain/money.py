"""Money: currency places, the one rounding policy, exact splits and value-added tax.

Sums at service boundaries are `moneyed.Money`; inside they are `Decimal` with the currency known.
The policy is half-up (halves away from zero), the same as PostgreSQL's `round(numeric, n)`, so a
query re-derives every stored amount. Worked example: `docs/explanation/rounding.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import overload

from moneyed import Money

from marketplace.domain.decimals import (
    DecimalRefused,
    add_exactly,
    multiply_exactly,
    on_lot,
    on_tick,
    parse_decimal,
)

__all__ = [
    "CNY",
    "CURRENCY_PLACES",
    "DecimalRefused",
    "TaxableLine",
    "VatGroup",
    "VatSummary",
    "apportion",
    "net_of",
    "on_lot",
    "on_tick",
    "parse_decimal",
    "places_of",
    "round_money",
    "round_quotient",
    "round_up",
    "split_exactly",
    "vat_of",
    "vat_summary",
    "with_vat",
    "worst_case_cost",
]

CNY = "CNY"

# Only currencies somebody checked: an unknown one must fail, not be rounded to a guess.
CURRENCY_PLACES = {CNY: 2, "EUR": 2, "GBP": 2, "HKD": 2, "USD": 2, "JPY": 0, "KRW": 0}

_ROUNDING = Context(prec=100, rounding=ROUND_HALF_UP)


def places_of(currency: str) -> int:
    """Return how many decimals amounts of a currency have.

    Raises:
        ValueError: for a currency the market does not keep books in.
    """
    try:
        return CURRENCY_PLACES[currency]
    except KeyError:
        raise ValueError(f"unknown currency {currency!r}") from None


@overload
def round_money(amount: Decimal, places: int = 2) -> Decimal: ...
@overload
def round_money(amount: Money, places: int | None = None) -> Money: ...
def round_money(amount: Decimal | Money, places: int | None = None) -> Decimal | Money:
    """Round half-up, halves away from zero: the market's one rounding of money.

    Args:
        amount: an exact sum; NaN and Infinity are programming errors.
        places: decimals to keep; for `Money` the currency's own unless given, otherwise 2.

    Raises:
        ValueError: when the amount is not finite or the currency is unknown.
    """
    if isinstance(amount, Money):
        kept = places_of(amount.currency.code) if places is None else places
        return Money(round_money(amount.amount, kept), amount.currency)
    return _quantize(amount, 2 if places is None else places, ROUND_HALF_UP)


def round_up(amount: Decimal, places: int = 2) -> Decimal:
    """Round towards plus infinity: for money set aside, which must never be too little."""
    return _quantize(amount, places, ROUND_CEILING)


def round_quotient(dividend: Decimal, divisor: Decimal | int, places: int = 2) -> Decimal:
    """Return a quotient rounded half-up once, however long its exact decimals are.

    Raises:
        ZeroDivisionError: when the divisor is zero.
    """
    above, below = dividend.as_integer_ratio()
    by_above, by_below = divisor.as_integer_ratio()
    # Whole numbers that are not reduced: a fraction would look for common factors at every step.
    share, whole = above * by_below, below * by_above
    doubled = abs(share) * 10**places * 2 // abs(whole)
    units = (doubled + 1) // 2
    rounded = Decimal(units).scaleb(-places, context=_ROUNDING)
    return -rounded if (share < 0) != (whole < 0) and units else rounded


def _quantize(amount: Decimal, places: int, rounding: str) -> Decimal:
    if not amount.is_finite():
        raise ValueError("an amount of money must be finite")
    rounded = amount.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=_ROUNDING)
    return rounded.copy_abs() if rounded.is_zero() else rounded


def split_exactly(total: Decimal, weights: Sequence[Decimal | int], places: int) -> list[Decimal]:
    """Split a rounded sum by weight so that the parts add up to it again.

    Largest remainder: every part is its quota cut down to `places`, then the units left over go to
    the largest cut-off remainders, equal ones in the order given. A negative sum is split as its
    opposite would be.

    Args:
        total: a sum on the grid of `places` decimals.
        weights: at least one above zero, none below; all may be zero only when `total` is zero.
        places: decimals of the parts.

    Raises:
        ValueError: when the total is off the grid or the weights cannot carry it.
    """
    if total < 0:
        return [-part if part else part for part in split_exactly(-total, weights, places)]
    shares = [Fraction(weight) for weight in weights]
    whole = sum(shares, Fraction(0))
    if any(share < 0 for share in shares):
        raise ValueError("a weight below zero cannot take a share")
    if not whole:
        if total:
            raise ValueError("no weight to split the sum by")
        return [round_money(Decimal(0), places) for _ in shares]
    return apportion([Fraction(total) * share / whole for share in shares], total, places)


def apportion(quotas: Sequence[Fraction], total: Decimal, places: int) -> list[Decimal]:
    """Round exact quotas so that they add up to `total`, by largest remainder.

    Args:
        quotas: exact parts; their sum differs from `total` by less than one unit.
        total: the sum wanted, on the grid of `places` decimals.
        places: decimals of the parts.

    Raises:
        ValueError: when the total is off the grid, or too far from the quotas to be their rounding.
    """
    scale = 10**places
    units = Fraction(total) * scale
    if units.denominator != 1:
        raise ValueError(f"{total} has more than {places} decimals")
    scaled = [quota * scale for quota in quotas]
    floors = [quota.numerator // quota.denominator for quota in scaled]
    left_over = int(units) - sum(floors)
    if not 0 <= left_over <= len(floors):
        raise ValueError("the total is not a rounding of the quotas")
    by_remainder = sorted(range(len(floors)), key=lambda i: (floors[i] - scaled[i], i))
    for index in by_remainder[:left_over]:
        floors[index] += 1
    return [Decimal(part).scaleb(-places, context=_ROUNDING) for part in floors]


def vat_of(net: Decimal, rate: Decimal, places: int = 2) -> Decimal:
    """Return the value-added tax on a net sum (不含税), rounded once."""
    return round_money(multiply_exactly(net, rate), places)


def with_vat(net: Decimal, rate: Decimal, places: int = 2) -> Decimal:
    """Return the sum with tax (含税) for a net sum (不含税): net plus its rounded tax.

    For a unit price pass more `places`; the tax of an invoice is never built from such prices.
    """
    return add_exactly([net, vat_of(net, rate, places)])


def net_of(gross: Decimal, rate: Decimal, places: int = 2) -> Decimal:
    """Return the net sum (不含税) inside a sum with tax, rounded once.

    Raises:
        ValueError: when the rate is not above -1.
    """
    if rate <= -1:
        raise ValueError("a tax rate must be above -1")
    return round_quotient(gross, 1 + rate, places)


def worst_case_cost(
    exact_net: Decimal, *, fee_rate: Decimal, vat_rate: Decimal, fee_vat_rate: Decimal
) -> Decimal:
    """Return the most an order can cost, fee and tax included, rounded up to the fen.

    Args:
        exact_net: highest net value of the order at its limit, unrounded, CNY.
        fee_rate: service fee as a share of the net value.
        vat_rate: tax rate of the product.
        fee_vat_rate: tax rate of the fee.
    """
    fee = multiply_exactly(exact_net, fee_rate)
    return round_up(
        add_exactly(
            [multiply_exactly(exact_net, 1 + vat_rate), multiply_exactly(fee, 1 + fee_vat_rate)]
        )
    )


@dataclass(frozen=True, slots=True)
class TaxableLine:
    """One line of a bill: its net sum, already rounded, and the tax rate it falls under."""

    net: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class VatGroup:
    """All lines of one tax rate: the tax is computed here and nowhere else."""

    rate: Decimal
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class VatSummary:
    """Tax of a bill, by rate group and by line; both add up to the same sum.

    Attributes:
        groups: one entry a rate, lowest rate first.
        line_vats: the tax of each line, in the order of the lines.
        net: sum of the lines (不含税).
        vat: sum of the groups' taxes.
        gross: net plus vat (含税).
    """

    groups: tuple[VatGroup, ...]
    line_vats: tuple[Decimal, ...]
    net: Decimal
    vat: Decimal
    gross: Decimal


def vat_summary(lines: Sequence[TaxableLine], places: int = 2) -> VatSummary:
    """Tax a bill: per rate on the sum of its rounded lines, then split back to the lines.

    Raises:
        ValueError: when a line's net is not rounded yet; rounding it here would hide it.
    """
    for line in lines:
        if line.net != round_money(line.net, places):
            raise ValueError(f"line net {line.net} is not rounded to {places} decimals")
    groups: list[VatGroup] = []
    line_vats = [round_money(Decimal(0), places)] * len(lines)
    for rate in sorted({line.rate for line in lines}):
        members = [index for index, line in enumerate(lines) if line.rate == rate]
        base = add_exactly(lines[index].net for index in members)
        vat = vat_of(base, rate, places)
        groups.append(VatGroup(rate=rate, net=base, vat=vat))
        quotas = [Fraction(lines[index].net) * Fraction(rate) for index in members]
        for index, part in zip(members, apportion(quotas, vat, places), strict=True):
            line_vats[index] = part
    net = add_exactly(line.net for line in lines)
    vat_total = add_exactly(group.vat for group in groups)
    return VatSummary(
        groups=tuple(groups),
        line_vats=tuple(line_vats),
        net=net,
        vat=vat_total,
        gross=add_exactly([net, vat_total]),
    )
