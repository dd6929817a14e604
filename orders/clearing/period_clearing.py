"""Exact clearing of the divisible orders of one period, indivisible acceptances fixed."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from orders.clearing.errors import SolverFailed
from orders.clearing.loaded_programme import USED, LoadedProgramme
from orders.clearing.market import Market
from orders.clearing.merit_order import MeritOrder
from orders.clearing.paying_ways import paying_arcs, supply_prices
from orders.clearing.period_solution import PeriodSolution, PeriodStart
from orders.clearing.solver import Programme, Solution, Solver, SolveStatus, solve
from orders.clearing.types import FloatArray, IntArray
from orders.clearing.windows import RUNGS, WIDTH, Ladder, Window, coarse_rungs, cut_window

# Among welfare-equal results volume is maximised, then the number of links is minimised: both as
# shares of the smallest possible welfare difference, far above the solver's tolerance of 1e-7.
_VOLUME_BONUS = 1e-2
_LINK_MALUS = 1e-4
FLOW_TOLERANCE = 1e-6
_ROUNDS = 60
_WIDER = 4
_FEW_ARCS = 300
# In units of cost: below the link malus, so that no way that counts is missed.
_GAIN = 1e-5
# What missing a fixed injection costs, over the dearest order.
_SHORTAGE = 20.0


class PeriodModel:
    """The linear programme of one period, kept loaded for repeated solves.

    Columns are the steps near the price and the arcs that paid so far; rows are node balances, then
    link directions. Steps and ways left out are checked after each solve, and taken in where they
    would change the answer: it is that of the whole book.
    """

    def __init__(self, market: Market, merit: MeritOrder, period: int, unit: float) -> None:
        self.market = market
        self.period = period
        self.steps = merit.steps_of(period)
        self.step_node = merit.node[self.steps]
        self.step_buy = merit.is_buy[self.steps].astype(bool)
        self.step_price = merit.price[self.steps]
        self._unit = unit
        self.lot = market.lot[market.node_product]
        arcs = market.arcs
        self._step_cost = self.step_price * self.lot[self.step_node]
        self._step_cost = np.where(self.step_buy, -self._step_cost, self._step_cost)
        self._true_cost = np.concatenate([self._step_cost, arcs.cost])
        self.capacity = market.capacity[:, period]
        self._ladder = Ladder.of(self.step_node, self.step_price, len(market.nodes))
        self._centre: FloatArray | None = None
        # A small network is held whole; of a large one the ways are found that pay.
        inner = np.flatnonzero(arcs.hops == 0)
        self._known = np.arange(len(arcs.start)) if len(arcs.start) <= _FEW_ARCS else inner
        self._loaded: LoadedProgramme | None = None
        self._start: PeriodStart | None = None
        self._last_missing = np.zeros(len(market.nodes))

    @property
    def step_count(self) -> int:
        """Number of steps of the period."""
        return len(self.step_node)

    def worth(self, steps: IntArray, arcs: IntArray) -> float:
        """Return the welfare of whole lots by step and arc."""
        return -float(np.concatenate([steps, arcs]) @ self._true_cost)

    def programme(self, lots: IntArray) -> Programme:
        """Return the programme of all steps and arcs without any fixed injection."""
        nothing = np.zeros(self.step_count, dtype=bool)
        none = np.zeros(0, dtype=np.int64)
        everything = Window(
            np.arange(self.step_count), nothing, nothing, none, np.zeros(0), none, np.zeros(0)
        )
        plain = self._programme(everything, np.arange(len(self.market.arcs.start)))
        nodes = len(self.market.nodes)
        return replace(
            plain,
            upper=np.concatenate([lots.astype(float), plain.upper[self.step_count :]]),
            row_upper=np.concatenate([np.zeros(nodes), self.capacity]),
        )

    def _programme(self, window: Window, chosen: IntArray) -> Programme:
        nodes, links = len(self.market.nodes), len(self.capacity)
        inside, buy = window.inside, self.step_buy[window.inside]
        low, high = window.low_node, window.high_node
        cost = self._step_cost[inside] / self._unit - np.where(buy, _VOLUME_BONUS, 0.0)
        reliefs = [
            -window.low_price * self.lot[low] / self._unit - _VOLUME_BONUS,
            window.high_price * self.lot[high] / self._unit,
        ]
        first = len(inside) + len(low) + len(high)
        row, column, value = self._arc_entries(chosen)
        costs = np.concatenate([cost, *reliefs, self._arc_cost(chosen)])
        signs = np.concatenate([np.where(buy, -1.0, 1.0), -np.ones(len(low)), np.ones(len(high))])
        return Programme(
            cost=costs,
            lower=np.zeros(len(costs)),
            upper=np.concatenate([np.zeros(first), np.full(len(chosen), np.inf)]),
            row_lower=np.concatenate([np.zeros(nodes), np.full(links, -np.inf)]),
            row_upper=np.zeros(nodes + links),
            entry_row=np.concatenate([self.step_node[inside], low, high, row]),
            entry_column=np.concatenate([np.arange(first), first + column]),
            entry_value=np.concatenate([signs, value]),
        )

    def _arc_cost(self, chosen: IntArray) -> FloatArray:
        arcs = self.market.arcs
        return arcs.cost[chosen] / self._unit + _LINK_MALUS * arcs.hops[chosen]

    def _arc_entries(self, chosen: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Return rows, columns counted from the first arc, and values."""
        arcs, nodes = self.market.arcs, len(self.market.nodes)
        place = np.full(len(arcs.start), -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        used = np.flatnonzero(place[arcs.use_arc] >= 0)
        columns = np.arange(len(chosen))
        return (
            np.concatenate([arcs.start[chosen], arcs.end[chosen], nodes + arcs.use_link[used]]),
            np.concatenate([columns, columns, place[arcs.use_arc[used]]]),
            np.concatenate([-np.ones(len(chosen)), np.ones(len(chosen)), arcs.use_bandwidth[used]]),
        )

    def begin(self, lots: IntArray) -> PeriodStart:
        """Clear the steps alone, as the first thing that is asked of a model."""
        solution = self.solve(lots, np.zeros(len(self.market.nodes)), np.zeros(len(self.capacity)))
        loaded, centre = self._loaded, self._centre
        if solution is None or loaded is None or centre is None:
            raise SolverFailed(f"period {self.period + 1}: no answer without indivisible orders")
        basis = loaded.solver.basis()
        return PeriodStart(solution, centre, loaded.width, np.concatenate(loaded.columns), *basis)

    def go_on_from(self, start: PeriodStart) -> None:
        """Forget everything but a start, so that it does not matter which process made it."""
        self._start, self._loaded = start, None
        self._centre, self._known = start.centre, np.sort(start.arcs)

    def solve(
        self,
        lots: IntArray,
        injection: FloatArray,
        link_use: FloatArray,
        *,
        arc_limit: FloatArray | None = None,
        arc_floor: FloatArray | None = None,
    ) -> PeriodSolution | None:
        """Clear with fixed injections (lots by node, supply positive); None if impossible.

        Args:
            lots: quantity of each step.
            injection: lots by node.
            link_use: Gbit/s by link direction that is already taken.
            arc_limit: lots by arc; with it, only arcs with a limit above zero are used.
            arc_floor: least lots by arc, within their limits.
        """
        room = self.capacity - link_use
        if np.any(room < -1e-9):
            return None
        room = np.maximum(room, 0.0)
        answer = self._settled(lots, injection, room, (arc_limit, arc_floor))
        if answer is None:
            return None
        missing = self._missing(answer)
        if np.any(missing > USED):
            self._last_missing = missing
            return None
        return self._read(answer, lots, room)

    def _settled(
        self,
        lots: IntArray,
        injection: FloatArray,
        room: FloatArray,
        arc_bounds: tuple[FloatArray | None, FloatArray | None],
    ) -> Solution | None:
        """Solve until neither a step nor a way left out would change the answer."""
        if self._start is not None:
            self._resume(self._start)
        arc_limit = arc_bounds[0]
        if arc_limit is not None:
            self._take_in(np.flatnonzero(arc_limit > 0))
        width = np.full(len(self.market.nodes), WIDTH)
        for _ in range(_ROUNDS):
            answer = self._run(lots, injection, room, arc_bounds, width)
            if answer.status == SolveStatus.INFEASIBLE:
                if arc_limit is not None or not self._add_shortages(injection):
                    return None
                continue
            if answer.status != SolveStatus.OPTIMAL:
                raise SolverFailed(f"period {self.period + 1}: {answer.status.value}")
            # Both at once: a window that moves is loaded with the ways found beside it.
            more = arc_limit is None and self._add_ways(answer, injection)
            if self._widen(answer, width) or more:
                continue
            return answer
        raise SolverFailed(f"period {self.period + 1}: no end to widening")

    def missing(self, lots: IntArray, injection: FloatArray, link_use: FloatArray) -> FloatArray:
        """Return the lots by node that fixed injections miss where all that can be is served.

        Arguments are those of `solve`; nothing is missing where that finds an answer.
        """
        self._last_missing = np.zeros(len(self.market.nodes))
        self.solve(lots, injection, link_use)
        return self._last_missing

    def _add_shortages(self, injection: FloatArray) -> bool:
        """Let fixed injections be missed at a cost; False if they all may be."""
        loaded = self._loaded
        assert loaded is not None  # noqa: S101 - it has just been solved
        nodes = np.setdiff1d(np.flatnonzero(injection), loaded.short)
        if not len(nodes):
            return False
        loaded.let_miss(nodes, *self._shortage_costs(nodes))
        return True

    def _shortage_costs(self, nodes: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return what a lot costs that a node misses, or has too much: more than any order pays."""
        dear = _SHORTAGE * max(1.0, float(np.max(np.abs(self._true_cost))) / self._unit)
        cost = np.full(len(nodes), dear)
        return cost, cost

    def _missing(self, answer: Solution) -> FloatArray:
        loaded = self._loaded
        assert loaded is not None  # noqa: S101 - it has just been solved
        return loaded.missing(answer.x, len(self.market.nodes))

    def _load(self, lots: IntArray, width: IntArray) -> LoadedProgramme:
        if self._loaded is None:
            if self._centre is None:
                self._centre = self.first_centre(lots)
            self._loaded = self._loaded_with(self._centre, width, self._known)
        return self._loaded

    def _loaded_with(self, centre: FloatArray, width: IntArray, arcs: IntArray) -> LoadedProgramme:
        window = cut_window(self._ladder, centre, width)
        solver = Solver(self._programme(window, arcs), presolve=False)
        none = np.zeros(0, dtype=np.int64)
        return LoadedProgramme(solver, window, width.copy(), [arcs], none)

    def _resume(self, start: PeriodStart) -> None:
        self._start = None
        self._loaded = self._loaded_with(start.centre, start.width, start.arcs)
        self._loaded.solver.stand_at(start.column_basis, start.row_basis)

    def first_centre(self, lots: IntArray) -> FloatArray:
        """Begin at the prices of a coarse book: the whole network with few rungs at each node."""
        rungs = coarse_rungs(self._ladder, self.step_buy, lots, RUNGS)
        nodes, links, count = len(self.market.nodes), len(self.capacity), len(rungs.node)
        cost = rungs.price * self.lot[rungs.node] / self._unit
        row, column, value = self._arc_entries(self._known)
        answer = solve(
            Programme(
                cost=np.concatenate(
                    [np.where(rungs.is_buy, -cost, cost), self._arc_cost(self._known)]
                ),
                lower=np.zeros(count + len(self._known)),
                upper=np.concatenate([rungs.lots, np.full(len(self._known), np.inf)]),
                row_lower=np.concatenate([np.zeros(nodes), np.full(links, -np.inf)]),
                row_upper=np.concatenate([np.zeros(nodes), self.capacity]),
                entry_row=np.concatenate([rungs.node, row]),
                entry_column=np.concatenate([np.arange(count), count + column]),
                entry_value=np.concatenate([np.where(rungs.is_buy, -1.0, 1.0), value]),
            ),
            presolve=False,
        )
        if answer.status != SolveStatus.OPTIMAL:
            raise SolverFailed(f"period {self.period + 1}, coarse book: {answer.status.value}")
        return self._prices(answer.row_dual)

    def _run(
        self,
        lots: IntArray,
        injection: FloatArray,
        room: FloatArray,
        arc_bounds: tuple[FloatArray | None, FloatArray | None],
        width: IntArray,
    ) -> Solution:
        arc_limit, arc_floor = arc_bounds
        loaded = self._load(lots, width)
        window, nodes = loaded.window, len(self.market.nodes)
        fixed = np.where(window.below & ~self.step_buy, lots, 0)
        fixed = fixed - np.where(window.above & self.step_buy, lots, 0)
        supply = injection + np.bincount(self.step_node, weights=fixed, minlength=nodes)
        links = nodes + np.arange(len(room))
        loaded.solver.change_rows(np.arange(nodes), -supply, -supply)
        loaded.solver.change_rows(links, np.full(len(room), -np.inf), room)
        upper = lots[window.inside].astype(float)
        parts = [upper]
        for mask, own in ((window.below, window.low_node), (window.above, window.high_node)):
            weights = np.where(mask, lots, 0)
            parts.append(np.bincount(self.step_node, weights=weights, minlength=nodes)[own])
        kinds = loaded.kinds
        is_arc = kinds >= 0
        limit = np.full(len(kinds), np.inf)
        if arc_limit is not None:
            limit = np.where(is_arc, arc_limit[np.maximum(kinds, 0)], 0.0)
        node = np.maximum(0, -1 - kinds) // 2
        missing = np.where((-1 - kinds) % 2 == 0, -injection[node], injection[node])
        if arc_limit is None:
            limit = np.where(is_arc, limit, np.maximum(missing, 0.0))
        parts.append(limit)
        bounds = np.concatenate(parts)
        least = np.zeros(len(bounds))
        if arc_floor is not None:
            least[-len(kinds) :] = np.where(is_arc, arc_floor[np.maximum(kinds, 0)], 0.0)
        loaded.solver.change_columns(np.arange(len(bounds)), least, bounds)
        return loaded.solver.solve()

    def _prices(self, dual: FloatArray) -> FloatArray:
        return dual[: len(self.market.nodes)] * self._unit / self.lot

    def _widen(self, answer: Solution, width: IntArray) -> bool:
        """Widen and move the windows whose relief is used; True if there are any."""
        loaded = self._loaded
        if loaded is None or not len(loaded.reliefs):
            return False
        x = answer.x[len(loaded.window.inside) : loaded.first_arc]
        used = np.unique(loaded.reliefs[x > USED])
        if not len(used):
            return False
        width[used] *= _WIDER
        self._centre = self._prices(answer.row_dual)
        self._loaded = None
        return True

    def _take_in(self, arcs: IntArray) -> None:
        """Load more arcs; arcs once taken in stay."""
        new = np.setdiff1d(arcs, self._known)
        if not len(new):
            return
        self._known = np.union1d(self._known, new)
        if self._loaded is not None:
            row, column, value = self._arc_entries(new)
            self._loaded.solver.add_columns(self._arc_cost(new), row, column, value)
            self._loaded.columns.append(new)

    def _add_ways(self, answer: Solution, injection: FloatArray) -> bool:
        """Take in the cheapest ways to buyers that pay more than those cost."""
        known = len(self._known)
        if known == len(self.market.arcs.start):
            return False
        price = self._prices(answer.row_dual)
        rent = np.maximum(0.0, -answer.row_dual[len(self.market.nodes) :] * self._unit)
        wanted = np.bincount(self.step_node[self.step_buy], minlength=len(price)) > 0
        supply = supply_prices(self.market, price, self.cheapest_ask, offers_more=injection > 0)
        self._take_in(
            paying_arcs(
                self.market,
                self.capacity,
                (supply, price, rent),
                wanted | (injection < 0),
                _GAIN * self._unit / self.lot,
            )
        )
        return len(self._known) > known

    @cached_property
    def cheapest_ask(self) -> FloatArray:
        """Lowest price at which an order sells, by node; inf where none does."""
        ask = np.full(len(self.market.nodes), np.inf)
        sells = ~self.step_buy
        np.minimum.at(ask, self.step_node[sells], self.step_price[sells])
        return ask

    def _read(self, answer: Solution, lots: IntArray, room: FloatArray) -> PeriodSolution:
        loaded = self._loaded
        assert loaded is not None  # noqa: S101 - it has just been solved
        arcs, nodes = self.market.arcs, len(self.market.nodes)
        window = loaded.window
        steps = np.where(self.step_buy, window.above, window.below) * lots.astype(float)
        steps[window.inside] = answer.x[: len(window.inside)]
        flow = np.zeros(len(arcs.start))
        kinds = loaded.kinds
        flow[kinds[kinds >= 0]] = answer.x[loaded.first_arc :][kinds >= 0]
        used = np.bincount(
            arcs.use_link, weights=flow[arcs.use_arc] * arcs.use_bandwidth, minlength=len(room)
        )
        tight = (room - used <= 1e-7 * np.maximum(1.0, self.capacity)) & (self.capacity > 0)
        return PeriodSolution(
            step_lots=steps,
            arc_lots=flow,
            node_price=self._prices(answer.row_dual),
            rent=np.maximum(0.0, -answer.row_dual[nodes:] * self._unit),
            full=np.flatnonzero(tight),
            welfare=-float(np.concatenate([steps, flow]) @ self._true_cost),
        )
