"""All admissible prices of one period as a small system of linear conditions.

Arcs that carry something tie prices together exactly, so connected nodes share one unknown plus a
fixed offset; full links add one unknown rent each. Conditions of unused ways are added only when a
trial solution breaks them.
"""

from dataclasses import dataclass, field

import numpy as np

from orders.clearing.market import Kind
from orders.clearing.period_clearing import FLOW_TOLERANCE, PeriodModel
from orders.clearing.period_solution import PeriodSolution
from orders.clearing.types import FloatArray, IntArray
from orders.clearing.ways import Ways, cheapest_ways

PRICE_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Affine:
    """A price as constant plus coefficients of the unknowns."""

    constant: float
    terms: tuple[tuple[int, float], ...]

    def value(self, x: FloatArray) -> float:
        """Return the price at a solution."""
        return self.constant + sum(c * float(x[k]) for k, c in self.terms)


@dataclass(frozen=True)
class Condition:
    """Σ terms ≤ limit, or = limit."""

    terms: tuple[tuple[int, float], ...]
    limit: float
    equal: bool = False


@dataclass(frozen=True, eq=False)
class PriceVector:
    """Prices of one period: supply (nan without sellers), delivered, and rents per Gbit/s."""

    supply: FloatArray
    delivered: FloatArray
    rent: FloatArray


@dataclass(eq=False)
class PriceSystem:
    """Unknowns with bounds and targets, and the conditions found so far (grows while solving)."""

    model: PeriodModel
    solution: PeriodSolution
    price_of: dict[int, Affine] = field(default_factory=dict)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    targets: list[tuple[int, float]] = field(default_factory=list)
    anchors: list[float] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    rent_unknown: dict[int, int] = field(default_factory=dict)
    consistent: bool = True
    solved_alone: bool = False
    alone: FloatArray | None = None
    vectors: dict[bytes, PriceVector] = field(default_factory=dict)
    node_low: FloatArray = field(default_factory=lambda: np.zeros(0))
    node_unknown: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    node_offset: FloatArray = field(default_factory=lambda: np.zeros(0))

    @property
    def unknowns(self) -> int:
        """Number of unknowns."""
        return len(self.lower)

    def prices(self, x: FloatArray) -> PriceVector:
        """Return the prices at a solution; delivered prices are the cheapest ways to each node."""
        key = x.tobytes()
        if key not in self.vectors:
            supply, rent, ways = self._ways(x)
            self.vectors[key] = PriceVector(supply, ways.price, rent)
        return self.vectors[key]

    def values(self, x: FloatArray) -> FloatArray:
        """Return the price of every node at a solution, nan where it has none of its own."""
        known = self.node_unknown >= 0
        values = np.full(len(known), np.nan)
        values[known] = x[self.node_unknown[known]] + self.node_offset[known]
        return values

    def rents(self, x: FloatArray) -> FloatArray:
        """Return the rent of every link direction at a solution."""
        rent = np.zeros(len(self.model.capacity))
        for link, unknown in self.rent_unknown.items():
            rent[link] = max(0.0, float(x[unknown]))
        return rent

    def _ways(self, x: FloatArray) -> tuple[FloatArray, FloatArray, Ways]:
        market = self.model.market
        supply = np.where(market.node_kind == Kind.SUPPLY, self.values(x), np.nan)
        rent = self.rents(x)
        return supply, rent, cheapest_ways(market, self.model.capacity, supply, rent)

    def add_broken_conditions(self, x: FloatArray) -> bool:
        """Add the conditions of unused ways that a solution breaks; False if there are none."""
        market = self.model.market
        _, _, ways = self._ways(x)
        added = False
        values = self.values(x)
        asked = np.where(np.isnan(values), self.node_low, values)
        beyond = np.isfinite(ways.price) & (asked > ways.price + PRICE_TOLERANCE * 10)
        for node in np.flatnonzero(beyond).tolist():
            affine = self.price_of.get(node) or Affine(float(self.node_low[node]), ())
            added |= self._add_way(affine, ways, node)
        stricter_than = np.flatnonzero(
            (market.node_kind == Kind.SUPPLY) & (market.node_level > 0) & ~np.isnan(values)
        )
        for number in stricter_than.tolist():
            item = market.nodes[number]
            for level in range(item.level):
                stricter = market.index[item._replace(level=level)]
                added |= self._add_premium(number, stricter, x)
        return added

    def _add_way(self, target: Affine, ways: Ways, node: int) -> bool:
        source, steps = ways.way_to(node)
        origin = self.price_of[source]
        product = self.model.market.auction.products[self.model.market.nodes[node].product]
        tariff = sum(self.model.market.auction.links[step // 2].tariff for step in steps)
        limit = float(tariff * product.bandwidth) + origin.constant - target.constant
        terms = [*target.terms, *((k, -c) for k, c in origin.terms)]
        for step in steps:
            if step in self.rent_unknown:
                terms.append((self.rent_unknown[step], -float(product.bandwidth)))
        return self._add(terms, limit)

    def _add_premium(self, looser: int, stricter: int, x: FloatArray) -> bool:
        if looser not in self.price_of or stricter not in self.price_of:
            return False
        low, high = self.price_of[looser], self.price_of[stricter]
        if low.value(x) <= high.value(x) + PRICE_TOLERANCE * 10:
            return False
        return self._add(
            [*low.terms, *((k, -c) for k, c in high.terms)], high.constant - low.constant
        )

    def _add(self, terms: list[tuple[int, float]], limit: float) -> bool:
        merged: dict[int, float] = {}
        for unknown, coefficient in terms:
            merged[unknown] = merged.get(unknown, 0.0) + coefficient
        kept = tuple(sorted((k, c) for k, c in merged.items() if c != 0.0))
        condition = Condition(kept, limit)
        if not kept or condition in self.conditions:
            return False
        self.conditions.append(condition)
        return True


def build_price_system(
    model: PeriodModel, lots: np.ndarray, solution: PeriodSolution
) -> PriceSystem:
    """Return the conditions that a solution of the period puts on prices."""
    return _Builder(model, lots, solution).build()


class _Builder:
    def __init__(self, model: PeriodModel, lots: np.ndarray, solution: PeriodSolution) -> None:
        self._model = model
        self._market = model.market
        self._solution = solution
        self._system = PriceSystem(model, solution)
        self._root = list(range(len(self._market.nodes)))
        self._offset = [0.0] * len(self._market.nodes)
        self._bands = [
            (float(product.price_min), float(product.price_max))
            for product in self._market.auction.products
        ]
        self._limits(lots)

    def _limits(self, lots: np.ndarray) -> None:
        """Bound node prices by the marginal steps of their own orders."""
        model, x = self._model, self._solution.step_lots
        count = len(self._market.nodes)
        self._low = np.full(count, -np.inf)
        self._high = np.full(count, np.inf)
        some = x > FLOW_TOLERANCE
        part = (x < lots - FLOW_TOLERANCE) & (lots > 0)
        raises = np.where(model.step_buy, part, some)
        lowers = np.where(model.step_buy, some, part)
        # Steps of a side stand sorted by node and price: of those at a node the last one counts.
        for side in (model.step_buy, ~model.step_buy):
            rising = np.flatnonzero(raises & side)
            falling = np.flatnonzero(lowers & side)[::-1]
            found = np.full((2, count), [[-np.inf], [np.inf]])
            found[0, model.step_node[rising]] = model.step_price[rising]
            found[1, model.step_node[falling]] = model.step_price[falling]
            self._low = np.maximum(self._low, found[0])
            self._high = np.minimum(self._high, found[1])
        self._has_steps = np.bincount(model.step_node, minlength=count) > 0
        self._system.node_low = self._low

    def build(self) -> PriceSystem:
        arcs, flow = self._market.arcs, self._solution.arc_lots
        lot = self._market.lot
        full = set(self._solution.full.tolist())
        congested = []
        used = np.flatnonzero(flow > FLOW_TOLERANCE).tolist()
        touched: set[int] = set()
        for arc in used:
            start, end = int(arcs.start[arc]), int(arcs.end[arc])
            touched.update((start, end))
            steps = [2 * link + direction for link, direction in arcs.steps[arc]]
            cost = float(arcs.cost[arc] / lot[arcs.product[arc]])
            if full.intersection(steps):
                congested.append((start, end, cost, [s for s in steps if s in full], arc))
            else:
                self._join(start, end, cost)
        self._add_unknowns(touched)
        for link in sorted(full):
            self._system.rent_unknown[link] = self._unknown(
                0.0, np.inf, float(self._solution.rent[link])
            )
        for start, end, cost, steps, arc in congested:
            self._tie(start, end, cost, steps, int(arcs.product[arc]))
        self._add_targets()
        return self._system

    def _find(self, node: int) -> tuple[int, float]:
        offset = 0.0
        while self._root[node] != node:
            offset += self._offset[node]
            node = self._root[node]
        return node, offset

    def _join(self, start: int, end: int, cost: float) -> None:
        """Record price[end] = price[start] + cost."""
        first, first_offset = self._find(start)
        second, second_offset = self._find(end)
        gap = first_offset + cost - second_offset
        if first == second:
            if abs(gap) > 1e-7:
                self._system.consistent = False
            return
        self._root[second] = first
        self._offset[second] = gap

    def _unknown(self, low: float, high: float, anchor: float) -> int:
        system = self._system
        system.lower.append(low)
        system.upper.append(high)
        system.anchors.append(min(max(anchor, low), high))
        return len(system.lower) - 1

    def _add_unknowns(self, touched: set[int]) -> None:
        unknown_of: dict[int, int] = {}
        market, system = self._market, self._system
        sells = (market.node_kind == Kind.SUPPLY) & self._has_steps
        sells[list(touched)] = True
        count = len(market.nodes)
        system.node_unknown = np.full(count, -1, dtype=np.int64)
        system.node_offset = np.zeros(count)
        for number in np.flatnonzero(sells).tolist():
            root, offset = self._find(number)
            product = self._bands[market.nodes[number].product]
            low = max(float(self._low[number]), product[0]) - offset
            high = min(float(self._high[number]), product[1]) - offset
            if root not in unknown_of:
                anchor = float(self._solution.node_price[number]) - offset
                unknown_of[root] = self._unknown(low, high, anchor)
            unknown = unknown_of[root]
            self._narrow(unknown, low, high)
            system.price_of[number] = Affine(offset, ((unknown, 1.0),))
            system.node_unknown[number] = unknown
            system.node_offset[number] = offset

    def _narrow(self, unknown: int, low: float, high: float) -> None:
        system = self._system
        system.lower[unknown] = max(system.lower[unknown], low)
        system.upper[unknown] = min(system.upper[unknown], high)
        gap = system.lower[unknown] - system.upper[unknown]
        if gap > 1e-7:
            system.consistent = False
        elif gap > 0:
            system.upper[unknown] = system.lower[unknown]

    def _tie(self, start: int, end: int, cost: float, steps: list[int], product: int) -> None:
        first, second = self._system.price_of[start], self._system.price_of[end]
        bandwidth = float(self._market.auction.products[product].bandwidth)
        merged: dict[int, float] = {}
        for unknown, coefficient in second.terms:
            merged[unknown] = merged.get(unknown, 0.0) + coefficient
        for unknown, coefficient in first.terms:
            merged[unknown] = merged.get(unknown, 0.0) - coefficient
        for step in steps:
            unknown = self._system.rent_unknown[step]
            merged[unknown] = merged.get(unknown, 0.0) - bandwidth
        terms = tuple(sorted((k, c) for k, c in merged.items() if c != 0.0))
        limit = cost + first.constant - second.constant
        self._system.conditions.append(Condition(terms, limit, equal=True))

    def _add_targets(self) -> None:
        """Aim each cell at the midpoint of what its own orders admit."""
        market, system = self._market, self._system
        supply = np.flatnonzero(market.node_kind == Kind.SUPPLY)
        network = market.network_of[supply]
        own = system.node_unknown[supply] >= 0
        low = np.where(own, self._low[supply], self._low[network])
        high = np.where(own, self._high[supply], self._high[network])
        both = np.maximum(low, self._low[network]), np.minimum(high, self._high[network])
        fits = own & (both[0] <= both[1])
        low, high = np.where(fits, both[0], low), np.where(fits, both[1], high)
        at = np.where(own, supply, network)
        low = np.where(np.isfinite(low), low, high)
        high = np.where(np.isfinite(high), high, low)
        aimed = np.flatnonzero(np.isfinite(low) & (system.node_unknown[at] >= 0))
        middle = (low[aimed] + high[aimed]) / 2
        unknowns = system.node_unknown[at[aimed]]
        goals = middle - system.node_offset[at[aimed]]
        system.targets.extend(zip(unknowns.tolist(), goals.tolist(), strict=True))
