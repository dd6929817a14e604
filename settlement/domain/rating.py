"""Rating: what a delivery costs its buyer, earns its seller, and leaves for the network.

One delivery is one line on the buyer's bill and one on the seller's: the exact value of its
periods is summed and rounded once. Transport is the gap between the two lines; its tariff part is
rounded like a line and congestion rent is what remains, so the four sums always meet. Prices
exclude VAT (不含税).
Worked example: `docs/explanation/rounding.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import (
    TaxableLine,
    VatSummary,
    round_money,
    vat_summary,
)
from marketplace.domain.units import unit_hours


@dataclass(frozen=True, slots=True)
class DeliveredPeriod:
    """One period of a delivery. Prices are CNY per unit and hour, before tax.

    Attributes:
        sold_quantity: units allocated.
        metered_quantity: units found delivered by the meter readings.
        buyer_price: what the buyer pays where it consumes.
        seller_price: what the seller gets where it delivers.
        tariff_price: tariffs of the links on the route; zero when both are at one hub.
        period_minutes: length of the period.

    Raises:
        ValueError: when a quantity or the tariff is below zero, or the period has no length.
    """

    sold_quantity: Decimal
    metered_quantity: Decimal
    buyer_price: Decimal
    seller_price: Decimal
    tariff_price: Decimal = Decimal(0)
    period_minutes: int = 60

    def __post_init__(self) -> None:
        if min(self.sold_quantity, self.metered_quantity, self.tariff_price) < 0:
            raise ValueError("quantities and tariffs are never below zero")
        if self.period_minutes <= 0:
            raise ValueError("a period must last at least a minute")

    @property
    def billed_quantity(self) -> Decimal:
        """Units billed: what was delivered, never more than was sold."""
        return min(self.metered_quantity, self.sold_quantity)

    @property
    def short_quantity(self) -> Decimal:
        """Units sold but not delivered."""
        return self.sold_quantity - self.billed_quantity

    @property
    def excess_quantity(self) -> Decimal:
        """Units delivered beyond what was sold; nobody pays for them."""
        return self.metered_quantity - self.billed_quantity

    def hours_of(self, quantity: Decimal) -> Decimal:
        """Return unit-hours of a quantity held through the period, exactly."""
        return unit_hours(quantity, period_minutes=self.period_minutes)

    def value_at(self, price: Decimal) -> Decimal:
        """Return the exact value of the billed quantity at an hourly price."""
        return multiply_exactly(self.hours_of(self.billed_quantity), price)


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Service fees as shares of the net line, for buyer and seller."""

    buyer: Decimal = Decimal(0)
    seller: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class RatedDelivery:
    """The rounded sums of one delivery, CNY, before tax.

    Attributes:
        sold_unit_hours: volume sold.
        metered_unit_hours: volume found delivered, beyond what was sold too.
        billed_unit_hours: volume billed.
        buyer_net: the buyer's line.
        seller_net: the seller's line.
        tariff: the carriers' part of the transport.
        congestion_rent: the remainder: buyer_net = seller_net + tariff + congestion_rent.
        rounding: the part of the remainder that is rounding only, a fen or so either way.
        buyer_fee: service fee billed to the buyer.
        seller_fee: service fee kept from the seller.
    """

    sold_unit_hours: Decimal
    metered_unit_hours: Decimal
    billed_unit_hours: Decimal
    buyer_net: Decimal
    seller_net: Decimal
    tariff: Decimal
    congestion_rent: Decimal
    rounding: Decimal
    buyer_fee: Decimal
    seller_fee: Decimal

    @property
    def transport(self) -> Decimal:
        """Everything between buyer and seller: tariff plus rent."""
        return add_exactly([self.tariff, self.congestion_rent])


def rate_delivery(
    periods: Sequence[DeliveredPeriod], *, fees: FeeRates = FeeRates()
) -> RatedDelivery:
    """Rate one delivery over all its periods, each sum rounded half-up to the fen once.

    A delivery without periods, or with nothing metered, costs nothing.
    """
    buyer_exact = add_exactly(p.value_at(p.buyer_price) for p in periods)
    seller_exact = add_exactly(p.value_at(p.seller_price) for p in periods)
    tariff_exact = add_exactly(p.value_at(p.tariff_price) for p in periods)
    buyer_net, seller_net = round_money(buyer_exact), round_money(seller_exact)
    tariff = round_money(tariff_exact)
    rent = add_exactly([buyer_net, -seller_net, -tariff])
    rent_exact = add_exactly([buyer_exact, -seller_exact, -tariff_exact])
    return RatedDelivery(
        sold_unit_hours=add_exactly(p.hours_of(p.sold_quantity) for p in periods),
        metered_unit_hours=add_exactly(p.hours_of(p.metered_quantity) for p in periods),
        billed_unit_hours=add_exactly(p.hours_of(p.billed_quantity) for p in periods),
        buyer_net=buyer_net,
        seller_net=seller_net,
        tariff=tariff,
        congestion_rent=rent,
        rounding=rent - round_money(rent_exact),
        buyer_fee=round_money(multiply_exactly(buyer_net, fees.buyer)),
        seller_fee=round_money(multiply_exactly(seller_net, fees.seller)),
    )


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line of a bill before tax.

    Attributes:
        key: the caller's name for the line, such as a delivery's id.
        net: rounded net sum; below zero on a credit.
        vat_rate: tax rate of the line.
    """

    key: str
    net: Decimal
    vat_rate: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines with their tax, by line and by rate; every column adds up."""

    lines: tuple[BillLine, ...]
    tax: VatSummary

    @property
    def net(self) -> Decimal:
        """Sum before tax (不含税)."""
        return self.tax.net

    @property
    def vat(self) -> Decimal:
        """Value-added tax."""
        return self.tax.vat

    @property
    def gross(self) -> Decimal:
        """Sum with tax (含税)."""
        return self.tax.gross


def total_bill(lines: Sequence[BillLine]) -> Bill:
    """Tax a bill by rate group and split the tax back to its lines.

    Raises:
        ValueError: when a line's net is not rounded to the fen.
    """
    taxable = [TaxableLine(net=line.net, rate=line.vat_rate) for line in lines]
    return Bill(lines=tuple(lines), tax=vat_summary(taxable))
