"""Who serves whom: flows taken apart into ways, ways into pairs of orders."""

from dataclasses import dataclass, fields

import numpy as np

from orders.clearing.market import Kind, Market
from orders.clearing.quantities import PeriodLots
from orders.clearing.row_tables import sums
from orders.clearing.types import IntArray


@dataclass(frozen=True, eq=False)
class Parties:
    """Accepted orders of one side as parallel columns; texts are places in a sorted list of names.

    At a node large and steady sellers and block buyers stand first: `kind` is 0 for a block and 1
    for a curve order, `size` what a curve's listing sells in all periods.
    """

    period: IntArray
    node: IntArray
    kind: IntArray
    size: IntArray
    name: IntArray
    option: IntArray
    listing: IntArray
    lots: IntArray

    def __len__(self) -> int:
        return len(self.lots)

    def taken(self, rows: IntArray) -> "Parties":
        """Return some of the parties, in the order of `rows`."""
        return Parties(*(getattr(self, item.name)[rows] for item in fields(self)))

    def in_line(self) -> "Parties":
        """Return those with lots, sorted by period, node and rank."""
        rows = np.flatnonzero(self.lots)
        part = self.taken(rows)
        return part.taken(np.lexsort((*part.rank(), part.node, part.period)))

    def rank(self) -> tuple[IntArray, ...]:
        """Return what sorts parties at a node, the most telling last."""
        block = self.kind == 0
        last = np.where(block, self.option, self.name)
        return last, np.where(block, self.name, self.listing), -self.size, self.kind

    def periods(self, count: int) -> list["Parties"]:
        """Return the parties of each period; they are in line already."""
        ends = np.searchsorted(self.period, np.arange(count + 1))
        return [
            Parties(*(getattr(self, item.name)[start:end] for item in fields(self)))
            for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        ]


def pair_period(
    market: Market, lots: PeriodLots, buyers: Parties, sellers: Parties
) -> tuple[IntArray, IntArray, IntArray]:
    """Assign the sellers of one period to its buyers along the flows: buyer, seller and lots.

    Parties stand in line at their node and are matched in line: each order has few counterparties,
    and the same ones from period to period where the amounts allow.
    """
    count = len(market.nodes)
    ways = take_apart(market, lots.arcs, _totals(buyers, count), _totals(sellers, count))
    table = np.array(sorted(ways, key=lambda way: (way[1], way[0])), dtype=np.int64)
    source, _, amount = table.reshape(-1, 3).T
    buyer, way, amount = _overlap(buyers.lots, amount)
    wanted = buyers.taken(buyer)
    order = np.lexsort((buyer, *wanted.rank(), source[way]))
    piece, seller, amount = _overlap(amount[order], sellers.lots)
    return buyer[order][piece], seller, amount


def _totals(parties: Parties, count: int) -> list[int]:
    return sums(parties.node, parties.lots, count).tolist()


def _overlap(first: IntArray, second: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Lay two lists of lengths end to end on one line and return their overlaps."""
    ends_first, ends_second = np.cumsum(first), np.cumsum(second)
    cuts = np.sort(np.concatenate([ends_first, ends_second]), kind="stable")
    cuts = cuts[np.diff(cuts, prepend=0) > 0]
    amounts = np.diff(cuts, prepend=0)
    left = np.searchsorted(ends_first, cuts, side="left")
    right = np.searchsorted(ends_second, cuts, side="left")
    return left, right, amounts


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
