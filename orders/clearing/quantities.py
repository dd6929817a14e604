"""Whole lots: the fractional answer of a period rounded without breaking balance or capacity."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from orders.clearing.errors import SolverFailed
from orders.clearing.filling import Freedom, fill_period
from orders.clearing.period_clearing import PeriodModel, PeriodSolution
from orders.clearing.published import EMPTY
from orders.clearing.solver import Programme, solve
from orders.clearing.state import Book, Outcome
from orders.clearing.types import FloatArray, IntArray

_WHOLE = 1e-5
_ROUNDS = 8
_NODE_LIMIT = 500
# Beyond this many columns a search in whole lots takes longer than it is worth.
_SEARCH_COLUMNS = 4000
# Two rounded prices may differ by one tick; a little more for their own rounding.
_TICK_NOISE = 1.01


@dataclass(frozen=True, eq=False)
class PeriodLots:
    """Accepted whole lots by step and by arc."""

    steps: IntArray
    arcs: IntArray


def whole_lots(book: Book, outcome: Outcome) -> list[PeriodLots]:
    """Return whole lots for every period, legs of blocks floored.

    With the capacity of full links dealt out to single arcs in whole lots, what remains is a pure
    network with whole bounds, whose vertices are whole.
    """
    out = []
    for task, solution in _tasks(book, outcome):
        if task is None:
            out.append(_rounded(solution))
            continue
        found = _round_period(task)
        if found is None:
            raise SolverFailed(f"period {task.model.period + 1}: no answer in whole lots")
        out.append(_improved(task, _filled(task, found)))
    return out


def fits_whole_lots(book: Book, outcome: Outcome) -> bool:
    """Whether a choice can be served in whole lots beside what is divisible.

    Floored legs may need a lot that no link has room for, though the exact ones fit; and what is
    dealt out beside them may leave more of an order in the money out than whole lots explain.
    """
    for task, _ in _tasks(book, outcome):
        if task is None:
            continue
        found = _round_period(task)
        if found is None:
            return False
        if _is_off(task, found) and _is_off(task, _improved(task, _filled(task, found))):
            return False
    return True


def _tasks(book: Book, outcome: Outcome) -> Iterator[tuple["_Task | None", PeriodSolution]]:
    """Yield every period with what is to be rounded there; None where the answer is whole."""
    exact, exact_links = book.injections(outcome.selection)
    whole, whole_links = book.injections(outcome.selection, whole=True)
    for model, solution in zip(book.models, outcome.solutions, strict=True):
        period = model.period
        if np.array_equal(exact[period], whole[period]) and _is_whole(solution):
            yield None, solution
            continue
        # A floored leg needs no more of a link than the exact one.
        links = np.minimum(exact_links[period], whole_links[period])
        # Rounded prices may disown a way that the exact answer uses; what flows there may stay.
        flow = np.ceil(solution.arc_lots - _WHOLE)
        limit = np.maximum(_consistent_arcs(book, outcome, period), flow)
        edges = _edges(book, outcome, model)
        lots = _lots_in_the_money(outcome.lots[model.steps], edges)
        yield _Task(book, outcome, model, whole[period], links, limit, lots, edges), solution


def _is_off(task: "_Task", found: PeriodLots) -> bool:
    """Whether more lots in the money are left out at a place than full links explain.

    One for each full direction and one more: what the independent verifier grants, but for the
    profiles filled in part, which it grants as well.
    """
    if task.edges is None:
        return False
    missing = np.where(task.edges > 0, task.lots - found.steps, 0)
    nodes = len(task.book.market.nodes)
    by_node = np.bincount(task.model.step_node, weights=missing, minlength=nodes)
    used = task.used(found)
    tight = (used > 0) & (task.room - used < task.need)
    full = np.count_nonzero(tight | (task.rent > 0))
    return bool(np.any(by_node > full + 1))


def _lots_in_the_money(lots: IntArray, edges: FloatArray | None) -> IntArray:
    """Return the lots on offer by step, none where the published price is worse than the limit.

    What no longer fits a full link may leave somebody in the money out, but must not be handed to
    somebody who would pay more than he bid, or be paid less than he asked.
    """
    return lots if edges is None else np.where(edges < 0, 0, lots)


def _edges(book: Book, outcome: Outcome, model: PeriodModel) -> FloatArray | None:
    """Return by step what the limit is better than the price, in clearing ticks; NaN: no price."""
    prices = outcome.prices
    if prices is None:
        return None
    products = book.market.auction.products
    ratio = np.array([float(p.price_tick / p.clearing_price_tick) for p in products])
    product = book.market.node_product[model.step_node]
    limit = np.rint(book.merit.price_ticks[model.steps] * ratio[product])
    price = prices.ticks[model.period][model.step_node]
    gain = np.where(model.step_buy, limit - price, price - limit)
    return np.where(price != EMPTY, gain, np.nan)


def _consistent_arcs(book: Book, outcome: Outcome, period: int) -> FloatArray:
    """Return a limit per arc: none where published prices agree with its use, zero elsewhere.

    A lot that no longer fits must not slip onto a way that is a little dearer.
    """
    arcs = book.market.arcs
    count = len(arcs.start)
    prices = outcome.prices
    if prices is None:
        return np.full(count, np.inf)
    products = book.market.auction.products
    tick = np.array([float(product.clearing_price_tick) for product in products])[arcs.product]
    ticks = prices.ticks[period]
    rent = prices.rent[period] * float(prices.rent_quantum)
    toll = np.bincount(
        arcs.use_arc, weights=arcs.use_bandwidth * rent[arcs.use_link], minlength=count
    )
    known = (ticks[arcs.start] != EMPTY) & (ticks[arcs.end] != EMPTY)
    gap = np.where(known, ticks[arcs.end] - ticks[arcs.start], 0) * tick
    gap = gap - (arcs.cost + toll) / book.market.lot[arcs.product]
    return np.where(known & (np.abs(gap) <= _TICK_NOISE * tick), np.inf, 0.0)


@dataclass(frozen=True, eq=False)
class _Task:
    """A period to be rounded.

    Attributes:
        book: the market and what is offered.
        outcome: the choice of profiles with its prices.
        model: the period.
        injection: lots by node that profiles bring.
        links: Gbit/s by link direction that profiles use.
        limit: lots by arc that prices allow.
        lots: lots on offer by step to whom the published price leaves no loss.
        edges: by step what the limit is better than the price, in clearing ticks; None: no prices.
    """

    book: Book
    outcome: Outcome
    model: PeriodModel
    injection: FloatArray
    links: FloatArray
    limit: FloatArray
    lots: IntArray
    edges: FloatArray | None

    @property
    def room(self) -> FloatArray:
        """Gbit/s by link direction that arcs may use."""
        return self.model.capacity - self.links

    @property
    def rent(self) -> FloatArray:
        """Rent by link direction, in its quanta; nothing without prices."""
        prices = self.outcome.prices
        return np.zeros(len(self.room)) if prices is None else prices.rent[self.model.period]

    @property
    def need(self) -> float:
        """Gbit/s that the lot with the largest need takes of a link."""
        return float(self.book.market.arcs.use_bandwidth.max(initial=0.0))

    def used(self, found: PeriodLots) -> FloatArray:
        """Return Gbit/s by link direction that arcs use."""
        arcs = self.book.market.arcs
        weights = found.arcs[arcs.use_arc] * arcs.use_bandwidth
        total = np.bincount(arcs.use_link, weights=weights, minlength=len(self.room))
        return total.astype(float)


def _filled(task: _Task, found: PeriodLots) -> PeriodLots:
    """Use what rounding left free on links that earn a rent."""
    if task.edges is None or not task.rent.any():
        return found
    freedom = Freedom(
        may_rise=task.edges >= 0,
        may_fall=task.edges <= 0,
        open_arcs=task.limit > 0,
        room=task.room,
        limits=task.lots,
    )
    return PeriodLots(*fill_period(task.model, found.steps, found.arcs, freedom))


def _improved(task: _Task, found: PeriodLots) -> PeriodLots:
    """Search in whole lots where several narrow links on one way spoil the dealing out."""
    loose = _loose_links(task, found)
    columns = task.model.step_count + int(np.count_nonzero(task.limit))
    if not loose or columns > _SEARCH_COLUMNS:
        return found
    other = _integer_programme(task, task.limit)
    if other is None:
        return found
    other = _filled(task, other)
    ranks = [
        (_loose_links(task, lots), -task.model.worth(lots.steps, lots.arcs))
        for lots in (found, other)
    ]
    return other if ranks[1] < ranks[0] else found


def _loose_links(task: _Task, found: PeriodLots) -> int:
    """Count the directions with a rent that still have room for two lots of the largest need."""
    loose = (task.rent > 0) & (task.room - task.used(found) >= 2 * task.need)
    return int(np.count_nonzero(loose))


def _is_whole(solution: PeriodSolution) -> bool:
    return all(
        bool(np.all(np.abs(x - np.rint(x)) < _WHOLE))
        for x in (solution.step_lots, solution.arc_lots)
    )


def _rounded(solution: PeriodSolution) -> PeriodLots:
    return PeriodLots(
        np.rint(solution.step_lots).astype(np.int64), np.rint(solution.arc_lots).astype(np.int64)
    )


def _round_period(task: _Task) -> PeriodLots | None:
    model, limit = task.model, task.limit
    for _ in range(_ROUNDS):
        solution = model.solve(task.lots, task.injection, task.links, arc_limit=limit)
        if solution is None:
            break
        if _is_whole(solution):
            return _rounded(solution)
        limit = _dealt_out(model, solution, task.links, limit)
    # A fixed profile may need a lot more than the dealt-out limits leave: search in whole lots.
    found = _integer_programme(task, task.limit)
    if found is None:
        found = _integer_programme(task, np.full(len(task.limit), np.inf))
    return found


def _dealt_out(
    model: PeriodModel, solution: PeriodSolution, links: FloatArray, limit: FloatArray
) -> FloatArray:
    """Limit the arcs over full links to whole lots, remainders first where room is left."""
    arcs = model.market.arcs
    out = limit.copy()
    full = np.zeros(len(model.capacity), dtype=bool)
    full[solution.full] = True
    affected = np.unique(arcs.use_arc[full[arcs.use_link]])
    flow = solution.arc_lots
    out[affected] = np.floor(flow[affected] + _WHOLE)
    taken = flow.copy()
    taken[affected] = out[affected]
    room = (
        model.capacity
        - links
        - np.bincount(
            arcs.use_link,
            weights=taken[arcs.use_arc] * arcs.use_bandwidth,
            minlength=len(model.capacity),
        )
    )
    remainder = flow[affected] - out[affected]
    for position in np.lexsort((affected, -np.round(remainder, 6))).tolist():
        arc = int(affected[position])
        if remainder[position] <= _WHOLE:
            continue
        uses = arcs.use_arc == arc
        if np.all(room[arcs.use_link[uses]] >= arcs.use_bandwidth[uses] - 1e-9):
            room[arcs.use_link[uses]] -= arcs.use_bandwidth[uses]
            out[arc] += 1
    return out


def _integer_programme(task: _Task, limit: FloatArray) -> PeriodLots | None:
    """Last resort where several full links on one route leave fractions."""
    model = task.model
    plain = model.programme(task.lots)
    nodes = len(model.market.nodes)
    programme = Programme(
        cost=plain.cost,
        lower=plain.lower,
        upper=np.concatenate([plain.upper[: model.step_count], limit]),
        row_lower=np.concatenate([-task.injection, plain.row_lower[nodes:]]),
        row_upper=np.concatenate([-task.injection, task.room]),
        entry_row=plain.entry_row,
        entry_column=plain.entry_column,
        entry_value=plain.entry_value,
        integer=np.arange(len(plain.cost)),
    )
    answer = solve(programme, node_limit=_NODE_LIMIT)
    if not len(answer.x):
        return None
    x = np.rint(answer.x).astype(np.int64)
    return PeriodLots(x[: model.step_count], x[model.step_count :])
