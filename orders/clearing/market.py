"""The network that every period shares: price nodes and the arcs supply may take between them.

Per hub, product and carbon level there is a supply node (what local sellers offer) and, since a
buyer without a latency limit may be served through any route, a network node. Per latency class in
use there is a delivery node that only the least-RTT routes within the class reach, and only with
supply of their own first hub.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from orders.clearing.routes import Route, least_rtt_routes
from orders.clearing.row_tables import combined, first_rows
from orders.clearing.types import (
    NONE,
    Auction,
    BlockOrder,
    FlexibleOrder,
    FloatArray,
    IntArray,
)


class Kind(IntEnum):
    """What a node stands for."""

    SUPPLY = 0
    NETWORK = 1
    DELIVERY = 2


class Node(NamedTuple):
    """A place with a price. `level` counts the active carbon levels, the last is "no limit"."""

    kind: Kind
    hub: int
    product: int
    level: int
    rtt_class: int


@dataclass(frozen=True, eq=False)
class Arcs:
    """Ways from node to node; `cost` is tariff money per lot, `links` the link directions used."""

    start: IntArray
    end: IntArray
    product: IntArray
    cost: FloatArray
    use_arc: IntArray
    use_link: IntArray
    use_bandwidth: FloatArray
    hops: IntArray
    steps: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, eq=False)
class Market:
    """Nodes, arcs and routes of an auction."""

    auction: Auction
    routes: dict[tuple[int, int], Route]
    nodes: tuple[Node, ...]
    index: dict[Node, int]
    arcs: Arcs
    levels: tuple[tuple[int, ...], ...]
    lot: FloatArray
    node_product: IntArray
    node_level: IntArray
    node_kind: IntArray
    node_hub: IntArray
    network_of: IntArray
    capacity: FloatArray
    link_start: IntArray
    link_end: IntArray
    link_tariff: FloatArray
    supply_nodes: tuple[tuple[IntArray, ...], ...]
    network_nodes: tuple[tuple[IntArray, ...], ...]
    way_node: IntArray
    way_hub: IntArray
    way_product: IntArray
    way_use: IntArray
    way_link: IntArray
    cache: dict[str, object] = field(default_factory=dict)

    def level_of_supply(self, product: int, carbon_class: int) -> int:
        """Return the level a seller of this strictest class belongs to."""
        levels = self.levels[product]
        if carbon_class == NONE:
            return len(levels) - 1
        return next(k for k, c in enumerate(levels) if c == NONE or c >= carbon_class)

    def level_of_demand(self, product: int, carbon_class: int) -> int:
        """Return the level of a buyer's limit."""
        return self.levels[product].index(carbon_class)

    def supply_node(self, hub: int, product: int, level: int) -> int:
        """Return the index of a supply node."""
        return self.index[Node(Kind.SUPPLY, hub, product, level, NONE)]

    def demand_node(self, hub: int, product: int, level: int, rtt_class: int) -> int:
        """Return the node a buyer of these classes consumes at."""
        if rtt_class == NONE:
            return self.index[Node(Kind.NETWORK, hub, product, level, NONE)]
        return self.index[Node(Kind.DELIVERY, hub, product, level, rtt_class)]


def link_direction(link: int, direction: int) -> int:
    """Return the row number of a link direction."""
    return 2 * link + direction


def block_classes(
    auction: Auction, order: BlockOrder | FlexibleOrder, product: int
) -> tuple[int, int]:
    """Return the latency and carbon class of an indivisible buy for one of its products."""
    item = auction.products[product]
    rtt = NONE if order.max_rtt_ms is None else item.rtt_classes.index(order.max_rtt_ms)
    carbon = NONE if order.max_carbon is None else item.carbon_classes.index(order.max_carbon)
    return rtt, carbon


def build_market(auction: Auction) -> Market:
    """Lay out the nodes and arcs that the orders of an auction can use."""
    routes = least_rtt_routes(auction.hubs, auction.links)
    demand = _demand_classes(auction)
    levels = _active_levels(auction, demand)
    nodes = _list_nodes(auction, demand, levels)
    index = {node: number for number, node in enumerate(nodes)}
    lot = np.array([float(p.quantity_tick) for p in auction.products])
    arcs = _list_arcs(auction, routes, nodes, index, levels)
    ways = _list_ways(auction, routes, nodes)
    return Market(
        auction=auction,
        routes=routes,
        nodes=tuple(nodes),
        index=index,
        arcs=arcs,
        levels=levels,
        lot=lot,
        node_product=np.array([node.product for node in nodes], dtype=np.int64),
        node_level=np.array([node.level for node in nodes], dtype=np.int64),
        node_kind=np.array([node.kind for node in nodes], dtype=np.int64),
        node_hub=np.array([node.hub for node in nodes], dtype=np.int64),
        network_of=np.array(
            [index.get(node._replace(kind=Kind.NETWORK), NONE) for node in nodes], dtype=np.int64
        ),
        capacity=_capacities(auction),
        link_start=_link_ends(auction, 0),
        link_end=_link_ends(auction, 1),
        link_tariff=np.repeat(np.array([float(link.tariff) for link in auction.links]), 2),
        supply_nodes=_nodes_by_hub(Kind.SUPPLY, auction, levels, index),
        network_nodes=_nodes_by_hub(Kind.NETWORK, auction, levels, index),
        way_node=ways["way_node"],
        way_hub=ways["way_hub"],
        way_product=ways["way_product"],
        way_use=ways["way_use"],
        way_link=ways["way_link"],
    )


def _nodes_by_hub(
    kind: Kind, auction: Auction, levels: Sequence[Sequence[int]], index: dict[Node, int]
) -> tuple[tuple[IntArray, ...], ...]:
    return tuple(
        tuple(
            np.array(
                [index[Node(kind, hub, product, level, NONE)] for hub in range(len(auction.hubs))],
                dtype=np.int64,
            )
            for level in range(len(own))
        )
        for product, own in enumerate(levels)
    )


def _list_ways(
    auction: Auction, routes: dict[tuple[int, int], Route], nodes: Sequence[Node]
) -> dict[str, IntArray]:
    """Return every (delivery node, hub within its reach) and the link directions on the route."""
    ways: list[tuple[int, int, int]] = []
    uses: list[tuple[int, int]] = []
    for number, node in enumerate(nodes):
        if node.kind != Kind.DELIVERY:
            continue
        limit = auction.products[node.product].rtt_classes[node.rtt_class]
        for hub in range(len(auction.hubs)):
            route = routes.get((hub, node.hub))
            if route is not None and route.rtt_ms <= limit:
                uses.extend((len(ways), link_direction(*step)) for step in route.steps)
                ways.append((number, hub, node.product))
    columns = np.array(ways, dtype=np.int64).reshape(-1, 3).T
    used = np.array(uses, dtype=np.int64).reshape(-1, 2).T
    return {
        "way_node": columns[0],
        "way_hub": columns[1],
        "way_product": columns[2],
        "way_use": used[0],
        "way_link": used[1],
    }


def distinct_rows(columns: Sequence[IntArray]) -> list[tuple[int, ...]]:
    """Return the distinct rows of several columns of numbers from -1 up."""
    if not len(columns[0]):
        return []
    first = first_rows(combined(columns))
    return list(zip(*(column[first].tolist() for column in columns), strict=True))


def _demand_classes(auction: Auction) -> set[tuple[int, int, int, int]]:
    """Return the (hub, product, latency class, carbon class) that any buy order uses."""
    curves = auction.curves
    buys = np.flatnonzero(curves.is_buy)
    columns = (curves.hub, curves.product, curves.rtt_class, curves.carbon_class)
    rows = distinct_rows([column[buys] for column in columns])
    found = {(hub, product, rtt, carbon) for hub, product, rtt, carbon in rows}
    for order in auction.blocks:
        if order.is_buy:
            for option in order.options:
                for leg in option.legs:
                    found.add((leg.hub, leg.product, *block_classes(auction, order, leg.product)))
    for job in auction.flexibles:
        found.add((job.hub, job.product, *block_classes(auction, job, job.product)))
    return found


def _active_levels(
    auction: Auction, demand: set[tuple[int, int, int, int]]
) -> tuple[tuple[int, ...], ...]:
    """Return per product the carbon classes that buyers use, strictest first, then "no limit".

    Supply of a class nobody asks for earns what the next looser one earns.
    """
    used: list[set[int]] = [set() for _ in auction.products]
    for _, product, _, carbon in demand:
        if carbon != NONE:
            used[product].add(carbon)
    return tuple((*sorted(classes), NONE) for classes in used)


def _list_nodes(
    auction: Auction,
    demand: set[tuple[int, int, int, int]],
    levels: Sequence[Sequence[int]],
) -> list[Node]:
    nodes = []
    for product, own in enumerate(levels):
        for hub in range(len(auction.hubs)):
            for level in range(len(own)):
                nodes.append(Node(Kind.SUPPLY, hub, product, level, NONE))
                nodes.append(Node(Kind.NETWORK, hub, product, level, NONE))
    for hub, product, rtt, carbon in sorted(demand):
        if rtt != NONE:
            level = levels[product].index(carbon)
            nodes.append(Node(Kind.DELIVERY, hub, product, level, rtt))
    return nodes


class _ArcList:
    """Collects arcs while the network is laid out."""

    def __init__(self, auction: Auction) -> None:
        self._auction = auction
        self.rows: list[tuple[int, int, int, float]] = []
        self.steps: list[tuple[tuple[int, int], ...]] = []

    def add(
        self, start: int, end: int, product: int, steps: tuple[tuple[int, int], ...] = ()
    ) -> None:
        item = self._auction.products[product]
        tariff = sum((self._auction.links[link].tariff for link, _ in steps), Decimal(0))
        cost = float(tariff * item.bandwidth * item.quantity_tick)
        self.rows.append((start, end, product, cost))
        self.steps.append(steps)

    def finish(self) -> Arcs:
        uses = [
            (arc, link_direction(*step), float(item.bandwidth * item.quantity_tick))
            for arc, steps in enumerate(self.steps)
            for item in (self._auction.products[self.rows[arc][2]],)
            for step in steps
        ]
        return Arcs(
            start=np.array([row[0] for row in self.rows], dtype=np.int64),
            end=np.array([row[1] for row in self.rows], dtype=np.int64),
            product=np.array([row[2] for row in self.rows], dtype=np.int64),
            cost=np.array([row[3] for row in self.rows]),
            use_arc=np.array([use[0] for use in uses], dtype=np.int64),
            use_link=np.array([use[1] for use in uses], dtype=np.int64),
            use_bandwidth=np.array([use[2] for use in uses]),
            hops=np.array([len(steps) for steps in self.steps], dtype=np.int64),
            steps=tuple(self.steps),
        )


def _list_arcs(
    auction: Auction,
    routes: dict[tuple[int, int], Route],
    nodes: Sequence[Node],
    index: dict[Node, int],
    levels: Sequence[Sequence[int]],
) -> Arcs:
    arcs = _ArcList(auction)
    sellers = _places_with_supply(auction)
    for number, node in enumerate(nodes):
        if node.kind == Kind.SUPPLY:
            arcs.add(number, index[node._replace(kind=Kind.NETWORK)], node.product)
            if node.level + 1 < len(levels[node.product]):
                arcs.add(number, index[node._replace(level=node.level + 1)], node.product)
    for link_number, link in enumerate(auction.links):
        for start, end, direction in (
            (link.from_hub, link.to_hub, 0),
            (link.to_hub, link.from_hub, 1),
        ):
            for product, own in enumerate(levels):
                for level in range(len(own)):
                    first = index[Node(Kind.NETWORK, start, product, level, NONE)]
                    second = index[Node(Kind.NETWORK, end, product, level, NONE)]
                    arcs.add(first, second, product, ((link_number, direction),))
    for number, node in enumerate(nodes):
        if node.kind == Kind.DELIVERY:
            _add_routes(arcs, auction, routes, node, number, index, sellers)
    return arcs.finish()


def _add_routes(
    arcs: _ArcList,
    auction: Auction,
    routes: dict[tuple[int, int], Route],
    node: Node,
    number: int,
    index: dict[Node, int],
    sellers: set[tuple[int, int]],
) -> None:
    """Connect a delivery node with supply in reach; looser classes draw on stricter ones."""
    classes = auction.products[node.product].rtt_classes
    tighter = [k for k in range(node.rtt_class) if node._replace(rtt_class=k) in index]
    floor = Decimal(-1)
    if tighter:
        arcs.add(index[node._replace(rtt_class=tighter[-1])], number, node.product)
        floor = classes[tighter[-1]]
    for hub in range(len(auction.hubs)):
        route = routes.get((hub, node.hub))
        if route is None or (hub, node.product) not in sellers:
            continue
        if floor < route.rtt_ms <= classes[node.rtt_class]:
            supply = Node(Kind.SUPPLY, hub, node.product, node.level, NONE)
            arcs.add(index[supply], number, node.product, route.steps)


def _places_with_supply(auction: Auction) -> set[tuple[int, int]]:
    curves = auction.curves
    sells = ~curves.is_buy
    rows = distinct_rows([curves.hub[sells], curves.product[sells]])
    found = {(hub, product) for hub, product in rows}
    for order in auction.blocks:
        if not order.is_buy:
            found.update((leg.hub, leg.product) for o in order.options for leg in o.legs)
    return found


def _link_ends(auction: Auction, end: int) -> IntArray:
    """Return the hub at one end of every link direction."""
    pairs = [(link.from_hub, link.to_hub) for link in auction.links]
    ends = [(pair[end], pair[1 - end]) for pair in pairs]
    return np.array(ends, dtype=np.int64).reshape(-1)


def _capacities(auction: Auction) -> FloatArray:
    """Return capacity in Gbit/s by link direction and period."""
    table = np.zeros((2 * len(auction.links), auction.terms.periods))
    for number, link in enumerate(auction.links):
        table[link_direction(number, 0)] = [float(c) for c in link.forward_capacity]
        table[link_direction(number, 1)] = [float(c) for c in link.reverse_capacity]
    return table
