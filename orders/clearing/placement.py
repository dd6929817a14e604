"""Places `single` buys: one listing serves the whole accepted profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from orders.clearing.candidates import Candidate, leg_lots, seller_keys
from orders.clearing.period_clearing import FLOW_TOLERANCE
from orders.clearing.quantities import PeriodLots
from orders.clearing.state import Book, Outcome
from orders.clearing.types import IntArray


@dataclass(frozen=True)
class Placements:
    """Which curve rows serve each placed candidate, and the candidates nobody could serve whole.

    `served` maps a candidate to (period, curve row, lots).
    """

    served: Mapping[int, tuple[tuple[int, int, int], ...]] = field(default_factory=dict)
    failed: tuple[int, ...] = ()

    def floors(self) -> dict[int, int]:
        """Return the lots each curve row must at least get."""
        out: dict[int, int] = {}
        for rows in self.served.values():
            for _, row, lots in rows:
                out[row] = out.get(row, 0) + lots
        return out


def place_singles(book: Book, outcome: Outcome, lots: list[PeriodLots] | None = None) -> Placements:
    """Find a listing for every accepted single-placed buy, large profiles first.

    Without `lots` of the periods, the fractional answer is taken, rounded down.
    """
    singles = [k for k in outcome.selection if book.candidates[k].is_single]
    if not singles:
        return Placements()
    if lots is None:
        parts = [np.floor(solution.step_lots + FLOW_TOLERANCE) for solution in outcome.solutions]
    else:
        parts = [part.steps for part in lots]
    stock = _Stock(book, outcome, np.concatenate(parts).astype(np.int64))
    served = {}
    failed = []
    need_of = {k: _needs(book, k, outcome) for k in singles}
    for k in sorted(singles, key=lambda k: (-sum(need_of[k].values()), k)):
        # A share so small that no leg keeps a whole lot is no placement either.
        rows = stock.place(book.candidates[k], need_of[k]) if need_of[k] else None
        if rows is None:
            failed.append(k)
        else:
            served[k] = rows
    return Placements(served, tuple(failed))


def _needs(book: Book, number: int, outcome: Outcome) -> dict[int, int]:
    candidate = book.candidates[number]
    option = book.market.auction.blocks[candidate.order].options[candidate.option]
    need: dict[int, int] = {}
    for leg in option.legs:
        lots = leg_lots(leg, outcome.selection[number])
        if lots:
            need[leg.period] = need.get(leg.period, 0) + lots
    return need


class _Stock:
    """Accepted curve supply by node, listing and period, used up as orders are placed."""

    def __init__(self, book: Book, outcome: Outcome, accepted: IntArray) -> None:
        self._book = book
        merit = book.merit
        self._step_left = accepted.copy()
        offered = book.offered(outcome.selection)
        self._rows: dict[tuple[int, str], dict[int, list[int]]] = {}
        self._left = np.zeros(len(offered), dtype=np.int64)
        keys = seller_keys(book.market)
        curves = book.market.auction.curves
        # Cheapest rows first, so that the marginal step, which others share, is touched last.
        order = np.lexsort((np.arange(len(offered)), curves.price_ticks))
        sold = ~curves.is_buy & (accepted[merit.step_of_order] > 0)
        self._left[sold] = offered[sold]
        order = order[sold[order]]
        places = zip(
            order.tolist(),
            merit.node_of_order[order].tolist(),
            curves.period[order].tolist(),
            strict=True,
        )
        for row, node, period in places:
            self._rows.setdefault((node, keys[row]), {}).setdefault(period, []).append(row)

    def place(
        self, candidate: Candidate, need: Mapping[int, int]
    ) -> tuple[tuple[int, int, int], ...] | None:
        """Take the profile from the smallest listing that can serve it, or return None."""
        order = self._book.market.auction.blocks[candidate.order]
        node = candidate.injections[0].node
        best: tuple[int, str] | None = None
        for place, periods in self._rows.items():
            if place[0] != node:
                continue
            if order.eligible_listings and place[1] not in order.eligible_listings:
                continue
            sizes = [self._size(periods.get(period, [])) for period in need]
            if all(size >= wanted for size, wanted in zip(sizes, need.values(), strict=True)):
                rank = (sum(sizes), place[1])
                if best is None or rank < best:
                    best = rank
        return None if best is None else self._take((node, best[1]), need)

    def _size(self, rows: list[int]) -> int:
        steps = self._book.merit.step_of_order
        left: dict[int, int] = {}
        for row in rows:
            step = int(steps[row])
            left[step] = left.get(step, 0) + int(self._left[row])
        return sum(min(lots, int(self._step_left[step])) for step, lots in left.items())

    def _take(
        self, place: tuple[int, str], need: Mapping[int, int]
    ) -> tuple[tuple[int, int, int], ...]:
        steps = self._book.merit.step_of_order
        taken = []
        for period, wanted in sorted(need.items()):
            for row in self._rows[place][period]:
                lots = min(wanted, int(self._left[row]), int(self._step_left[steps[row]]))
                if lots > 0:
                    self._left[row] -= lots
                    self._step_left[steps[row]] -= lots
                    taken.append((period, row, lots))
                    wanted -= lots
        return tuple(taken)
