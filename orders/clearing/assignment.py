"""Who serves whom: flows taken apart into ways, ways into pairs of orders."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orders.clearing.market import Kind, Market
from orders.clearing.quantities import PeriodLots
from orders.clearing.types import IntArray


@dataclass(frozen=True)
class Party:
    """An accepted order at a node in a period: rank sorts parties at the same node."""

    node: int
    rank: tuple[int, int, str, str]
    lots: int
    order_id: str
    option_id: str
    listing_id: str


@dataclass(frozen=True)
class Pair:
    """So many lots of one seller for one buyer."""

    buyer: Party
    seller: Party
    lots: int


def pair_period(
    market: Market, lots: PeriodLots, buyers: Sequence[Party], sellers: Sequence[Party]
) -> list[Pair]:
    """Assign the sellers of one period to its buyers along the flows.

    Parties stand in line at their node, large and steady sellers and block buyers first, and are
    matched in line: each order has few counterparties, and the same ones from period to period
    where the amounts allow.
    """
    buyers = sorted((p for p in buyers if p.lots), key=lambda p: (p.node, p.rank))
    sellers = sorted((p for p in sellers if p.lots), key=lambda p: (p.node, p.rank))
    ways = take_apart(
        market, lots.arcs, _totals(buyers, len(market.nodes)), _totals(sellers, len(market.nodes))
    )
    by_target = sorted(ways, key=lambda way: (way[1], way[0]))
    first = _overlap([p.lots for p in buyers], [way[2] for way in by_target])
    wanted = sorted(
        (by_target[way][0], buyers[buyer].rank, buyer, amount) for buyer, way, amount in first
    )
    second = _overlap([piece[3] for piece in wanted], [p.lots for p in sellers])
    return [
        Pair(buyers[wanted[piece][2]], sellers[seller], amount) for piece, seller, amount in second
    ]


def _totals(parties: Sequence[Party], count: int) -> list[int]:
    total = [0] * count
    for party in parties:
        total[party.node] += party.lots
    return total


def _overlap(first: Sequence[int], second: Sequence[int]) -> list[tuple[int, int, int]]:
    """Lay two lists of lengths end to end on one line and return their overlaps."""
    if not first:
        return []
    ends_first, ends_second = np.cumsum(first), np.cumsum(second)
    cuts = np.union1d(ends_first, ends_second)
    amounts = np.diff(cuts, prepend=0)
    left = np.searchsorted(ends_first, cuts, side="left")
    right = np.searchsorted(ends_second, cuts, side="left")
    return list(zip(left.tolist(), right.tolist(), amounts.tolist(), strict=True))


def take_apart(
    market: Market, arcs: IntArray, demand: list[int], supply: list[int]
) -> list[tuple[int, int, int]]:
    """Return (supply node, demand node, lots) so that the ways add up to the flows of the arcs."""
    flow = arcs.copy()
    into: dict[int, list[int]] = {}
    for arc in np.flatnonzero(flow > 0).tolist():
        into.setdefault(int(market.arcs.end[arc]), []).append(arc)
    supply = list(supply)
    ways: dict[tuple[int, int], int] = {}
    for target, wanted in enumerate(demand):
        while wanted > 0:
            path = _way_back(market, flow, into, supply, target)
            source = int(market.arcs.start[path[-1]]) if path else target
            amount = min([wanted, supply[source], *(int(flow[arc]) for arc in path)])
            for arc in path:
                flow[arc] -= amount
            supply[source] -= amount
            wanted -= amount
            ways[source, target] = ways.get((source, target), 0) + amount
    return [(source, target, lots) for (source, target), lots in sorted(ways.items())]


def _way_back(
    market: Market, flow: IntArray, into: dict[int, list[int]], supply: list[int], target: int
) -> list[int]:
    """Follow arcs with flow from a demand node back to supply that is left."""
    path: list[int] = []
    seen = {target: 0}
    node = target
    while market.nodes[node].kind != Kind.SUPPLY or supply[node] == 0:
        arc = next(arc for arc in into.get(node, ()) if flow[arc] > 0)
        path.append(arc)
        node = int(market.arcs.start[arc])
        if node in seen:
            # A circle carries nothing: take it out of the flow and go on from where it began.
            circle = path[seen[node] :]
            amount = min(int(flow[step]) for step in circle)
            for step in circle:
                flow[step] -= amount
            return _way_back(market, flow, into, supply, target)
        seen[node] = len(path)
    return path
