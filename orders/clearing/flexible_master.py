"""The relaxed programme that grows by the columns flexible orders ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from orders.clearing.block_orders import BlockProgramme, Relaxation, Triplets
from orders.clearing.candidates import Candidate
from orders.clearing.flexible_columns import Column
from orders.clearing.flexible_surplus import flexible_node
from orders.clearing.solver import Solver
from orders.clearing.state import Book, Outcome
from orders.clearing.types import FloatArray, IntArray

_CENTRES = 3
_ROUNDS = 60
_STEADY_ROUNDS = 3
_STEADY = 1e-7

# Prices and rents to the new columns that would pay at them
Ask = Callable[[FloatArray, FloatArray], Sequence[tuple[Column, Candidate]]]


@dataclass
class Grown:
    """Columns in the order they came, their shares, and the last prices."""

    columns: list[Column] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    ratios: FloatArray = field(default_factory=lambda: np.zeros(0))
    relaxation: Relaxation | None = None

    def add(self, fresh: Sequence[tuple[Column, Candidate]]) -> None:
        """Append columns."""
        self.columns.extend(column for column, _ in fresh)
        self.candidates.extend(candidate for _, candidate in fresh)


class FlexibleMaster(BlockProgramme):
    """Welfare with blocks and flexible orders relaxed, on one solver that stays loaded.

    Every flexible order has a row: its columns add up to one at most.
    """

    def __init__(self, book: Book, base: Outcome) -> None:
        super().__init__(book, base.solutions, base.lots)
        self._orders = book.market.auction.flexibles
        for order in self._orders:
            window = slice(order.earliest_period, order.latest_period + 1)
            self._wanted[window, flexible_node(book.market, order)] = True

    def grow(self, ask: Ask) -> Grown:
        """Add columns until no order has a better one; steps are merged anew around the prices."""
        grown = Grown()
        for _ in range(_CENTRES):
            self._grow_once(grown, ask)
            found = grown.relaxation
            if found is None or not np.any(self._is_coarse(found.node_price)):
                break
            self._reference = found.node_price
            self._steps = self._merge_steps()
        return grown

    def _grow_once(self, grown: Grown, ask: Ask) -> None:
        programme = self._programme(integer=False)
        solver, start = Solver(programme), self._block_start()
        self._first_row = len(programme.row_upper) - len(self._orders)
        count = len(programme.cost)
        places: list[int] = []
        if grown.columns:
            none = [np.zeros(0, dtype=np.int64) for _ in self._arcs]
            self._append(solver, none, grown, 0)
            places = list(range(count, count + len(grown.columns)))
            count += len(grown.columns)
        values: list[float] = []
        for number in range(_ROUNDS):
            answer = solver.solve()
            if not len(answer.x):
                return
            grown.relaxation = self._read(answer, start)
            grown.ratios = answer.x[np.array(places, dtype=np.int64)]
            known = len(grown.columns)
            values.append(answer.objective)
            grown.add(ask(grown.relaxation.node_price, grown.relaxation.rent))
            arcs = self._helpful_arcs(grown.relaxation, every=number < self._generous)
            fresh = len(grown.columns) - known
            ways = sum(len(chosen) for chosen in arcs)
            if not fresh and (not ways or _is_steady(values)):
                return
            self._append(solver, arcs, grown, known)
            places.extend(range(count + ways, count + ways + fresh))
            count += ways + fresh
        # Columns of the last round were never solved with: they have no share.
        grown.ratios = np.append(grown.ratios, np.zeros(len(grown.columns) - len(grown.ratios)))

    def _append(self, solver: Solver, arcs: list[IntArray], grown: Grown, known: int) -> None:
        """Add arcs, then the columns after the first `known`."""
        parts = Triplets()
        cost = self._add_arc_columns(parts, arcs, 0)
        links = self._periods * self._nodes
        worth = []
        pairs = zip(grown.columns[known:], grown.candidates[known:], strict=True)
        for column, (way, candidate) in enumerate(pairs, start=len(cost)):
            parts.add_one(self._first_row + way.order, column, 1.0)
            for item in candidate.injections:
                parts.add_one(item.period * self._nodes + item.node, column, float(item.lots))
            for use in candidate.link_uses:
                row = links + use.period * self._links + use.link
                parts.add_one(row, column, use.bandwidth)
            worth.append(-candidate.worth / self._book.unit)
        solver.add_columns(np.concatenate([cost, np.array(worth)]), *parts.arrays())
        for own, chosen in zip(self._arcs, arcs, strict=True):
            own.update(chosen.tolist())

    def _logic_rows(
        self, start: int, *, integer: bool
    ) -> list[tuple[list[tuple[int, float]], float]]:
        rows = super()._logic_rows(start, integer=integer)
        return rows + [([], 1.0) for _ in self._orders]


def _is_steady(values: list[float]) -> bool:
    if len(values) <= _STEADY_ROUNDS:
        return False
    return values[-1 - _STEADY_ROUNDS] - values[-1] <= _STEADY * abs(values[-1])
