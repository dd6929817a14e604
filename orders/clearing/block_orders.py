"""The integer programme over all periods: which block orders to accept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from orders.clearing.candidates import published_ratio
from orders.clearing.merged_steps import EXACT_RANKS, MergedSteps, merge_steps
from orders.clearing.paying_ways import paying_arcs, supply_prices
from orders.clearing.period_clearing import FLOW_TOLERANCE
from orders.clearing.period_solution import PeriodSolution
from orders.clearing.solver import Programme, Solution, Solver
from orders.clearing.state import Book
from orders.clearing.types import BoolArray, FloatArray, IntArray

_COLUMN_ROUNDS = 60
# A programme of more columns than this takes seconds a round, and gets only a few.
_LARGE = 30_000
_FEW_ROUNDS = 3
_CENTRES = 4
_GENEROUS_ROUNDS = 2
_STEADY_ROUNDS = 4
_STEADY = 1e-6
# Smallest gain, in money units of the auction, that makes a way worth adding.
_GAIN = 1e-3


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Node prices by period and rents by period of the relaxed programme, and its ratios."""

    node_price: FloatArray
    rent: FloatArray
    ratios: FloatArray


class BlockProgramme:
    """Welfare over all periods with blocks as columns.

    Steps far from the price are merged and unused arcs left out, both only to propose a choice: the
    choice is evaluated exactly afterwards, and the bound is computed on the original orders.
    """

    def __init__(self, book: Book, base: tuple[PeriodSolution, ...], lots: IntArray) -> None:
        self._book = book
        self._base = base
        self._nodes = len(book.market.nodes)
        self._links = book.market.capacity.shape[0]
        self._periods = len(book.models)
        self._lots = lots
        self._reference = np.stack([solution.node_price for solution in base])
        self._steps = self._merge_steps()
        self._generous = 0
        self._settler: tuple[Solver, int] | None = None
        # What the integer programme proves no choice can exceed, merged steps taken as they are.
        self.most = np.inf
        self._arcs = self._first_arcs()
        self._wanted, self._offered = self._places()
        self._binary = [k for k, c in enumerate(book.candidates) if c.min_acceptance < 1]

    @property
    def is_large(self) -> bool:
        """Whether an integer programme would prove nothing in useful time."""
        return self._block_start() + len(self._book.candidates) > _LARGE

    def _places(self) -> tuple[BoolArray, BoolArray]:
        """Return by period and node where anybody may consume, and where blocks may supply."""
        merit = self._book.merit
        wanted = np.zeros((self._periods, self._nodes), dtype=bool)
        offered = np.zeros_like(wanted)
        buys = merit.is_buy == 1
        wanted[merit.period[buys], merit.node[buys]] = True
        for candidate in self._book.candidates:
            for item in candidate.injections:
                (offered if item.lots > 0 else wanted)[item.period, item.node] = True
        return wanted, offered

    def _merge_steps(self) -> MergedSteps:
        return merge_steps(self._book, self._reference, self._lots)

    def _first_arcs(self) -> list[set[int]]:
        """Start with arcs within a hub, those used without blocks, and those that paid before.

        What paid is remembered for the auction: flexible orders are relaxed many times.
        """
        market = self._book.market
        if "paying" not in market.cache:
            inner = set(np.flatnonzero(market.arcs.hops == 0).tolist())
            market.cache["paying"] = [
                inner | set(np.flatnonzero(solution.arc_lots > FLOW_TOLERANCE).tolist())
                for solution in self._base
            ]
            self._generous = _GENEROUS_ROUNDS
        found = market.cache["paying"]
        assert isinstance(found, list)  # noqa: S101 - the only thing kept under this name
        return found

    def relax(self) -> Relaxation | None:
        """Solve with fractional blocks, steps merged anew until prices stay among exact ones."""
        found = None
        for _ in range(_CENTRES):
            relaxation = self._relax_once()
            if relaxation is None:
                break
            found = relaxation
            if not np.any(self._is_coarse(found.node_price)):
                break
            self._reference = found.node_price
            self._steps = self._merge_steps()
        return found

    def _is_coarse(self, price: FloatArray) -> BoolArray:
        """Return by period and node whether a price fell among merged steps."""
        merit = self._book.merit
        place = merit.period * self._nodes + merit.node
        known = self._reference[merit.period, merit.node]
        new = price[merit.period, merit.node]
        passed = (merit.price > np.minimum(known, new)) & (merit.price <= np.maximum(known, new))
        count = self._periods * self._nodes
        far = np.bincount(place, weights=passed, minlength=count) > EXACT_RANKS
        return far.reshape(self._periods, self._nodes)

    def _relax_once(self) -> Relaxation | None:
        """Solve with fractional blocks, adding ways until none would help."""
        programme = self._programme(integer=False)
        solver = Solver(programme)
        start = self._block_start()
        rounds = _COLUMN_ROUNDS if len(programme.cost) <= _LARGE else _FEW_ROUNDS
        relaxation = None
        values: list[float] = []
        for number in range(rounds):
            answer = solver.solve()
            if not len(answer.x):
                break
            relaxation = self._read(answer, start)
            new = self._helpful_arcs(relaxation, every=number < self._generous)
            values.append(answer.objective)
            if not any(len(arcs) for arcs in new) or _is_steady(values):
                break
            parts = Triplets()
            cost = self._add_arc_columns(parts, new, 0)
            solver.add_columns(cost, *parts.arrays())
            for known, arcs in zip(self._arcs, new, strict=True):
                known.update(arcs.tolist())
        return relaxation

    def choose(self, node_limit: int, barred: Sequence[int] = ()) -> dict[int, Decimal]:
        """Solve the integer programme without barred candidates: candidate number to ratio."""
        programme = self._programme(integer=True)
        start = self._block_start()
        programme.upper[start + np.array(barred, dtype=np.int64)] = 0.0
        answer = Solver(programme, node_limit=node_limit).solve()
        if not len(answer.x):
            return {}
        if not len(barred):
            self.most = -answer.least * self._book.unit
        chosen = {}
        for number, candidate in enumerate(self._book.candidates):
            ratio = published_ratio(float(answer.x[start + number]), candidate)
            if ratio > Decimal("0.5") if candidate.min_acceptance == 1 else ratio > 0:
                low = candidate.min_acceptance
                chosen[number] = min(max(ratio, low), Decimal(1)) if low < 1 else Decimal(1)
        return chosen

    def settle(self, selection: Mapping[int, Decimal], number: int) -> Decimal | None:
        """Return the best ratio of one divisible candidate while all others stay as they are."""
        if self._settler is None:
            self._settler = (Solver(self._programme(integer=False)), self._block_start())
        solver, start = self._settler
        ratios = self._book.table.ratios(selection)
        low, high = ratios.copy(), ratios.copy()
        low[number] = float(self._book.candidates[number].min_acceptance)
        high[number] = 1.0
        solver.change_columns(start + np.arange(len(ratios)), low, high)
        answer = solver.solve()
        if not len(answer.x):
            return None
        return published_ratio(float(answer.x[start + number]), self._book.candidates[number])

    def _block_start(self) -> int:
        return len(self._steps.row) + sum(len(arcs) for arcs in self._arcs)

    def _read(self, answer: Solution, start: int) -> Relaxation:
        book = self._book
        rows = self._periods * self._nodes
        lot = book.market.lot[book.market.node_product]
        price = answer.row_dual[:rows].reshape(self._periods, self._nodes) * book.unit / lot
        rent = -answer.row_dual[rows : rows + self._periods * self._links] * book.unit
        ask = np.stack([model.cheapest_ask for model in book.models])
        # Where nothing is sold the dual may lie anywhere below the cheapest ask.
        raised = np.where(np.isfinite(ask) & ~self._offered, np.maximum(price, ask), price)
        return Relaxation(
            node_price=raised,
            rent=np.maximum(rent, 0.0).reshape(self._periods, self._links),
            ratios=answer.x[start : start + len(book.candidates)],
        )

    def _helpful_arcs(self, relaxation: Relaxation, *, every: bool) -> list[IntArray]:
        """Return per period the arcs left out so far on ways that would earn more than they cost.

        With `every`, on the cheapest way to each place of consumption, whether it earns or not.
        """
        book, market = self._book, self._book.market
        least: FloatArray | None = _GAIN * book.unit / market.lot[market.node_product]
        if every:
            least = None
        out = []
        for model, known in zip(book.models, self._arcs, strict=True):
            price = relaxation.node_price[model.period]
            rent = relaxation.rent[model.period]
            offered = self._offered[model.period]
            supply = supply_prices(market, price, model.cheapest_ask, offers_more=offered)
            arcs = paying_arcs(
                market, model.capacity, (supply, price, rent), self._wanted[model.period], least
            )
            out.append(np.array([arc for arc in arcs.tolist() if arc not in known], dtype=np.int64))
        return out

    def _programme(self, *, integer: bool) -> Programme:
        parts = Triplets()
        steps, book = self._steps, self._book
        parts.add(steps.row, np.arange(len(steps.row)), np.where(steps.is_buy == 1, -1.0, 1.0))
        known = [np.array(sorted(arcs), dtype=np.int64) for arcs in self._arcs]
        arc_cost = self._add_arc_columns(parts, known, len(steps.row))
        start = self._block_start()
        self._add_block_columns(parts, start)
        blocks = len(book.candidates)
        rows = self._periods * (self._nodes + self._links)
        row_lower = [
            np.zeros(self._periods * self._nodes),
            np.full(rows - self._periods * self._nodes, -np.inf),
        ]
        row_upper = [np.zeros(self._periods * self._nodes), book.market.capacity.T.reshape(-1)]
        extra = self._logic_rows(start, integer=integer)
        for number, (terms, _) in enumerate(extra):
            for column, value in terms:
                parts.add_one(rows + number, column, value)
        row_lower.append(np.full(len(extra), -np.inf))
        row_upper.append(np.array([limit for _, limit in extra], dtype=float))
        switches = len(self._binary) if integer else 0
        worth = np.array([-c.worth / book.unit for c in book.candidates])
        columns = [steps.cost, arc_cost, worth, np.zeros(switches)]
        upper = [
            steps.lots,
            np.full(len(arc_cost), np.inf),
            np.ones(blocks),
            np.ones(switches),
        ]
        kinds = []
        if integer:
            kinds = [start + k for k in range(blocks) if k not in set(self._binary)]
            kinds += list(range(start + blocks, start + blocks + switches))
        entry_row, entry_column, entry_value = parts.arrays()
        return Programme(
            cost=np.concatenate(columns),
            lower=np.zeros(sum(len(c) for c in columns)),
            upper=np.concatenate(upper),
            row_lower=np.concatenate(row_lower),
            row_upper=np.concatenate(row_upper),
            entry_row=entry_row,
            entry_column=entry_column,
            entry_value=entry_value,
            integer=np.array(kinds, dtype=np.int64),
        )

    def _add_arc_columns(
        self, parts: "Triplets", by_period: list[IntArray], column: int
    ) -> FloatArray:
        """Add the arcs of every period from a column on and return their costs."""
        arcs = self._book.market.arcs
        link_rows = self._periods * self._nodes
        costs = []
        for period, chosen in enumerate(by_period):
            columns = column + np.arange(len(chosen))
            parts.add(
                period * self._nodes + arcs.start[chosen], columns, np.full(len(chosen), -1.0)
            )
            parts.add(period * self._nodes + arcs.end[chosen], columns, np.full(len(chosen), 1.0))
            place = np.full(len(arcs.start), -1, dtype=np.int64)
            place[chosen] = columns
            used = place[arcs.use_arc] >= 0
            parts.add(
                link_rows + period * self._links + arcs.use_link[used],
                place[arcs.use_arc[used]],
                arcs.use_bandwidth[used],
            )
            costs.append(arcs.cost[chosen] / self._book.unit + 1e-4)
            column += len(chosen)
        return np.concatenate(costs) if costs else np.zeros(0)

    def _add_block_columns(self, parts: "Triplets", start: int) -> None:
        link_rows = self._periods * self._nodes
        for number, candidate in enumerate(self._book.candidates):
            for item in candidate.injections:
                row = item.period * self._nodes + item.node
                parts.add_one(row, start + number, float(item.lots))
            for use in candidate.link_uses:
                row = link_rows + use.period * self._links + use.link
                parts.add_one(row, start + number, use.bandwidth)

    def _logic_rows(
        self, start: int, *, integer: bool
    ) -> list[tuple[list[tuple[int, float]], float]]:
        """Minimum acceptance, exclusive groups, links between orders, listing capacity."""
        candidates = self._book.candidates
        switch = {k: start + len(candidates) + n for n, k in enumerate(self._binary)}
        on = {k: switch.get(k, start + k) if integer else start + k for k in range(len(candidates))}
        rows: list[tuple[list[tuple[int, float]], float]] = []
        if integer:
            for k in self._binary:
                low = float(candidates[k].min_acceptance)
                rows.append(([(start + k, 1.0), (switch[k], -1.0)], 0.0))
                rows.append(([(start + k, -1.0), (switch[k], low)], 0.0))
        by_order: dict[int, list[int]] = {}
        for k, candidate in enumerate(candidates):
            by_order.setdefault(candidate.order, []).append(k)
        for members in by_order.values():
            if len(members) > 1:
                rows.append(([(on[k], 1.0) for k in members], 1.0))
        rows.extend(self._link_rows(start, by_order))
        rows.extend(self._listing_rows(start))
        return rows

    def _link_rows(
        self, start: int, by_order: dict[int, list[int]]
    ) -> list[tuple[list[tuple[int, float]], float]]:
        blocks = self._book.market.auction.blocks
        place = {order.order_id: number for number, order in enumerate(blocks)}
        rows = []
        for number, order in enumerate(blocks):
            if order.parent_order_id is None:
                continue
            parents = by_order.get(place[order.parent_order_id], [])
            terms = [(start + k, 1.0) for k in by_order.get(number, [])]
            rows.append((terms + [(start + k, -1.0) for k in parents], 0.0))
        return rows

    def _listing_rows(self, start: int) -> list[tuple[list[tuple[int, float]], float]]:
        terms: dict[tuple[int, int, int], list[tuple[int, float]]] = {}
        for k, candidate in enumerate(self._book.candidates):
            for place, lots in candidate.listing_places:
                terms.setdefault(place, []).append((start + k, float(lots)))
        rows = []
        listings = self._book.market.auction.listings
        for (listing, product, period), found in sorted(terms.items()):
            capacity = listings[listing].capacity_lots.get((product, period))
            if capacity is not None:
                rows.append((found, float(capacity)))
        return rows


def _is_steady(values: list[float]) -> bool:
    """Whether the last rounds of new columns were hardly worth their while."""
    if len(values) <= _STEADY_ROUNDS:
        return False
    return values[-1 - _STEADY_ROUNDS] - values[-1] <= _STEADY * abs(values[-1])


class Triplets:
    """Collects matrix entries; entries that meet in one place are added up."""

    def __init__(self) -> None:
        self._rows: list[IntArray] = []
        self._columns: list[IntArray] = []
        self._values: list[FloatArray] = []
        self._single: list[tuple[int, int, float]] = []

    def add(self, rows: IntArray, columns: IntArray, values: FloatArray) -> None:
        """Add parallel arrays of entries."""
        self._rows.append(rows)
        self._columns.append(columns)
        self._values.append(values)

    def add_one(self, row: int, column: int, value: float) -> None:
        """Add one entry."""
        self._single.append((row, column, value))

    def arrays(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Return the merged entries."""
        single: dict[tuple[int, int], float] = {}
        for row, column, value in self._single:
            single[row, column] = single.get((row, column), 0.0) + value
        keys = np.array(list(single), dtype=np.int64).reshape(-1, 2)
        return (
            np.concatenate([*self._rows, keys[:, 0]]),
            np.concatenate([*self._columns, keys[:, 1]]),
            np.concatenate([*self._values, np.array(list(single.values()), dtype=float)]),
        )
