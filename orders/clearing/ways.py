"""Cheapest ways from supply to every place where it can be consumed, at given prices and rents."""

from dataclasses import dataclass

import numpy as np

from orders.clearing.market import Kind, Market, Node
from orders.clearing.types import NONE, BoolArray, FloatArray, IntArray

_KEPT_TOLLS = 4096


@dataclass(frozen=True, eq=False)
class Ways:
    """Cheapest delivered price of every demand node (inf: none) and how it comes about."""

    price: FloatArray
    source: IntArray
    before: IntArray
    via: IntArray
    before_anywhere: IntArray
    via_anywhere: IntArray
    market: Market

    def way_to(self, node: int) -> tuple[int, tuple[int, ...]]:
        """Return the supply node and the link directions of the cheapest way."""
        item = self.market.nodes[node]
        source = int(self.source[node])
        start = self.market.nodes[source].hub
        if item.kind == Kind.DELIVERY:
            steps = self.market.routes[start, item.hub].steps
            return source, tuple(2 * link + direction for link, direction in steps)
        free = self.market.auction.products[item.product].bandwidth == 0
        before = self.before_anywhere if free else self.before
        via = self.via_anywhere if free else self.via
        steps_back: list[int] = []
        hub = item.hub
        while hub != start:
            steps_back.append(int(via[start, hub]))
            hub = int(before[start, hub])
        return source, tuple(reversed(steps_back))

    def arcs_to(self, node: int) -> list[int]:
        """Return the arcs over links that the cheapest way to a node takes."""
        source, steps = self.way_to(node)
        item, tables = self.market.nodes[node], _tables_of(self.market)
        if item.kind == Kind.DELIVERY:
            start = self.market.nodes[source]._replace(level=item.level)
            return tables.route_arc.get((self.market.index[start], item.hub), [])
        return [tables.link_arc[item.product, item.level, step] for step in steps]


def cheapest_ways(
    market: Market, capacity: FloatArray, supply: FloatArray, rent: FloatArray
) -> Ways:
    """Return for every network and delivery node the cheapest supply price plus way.

    Args:
        market: the network.
        capacity: by link direction; directions without capacity carry nothing.
        supply: price per supply node, nan where nobody sells.
        rent: by link direction, per Gbit/s.
    """
    tables = _tables_of(market)
    is_open = capacity > 0
    network, free = tables.tolls(is_open, rent)
    price = np.full(len(market.nodes), np.inf)
    source = np.full(len(market.nodes), NONE, dtype=np.int64)
    best = tables.best_by_level(supply)
    for product, levels in enumerate(market.levels):
        bandwidth = tables.bandwidth[product]
        table = network if bandwidth > 0 else free
        linked = np.isfinite(table.distance)
        way_cost = np.where(linked, bandwidth * np.where(linked, table.distance, 0.0), np.inf)
        for level in range(len(levels)):
            total = best[0][level, product][:, None] + way_cost
            origin = np.argmin(total, axis=0)
            nodes = market.network_nodes[product][level]
            price[nodes] = total[origin, tables.all_hubs]
            source[nodes] = best[1][level, product][origin]
    tables.price_routes(market.link_tariff + rent, is_open, best, (price, source))
    return Ways(price, source, network.before, network.via, free.before, free.via, market)


@dataclass(frozen=True, eq=False)
class _Tolls:
    """Cheapest tolls between hubs, the hub before, and the link direction used last."""

    distance: FloatArray
    before: IntArray
    via: IntArray


class _Tables:
    """What stays the same for a market whatever the prices; tolls are kept by their rents."""

    def __init__(self, market: Market) -> None:
        products = market.auction.products
        self._market = market
        self._kept: dict[bytes, tuple[_Tolls, _Tolls]] = {}
        self.all_hubs = np.arange(len(market.auction.hubs))
        self.bandwidth = np.array([float(product.bandwidth) for product in products])
        depth = max((len(levels) for levels in market.levels), default=0)
        self._supply = np.full((depth, len(products), len(self.all_hubs)), NONE, dtype=np.int64)
        for product, levels in enumerate(market.supply_nodes):
            for level, nodes in enumerate(levels):
                self._supply[level, product] = nodes
        node = market.way_node
        starts = np.r_[np.ones(min(1, len(node)), dtype=bool), node[1:] != node[:-1]]
        self._way_place = (market.node_level[node], market.way_product, market.way_hub)
        self._way_bandwidth = self.bandwidth[market.way_product]
        self._way_first = np.flatnonzero(starts)
        self._way_group = np.cumsum(starts) - 1
        self.link_arc: dict[tuple[int, int, int], int] = {}
        self.route_arc: dict[tuple[int, int], list[int]] = {}
        self._index_arcs()

    def _index_arcs(self) -> None:
        """Index arcs over links by place and direction, routes by supply node and hub."""
        market = self._market
        for arc in np.flatnonzero(market.arcs.hops > 0).tolist():
            item = market.nodes[int(market.arcs.end[arc])]
            if item.kind == Kind.DELIVERY:
                self.route_arc[int(market.arcs.start[arc]), item.hub] = [arc]
            else:
                link, direction = market.arcs.steps[arc][0]
                self.link_arc[item.product, item.level, 2 * link + direction] = arc

    def tolls(self, is_open: BoolArray, rent: FloatArray) -> tuple[_Tolls, _Tolls]:
        """Return tolls over open links, and over all links for what needs no bandwidth."""
        key = is_open.tobytes() + rent.tobytes()
        if key not in self._kept:
            if len(self._kept) >= _KEPT_TOLLS:
                self._kept.clear()
            toll = self._market.link_tariff + rent
            found = _Tolls(*_all_pairs(self._market, is_open, toll))
            anywhere = found
            if np.any(self.bandwidth == 0):
                everything = np.ones(len(toll), dtype=bool)
                anywhere = _Tolls(*_all_pairs(self._market, everything, toll))
            self._kept[key] = (found, anywhere)
        return self._kept[key]

    def best_by_level(self, supply: FloatArray) -> tuple[FloatArray, IntArray]:
        """Return per level, product and hub the cheapest supply of that or a stricter level."""
        best = np.full(self._supply.shape, np.inf)
        node = self._supply.copy()
        for level, nodes in enumerate(self._supply):
            own = np.where((nodes == NONE) | np.isnan(supply[nodes]), np.inf, supply[nodes])
            best[level] = own
            if level:
                stricter = best[level - 1] < own
                best[level] = np.where(stricter, best[level - 1], own)
                node[level] = np.where(stricter, node[level - 1], nodes)
        return best, node

    def price_routes(
        self,
        toll: FloatArray,
        is_open: BoolArray,
        best: tuple[FloatArray, IntArray],
        out: tuple[FloatArray, IntArray],
    ) -> None:
        """Price delivery nodes by the cheapest of the routes within their reach."""
        market, count = self._market, len(self._way_group)
        if not count:
            return
        route_toll = np.bincount(market.way_use, weights=toll[market.way_link], minlength=count)
        closed = np.bincount(market.way_use, weights=~is_open[market.way_link], minlength=count)
        usable = (closed == 0) | (self._way_bandwidth == 0)
        total = best[0][self._way_place] + self._way_bandwidth * route_toll
        total = np.where(usable, total, np.inf)
        least = np.minimum.reduceat(total, self._way_first)
        # The first hub among equals: the last assignment going backwards.
        hits = np.flatnonzero(total == least[self._way_group])[::-1]
        first = np.zeros(len(least), dtype=np.int64)
        first[self._way_group[hits]] = hits
        nodes = market.way_node[self._way_first]
        out[0][nodes] = least
        out[1][nodes] = np.where(np.isfinite(least), best[1][self._way_place][first], NONE)


def _tables_of(market: Market) -> _Tables:
    if "ways" not in market.cache:
        market.cache["ways"] = _Tables(market)
    found = market.cache["ways"]
    assert isinstance(found, _Tables)  # noqa: S101 - the only thing kept under this name
    return found


def _all_pairs(
    market: Market, is_open: BoolArray, toll: FloatArray
) -> tuple[FloatArray, IntArray, IntArray]:
    """Return cheapest tolls between hubs, the hub before and the link direction used last."""
    auction = market.auction
    count = len(auction.hubs)
    distance = np.full((count, count), np.inf)
    before = np.full((count, count), NONE, dtype=np.int64)
    via = np.full((count, count), NONE, dtype=np.int64)
    np.fill_diagonal(distance, 0.0)
    start, end = market.link_start[is_open], market.link_end[is_open]
    distance[start, end] = toll[is_open]
    before[start, end] = start
    via[start, end] = np.flatnonzero(is_open)
    for middle in range(count):
        trial = distance[:, middle, None] + distance[None, middle, :]
        # A strict improvement beyond rounding noise keeps the choice of way deterministic.
        better = trial < distance - 1e-12
        if better.any():
            distance = np.where(better, trial, distance)
            before = np.where(better, before[middle][None, :], before)
            via = np.where(better, via[middle][None, :], via)
    return distance, before, via


def supply_node_price(market: Market, node: Node, ways: Ways) -> float:
    """Return what supply would be worth at a hub where nobody sells: its own network price."""
    return float(ways.price[market.index[node._replace(kind=Kind.NETWORK)]])
