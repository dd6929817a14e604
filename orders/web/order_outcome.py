"""What came of an order: its allocations, and the price in five lines.

The sums follow the rules by which deliveries are settled (`docs/explanation/rounding.md`): each
allocation is rounded once, fees follow the rules at gate closure, tax the last day of delivery. So
the lines are those of the bill when everything is delivered.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import (
    TaxableLine,
    round_money,
    round_quotient,
    split_exactly,
    vat_summary,
)
from marketplace.domain.periods import market_date
from marketplace.selectors.rules import rules_at, vat_rates
from orders.models import Allocation, AllocationPeriod, Auction, Order, OrderSide

ZERO = Decimal("0.00")
UNIT_PLACES = 4


@dataclass(frozen=True, slots=True)
class PriceLines:
    """A bought order's cost in fen: supply + tariff + congestion = net; then fee and VAT.

    `units` are the five parts per unit and hour, four decimals; they add up to `unit_total`.
    """

    unit_hours: Decimal
    supply: Decimal
    tariff: Decimal
    congestion: Decimal
    net: Decimal
    fee: Decimal
    vat: Decimal

    @property
    def total(self) -> Decimal:
        """What it costs, VAT included."""
        return self.net + self.fee + self.vat

    @property
    def unit_net(self) -> Decimal:
        """Delivered price per unit and hour, excl. VAT."""
        return round_quotient(self.net, self.unit_hours, UNIT_PLACES)

    @property
    def unit_total(self) -> Decimal:
        """The buyer's price per unit and hour, fee and VAT included."""
        return round_quotient(self.total, self.unit_hours, UNIT_PLACES)

    @property
    def units(self) -> dict[str, Decimal]:
        """Return the five parts of the unit price, which add up to it exactly."""
        # A remainder of rounding can leave congestion a fen below zero; it counts as none.
        parts = {
            "supply": self.supply,
            "tariff": self.tariff,
            "congestion": max(self.congestion, ZERO),
            "fee": self.fee,
            "vat": self.vat,
        }
        shares = split_exactly(self.unit_total, list(parts.values()), UNIT_PLACES)
        return dict(zip(parts, shares, strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Allocations of an order, and for a buy what they cost line by line."""

    allocations: list[Allocation]
    lines: PriceLines | None
    receipts_cny: Decimal


@dataclass(frozen=True, slots=True)
class _Sums:
    """One allocation in fen."""

    supply: Decimal
    tariff: Decimal
    net: Decimal


def describe_outcome(order: Order) -> Outcome:
    """Return what an order bought or sold."""
    is_buy = order.side == OrderSide.BUY
    rows = Allocation.objects.filter(**{"buy_order" if is_buy else "sell_order": order})
    allocations = list(
        rows.select_related("supply_hub", "hub", "product", "listing").order_by("id")
    )
    receipts = add_exactly(row.seller_net_cny for row in allocations)
    lines = _price_lines(order.auction, allocations) if is_buy and allocations else None
    return Outcome(allocations, lines, receipts)


def _price_lines(auction: Auction, allocations: list[Allocation]) -> PriceLines:
    sums = _sums(auction, allocations)
    rules = rules_at(auction.gate_closes_at)
    rates = vat_rates(market_date(auction.delivery_ends_at - timedelta(microseconds=1)))
    taxed: list[TaxableLine] = []
    fees: list[Decimal] = []
    for allocation in allocations:
        net = sums[allocation.pk].net
        fee = round_money(multiply_exactly(net, rules.buyer_fee_rate))
        fees.append(fee)
        taxed.append(TaxableLine(net, rates.get(allocation.product_id, Decimal(0))))
        taxed.append(TaxableLine(fee, rules.fee_vat_rate))
    supply = add_exactly(one.supply for one in sums.values())
    tariff = add_exactly(one.tariff for one in sums.values())
    net = add_exactly(one.net for one in sums.values())
    return PriceLines(
        unit_hours=add_exactly(row.unit_hours for row in allocations),
        supply=supply,
        tariff=tariff,
        congestion=net - supply - tariff,
        net=net,
        fee=add_exactly(fees),
        vat=vat_summary(taxed).vat,
    )


def _sums(auction: Auction, allocations: list[Allocation]) -> Mapping[int, _Sums]:
    hours = Decimal(auction.period_minutes) / 60
    exact: dict[int, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    periods = AllocationPeriod.objects.filter(allocation__in=allocations).values_list(
        "allocation_id", "quantity", "seller_price", "tariff_price", "buyer_price"
    )
    for allocation_id, quantity, *prices in periods:
        unit_hours = multiply_exactly(quantity, hours)
        values = (multiply_exactly(unit_hours, price) for price in prices)
        exact[allocation_id] = [
            sofar + value for sofar, value in zip(exact[allocation_id], values, strict=True)
        ]
    return {key: _Sums(*(round_money(value) for value in row)) for key, row in exact.items()}
