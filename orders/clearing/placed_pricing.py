"""The best way to serve flexible orders that one listing must serve whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orders.clearing.candidates import seller_keys
from orders.clearing.flexible_columns import Column, PricedColumn
from orders.clearing.market import Kind, block_classes, link_direction
from orders.clearing.state import Book
from orders.clearing.types import BoolArray, FlexibleOrder, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class _Place:
    """A supply node within an order's reach, and what eligible listings offer by period."""

    node: int
    stocks: IntArray
    links: IntArray
    tariff: float


@dataclass(frozen=True, eq=False)
class _Chances:
    """Where and when orders may be served: one row for an order, a way to it and a pattern.

    Attributes:
        order: by row, the number of the order; rows of an order stand together.
        way: by row, which of the ways it comes.
        duration: by row, how many periods are needed.
        open: by (row, period) whether a run may begin, or a piece be served.
    """

    order: IntArray
    way: IntArray
    duration: IntArray
    open: BoolArray


class PlacedPricer:
    """Where placements on one listing may go: supply nodes in reach with stock."""

    def __init__(self, book: Book, numbers: Sequence[int]) -> None:
        self._market = book.market
        self._orders = book.market.auction.flexibles
        self._stock = _stock_by_node(book)
        self._known: dict[tuple[object, ...], tuple[_Place, ...]] = {}
        # (node, product, links, tariff) of each way from a supply node to a hub
        self._ways: list[tuple[int, int, IntArray, float]] = []
        self._way_of: dict[tuple[int, int], int] = {}
        in_runs = [k for k in numbers if not self._orders[k].interruptible]
        in_pieces = [k for k in numbers if self._orders[k].interruptible]
        self._runs = self._chances(in_runs, self._run_patterns)
        self._pieces = self._chances(in_pieces, self._piece_patterns)

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
        if not self._ways:
            return {}
        unit = np.stack([self._unit_prices(way, price, rent) for way in self._ways])
        found = {**self._best_runs(unit), **self._best_pieces(unit)}
        asked = sorted(found) if numbers is None else [k for k in numbers if k in found]
        return {number: found[number] for number in asked}

    def _unit_prices(
        self, way: tuple[int, int, IntArray, float], price: FloatArray, rent: FloatArray
    ) -> FloatArray:
        node, product, links, tariff = way
        bandwidth = float(self._market.auction.products[product].bandwidth)
        unit: FloatArray = price[:, node] + bandwidth * (tariff + rent[:, links].sum(axis=1))
        return unit

    def _best_runs(self, unit: FloatArray) -> dict[int, PricedColumn]:
        """Return the cheapest run of every order that has one."""
        rows, known = self._runs, np.isfinite(unit)
        paid, shut = running_sums(np.where(known, unit, 0.0)), running_sums(~known)
        start = np.arange(unit.shape[1])[None, :]
        end = np.minimum(start + rows.duration[:, None], unit.shape[1])
        way = rows.way[:, None]
        is_open = rows.open & (shut[way, end] == shut[way, start])
        cost = np.where(is_open, paid[way, end] - paid[way, start], np.inf)
        first = np.argmin(cost, axis=1)
        least = cost[np.arange(len(first)), first]
        found = {}
        for row in _cheapest_rows(rows.order, least):
            begins = int(first[row])
            hours = tuple(range(begins, begins + int(rows.duration[row])))
            found[int(rows.order[row])] = self._priced(rows, row, float(least[row]), hours)
        return found

    def _best_pieces(self, unit: FloatArray) -> dict[int, PricedColumn]:
        """Return the cheapest periods of every order that may be interrupted."""
        rows = self._pieces
        cost = np.where(rows.open & np.isfinite(unit[rows.way]), unit[rows.way], np.inf)
        ranked = np.argsort(cost, axis=1, kind="stable")
        sums = np.cumsum(np.take_along_axis(cost, ranked, axis=1), axis=1)
        least = sums[np.arange(len(sums)), rows.duration - 1]
        found = {}
        for row in _cheapest_rows(rows.order, least):
            hours = tuple(sorted(ranked[row, : rows.duration[row]].tolist()))
            found[int(rows.order[row])] = self._priced(rows, row, float(least[row]), hours)
        return found

    def _priced(
        self, rows: _Chances, row: int, cost: float, hours: tuple[int, ...]
    ) -> PricedColumn:
        number = int(rows.order[row])
        order = self._orders[number]
        size = order.quantity_lots * float(self._market.lot[order.product])
        gain = (float(order.limit_price) * order.duration - cost) * size
        profile = tuple((period, order.quantity_lots) for period in hours)
        return PricedColumn(gain, Column(number, profile, self._ways[rows.way[row]][0]))

    def _chances(
        self, numbers: Sequence[int], patterns: Callable[[FlexibleOrder, _Place, int], BoolArray]
    ) -> _Chances:
        """Lay out where orders may go: in every place whole, else at their least share."""
        found: list[tuple[int, int, int]] = []
        open_periods: list[BoolArray] = []
        for number in numbers:
            order = self._orders[number]
            for place in self._places(order):
                for lots in dict.fromkeys((order.quantity_lots, least_lots(order))):
                    fitting = patterns(order, place, lots)
                    if len(fitting):
                        way = self._number_of_way(order, place)
                        found.extend([(number, way, order.duration)] * len(fitting))
                        open_periods.extend(fitting)
                        break
        rows = np.array(found, dtype=np.int64).reshape(-1, 3)
        shape = (len(found), self._market.auction.terms.periods)
        is_open = np.array(open_periods, dtype=bool).reshape(shape)
        return _Chances(rows[:, 0], rows[:, 1], rows[:, 2], is_open)

    def _number_of_way(self, order: FlexibleOrder, place: _Place) -> int:
        key = place.node, order.hub
        if key not in self._way_of:
            self._way_of[key] = len(self._ways)
            self._ways.append((place.node, order.product, place.links, place.tariff))
        return self._way_of[key]

    def _run_patterns(self, order: FlexibleOrder, place: _Place, lots: int) -> BoolArray:
        """Return by start whether one listing could serve the whole run; no row where none can."""
        usable: BoolArray = self._open(order, place, lots) & (place.stocks >= lots)
        open_runs = np.zeros((1, usable.shape[1]), dtype=bool)
        windows = np.lib.stride_tricks.sliding_window_view(usable, order.duration, axis=1)
        starts: BoolArray = np.any(np.all(windows, axis=2), axis=0)
        open_runs[0, : len(starts)] = starts
        return open_runs if starts.any() else open_runs[:0]

    def _piece_patterns(self, order: FlexibleOrder, place: _Place, lots: int) -> BoolArray:
        """Return by listing in which periods it could serve, where those are enough."""
        usable: BoolArray = self._open(order, place, lots) & (place.stocks >= lots)
        enough: BoolArray = usable[usable.sum(axis=1) >= order.duration]
        return np.unique(enough, axis=0) if len(enough) > 1 else enough

    def _open(self, order: FlexibleOrder, place: _Place, lots: int) -> BoolArray:
        """Return the periods of the window in which the route has room."""
        out = np.zeros(self._market.auction.terms.periods, dtype=bool)
        out[order.earliest_period : order.latest_period + 1] = True
        product = self._market.auction.products[order.product]
        bandwidth = lots * float(product.quantity_tick * product.bandwidth)
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


def running_sums(values: FloatArray | BoolArray) -> FloatArray:
    """Return sums up to every period, with a zero before the first."""
    sums = np.cumsum(values, axis=1, dtype=float)
    return np.concatenate([np.zeros((len(values), 1)), sums], axis=1)


def _cheapest_rows(order: IntArray, cost: FloatArray) -> list[int]:
    """Return the first cheapest row of every order that has any."""
    ranked = np.lexsort((np.arange(len(cost)), cost, order))
    ranked = ranked[np.isfinite(cost[ranked])]
    first = np.diff(order[ranked], prepend=-1) > 0
    return [int(row) for row in ranked[first]]


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
