"""Cheapest ways from supply to every place where it can be consumed, at given prices and rents."""

from dataclasses import dataclass

import numpy as np

from orders.clearing.market import Kind, Market, Node
from orders.clearing.types import NONE, BoolArray, FloatArray, IntArray


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
    auction = market.auction
    toll = market.link_tariff + rent
    distance, before, via = _all_pairs(market, capacity > 0, toll)
    linked = np.isfinite(distance)
    # A product that needs no bandwidth passes even where a link has no capacity.
    anywhere = (distance, before, via)
    if any(product.bandwidth == 0 for product in auction.products):
        anywhere = _all_pairs(market, np.ones(len(toll), dtype=bool), toll)
    price = np.full(len(market.nodes), np.inf)
    source = np.full(len(market.nodes), NONE, dtype=np.int64)
    route_toll, open_route = _route_tolls(market, capacity, toll)
    for product, levels in enumerate(market.levels):
        bandwidth = float(auction.products[product].bandwidth)
        way_cost = np.full_like(distance, np.inf)
        if bandwidth > 0:
            way_cost[linked] = bandwidth * distance[linked]
        else:
            way_cost[np.isfinite(anywhere[0])] = 0.0
        best, best_node = _best_by_level(market, product, len(levels), supply)
        for level in range(len(levels)):
            total = best[level][:, None] + way_cost
            origin = np.argmin(total, axis=0)
            nodes = market.network_nodes[product][level]
            price[nodes] = total[origin, np.arange(len(origin))]
            source[nodes] = best_node[level][origin]
        ways = np.flatnonzero((market.way_product == product) & (open_route | (bandwidth == 0)))
        hub, node = market.way_hub[ways], market.way_node[ways]
        level_of_way = market.node_level[node]
        total_way = best[level_of_way, hub] + bandwidth * route_toll[ways]
        order = np.lexsort((hub, total_way, node))
        first = np.r_[True, node[order][1:] != node[order][:-1]] if len(order) else order
        chosen = order[first]
        price[node[chosen]] = total_way[chosen]
        source[node[chosen]] = best_node[level_of_way[chosen], hub[chosen]]
    return Ways(price, source, before, via, anywhere[1], anywhere[2], market)


def _route_tolls(
    market: Market, capacity: FloatArray, toll: FloatArray
) -> tuple[FloatArray, BoolArray]:
    count = len(market.way_node)
    route_toll = np.bincount(market.way_use, weights=toll[market.way_link], minlength=count).astype(
        float
    )
    closed = np.bincount(market.way_use, weights=capacity[market.way_link] <= 0, minlength=count)
    return route_toll, closed == 0


def _best_by_level(
    market: Market, product: int, count: int, supply: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Return per level and hub the cheapest supply of that or a stricter level."""
    hubs = len(market.auction.hubs)
    best = np.full((count, hubs), np.inf)
    node_of = np.full((count, hubs), NONE, dtype=np.int64)
    for level in range(count):
        nodes = market.supply_nodes[product][level]
        own = np.where(np.isnan(supply[nodes]), np.inf, supply[nodes])
        best[level], node_of[level] = own, nodes
        if level:
            stricter = best[level - 1] < own
            best[level] = np.where(stricter, best[level - 1], own)
            node_of[level] = np.where(stricter, node_of[level - 1], nodes)
    return best, node_of


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
