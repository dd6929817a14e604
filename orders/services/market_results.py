"""What everybody may see of a run: prices, volumes, flows, congestion rents."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from orders.models import ClearingPrice, LinkFlow, LinkRent
from orders.services.copying import copy_rows
from orders.services.run_context import RunContext

_PRICE_COLUMNS = (
    *("run_id", "hub_id", "product_id", "is_delivered", "max_rtt_ms", "carbon_class_g"),
    *("period", "starts_at", "price", "supplied", "consumed"),
)
_FLOW_COLUMNS = (
    *("run_id", "link_id", "product_id", "period", "forward_quantity", "reverse_quantity"),
)
_RENT_COLUMNS = (
    *("run_id", "link_id", "direction", "period"),
    *("rent_cny_per_gbps", "load_gbps", "capacity_gbps"),
)
_ZERO = Decimal(0)


def write_market_results(context: RunContext) -> None:
    """Insert prices, flows and rents of a run; cells without a price are left out."""
    copy_rows(ClearingPrice, _PRICE_COLUMNS, _price_rows(context))
    copy_rows(LinkFlow, _FLOW_COLUMNS, _flow_rows(context))
    copy_rows(LinkRent, _RENT_COLUMNS, _rent_rows(context))


def _price_rows(context: RunContext) -> Iterator[tuple[object, ...]]:
    supplied: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    consumed: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for row in context.result.assignments:
        supplied[row.hub_of_supply, row.product, row.period] += row.quantity
        consumed[row.hub, row.product, row.period] += row.quantity
    for price in context.result.prices:
        if price.price is not None:
            cell = (price.hub, price.product, price.period)
            yield (
                *_place(context, price.hub, price.product),
                *(False, None, context.hourly_class(price.carbon_class), price.period),
                *(context.starts_at(price.period).isoformat(), context.hourly(price.price)),
                # The units stand once, beside the price without a limit.
                *((supplied[cell], consumed[cell]) if price.carbon_class is None else (0, 0)),
            )
    for delivered in context.result.delivered_prices:
        if delivered.price is not None:
            yield (
                *_place(context, delivered.hub, delivered.product),
                *(True, delivered.max_rtt_ms, context.hourly_class(delivered.max_carbon)),
                delivered.period,
                context.starts_at(delivered.period).isoformat(),
                *(context.hourly(delivered.price), _ZERO, _ZERO),
            )


def _place(context: RunContext, hub: str, product: str) -> tuple[object, ...]:
    return context.run.pk, context.hubs[hub].pk, context.products[product].pk


def _flow_rows(context: RunContext) -> Iterator[tuple[object, ...]]:
    for row in context.result.flows:
        if row.forward_quantity or row.reverse_quantity:
            yield (
                context.run.pk,
                context.links[row.from_hub, row.to_hub].pk,
                context.products[row.product].pk,
                *(row.period, row.forward_quantity, row.reverse_quantity),
            )


def _rent_rows(context: RunContext) -> Iterator[tuple[object, ...]]:
    loads = _loads(context)
    rooms = _rooms(context)
    for row in context.result.link_rents:
        if row.rent > 0:
            cell = (row.from_hub, row.to_hub, row.direction, row.period)
            yield (
                context.run.pk,
                context.links[row.from_hub, row.to_hub].pk,
                *(row.direction, row.period, round(row.rent, 8)),
                *(round(loads[cell], 6), round(rooms[cell], 6)),
            )


def _loads(context: RunContext) -> dict[tuple[str, str, str, int], Decimal]:
    loads: dict[tuple[str, str, str, int], Decimal] = defaultdict(Decimal)
    for row in context.result.flows:
        bandwidth = context.products[row.product].bandwidth_gbps_per_unit
        ends = (row.from_hub, row.to_hub)
        loads[*ends, "forward", row.period] += row.forward_quantity * bandwidth
        loads[*ends, "reverse", row.period] += row.reverse_quantity * bandwidth
    return loads


def _rooms(context: RunContext) -> dict[tuple[str, str, str, int], Decimal]:
    rooms: dict[tuple[str, str, str, int], Decimal] = defaultdict(Decimal)
    names = context.bundle.hubs
    for link in context.bundle.links:
        ends = (names[link.from_hub], names[link.to_hub])
        for index, gbps in enumerate(link.forward_capacity, start=1):
            rooms[*ends, "forward", index] = gbps
        for index, gbps in enumerate(link.reverse_capacity, start=1):
            rooms[*ends, "reverse", index] = gbps
    return rooms
