"""Why each order was filled or not: a code with parameters, prices per unit and hour.

Codes: filled, at_margin (part of a step at the clearing price), partly_in_the_money (the dearer
part of a curve was out), partly_accepted (a block's share), out_of_the_money, latency (cheap enough
supply is out of reach), no_supply, paradoxically_rejected, not_placeable.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from marketplace.domain.money import round_quotient
from orders.domain.cheapest_periods import cheapest_average
from orders.models import Order, OrderKind, OrderSide, OrderState
from orders.ports.collateral import collateral_port
from orders.services.allocations import Trade, net_by_buy_order
from orders.services.order_outcomes import OrderEnd
from orders.services.run_context import RunContext

SHARE_PLACES = 8
_Cell = tuple[str, str, Decimal | None, int]


@dataclass
class _Tally:
    """What a result says about one order, in unit-periods; prices per period."""

    wanted: Decimal = Decimal(0)
    accepted: Decimal = Decimal(0)
    cut_at_margin: bool = False
    # Of the units that were not taken, those whose limit is nearest to the price.
    miss: Decimal | None = None
    miss_limit: Decimal = Decimal(0)
    miss_price: Decimal = Decimal(0)
    has_price: bool = False
    beaten_elsewhere: Decimal | None = None
    status: str = ""
    reason: str = ""
    surplus: Decimal = field(default_factory=Decimal)


def order_ends(context: RunContext, trades: list[Trade]) -> list[OrderEnd]:
    """Return the end of every order of the run, with what is kept of each hold."""
    tallies = _tallies(context)
    nets = net_by_buy_order(trades)
    keeps = _keeps(context, trades, nets)
    ends = []
    for name, order in context.orders.items():
        tally = tallies.get(name)
        if tally is None:  # an ask of which nothing was left
            tally = _Tally(wanted=order.quantity)
        state, code, params = _verdict(context, order, tally)
        ends.append(
            OrderEnd(
                order.pk,
                order.hold_reference,
                state,
                code,
                {**params, **_averages(order, tally, nets, context)},
                accepted_unit_hours=context.hours(tally.accepted),
                acceptance=_share(tally),
                keep_cny=keeps.get(order.pk, Decimal(0)),
            )
        )
    return ends


def _keeps(
    context: RunContext, trades: Iterable[Trade], nets: Mapping[int, Decimal]
) -> dict[int, Decimal]:
    """Return what each buy must keep aside: its cost with fee and tax, never above its hold."""
    buys = [order for order in context.orders.values() if order.pk in nets]
    bought = {trade.buy.pk: context.products[trade.product].pk for trade in trades}
    costs = collateral_port().worst_cases([(bought[order.pk], nets[order.pk]) for order in buys])
    return {
        order.pk: min(cost.total_cny, order.worst_case_cny)
        for order, cost in zip(buys, costs, strict=True)
    }


def _tallies(context: RunContext) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    buys, sells = _price_books(context)
    for row in context.result.curve_results:
        tally = tallies[row.order_id]
        tally.wanted += row.quantity
        tally.accepted += row.accepted_quantity
        order = context.orders[row.order_id]
        is_buy = row.side == OrderSide.BUY
        limit = order.max_rtt_ms if is_buy else None
        book = buys if is_buy else sells
        price = book.get((row.hub, row.product, limit, row.period))
        if price is None:
            continue
        tally.has_price = True
        tally.cut_at_margin |= row.price == price and row.accepted_quantity < row.quantity
        if row.accepted_quantity < row.quantity:
            _note_miss(tally, row.price, price, is_buy=is_buy)
            free = buys.get((row.hub, row.product, None, row.period)) if is_buy else None
            if limit is not None and free is not None and free < row.price < price:
                tally.beaten_elsewhere = free
    taken = _taken(context)
    _tally_blocks(context, tallies, taken, buys, sells)
    _tally_windowed(context, tallies, taken, buys)
    return tallies


def _taken(context: RunContext) -> Mapping[str, Decimal]:
    """Return the unit-periods of every order in the assignments."""
    taken: dict[str, Decimal] = defaultdict(Decimal)
    for assignment in context.result.assignments:
        taken[assignment.buy_order_id] += assignment.quantity
        taken[assignment.sell_order_id] += assignment.quantity
    return taken


def _note_miss(tally: _Tally, limit: Decimal, price: Decimal, *, is_buy: bool) -> None:
    miss = max(price - limit if is_buy else limit - price, Decimal(0))
    if tally.miss is None or miss < tally.miss:
        tally.miss, tally.miss_limit, tally.miss_price = miss, limit, price


def _price_books(
    context: RunContext,
) -> tuple[dict[_Cell, Decimal], dict[_Cell, Decimal]]:
    buys = {
        (row.hub, row.product, row.max_rtt_ms, row.period): row.price
        for row in context.result.delivered_prices
        if row.price is not None and row.max_carbon is None
    }
    sells: dict[_Cell, Decimal] = {
        (row.hub, row.product, None, row.period): row.price
        for row in context.result.prices
        if row.price is not None and row.carbon_class is None
    }
    return buys, sells


def _tally_blocks(
    context: RunContext,
    tallies: dict[str, _Tally],
    taken: Mapping[str, Decimal],
    buys: Mapping[_Cell, Decimal],
    sells: Mapping[_Cell, Decimal],
) -> None:
    profiles = _profiles(context)
    for row in context.result.block_results:
        tally = tallies[row.order_id]
        order = context.orders[row.order_id]
        limit, legs = profiles[row.order_id, row.option_id]
        wanted = sum((units for *_, units in legs), Decimal(0))
        if row.acceptance or not tally.accepted:
            tally.wanted = wanted if row.acceptance else max(tally.wanted, wanted)
        tally.accepted = taken[row.order_id]
        tally.status = _stronger(tally.status, row.status)
        tally.reason = row.reason if tally.status == row.status else tally.reason
        tally.surplus += row.surplus
        is_buy = order.side == OrderSide.BUY
        book, rtt = (buys, order.max_rtt_ms) if is_buy else (sells, None)
        average = _average_price(legs, book, rtt)
        if average is not None:
            tally.has_price = True
            _note_miss(tally, limit, average, is_buy=is_buy)


def _tally_windowed(
    context: RunContext,
    tallies: dict[str, _Tally],
    taken: Mapping[str, Decimal],
    buys: Mapping[_Cell, Decimal],
) -> None:
    """Read what became of flexible and interruptible orders."""
    bundle = context.bundle
    jobs = {job.order_id: job for job in bundle.flexibles}
    for row in context.result.flexible_results:
        job, order = jobs[row.order_id], context.orders[row.order_id]
        product = bundle.products[job.product]
        tally = tallies[row.order_id]
        tally.wanted = job.quantity_lots * job.duration * product.quantity_tick
        tally.accepted = taken.get(row.order_id, Decimal(0))
        tally.status, tally.reason, tally.surplus = row.status, row.reason, row.surplus
        cells = [
            buys.get((bundle.hubs[job.hub], product.name, order.max_rtt_ms, period))
            for period in range(job.earliest_period + 1, job.latest_period + 2)
        ]
        cheapest = cheapest_average(cells, job.duration, in_a_row=not job.interruptible)
        if cheapest is not None:
            tally.has_price = True
            _note_miss(tally, job.limit_price, cheapest, is_buy=True)


def _profiles(
    context: RunContext,
) -> dict[tuple[str, str], tuple[Decimal, list[tuple[str, str, int, Decimal]]]]:
    bundle = context.bundle
    found = {}
    for block in bundle.blocks:
        for option in block.options:
            legs = [
                (
                    bundle.hubs[leg.hub],
                    bundle.products[leg.product].name,
                    leg.period + 1,
                    leg.quantity_lots * bundle.products[leg.product].quantity_tick,
                )
                for leg in option.legs
            ]
            found[block.order_id, option.option_id] = (option.limit_price, legs)
    return found


def _average_price(
    legs: Iterable[tuple[str, str, int, Decimal]],
    book: Mapping[_Cell, Decimal],
    limit: Decimal | None,
) -> Decimal | None:
    value, units = Decimal(0), Decimal(0)
    for hub, product, period, quantity in legs:
        price = book.get((hub, product, limit, period))
        if price is None:
            return None
        value += price * quantity
        units += quantity
    return value / units if units else None


_STRENGTH = (
    *("", "rejected", "not_placeable", "paradoxically_rejected"),
    *("partly_accepted", "accepted"),
)


def _stronger(one: str, other: str) -> str:
    return max(one, other, key=_STRENGTH.index)


def _verdict(
    context: RunContext, order: Order, tally: _Tally
) -> tuple[str, str, dict[str, object]]:
    if tally.accepted and tally.accepted >= tally.wanted:
        return OrderState.FILLED, "filled", {}
    if tally.accepted:
        return OrderState.PARTLY_FILLED, _partly(order, tally), _miss(context, tally)
    if tally.status == "paradoxically_rejected":
        return OrderState.PARADOXICALLY_REJECTED, "paradoxically_rejected", _miss(context, tally)
    if tally.status == "not_placeable":
        return OrderState.REJECTED, "not_placeable", _miss(context, tally)
    if tally.reason == "parent_rejected":
        return OrderState.REJECTED, "parent_rejected", _miss(context, tally)
    if not tally.has_price:
        return OrderState.REJECTED, "no_supply" if order.side == OrderSide.BUY else "no_demand", {}
    if tally.beaten_elsewhere is not None:
        free = _plain(context.hourly(tally.beaten_elsewhere))
        return (
            OrderState.REJECTED,
            "latency",
            {**_miss(context, tally), "price_without_limit": free},
        )
    code = "at_margin" if tally.cut_at_margin else "out_of_the_money"
    return OrderState.REJECTED, code, _miss(context, tally)


def _partly(order: Order, tally: _Tally) -> str:
    if order.kind != OrderKind.CURVE:
        return "partly_accepted"
    return "at_margin" if tally.cut_at_margin else "partly_in_the_money"


def _miss(context: RunContext, tally: _Tally) -> dict[str, object]:
    if tally.miss is None:
        return {}
    return {
        "limit": _plain(context.hourly(tally.miss_limit)),
        "price": _plain(context.hourly(tally.miss_price)),
        "missing": _plain(context.hourly(tally.miss)),
    }


def _averages(
    order: Order, tally: _Tally, nets: Mapping[int, Decimal], context: RunContext
) -> dict[str, object]:
    if not tally.accepted:
        return {}
    shown: dict[str, object] = {"accepted_unit_hours": _plain(context.hours(tally.accepted))}
    if order.pk in nets:
        average = round_quotient(nets[order.pk], context.hours(tally.accepted), 6)
        shown["average_price"] = _plain(average)
    return shown


def _share(tally: _Tally) -> Decimal:
    if not tally.wanted:
        return Decimal(0)
    return min(round_quotient(tally.accepted, tally.wanted, SHARE_PLACES), Decimal(1))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
