"""Why each order was filled or not: a code with parameters, prices per unit and hour.

Codes: filled, at_margin (part of a step at the clearing price), partly_in_the_money (the dearer
part of a curve was out), partly_accepted (a share of an indivisible order), out_of_the_money,
latency (cheap enough supply is out of reach), carbon (cheap enough supply emits too much),
link_full (it could not be carried), no_supply, no_supply_in_class, no_demand, listing_full,
paradoxically_rejected, not_placeable, parent_rejected.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from marketplace.domain.money import round_quotient
from marketplace.models import Link
from orders.models import OrderKind, OrderSide, OrderState
from orders.ports.collateral import collateral_port
from orders.services.allocations import net_by_buy_order
from orders.services.order_outcomes import OrderEnd
from orders.services.order_rows import OrderRow
from orders.services.price_books import price_at, price_books
from orders.services.run_context import RunContext
from orders.services.tallies import Tally, read_tallies
from orders.services.trades import Trade
from orders.services.way_prices import WayPrices

SHARE_PLACES = 8


def order_ends(context: RunContext, trades: list[Trade]) -> list[OrderEnd]:
    """Return the end of every order of the run, with what is kept of each hold."""
    books = price_books(context)
    tallies = read_tallies(context, books)
    ways = WayPrices(context, books.buys, books.sells)
    nets = net_by_buy_order(trades)
    keeps = _keeps(context, trades, nets)
    ends = []
    for name, order in context.orders.items():
        tally = tallies.get(name)
        if tally is None:  # an ask of which nothing was left
            tally = Tally(wanted=order.quantity)
        state, code, params = _verdict(context, order, tally, ways)
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


def _verdict(
    context: RunContext, order: OrderRow, tally: Tally, ways: WayPrices
) -> tuple[str, str, dict[str, object]]:
    """Return state, code and parameters of an order's end."""
    params = _miss(context, tally)
    if len(tally.options) > 1:
        params["options"] = tally.options
    if tally.accepted and tally.accepted >= tally.wanted:
        return OrderState.FILLED, "filled", {k: v for k, v in params.items() if k == "options"}
    if tally.accepted:
        return OrderState.PARTLY_FILLED, _partly(order, tally), params
    if tally.status == "paradoxically_rejected":
        return OrderState.PARADOXICALLY_REJECTED, "paradoxically_rejected", params
    if tally.status == "not_placeable":
        return OrderState.REJECTED, "not_placeable", params
    if tally.reason == "parent_rejected":
        return OrderState.REJECTED, "parent_rejected", params
    if not tally.has_price:
        return OrderState.REJECTED, _nobody(order), {}
    if tally.miss > 0:
        code, more = _why_too_dear(context, order, tally, ways)
        return OrderState.REJECTED, code, {**params, **more}
    code = "out_of_the_money"
    if tally.cut_by_listing or tally.cut_at_margin:
        code = "listing_full" if tally.cut_by_listing else "at_margin"
    return OrderState.REJECTED, code, params


def _nobody(order: OrderRow) -> str:
    """Name the side that was missing where nothing had a price."""
    if order.side == OrderSide.SELL:
        return "no_demand"
    return "no_supply" if order.max_carbon_g is None else "no_supply_in_class"


def _why_too_dear(
    context: RunContext, order: OrderRow, tally: Tally, ways: WayPrices
) -> tuple[str, dict[str, object]]:
    """Say what kept an order from a price it would have accepted: distance, a full link, or price.

    A limit on latency comes first, then one on carbon, then a full link on the way; else the price
    is what it is.
    """
    missed, is_buy = tally.missed, order.side == OrderSide.BUY
    if missed is None:
        return "out_of_the_money", {}
    limits = rtt, grams = context.limits_of(order, missed.legs[0][1])
    if is_buy:
        looser = (("latency", rtt, (None, grams)), ("carbon", grams, (rtt, None)))
        for code, limit, others in looser:
            free = None if limit is None else missed.average(price_at(ways.buys, others))
            if free is not None and free < missed.limit:
                return code, {"price_without_limit": _plain(context.hourly(free))}

    def uncongested(hub: str, product: str, period: int) -> Decimal | None:
        way = ways.uncongested(hub, product, limits, period, is_buy=is_buy)
        return None if way is None else way.price

    free = missed.average(uncongested)
    if free is None or (free >= missed.limit if is_buy else free <= missed.limit):
        return "out_of_the_money", {}
    found = [ways.uncongested(h, item, limits, t, is_buy=is_buy) for h, item, t, _ in missed.legs]
    link = next((way.link for way in found if way is not None and way.link is not None), None)
    if link is None:
        return "out_of_the_money", {}
    price = _plain(context.hourly(free))
    return "link_full", {"price_without_congestion": price, **_link_names(link)}


def _link_names(link: Link) -> dict[str, object]:
    return {
        f"link_{language}": f"{getattr(link.from_hub, name)}–{getattr(link.to_hub, name)}"
        for language, name in (("zh", "name_zh"), ("en", "name_en"))
    }


def _partly(order: OrderRow, tally: Tally) -> str:
    if order.kind != OrderKind.CURVE:
        return "partly_accepted"
    return "at_margin" if tally.cut_at_margin else "partly_in_the_money"


def _miss(context: RunContext, tally: Tally) -> dict[str, object]:
    missed = tally.missed
    if missed is None:
        return {}
    return {
        "limit": _plain(context.hourly(missed.limit)),
        "price": _plain(context.hourly(missed.price)),
        "missing": _plain(context.hourly(tally.miss)),
        "gain": _plain(context.hourly(abs(missed.price - missed.limit))),
    }


def _averages(
    order: OrderRow, tally: Tally, nets: Mapping[int, Decimal], context: RunContext
) -> dict[str, object]:
    if not tally.accepted:
        return {}
    shown: dict[str, object] = {"accepted_unit_hours": _plain(context.hours(tally.accepted))}
    if order.pk in nets:
        average = round_quotient(nets[order.pk], context.hours(tally.accepted), 6)
        shown["average_price"] = _plain(average)
    return shown


def _share(tally: Tally) -> Decimal:
    if not tally.wanted:
        return Decimal(0)
    return min(round_quotient(tally.accepted, tally.wanted, SHARE_PLACES), Decimal(1))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
