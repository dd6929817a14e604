"""The best way to serve each flexible and interruptible order at given prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from orders.clearing.bound import supply_nodes_with_sellers
from orders.clearing.candidates import seller_keys
from orders.clearing.flexible_surplus import flexible_node
from orders.clearing.market import Kind, Market, block_classes, link_direction
from orders.clearing.state import Book
from orders.clearing.types import BoolArray, FlexibleOrder, FloatArray, IntArray
from orders.clearing.ways import cheapest_ways

Profile = tuple[tuple[int, int], ...]


class Column(NamedTuple):
    """One way to serve an order whole: (period, lots) at a node.

    The node is where the order consumes; for a placement on one listing, where that sells.
    """

    order: int
    profile: Profile
    node: int


class PricedColumn(NamedTuple):
    """A column and its surplus in money at the prices it was made for."""

    surplus: float
    column: Column


def profile_worth(market: Market, order: FlexibleOrder) -> float:
    """Return limit price × the whole quantity."""
    product = market.auction.products[order.product]
    lots = order.quantity_lots * order.duration
    return float(order.limit_price * lots * product.quantity_tick)


class ColumnPricer:
    """Knows windows, reach and listings once; asked again at every new price."""

    def __init__(self, book: Book) -> None:
        self._market = book.market
        self._orders = book.market.auction.flexibles
        self._lot = book.market.lot
        plain = [k for k, order in enumerate(self._orders) if order.placement != "single"]
        self._runs = _Table(self._market, [k for k in plain if not self._orders[k].interruptible])
        self._sets = _Table(self._market, [k for k in plain if self._orders[k].interruptible])
        self._reachable = _reachable(book)
        singles = [k for k, order in enumerate(self._orders) if order.placement == "single"]
        self._places = _Places(book, singles) if singles else None

    def best(self, price: FloatArray, rent: FloatArray) -> dict[int, PricedColumn]:
        """Return the best column of every order that can be served at all.

        Args:
            price: per unit, by (period, node).
            rent: per Gbit/s, by (period, link direction).
        """
        found = {**self._best_runs(price), **self._best_sets(price)}
        found.update(self.best_placed(price, rent))
        return dict(sorted(found.items()))

    def best_placed(self, price: FloatArray, rent: FloatArray) -> dict[int, PricedColumn]:
        """Return the same for the orders placed on one listing only."""
        return {} if self._places is None else self._places.best(price, rent)

    def surplus(self, column: Column, price: FloatArray, rent: FloatArray) -> float:
        """Return a column's surplus at prices."""
        order = self._orders[column.order]
        periods = np.array([period for period, _ in column.profile], dtype=np.int64)
        lots = np.array([amount for _, amount in column.profile], dtype=np.int64)
        unit = price[periods, column.node]
        if self._places is not None and order.placement == "single":
            unit = unit + self._places.toll(column.node, order, rent)[periods]
        lot = self._lot[order.product]
        return float(((float(order.limit_price) - unit) * lots).sum() * lot)

    def _best_runs(self, price: FloatArray) -> dict[int, PricedColumn]:
        table = self._runs
        if not len(table):
            return {}
        running = _running(price.T)[table.node]
        closed = _running(~self._reachable.T)[table.node]
        start = np.arange(price.shape[0])[None, :]
        end = np.minimum(start + table.duration[:, None], price.shape[0])
        rows = np.arange(len(table))[:, None]
        cost = running[rows, end] - running[rows, start]
        fits = (start >= table.first[:, None]) & (
            start + table.duration[:, None] <= table.last[:, None] + 1
        )
        fits &= closed[rows, end] == closed[rows, start]
        cost = np.where(fits, cost, np.inf)
        chosen = np.argmin(cost, axis=1)
        gain = (table.limit * table.duration - cost[rows[:, 0], chosen]) * table.size
        found = {}
        for row in np.flatnonzero(np.isfinite(gain)).tolist():
            first, lots = int(chosen[row]), int(table.lots[row])
            profile = tuple((t, lots) for t in range(first, first + int(table.duration[row])))
            found[table.order[row]] = table.priced(row, profile, float(gain[row]))
        return found

    def _best_sets(self, price: FloatArray) -> dict[int, PricedColumn]:
        table = self._sets
        if not len(table):
            return {}
        period = np.arange(price.shape[0])[None, :]
        unit = price.T[table.node]
        fits = (period >= table.first[:, None]) & (period <= table.last[:, None])
        fits &= self._reachable.T[table.node]
        unit = np.where(fits, unit, np.inf)
        order = np.argsort(unit, axis=1, kind="stable")
        found = {}
        for row in range(len(table)):
            taken = np.sort(order[row, : table.duration[row]])
            gain = float((table.limit[row] - unit[row, taken]).sum() * table.size[row])
            if np.isfinite(gain):
                profile = tuple((t, int(table.lots[row])) for t in taken.tolist())
                found[table.order[row]] = table.priced(row, profile, gain)
        return found


class _Table:
    """Orders as columns of numbers."""

    def __init__(self, market: Market, numbers: Sequence[int]) -> None:
        orders = [market.auction.flexibles[k] for k in numbers]
        self.order = list(numbers)
        self.node = np.array([flexible_node(market, order) for order in orders], dtype=np.int64)
        self.lots = np.array([order.quantity_lots for order in orders], dtype=np.int64)
        self.duration = np.array([order.duration for order in orders], dtype=np.int64)
        self.first = np.array([order.earliest_period for order in orders], dtype=np.int64)
        self.last = np.array([order.latest_period for order in orders], dtype=np.int64)
        self.limit = np.array([float(order.limit_price) for order in orders])
        lot = market.lot[np.array([order.product for order in orders], dtype=np.int64)]
        self.size = self.lots * lot

    def __len__(self) -> int:
        return len(self.order)

    def priced(self, row: int, profile: Profile, surplus: float) -> PricedColumn:
        """Return a column of the order in a row."""
        return PricedColumn(surplus, Column(self.order[row], profile, int(self.node[row])))


def _running(values: FloatArray | BoolArray) -> FloatArray:
    """Return sums up to every period, with a zero before the first."""
    sums = np.cumsum(values, axis=1, dtype=float)
    return np.concatenate([np.zeros((len(values), 1)), sums], axis=1)


def _reachable(book: Book) -> BoolArray:
    """Return by (period, node) whether any seller could serve the node."""
    market = book.market
    sellers = supply_nodes_with_sellers(market, book.merit)
    supply = np.where(sellers, 0.0, np.nan)
    idle = np.zeros(market.capacity.shape[0])
    rows = [
        np.isfinite(cheapest_ways(market, market.capacity[:, period], supply, idle).price)
        for period in range(market.auction.terms.periods)
    ]
    return np.array(rows)


@dataclass(frozen=True)
class _Place:
    """A supply node within an order's reach, and what eligible listings offer by period."""

    node: int
    stocks: IntArray
    links: IntArray
    tariff: float


class _Places:
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

    def best(self, price: FloatArray, rent: FloatArray) -> dict[int, PricedColumn]:
        """Return the best column of every order that one listing could serve."""
        found = {}
        for number in self._numbers:
            order = self._orders[number]
            chosen: tuple[float, int, tuple[int, ...]] | None = None
            for place in self._places(order):
                bandwidth = float(self._market.auction.products[order.product].bandwidth)
                unit = price[:, place.node]
                unit = unit + bandwidth * (place.tariff + rent[:, place.links].sum(axis=1))
                trial = _cheapest(order, np.where(self._fits(order, place), unit, np.inf))
                if trial is not None and (chosen is None or trial[0] < chosen[0]):
                    chosen = (trial[0], place.node, trial[1])
            if chosen is not None:
                found[number] = self._priced(number, *chosen)
        return found

    def _priced(
        self, number: int, cost: float, node: int, periods: tuple[int, ...]
    ) -> PricedColumn:
        order = self._orders[number]
        size = order.quantity_lots * float(self._market.lot[order.product])
        gain = (float(order.limit_price) * order.duration - cost) * size
        profile = tuple((period, order.quantity_lots) for period in periods)
        return PricedColumn(gain, Column(number, profile, node))

    def _fits(self, order: FlexibleOrder, place: _Place) -> BoolArray:
        """Return by (listing, period) whether it and its route have enough."""
        need = least_lots(order)
        out: BoolArray = place.stocks >= need
        out[:, : order.earliest_period] = False
        out[:, order.latest_period + 1 :] = False
        product = self._market.auction.products[order.product]
        bandwidth = need * float(product.quantity_tick * product.bandwidth)
        if len(place.links) and bandwidth:
            out &= self._market.capacity[place.links].min(axis=0) >= bandwidth
        return out

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


def _cheapest(order: FlexibleOrder, unit: FloatArray) -> tuple[float, tuple[int, ...]] | None:
    """Return the least sum of unit prices over a profile on one listing, and its periods.

    Args:
        order: what is looked for.
        unit: price by (listing, period), infinite where the listing cannot serve.
    """
    if order.interruptible:
        ranked = np.argsort(unit, axis=1, kind="stable")[:, : order.duration]
        costs = np.take_along_axis(unit, ranked, axis=1).sum(axis=1)
        row = int(np.argmin(costs))
        periods = tuple(sorted(ranked[row].tolist()))
        return (float(costs[row]), periods) if np.isfinite(costs[row]) else None
    windows = np.lib.stride_tricks.sliding_window_view(unit, order.duration, axis=1).sum(axis=2)
    row, first = divmod(int(np.argmin(windows)), windows.shape[1])
    if not np.isfinite(windows[row, first]):
        return None
    return float(windows[row, first]), tuple(range(first, first + order.duration))


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
