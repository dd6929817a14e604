"""The tariffs of the network, laid on the trades of a result."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from orders.clearing.routes import least_rtt_routes
from orders.domain.carriage import Parcel, share_tariffs
from orders.services.run_context import RunContext
from orders.services.trades import NOTHING, Cell, Trade, Way

_Group = tuple[str, int]
_Key = tuple[Way, Fraction]


def spread_tariffs(context: RunContext, trades: list[Trade]) -> None:
    """Lay the tariffs of each product and period on the trades, nobody's beyond its price spread.

    Trades of one way at one pair of prices bear the same tariff (`orders.domain.carriage`).
    """
    due = _tariffs_due(context)
    groups = _gather_units(trades)
    ways = {way for units in groups.values() for way, _spread in units}
    tariffs = _tariffs_of(context, ways)
    rates: dict[_Group, dict[_Key, Fraction]] = {}
    for group, units in groups.items():
        parcels = [Parcel(n, spread, tariffs[way]) for (way, spread), n in units.items()]
        shares = share_tariffs(parcels, due.get(group, NOTHING))
        rates[group] = dict(zip(units, shares, strict=True))
    for trade in trades:
        way = trade.way
        for cell in trade.cells:
            cell.tariff = rates[trade.product, cell.period][way, _spread_of(cell)]


def _tariffs_due(context: RunContext) -> dict[_Group, Fraction]:
    """Return what the flows of each product and period cost."""
    tariffs = {
        (context.bundle.hubs[link.from_hub], context.bundle.hubs[link.to_hub]): link.tariff
        for link in context.bundle.links
    }
    bandwidth = {product.name: product.bandwidth for product in context.bundle.products}
    due: dict[_Group, Fraction] = defaultdict(Fraction)
    for row in context.result.flows:
        units = Fraction(row.forward_quantity + row.reverse_quantity)
        tariff = Fraction(tariffs[row.from_hub, row.to_hub])
        due[row.product, row.period] += units * tariff * Fraction(bandwidth[row.product])
    return due


def _gather_units(trades: list[Trade]) -> dict[_Group, dict[_Key, Fraction]]:
    """Return unit-periods by product and period, and there by way and price spread."""
    groups: dict[_Group, dict[_Key, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for trade in trades:
        way = trade.way
        for cell in trade.cells:
            groups[trade.product, cell.period][way, _spread_of(cell)] += Fraction(cell.quantity)
    return groups


def _spread_of(cell: Cell) -> Fraction:
    return Fraction(cell.buyer) - Fraction(cell.seller)


def _tariffs_of(context: RunContext, ways: Iterable[Way]) -> dict[Way, Fraction]:
    """Return the tariff of a unit on the market's route of each way."""
    hubs = context.bundle.hubs
    index = {name: number for number, name in enumerate(hubs)}
    routes = least_rtt_routes(hubs, context.bundle.links)
    tariffs = {}
    for way in ways:
        route = routes.get((index[way.supply_hub], index[way.hub]))
        bandwidth = Fraction(context.products[way.product].bandwidth_gbps_per_unit)
        tariffs[way] = Fraction(route.tariff) * bandwidth if route else NOTHING
    return tariffs
