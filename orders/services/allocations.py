"""Who serves whom: allocations with the money of every delivery period."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from itertools import count
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from marketplace.domain.money import apportion, round_money, round_quotient
from marketplace.domain.periods import market_date
from marketplace.models import Hub, Side
from orders.models import Allocation, AllocationPeriod, FlowType, Placement
from orders.services.carriage import spread_tariffs
from orders.services.copying import copy_rows, take_keys
from orders.services.locks import series_lock
from orders.services.price_books import price_books
from orders.services.run_context import MINUTES_PER_HOUR, PRICE_PLACES, RunContext
from orders.services.trades import NOTHING, Cell, Rate, Trade, Way

MONEY_PLACES = 6
_COLUMNS = (
    *("id", "public_id", "number", "run_id", "auction_id", "buy_order_id", "sell_order_id"),
    *("buyer_id", "seller_id", "listing_id", "product_id", "supply_hub_id", "hub_id"),
    *("flow_type", "starts_at", "ends_at", "unit_hours", "buyer_net_cny", "seller_net_cny"),
    "created_at",
)
_PERIOD_COLUMNS = (
    *("allocation_id", "period", "starts_at", "ends_at"),
    *("quantity", "buyer_price", "seller_price", "tariff_price"),
)
_ZERO = Decimal(0)
# Money of one period has some twenty digits; a sum that would not be exact raises.
_EXACT = Context(prec=60, traps=[Inexact])


class MoneyDoesNotTie(Exception):
    """The allocations do not add up to the sums of the result; nothing is published."""


def read_trades(context: RunContext) -> list[Trade]:
    """Return the trades of a result, in a fixed order, with exact money.

    Sums over all trades equal the run's payments and receipts: to six decimals in the trades' own
    sums, exactly in the cells.

    Raises:
        MoneyDoesNotTie: they do not.
    """
    trades = _gather(context)
    _pay_single_placements(context, trades)
    spread_tariffs(context, trades)
    _round_sums(context, trades)
    return trades


def write_allocations(context: RunContext, trades: list[Trade], *, now: datetime) -> None:
    """Insert allocations with numbers without gaps, and their periods."""
    day = market_date(now, ZoneInfo(settings.MARKET_TIME_ZONE))
    series_lock(int(f"{day:%Y%m%d}"))
    prefix = f"CJ-{day:%Y%m%d}-"
    first = _next_number(prefix)
    keys = take_keys(Allocation, len(trades))
    numbers = (f"{prefix}{number:06d}" for number in count(first))
    rows = _AllocationRows(context)
    copy_rows(
        Allocation,
        _COLUMNS,
        (rows.of(*own) for own in zip(keys, numbers, trades, strict=False)),
    )
    periods = _PeriodRows(context)
    copy_rows(
        AllocationPeriod,
        _PERIOD_COLUMNS,
        (
            line
            for key, trade in zip(keys, trades, strict=True)
            for line in periods.of(key, trade.cells)
        ),
    )


def flow_type(consumption: Hub, supply: Hub) -> FlowType:
    """Return the direction of work: where it is consumed first, where it is computed second."""
    return {
        (Side.EAST, Side.WEST): FlowType.EAST_WEST,
        (Side.EAST, Side.EAST): FlowType.EAST_EAST,
        (Side.WEST, Side.WEST): FlowType.WEST_WEST,
    }.get((Side(consumption.side), Side(supply.side)), FlowType.OTHER)


def _gather(context: RunContext) -> list[Trade]:
    books = price_books(context)
    trades: dict[tuple[str, ...], Trade] = {}
    for row in context.result.assignments:
        key = (row.buy_order_id, row.sell_order_id, row.product, row.hub_of_supply, row.hub)
        if key not in trades:
            buy, sell = context.orders[row.buy_order_id], context.orders[row.sell_order_id]
            trades[key] = Trade(buy, sell, row.product, row.hub_of_supply, row.hub)
        bought = context.limits_of(trades[key].buy, row.product)
        sold = context.limits_of(trades[key].sell, row.product)
        pays = books.buys.get((row.hub, row.product, bought, row.period))
        gets = books.sells.get((row.hub_of_supply, row.product, sold, row.period))
        if pays is None or gets is None:
            raise MoneyDoesNotTie(f"{key}: traded without a price")
        cell = Cell(row.period, row.quantity, pays, gets)
        trades[key].cells.append(cell)
    ordered = sorted(trades.values(), key=lambda t: (t.buy.pk, t.sell.pk, t.product, t.supply_hub))
    for trade in ordered:
        trade.cells[:] = _merged(trade.cells)
    return ordered


def _merged(cells: Iterable[Cell]) -> list[Cell]:
    """Join the cells of one period; options of one order may share it, at the same prices."""
    found: dict[int, Cell] = {}
    for cell in cells:
        if cell.period in found:
            found[cell.period].quantity += cell.quantity
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
        received = _money((cell.quantity, cell.seller) for cell in cells)
        units = sum((Fraction(cell.quantity) for cell in cells), NOTHING)
        carriage = (payments[order_id] - received) / units
        for cell in cells:
            cell.buyer = Fraction(cell.seller) + carriage


def _money(parts: Iterable[tuple[Decimal, Rate]]) -> Fraction:
    """Return the exact sum of quantities times rates."""
    decimal, fraction = _ZERO, Fraction(0)
    for quantity, rate in parts:
        if isinstance(rate, Fraction):
            fraction += Fraction(quantity) * rate
        else:
            decimal = _EXACT.add(decimal, _EXACT.multiply(quantity, rate))
    return Fraction(decimal) + fraction


def _round_sums(context: RunContext, trades: list[Trade]) -> None:
    summary = context.result.summary
    buyers = [_money((cell.quantity, cell.buyer) for cell in trade.cells) for trade in trades]
    sellers = [_money((cell.quantity, cell.seller) for cell in trade.cells) for trade in trades]
    for name, quotas, stated in (
        ("buyers pay", buyers, summary.buyer_payments),
        ("sellers get", sellers, summary.seller_receipts),
    ):
        if sum(quotas, NOTHING) != Fraction(stated):
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


class _AllocationRows:
    """Rows of the table of allocations; what places and times alone decide is worked out once."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._created_at = timezone.now().isoformat()
        self._places: dict[Way, tuple[object, ...]] = {}
        numbers = range(1, len(context.starts) + 1)
        self._starts = {number: context.starts_at(number).isoformat() for number in numbers}
        self._ends = {number: context.ends_at(number).isoformat() for number in numbers}

    def of(self, key: int, number: str, trade: Trade) -> tuple[object, ...]:
        """Return the row of one allocation."""
        context, buy, sell = self._context, trade.buy, trade.sell
        return (
            *(key, uuid4(), number, context.run.pk, context.auction.pk, buy.pk, sell.pk),
            *(buy.organisation_id, sell.organisation_id, sell.listing_id),
            *self._place(trade.way),
            *(self._starts[trade.cells[0].period], self._ends[trade.cells[-1].period]),
            context.hours(trade.quantity),
            *(trade.buyer_net, trade.seller_net, self._created_at),
        )

    def _place(self, way: Way) -> tuple[object, ...]:
        if way not in self._places:
            supply_hub, hub = self._context.hubs[way.supply_hub], self._context.hubs[way.hub]
            product = self._context.products[way.product]
            kind = flow_type(hub, supply_hub)
            self._places[way] = (product.pk, supply_hub.pk, hub.pk, kind.value)
        return self._places[way]


class _PeriodRows:
    """Rows of the table of periods; an hourly price is computed once however often it is paid."""

    def __init__(self, context: RunContext) -> None:
        self._minutes = context.auction.period_minutes
        self._spans = {
            number: (context.starts_at(number).isoformat(), context.ends_at(number).isoformat())
            for number in range(1, len(context.starts) + 1)
        }
        self._known: dict[Rate, Decimal] = {}

    def of(self, allocation_id: int, cells: Iterable[Cell]) -> Iterator[tuple[object, ...]]:
        """Yield the rows of one allocation."""
        for cell in cells:
            yield (
                allocation_id,
                cell.period,
                *self._spans[cell.period],
                cell.quantity,
                self._hourly(cell.buyer),
                self._hourly(cell.seller),
                self._hourly(cell.tariff),
            )

    def _hourly(self, rate: Rate) -> Decimal:
        if rate not in self._known:
            per_hour = Fraction(rate) * MINUTES_PER_HOUR / self._minutes
            self._known[rate] = round_quotient(
                Decimal(per_hour.numerator), per_hour.denominator, PRICE_PLACES
            )
        return self._known[rate]


def net_by_buy_order(trades: Iterable[Trade]) -> Mapping[int, Decimal]:
    """Return what each buy order costs, net."""
    nets: dict[int, Decimal] = defaultdict(Decimal)
    for trade in trades:
        nets[trade.buy.pk] += trade.buyer_net
    return nets
