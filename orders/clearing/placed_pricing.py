"""The best way to serve flexible orders that one listing must serve whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from orders.clearing.candidates import seller_keys
from orders.clearing.flexible_columns import Column, PricedColumn
from orders.clearing.market import Kind, block_classes, link_direction
from orders.clearing.state import Book
from orders.clearing.types import BoolArray, FlexibleOrder, FloatArray, IntArray


@dataclass(eq=False)
class _Place:
    """A supply node within an order's reach, and what eligible listings offer by period."""

    node: int
    stocks: IntArray
    links: IntArray
    tariff: float
    runs: dict[int, IntArray] = field(default_factory=dict)

    def run_lots(self, duration: int) -> IntArray:
        """Return by start the most lots that one listing offers through a run."""
        if duration not in self.runs:
            windows = np.lib.stride_tricks.sliding_window_view(self.stocks, duration, axis=1)
            self.runs[duration] = windows.min(axis=2).max(axis=0)
        return self.runs[duration]


class PlacedPricer:
    """Where placements on one listing may go: supply nodes in reach with stock."""

    def __init__(self, book: Book, numbers: Sequence[int]) -> None:
        self._market = book.market
        self._orders = book.market.auction.flexibles
        self._numbers = list(numbers)
        self._stock = _stock_by_node(book)
        self._known: dict[tuple[object, ...], tuple[_Place, ...]] = {}

    def toll(self, node: int, order: FlexibleOrder, rent: FloatArray) -> FloatArray:
        """Return tariffs and rents per unit on the route from a node, by period."""
        market = self._market
        route = market.routes[market.nodes[node].hub, order.hub]
        links = [link_direction(*step) for step in route.steps]
        bandwidth = float(market.auction.products[order.product].bandwidth)
        tolls: FloatArray = bandwidth * (float(route.tariff) + rent[:, links].sum(axis=1))
        return tolls

    def best(
        self, price: FloatArray, rent: FloatArray, numbers: Sequence[int] | None = None
    ) -> dict[int, PricedColumn]:
        """Return the best column of every order that one listing could serve.

        Args:
            price: per unit, by (period, node).
            rent: per Gbit/s, by (period, link direction).
            numbers: the orders that are asked about, all where none are named.
        """
        units: dict[int, FloatArray] = {}
        found = {}
        asked = None if numbers is None else set(numbers)
        for number in self._numbers:
            if asked is not None and number not in asked:
                continue
            order = self._orders[number]
            chosen: tuple[float, int, tuple[int, ...]] | None = None
            for place in self._places(order):
                if id(place) not in units:
                    units[id(place)] = self._unit_prices(place, order, price, rent)
                trial = self._cheapest(order, place, units[id(place)])
                if trial is not None and (chosen is None or trial[0] < chosen[0]):
                    chosen = (trial[0], place.node, trial[1])
            if chosen is not None:
                found[number] = self._priced(number, *chosen)
        return found

    def _unit_prices(
        self, place: _Place, order: FlexibleOrder, price: FloatArray, rent: FloatArray
    ) -> FloatArray:
        bandwidth = float(self._market.auction.products[order.product].bandwidth)
        toll = place.tariff + rent[:, place.links].sum(axis=1)
        unit: FloatArray = price[:, place.node] + bandwidth * toll
        return unit

    def _priced(
        self, number: int, cost: float, node: int, periods: tuple[int, ...]
    ) -> PricedColumn:
        order = self._orders[number]
        size = order.quantity_lots * float(self._market.lot[order.product])
        gain = (float(order.limit_price) * order.duration - cost) * size
        profile = tuple((period, order.quantity_lots) for period in periods)
        return PricedColumn(gain, Column(number, profile, node))

    def _cheapest(
        self, order: FlexibleOrder, place: _Place, unit: FloatArray
    ) -> tuple[float, tuple[int, ...]] | None:
        """Return the least sum of unit prices and its periods: whole, else at the least share."""
        find = self._cheapest_set if order.interruptible else self._cheapest_run
        for lots in dict.fromkeys((order.quantity_lots, least_lots(order))):
            found = find(order, place, unit, lots)
            if found is not None:
                return found
        return None

    def _open(self, order: FlexibleOrder, place: _Place, lots: int) -> BoolArray:
        """Return the periods of the window in which the route has room."""
        out = np.zeros(self._market.auction.terms.periods, dtype=bool)
        out[order.earliest_period : order.latest_period + 1] = True
        product = self._market.auction.products[order.product]
        bandwidth = lots * float(product.quantity_tick * product.bandwidth)
        if len(place.links) and bandwidth:
            out &= self._market.capacity[place.links].min(axis=0) >= bandwidth
        return out

    def _cheapest_run(
        self, order: FlexibleOrder, place: _Place, unit: FloatArray, lots: int
    ) -> tuple[float, tuple[int, ...]] | None:
        duration = order.duration
        usable = self._open(order, place, lots) & np.isfinite(unit)
        shut = np.concatenate([[0], np.cumsum(~usable)])
        paid = np.concatenate([[0.0], np.cumsum(np.where(usable, unit, 0.0))])
        fits = (shut[duration:] == shut[:-duration]) & (place.run_lots(duration) >= lots)
        if not fits.any():
            return None
        cost = np.where(fits, paid[duration:] - paid[:-duration], np.inf)
        first = int(np.argmin(cost))
        return float(cost[first]), tuple(range(first, first + duration))

    def _cheapest_set(
        self, order: FlexibleOrder, place: _Place, unit: FloatArray, lots: int
    ) -> tuple[float, tuple[int, ...]] | None:
        usable = self._open(order, place, lots) & np.isfinite(unit)
        ranked = np.flatnonzero(usable)
        ranked = ranked[np.argsort(unit[ranked], kind="stable")]
        fits = place.stocks[:, ranked] >= lots
        enough = fits.sum(axis=1) >= order.duration
        if not enough.any():
            return None
        fits = fits[enough]
        taken = fits & (np.cumsum(fits, axis=1) <= order.duration)
        costs = taken @ unit[ranked]
        row = int(np.argmin(costs))
        return float(costs[row]), tuple(sorted(ranked[taken[row]].tolist()))

    def _places(self, order: FlexibleOrder) -> tuple[_Place, ...]:
        key = (
            order.hub,
            order.product,
            order.max_rtt_ms,
            order.max_carbon,
            order.eligible_listings,
        )
        if key not in self._known:
            self._known[key] = tuple(self._find_places(order))
        return self._known[key]

    def _find_places(self, order: FlexibleOrder) -> list[_Place]:
        market = self._market
        _, carbon = block_classes(market.auction, order, order.product)
        loosest = market.level_of_demand(order.product, carbon)
        found = []
        for node, listings in self._stock.items():
            item = market.nodes[node]
            if item.product != order.product or item.level > loosest:
                continue
            route = market.routes.get((item.hub, order.hub))
            if route is None or (order.max_rtt_ms is not None and route.rtt_ms > order.max_rtt_ms):
                continue
            wanted = order.eligible_listings or tuple(listings)
            stocks = [listings[name] for name in wanted if name in listings]
            if stocks:
                links = np.array([link_direction(*s) for s in route.steps], dtype=np.int64)
                found.append(_Place(node, np.stack(stocks), links, float(route.tariff)))
        return found


def least_lots(order: FlexibleOrder) -> int:
    """Return the least lots a period of the order needs to be served."""
    return max(1, int(order.quantity_lots * order.min_acceptance))


def _stock_by_node(book: Book) -> Mapping[int, dict[str, IntArray]]:
    """Return what listings offer in curves: supply node to listing to lots by period."""
    market = book.market
    curves = market.auction.curves
    offered = book.offered({})
    keys = seller_keys(market)
    nodes = book.merit.node_of_order
    periods = market.auction.terms.periods
    stock: dict[int, dict[str, IntArray]] = {}
    for row in np.flatnonzero(~curves.is_buy & (offered > 0)).tolist():
        listings = stock.setdefault(int(nodes[row]), {})
        lots = listings.setdefault(keys[row], np.zeros(periods, dtype=np.int64))
        lots[curves.period[row]] += offered[row]
    return {
        node: dict(sorted(listings.items()))
        for node, listings in sorted(stock.items())
        if market.nodes[node].kind == Kind.SUPPLY
    }
