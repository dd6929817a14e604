"""What came of an order: its allocations, and the price in lines."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from marketplace.domain.money import round_quotient
from orders.models import Allocation, AllocationPeriod, Order, OrderSide
from orders.ports.collateral import WorstCase, collateral_port

ZERO = Decimal(0)
PRICE_PLACES = 6


@dataclass(frozen=True, slots=True)
class PriceLines:
    """A bought order's cost, CNY: supply + tariff + congestion = net; then fee and VAT.

    `unit_*` are per unit and hour, averages over all that was bought.
    """

    unit_hours: Decimal
    supply: Decimal
    tariff: Decimal
    congestion: Decimal
    net: Decimal
    fee: Decimal
    vat: Decimal
    total: Decimal

    def per_unit(self, amount: Decimal) -> Decimal:
        """Return an amount per unit and hour."""
        return round_quotient(amount, self.unit_hours, PRICE_PLACES)

    @property
    def unit_supply(self) -> Decimal:
        """Supply price, per unit and hour."""
        return self.per_unit(self.supply)

    @property
    def unit_tariff(self) -> Decimal:
        """Link tariffs, per unit and hour."""
        return self.per_unit(self.tariff)

    @property
    def unit_congestion(self) -> Decimal:
        """Congestion rents, per unit and hour."""
        return self.per_unit(self.congestion)

    @property
    def unit_net(self) -> Decimal:
        """Delivered price, per unit and hour."""
        return self.per_unit(self.net)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Allocations of an order, and for a buy what they cost line by line."""

    allocations: list[Allocation]
    lines: PriceLines | None
    receipts_cny: Decimal


def describe_outcome(order: Order) -> Outcome:
    """Return what an order bought or sold."""
    is_buy = order.side == OrderSide.BUY
    rows = Allocation.objects.filter(**{"buy_order" if is_buy else "sell_order": order})
    allocations = list(
        rows.select_related("supply_hub", "hub", "product", "listing").order_by("id")
    )
    receipts = sum((row.seller_net_cny for row in allocations), ZERO)
    lines = _price_lines(order, rows, allocations) if is_buy and allocations else None
    return Outcome(allocations, lines, receipts)


def _price_lines(
    order: Order, rows: QuerySet[Allocation], allocations: list[Allocation]
) -> PriceLines:
    hours = Decimal(order.auction.period_minutes) / 60
    supply, tariff, net = ZERO, ZERO, ZERO
    periods = AllocationPeriod.objects.filter(allocation__in=rows).values_list(
        "quantity", "seller_price", "tariff_price", "buyer_price"
    )
    for quantity, seller_price, tariff_price, buyer_price in periods:
        supply += quantity * seller_price * hours
        tariff += quantity * tariff_price * hours
        net += quantity * buyer_price * hours
    cost: WorstCase = collateral_port().worst_case(product_id=order.product_id, net_cny=net)
    return PriceLines(
        unit_hours=sum((row.unit_hours for row in allocations), ZERO),
        supply=supply,
        tariff=tariff,
        congestion=net - supply - tariff,
        net=net,
        fee=cost.fee_cny,
        vat=cost.vat_cny,
        total=cost.total_cny,
    )
