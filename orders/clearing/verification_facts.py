"""What the verifier reads from a bundle and a result, in exact decimals.

Nothing here or in the other verification modules uses the solver's code: routes, classes and
offers are worked out again, in other ways.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from orders.clearing.row_tables import RowTable
from orders.clearing.types import (
    AssignmentRow,
    Auction,
    BlockLeg,
    BlockOption,
    BlockOrder,
    CurveResultRow,
    Result,
    Violation,
)
from orders.clearing.verification_columns import groups
from orders.clearing.verification_parties import Class, Parties

CellKey = tuple[str, str, int]
_FAR = Decimal("Infinity")


@dataclass
class Facts:
    """Indexes over the bundle and the result; violations are collected on the way."""

    auction: Auction
    result: Result
    violations: list[Violation] = field(default_factory=list)

    def __post_init__(self) -> None:
        auction = self.auction
        self.products = {product.name: product for product in auction.products}
        self.hub_number = {name: number for number, name in enumerate(auction.hubs)}
        self.link_number = {
            (auction.hubs[link.from_hub], auction.hubs[link.to_hub]): number
            for number, link in enumerate(auction.links)
        }
        self.parties = Parties(auction)
        self.curve_rows = RowTable.of(CurveResultRow, self.result.curve_results)
        self.assigned = RowTable.of(AssignmentRow, self.result.assignments)
        self.block = {order.order_id: order for order in auction.blocks}
        self.options: dict[tuple[str, str], BlockOption] = {
            (order.order_id, option.option_id): option
            for order in auction.blocks
            for option in order.options
        }
        self.active = self._active_limits()
        self.supply_price = self._index_prices()
        self.delivered_price = self._index_delivered()
        self.rent = self._index_rents()
        self.acceptance = {
            (row.order_id, row.option_id): row.acceptance for row in self.result.block_results
        }

    def report(self, rule: str, subject: str, detail: str) -> None:
        """Record a violation."""
        self.violations.append(Violation(rule, subject, detail))

    # -- orders ----------------------------------------------------------------------------------

    def served(self, buyers: Collection[str]) -> Iterator[AssignmentRow]:
        """Yield the assignments of some buyers."""
        if buyers:
            chosen = self.assigned.columns["buy_order_id"].numbers(lambda name: name in buyers)
            for row in np.flatnonzero(chosen).tolist():
                yield self.assigned[row]

    def assigned_in_all(self) -> dict[str, Decimal]:
        """Return the assigned quantity by product."""
        columns = self.assigned.columns
        pair = (columns["product"], columns["quantity"])
        first, group = groups([column.distinct for column in pair])
        found: dict[str, Decimal] = defaultdict(Decimal)
        for row, count in zip(first.tolist(), np.bincount(group).tolist(), strict=True):
            name, quantity = (column.values[column.codes[row]] for column in pair)
            found[name] += quantity * count
        return found

    def _active_limits(self) -> dict[str, tuple[Decimal, ...]]:
        """Return per product the carbon limits that buyers state, strictest first."""
        found: dict[str, set[Decimal]] = defaultdict(set)
        curves, parties = self.auction.curves, self.parties
        wish = parties.wish_of[parties.of_curves]
        first, _ = groups((curves.product, wish))
        for row in first[wish[first] >= 0].tolist():
            limit = parties.wishes[int(wish[row])].max_carbon
            if limit is not None:
                found[self.auction.products[int(curves.product[row])].name].add(limit)
        for order in self.auction.blocks:
            if order.is_buy and order.max_carbon is not None:
                for option in order.options:
                    for leg in option.legs:
                        found[self.auction.products[leg.product].name].add(order.max_carbon)
        for job in self.auction.flexibles:
            if job.max_carbon is not None:
                found[self.auction.products[job.product].name].add(job.max_carbon)
        return {name: tuple(sorted(found[name])) for name in self.products}

    def intensity(self, order: str, hub: str) -> Decimal | None:
        """Return what a seller declares at a hub, None where it declares or sells nothing."""
        fact = self.parties.seller(order, hub)
        return None if fact is None else fact.intensity

    def supply_class(self, product: str, intensity: Decimal | None) -> Class:
        """Return the strictest listed class that an intensity serves."""
        if intensity is None:
            return None
        fitting = [c for c in self.products[product].carbon_classes if intensity <= c]
        return min(fitting) if fitting else None

    def active_class(self, product: str, carbon: Class) -> Class:
        """Return the strictest class in use that is no stricter than the given one."""
        if carbon is None:
            return None
        return min((limit for limit in self.active[product] if limit >= carbon), default=None)

    def leg_place(self, leg: BlockLeg) -> CellKey:
        """Return hub, product and period (from 1) of a leg."""
        auction = self.auction
        return auction.hubs[leg.hub], auction.products[leg.product].name, leg.period + 1

    def leg_quantity(self, leg: BlockLeg, ratio: Decimal) -> Decimal:
        """Return the accepted quantity of a leg: floor of ratio × lots, in units."""
        product = self.auction.products[leg.product]
        return int(ratio * leg.quantity_lots) * product.quantity_tick

    def descendants(self, order: BlockOrder) -> list[BlockOrder]:
        """Return an order and all that hang below it."""
        found = [order]
        for parent in found:
            found.extend(
                child for child in self.auction.blocks if child.parent_order_id == parent.order_id
            )
        return found

    # -- prices ----------------------------------------------------------------------------------

    def _index_prices(self) -> dict[tuple[str, str, Class, int], Decimal | None]:
        found: dict[tuple[str, str, Class, int], Decimal | None] = {}
        for row in self.result.prices:
            key = (row.hub, row.product, row.carbon_class, row.period)
            if key in found:
                self.report("8", f"prices {key}", "the row appears twice")
            found[key] = row.price
        return found

    def _index_delivered(self) -> dict[tuple[str, str, Class, Class, int], Decimal | None]:
        found: dict[tuple[str, str, Class, Class, int], Decimal | None] = {}
        for row in self.result.delivered_prices:
            key = (row.hub, row.product, row.max_rtt_ms, row.max_carbon, row.period)
            if key in found:
                self.report("8", f"delivered_prices {key}", "the row appears twice")
            found[key] = row.price
        return found

    def _index_rents(self) -> dict[tuple[int, int, int], Decimal]:
        found: dict[tuple[int, int, int], Decimal] = {}
        for row in self.result.link_rents:
            link = self.link_number.get((row.from_hub, row.to_hub))
            if link is None or row.direction not in ("forward", "reverse"):
                self.report("6", f"{row.from_hub}/{row.to_hub}", "a rent of an unknown link")
                continue
            key = (link, int(row.direction == "reverse"), row.period)
            if key in found:
                self.report("6", f"{row.from_hub}/{row.to_hub}", "a rent appears twice")
            found[key] = row.rent
        return found


@dataclass(frozen=True)
class KnownRoute:
    """Least-RTT route between two hubs."""

    rtt: Decimal
    steps: tuple[tuple[int, int], ...]


def known_routes(auction: Auction) -> dict[tuple[str, str], KnownRoute]:
    """Return the least-RTT route of every pair by repeated relaxation.

    Ties: fewest links, least tariff, hub names in order.
    """
    best: dict[
        tuple[str, str],
        tuple[tuple[Decimal, int, Decimal, tuple[str, ...]], tuple[tuple[int, int], ...]],
    ]
    zero = Decimal(0)
    best = {(hub, hub): ((zero, 0, zero, (hub,)), ()) for hub in auction.hubs}
    edges = []
    for number, link in enumerate(auction.links):
        ends = auction.hubs[link.from_hub], auction.hubs[link.to_hub]
        edges.append((*ends, number, 0, link))
        edges.append((*ends[::-1], number, 1, link))
    changed = True
    while changed:
        changed = False
        for start in auction.hubs:
            for middle, end, number, direction, link in edges:
                known = best.get((start, middle))
                if known is None:
                    continue
                rank, steps = known
                trial = (
                    rank[0] + link.rtt_ms,
                    rank[1] + 1,
                    rank[2] + link.tariff,
                    (*rank[3], end),
                )
                if (start, end) not in best or trial < best[start, end][0]:
                    best[start, end] = (trial, (*steps, (number, direction)))
                    changed = True
    return {pair: KnownRoute(rank[0], steps) for pair, (rank, steps) in best.items()}


class Tolls:
    """Exact cheapest tolls (tariff plus rent per Gbit/s) between hubs, by period."""

    def __init__(
        self,
        auction: Auction,
        rents: dict[tuple[int, int, int], Decimal],
        routes: dict[tuple[str, str], KnownRoute],
    ) -> None:
        self._auction = auction
        self._routes = routes
        self._rents = rents
        self._known: dict[int, dict[tuple[str, str], Decimal]] = {}

    def step(self, link: int, direction: int, period: int) -> Decimal:
        """Return the toll of one link direction."""
        rent = self._rents.get((link, direction, period), Decimal(0))
        return self._auction.links[link].tariff + rent

    def is_open(self, link: int, direction: int, period: int) -> bool:
        """Whether the direction can carry anything."""
        item = self._auction.links[link]
        capacities = item.reverse_capacity if direction else item.forward_capacity
        return capacities[period - 1] > 0

    def between(self, start: str, end: str, period: int, bandwidth: Decimal) -> Decimal:
        """Return the cheapest toll over the network, infinite if there is no way.

        A product without bandwidth passes wherever there are links, free of charge.
        """
        if not bandwidth:
            return Decimal(0) if (start, end) in self._routes else _FAR
        if period not in self._known:
            self._known[period] = self._compute(period)
        return self._known[period].get((start, end), _FAR)

    def along(self, steps: tuple[tuple[int, int], ...], period: int, bandwidth: Decimal) -> Decimal:
        """Return the toll of a route, infinite if a part of it carries nothing."""
        if not bandwidth:
            return Decimal(0)
        if not all(self.is_open(link, direction, period) for link, direction in steps):
            return _FAR
        return sum((self.step(*step, period) for step in steps), Decimal(0))

    def _compute(self, period: int) -> dict[tuple[str, str], Decimal]:
        hubs = self._auction.hubs
        out: dict[str, dict[str, Decimal]] = {hub: {hub: Decimal(0)} for hub in hubs}
        for number, link in enumerate(self._auction.links):
            ends = hubs[link.from_hub], hubs[link.to_hub]
            for direction, (start, end) in enumerate((ends, ends[::-1])):
                if self.is_open(number, direction, period):
                    toll = self.step(number, direction, period)
                    out[start][end] = min(toll, out[start].get(end, _FAR))
        for middle in hubs:
            onward = list(out[middle].items())
            for start in hubs:
                first = out[start].get(middle)
                if first is None or start == middle:
                    continue
                row = out[start]
                for end, second in onward:
                    if first + second < row.get(end, _FAR):
                        row[end] = first + second
        return {(start, end): toll for start, row in out.items() for end, toll in row.items()}
