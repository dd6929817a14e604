"""The best way to serve each flexible and interruptible order at given prices."""

from collections.abc import Sequence

import numpy as np

from orders.clearing.bound import supply_nodes_with_sellers
from orders.clearing.flexible_columns import Column, PricedColumn, Profile
from orders.clearing.flexible_surplus import flexible_node
from orders.clearing.market import Market
from orders.clearing.placed_pricing import PlacedPricer, running_sums
from orders.clearing.state import Book
from orders.clearing.types import BoolArray, FlexibleOrder, FloatArray
from orders.clearing.ways import cheapest_ways


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
        self._places = PlacedPricer(book, singles) if singles else None

    def best(
        self, price: FloatArray, rent: FloatArray, numbers: Sequence[int] | None = None
    ) -> dict[int, PricedColumn]:
        """Return the best column of every order that can be served at all.

        Args:
            price: per unit, by (period, node).
            rent: per Gbit/s, by (period, link direction).
            numbers: the orders that are asked about, all where none are named.
        """
        found = {**self._best_runs(price), **self._best_sets(price)}
        if self._places is not None:
            found.update(self._places.best(price, rent, numbers))
        asked = sorted(found) if numbers is None else [k for k in numbers if k in found]
        return {number: found[number] for number in asked}

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
        running = running_sums(price.T)[table.node]
        closed = running_sums(~self._reachable.T)[table.node]
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
