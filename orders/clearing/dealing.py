"""Link capacity dealt out to single arcs in whole lots, while the rest of the period gives way.

Products of many sizes share a link: making room for a lot of one may take twenty lots of another.
So the fractions that matter most are settled first, the period is cleared again around them, and
what has no answer is tried in halves until the one fraction is found that must go the other way.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from orders.clearing.period_clearing import PeriodModel
from orders.clearing.period_solution import PeriodSolution
from orders.clearing.types import BoolArray, FloatArray, IntArray

WHOLE = 1e-5
_ROUNDS = 8
# Rounds in which only what is fractional is limited; later ones limit all that crosses a full link.
_GENTLE = 12
_MOST_ROUNDS = 100
_REFILLS = 3
_GAIN = 1e-9
_SHIFT = 0.4


@dataclass(frozen=True, eq=False)
class Bounds:
    """Least and most lots by arc."""

    floor: FloatArray
    limit: FloatArray


@dataclass(frozen=True, eq=False)
class Dealer:
    """A period whose fixed parts are known.

    Attributes:
        model: the period.
        lots: lots on offer by step.
        injection: lots by node that profiles bring, whole.
        links: Gbit/s by link direction that profiles use.
        shift: added to the fractions by arc before they are rounded.
        stuck: arcs that could go neither way in an earlier turn; they are settled first.
    """

    model: PeriodModel
    lots: IntArray
    injection: FloatArray
    links: FloatArray
    shift: FloatArray | None = None
    stuck: list[int] = field(default_factory=list)

    def deal_at_once(self, limit: FloatArray) -> PeriodSolution | None:
        """Return a whole answer with all full links dealt out at once; None where that fails.

        With the capacity of full links dealt out to single arcs in whole lots, what remains is a
        pure network with whole bounds, whose vertices are whole.
        """
        bounds = Bounds(np.zeros(len(limit)), limit)
        for _ in range(_ROUNDS):
            solution = self._solve(bounds)
            if solution is None or is_whole(solution):
                return solution
            bounds = replace(bounds, limit=self._dealt_out(solution, bounds.limit))
        return None

    def deal_in_turn(self, limit: FloatArray, turn: int = 0) -> PeriodSolution | None:
        """Return a whole answer, fractions settled a few at a time; None where none was found.

        First come those that lead to a node where a profile needs an exact number of lots.

        Args:
            limit: lots by arc.
            turn: which of several ways to round; all but the first shift the fractions a little.
        """
        shift = np.random.default_rng(turn).uniform(-_SHIFT, _SHIFT, len(limit))
        return replace(self, shift=shift if turn else None)._deal_in_turn(limit)

    def _deal_in_turn(self, limit: FloatArray) -> PeriodSolution | None:
        found = self._dealt_from(Bounds(np.zeros(len(limit)), limit))
        for _ in range(_REFILLS):
            if found is None:
                break
            # What was limited for something that gave way later may be taken up again.
            floor = np.rint(found.arc_lots)
            more = self._dealt_from(Bounds(floor, np.maximum(limit, floor)))
            if more is None or more.welfare <= found.welfare + _GAIN * abs(found.welfare):
                break
            found = more
        return found

    def _dealt_from(self, bounds: Bounds) -> PeriodSolution | None:
        solution = self._solve(bounds)
        for turn in range(_MOST_ROUNDS):
            if solution is None or is_whole(solution):
                return solution
            arcs, lots, is_up = self._next(solution, bounds, gentle=turn < _GENTLE)
            if not len(arcs):
                return None
            found = self._settle(bounds, arcs, lots, is_up)
            if found is None:
                return None
            solution, bounds = found
        return None

    def _solve(self, bounds: Bounds) -> PeriodSolution | None:
        return self.model.solve(
            self.lots,
            self.injection,
            self.links,
            arc_limit=bounds.limit,
            arc_floor=bounds.floor,
        )

    def _next(
        self, solution: PeriodSolution, bounds: Bounds, *, gentle: bool
    ) -> tuple[IntArray, FloatArray, BoolArray]:
        """Return which arcs to settle, at how many lots, and whether that is at least or at most.

        Fractions on the way to an exact number of lots are rounded to the nearest, the clearest
        ones first; all others are dealt what room there is.
        """
        flow = solution.arc_lots
        is_part = np.abs(flow - np.rint(flow)) > WHOLE
        is_exact = self.injection[self.model.market.arcs.end] < 0
        arcs = np.intersect1d(np.flatnonzero(is_part & is_exact), self._over_full(solution))
        if len(arcs):
            part = self._shifted(arcs, flow[arcs] - np.floor(flow[arcs]))
            is_late = ~np.isin(arcs, self.stuck)
            order = np.lexsort((arcs, -np.round(np.abs(part - 0.5), 6), is_late))
            arcs, is_up = arcs[order], part[order] > 0.5
            return arcs, np.floor(flow[arcs]) + is_up, is_up
        dealt = np.maximum(self._dealt_out(solution, bounds.limit), bounds.floor)
        if gentle:
            dealt = np.where(is_part, dealt, bounds.limit)
        arcs = np.flatnonzero(dealt != bounds.limit)
        return arcs, dealt[arcs], np.zeros(len(arcs), dtype=bool)

    def _settle(
        self, bounds: Bounds, arcs: IntArray, lots: FloatArray, is_up: BoolArray
    ) -> tuple[PeriodSolution, Bounds] | None:
        """Bound arcs from below or above; halves where all at once have no answer.

        A single one without an answer is bounded the other way; None where that fails too.
        """
        tight = _bounded(bounds, arcs, lots, is_up)
        solution = self._solve(tight)
        if solution is not None:
            return solution, tight
        if len(arcs) == 1:
            tight = _bounded(bounds, arcs, np.where(is_up, lots - 1, lots + 1), ~is_up)
            solution = self._solve(tight)
            if solution is None:
                self.stuck.append(int(arcs[0]))
                return None
            return solution, tight
        half = len(arcs) // 2
        found = self._settle(bounds, arcs[:half], lots[:half], is_up[:half])
        if found is None:
            return None
        flow = found[0].arc_lots[arcs[half:]]
        still = np.abs(flow - np.rint(flow)) > WHOLE
        if not still.any():
            return found
        up = is_up[half:][still]
        flow = flow[still]
        whole = np.where(up, np.ceil(flow - WHOLE), np.floor(flow + WHOLE))
        return self._settle(found[1], arcs[half:][still], whole, up)

    def _shifted(self, arcs: IntArray, part: FloatArray) -> FloatArray:
        return part if self.shift is None else part + self.shift[arcs]

    def _over_full(self, solution: PeriodSolution) -> IntArray:
        """Return the arcs that cross a full link."""
        arcs = self.model.market.arcs
        full = np.zeros(len(self.links), dtype=bool)
        full[solution.full] = True
        return np.unique(arcs.use_arc[full[arcs.use_link]])

    def _dealt_out(self, solution: PeriodSolution, limit: FloatArray) -> FloatArray:
        """Limit the arcs over full links to whole lots, remainders first where room is left."""
        arcs, capacity = self.model.market.arcs, self.model.capacity
        out = limit.copy()
        affected = self._over_full(solution)
        flow = solution.arc_lots
        out[affected] = np.floor(flow[affected] + WHOLE)
        taken = flow.copy()
        taken[affected] = out[affected]
        room = (
            capacity
            - self.links
            - np.bincount(
                arcs.use_link,
                weights=taken[arcs.use_arc] * arcs.use_bandwidth,
                minlength=len(capacity),
            )
        )
        remainder = flow[affected] - out[affected]
        wish = self._shifted(affected, remainder)
        for position in np.lexsort((affected, -np.round(wish, 6))).tolist():
            arc = int(affected[position])
            if remainder[position] <= WHOLE:
                continue
            uses = arcs.use_arc == arc
            if np.all(room[arcs.use_link[uses]] >= arcs.use_bandwidth[uses] - 1e-9):
                room[arcs.use_link[uses]] -= arcs.use_bandwidth[uses]
                out[arc] += 1
        return out


def is_whole(solution: PeriodSolution) -> bool:
    """Whether steps and arcs carry whole lots."""
    return all(
        bool(np.all(np.abs(x - np.rint(x)) < WHOLE))
        for x in (solution.step_lots, solution.arc_lots)
    )


def _bounded(bounds: Bounds, arcs: IntArray, lots: FloatArray, is_up: BoolArray) -> Bounds:
    floor, limit = bounds.floor.copy(), bounds.limit.copy()
    floor[arcs[is_up]] = lots[is_up]
    limit[arcs[~is_up]] = lots[~is_up]
    return Bounds(floor, np.maximum(limit, floor))
