"""Who serves whom: allocations with the money of every delivery period."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from marketplace.domain.money import apportion, round_money, round_quotient
from marketplace.domain.periods import market_date
from marketplace.models import Hub, Side
from orders.clearing.routes import least_rtt_routes
from orders.models import Allocation, AllocationPeriod, FlowType, Order, Placement
from orders.services.copying import copy_rows
from orders.services.locks import series_lock
from orders.services.run_context import MINUTES_PER_HOUR, PRICE_PLACES, RunContext

MONEY_PLACES = 6
_PERIOD_COLUMNS = (
    *("allocation_id", "period", "starts_at", "ends_at"),
    *("quantity", "buyer_price", "seller_price", "tariff_price"),
)
_ZERO = Decimal(0)


class MoneyDoesNotTie(Exception):
    """The allocations do not add up to the sums of the result; nothing is published."""


@dataclass
class Cell:
    """One period of a trade; money is exact, CNY for the whole period."""

    period: int
    quantity: Decimal
    buyer: Fraction
    seller: Fraction
    tariff: Fraction = Fraction(0)


@dataclass
class Trade:
    """One allocation to be."""

    buy: Order
    sell: Order
    product: str
    supply_hub: str
    hub: str
    cells: list[Cell] = field(default_factory=list)
    buyer_net: Decimal = _ZERO
    seller_net: Decimal = _ZERO

    @property
    def quantity(self) -> Decimal:
        """Unit-periods."""
        return sum((cell.quantity for cell in self.cells), _ZERO)


def read_trades(context: RunContext) -> list[Trade]:
    """Return the trades of a result, in a fixed order, with exact money.

    Sums over all trades equal the run's payments and receipts: to six decimals in the trades' own
    sums, exactly in the cells.

    Raises:
        MoneyDoesNotTie: they do not.
    """
    trades = _gather(context)
    _pay_single_placements(context, trades)
    _spread_tariffs(context, trades)
    _round_sums(context, trades)
    return trades


def write_allocations(context: RunContext, trades: list[Trade], *, now: datetime) -> None:
    """Insert allocations with numbers without gaps, and their periods."""
    day = market_date(now, ZoneInfo(settings.MARKET_TIME_ZONE))
    series_lock(int(f"{day:%Y%m%d}"))
    prefix = f"CJ-{day:%Y%m%d}-"
    first = _next_number(prefix)
    rows = [
        _allocation(context, trade, f"{prefix}{number:06d}")
        for number, trade in enumerate(trades, start=first)
    ]
    Allocation.objects.bulk_create(rows, batch_size=2000)
    pairs = zip(rows, trades, strict=True)
    copy_rows(
        AllocationPeriod,
        _PERIOD_COLUMNS,
        (_period_row(context, row.pk, cell) for row, trade in pairs for cell in trade.cells),
    )


def flow_type(consumption: Hub, supply: Hub) -> FlowType:
    """Return the direction of work: where it is consumed first, where it is computed second."""
    return {
        (Side.EAST, Side.WEST): FlowType.EAST_WEST,
        (Side.EAST, Side.EAST): FlowType.EAST_EAST,
        (Side.WEST, Side.WEST): FlowType.WEST_WEST,
    }.get((Side(consumption.side), Side(supply.side)), FlowType.OTHER)


def _gather(context: RunContext) -> list[Trade]:
    supply = {
        (row.hub, row.product, row.period): row.price
        for row in context.result.prices
        if row.carbon_class is None
    }
    delivered = {
        (row.hub, row.product, row.max_rtt_ms, row.period): row.price
        for row in context.result.delivered_prices
        if row.max_carbon is None
    }
    trades: dict[tuple[str, ...], Trade] = {}
    for row in context.result.assignments:
        key = (row.buy_order_id, row.sell_order_id, row.product, row.hub_of_supply, row.hub)
        if key not in trades:
            buy, sell = context.orders[row.buy_order_id], context.orders[row.sell_order_id]
            trades[key] = Trade(buy, sell, row.product, row.hub_of_supply, row.hub)
        limit = trades[key].buy.max_rtt_ms
        pays = delivered[row.hub, row.product, limit, row.period]
        gets = supply[row.hub_of_supply, row.product, row.period]
        if pays is None or gets is None:
            raise MoneyDoesNotTie(f"{key}: traded without a price")
        quantity = Fraction(row.quantity)
        cell = Cell(row.period, row.quantity, quantity * Fraction(pays), quantity * Fraction(gets))
        trades[key].cells.append(cell)
    ordered = sorted(trades.values(), key=lambda t: (t.buy.pk, t.sell.pk, t.product, t.supply_hub))
    for trade in ordered:
        trade.cells[:] = _merged(trade.cells)
    return ordered


def _merged(cells: Iterable[Cell]) -> list[Cell]:
    """Join the cells of one period (options of one order may share it)."""
    found: dict[int, Cell] = {}
    for cell in cells:
        if cell.period in found:
            found[cell.period].quantity += cell.quantity
            found[cell.period].buyer += cell.buyer
            found[cell.period].seller += cell.seller
        else:
            found[cell.period] = cell
    return [found[period] for period in sorted(found)]


def _pay_single_placements(context: RunContext, trades: list[Trade]) -> None:
    """A buyer placed on one listing pays its own way there, as the result states it.

    The payment less what the sellers get is carriage; it is spread evenly over the units.
    """
    payments: dict[int, Fraction] = defaultdict(Fraction)
    paid = [(row.order_id, row.payment) for row in context.result.block_results]
    paid += [(row.order_id, row.payment) for row in context.result.flexible_results]
    for name, payment in paid:
        order = context.orders.get(name)
        if order is not None and order.placement == Placement.SINGLE and order.side == "buy":
            payments[order.pk] += Fraction(payment)
    placed: dict[int, list[Trade]] = defaultdict(list)
    for trade in trades:
        if trade.buy.pk in payments:
            placed[trade.buy.pk].append(trade)
    for order_id, own in placed.items():
        cells = [cell for trade in own for cell in trade.cells]
        received = sum((cell.seller for cell in cells), Fraction(0))
        units = sum((Fraction(cell.quantity) for cell in cells), Fraction(0))
        carriage = (payments[order_id] - received) / units
        for cell in cells:
            cell.buyer = cell.seller + carriage * Fraction(cell.quantity)


def _spread_tariffs(context: RunContext, trades: list[Trade]) -> None:
    """Lay the tariffs of each product and period on the trades that crossed links.

    In proportion to quantity times the tariff of the market's route; where all flows took those
    routes, that is each trade's own tariff.
    """
    due: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
    tariffs = {
        (context.bundle.hubs[link.from_hub], context.bundle.hubs[link.to_hub]): link.tariff
        for link in context.bundle.links
    }
    bandwidth = {product.name: product.bandwidth for product in context.bundle.products}
    for row in context.result.flows:
        units = Fraction(row.forward_quantity + row.reverse_quantity)
        rate = Fraction(tariffs[row.from_hub, row.to_hub]) * Fraction(bandwidth[row.product])
        due[row.product, row.period] += units * rate
    weights = _tariff_weights(context, trades)
    totals: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
    for trade, rate in zip(trades, weights, strict=True):
        for cell in trade.cells:
            totals[trade.product, cell.period] += rate * Fraction(cell.quantity)
    for trade, rate in zip(trades, weights, strict=True):
        for cell in trade.cells:
            key = (trade.product, cell.period)
            if totals[key]:
                cell.tariff = due[key] * rate * Fraction(cell.quantity) / totals[key]


def _tariff_weights(context: RunContext, trades: list[Trade]) -> list[Fraction]:
    hubs = context.bundle.hubs
    index = {name: number for number, name in enumerate(hubs)}
    routes = least_rtt_routes(hubs, context.bundle.links)
    weights = []
    for trade in trades:
        route = routes.get((index[trade.supply_hub], index[trade.hub]))
        bandwidth = Fraction(context.products[trade.product].bandwidth_gbps_per_unit)
        weights.append(Fraction(route.tariff) * bandwidth if route else Fraction(0))
    return weights


def _round_sums(context: RunContext, trades: list[Trade]) -> None:
    summary = context.result.summary
    buyers = [sum((cell.buyer for cell in trade.cells), Fraction(0)) for trade in trades]
    sellers = [sum((cell.seller for cell in trade.cells), Fraction(0)) for trade in trades]
    for name, quotas, stated in (
        ("buyers pay", buyers, summary.buyer_payments),
        ("sellers get", sellers, summary.seller_receipts),
    ):
        if sum(quotas, Fraction(0)) != Fraction(stated):
            raise MoneyDoesNotTie(f"{name} {float(sum(quotas)):.6f}, the result says {stated}")
    if not trades:
        return
    paid = apportion(buyers, round_money(summary.buyer_payments, MONEY_PLACES), MONEY_PLACES)
    got = apportion(sellers, round_money(summary.seller_receipts, MONEY_PLACES), MONEY_PLACES)
    for trade, buyer_net, seller_net in zip(trades, paid, got, strict=True):
        trade.buyer_net, trade.seller_net = buyer_net, seller_net


def _next_number(prefix: str) -> int:
    numbers = Allocation.objects.filter(number__gte=prefix, number__lt=f"{prefix}~")
    latest = numbers.aggregate(latest=Max("number"))["latest"]
    return int(latest.rpartition("-")[2]) + 1 if latest else 1


def _allocation(context: RunContext, trade: Trade, number: str) -> Allocation:
    supply_hub, hub = context.hubs[trade.supply_hub], context.hubs[trade.hub]
    return Allocation(
        number=number,
        run=context.run,
        auction=context.auction,
        buy_order=trade.buy,
        sell_order=trade.sell,
        buyer_id=trade.buy.organisation_id,
        seller_id=trade.sell.organisation_id,
        listing_id=cast("int", trade.sell.listing_id),  # an ask always has one
        product=context.products[trade.product],
        supply_hub=supply_hub,
        hub=hub,
        flow_type=flow_type(hub, supply_hub),
        starts_at=context.starts_at(trade.cells[0].period),
        ends_at=context.ends_at(trade.cells[-1].period),
        unit_hours=context.hours(trade.quantity),
        buyer_net_cny=trade.buyer_net,
        seller_net_cny=trade.seller_net,
    )


def _period_row(context: RunContext, allocation_id: int, cell: Cell) -> tuple[object, ...]:
    minutes = context.auction.period_minutes
    return (
        allocation_id,
        cell.period,
        context.starts_at(cell.period).isoformat(),
        context.ends_at(cell.period).isoformat(),
        cell.quantity,
        *(
            _hourly(money, cell.quantity, minutes)
            for money in (cell.buyer, cell.seller, cell.tariff)
        ),
    )


def _hourly(money: Fraction, quantity: Decimal, minutes: int) -> Decimal:
    per_hour = money * MINUTES_PER_HOUR / (Fraction(quantity) * minutes)
    return round_quotient(Decimal(per_hour.numerator), per_hour.denominator, PRICE_PLACES)


def net_by_buy_order(trades: Iterable[Trade]) -> Mapping[int, Decimal]:
    """Return what each buy order costs, net."""
    nets: dict[int, Decimal] = defaultdict(Decimal)
    for trade in trades:
        nets[trade.buy.pk] += trade.buyer_net
    return nets
