"""Whole lots: the fractional answer of a period rounded without breaking balance or capacity."""

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
    exact, exact_links = book.injections(outcome.selection)
    whole, whole_links = book.injections(outcome.selection, whole=True)
    out = []
    for model, solution in zip(book.models, outcome.solutions, strict=True):
        period = model.period
        lots = outcome.lots[model.steps]
        if np.array_equal(exact[period], whole[period]) and _is_whole(solution):
            out.append(_rounded(solution))
        else:
            # A floored leg needs no more of a link than the exact one.
            links = np.minimum(exact_links[period], whole_links[period])
            start = _consistent_arcs(book, outcome, period)
            task = _Task(book, outcome, model, whole[period], links, start)
            rounded = _round_period(model, lots, whole[period], links, start)
            if rounded is None:
                raise SolverFailed(f"period {period + 1}: no answer in whole lots")
            out.append(_improved(task, _filled(task, rounded)))
    return out


def fits_whole_lots(book: Book, outcome: Outcome) -> bool:
    """Whether a choice can be served in whole lots beside what is divisible.

    Floored legs may need a lot that no link has room for, though the exact ones fit.
    """
    exact, exact_links = book.injections(outcome.selection)
    whole, whole_links = book.injections(outcome.selection, whole=True)
    for model, solution in zip(book.models, outcome.solutions, strict=True):
        period = model.period
        if np.array_equal(exact[period], whole[period]) and _is_whole(solution):
            continue
        links = np.minimum(exact_links[period], whole_links[period])
        limit = _consistent_arcs(book, outcome, period)
        lots = outcome.lots[model.steps]
        if _round_period(model, lots, whole[period], links, limit) is None:
            return False
    return True


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
    """A period to be rounded: what blocks inject and use of links, and which arcs prices allow."""

    book: Book
    outcome: Outcome
    model: PeriodModel
    injection: FloatArray
    links: FloatArray
    limit: FloatArray

    @property
    def room(self) -> FloatArray:
        """Gbit/s by link direction that arcs may use."""
        return self.model.capacity - self.links

    @property
    def lots(self) -> IntArray:
        """Lots on offer by step."""
        return self.outcome.lots[self.model.steps]


def _filled(task: _Task, found: PeriodLots) -> PeriodLots:
    """Use what rounding left free on links that earn a rent."""
    prices, model = task.outcome.prices, task.model
    if prices is None or not prices.rent[model.period].any():
        return found
    products = task.book.market.auction.products
    ratio = np.array([float(p.price_tick / p.clearing_price_tick) for p in products])
    product = task.book.market.node_product[model.step_node]
    limit = np.rint(task.book.merit.price_ticks[model.steps] * ratio[product])
    price = prices.ticks[model.period][model.step_node]
    known = price != EMPTY
    freedom = Freedom(
        may_rise=known & np.where(model.step_buy, limit >= price, limit <= price),
        may_fall=known & np.where(model.step_buy, limit <= price, limit >= price),
        open_arcs=task.limit > 0,
        room=task.room,
        limits=task.lots,
    )
    return PeriodLots(*fill_period(model, found.steps, found.arcs, freedom))


def _improved(task: _Task, found: PeriodLots) -> PeriodLots:
    """Search in whole lots where several narrow links on one way spoil the dealing out."""
    loose = _loose_links(task, found)
    columns = task.model.step_count + int(np.count_nonzero(task.limit))
    if not loose or columns > _SEARCH_COLUMNS:
        return found
    model = task.model
    other = _integer_programme(model, task.lots, task.injection, task.links, task.limit)
    if other is None:
        return found
    other = _filled(task, other)
    ranks = [
        (_loose_links(task, lots), -model.worth(lots.steps, lots.arcs)) for lots in (found, other)
    ]
    return other if ranks[1] < ranks[0] else found


def _loose_links(task: _Task, found: PeriodLots) -> int:
    """Count the directions with a rent that still have room for two lots of the largest need."""
    arcs, prices = task.book.market.arcs, task.outcome.prices
    if prices is None:
        return 0
    used = np.bincount(
        arcs.use_link,
        weights=found.arcs[arcs.use_arc] * arcs.use_bandwidth,
        minlength=len(task.room),
    )
    need = arcs.use_bandwidth.max(initial=0.0)
    loose = (prices.rent[task.model.period] > 0) & (task.room - used >= 2 * need)
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


def _round_period(
    model: PeriodModel,
    lots: IntArray,
    injection: FloatArray,
    links: FloatArray,
    limit: FloatArray,
) -> PeriodLots | None:
    start = limit
    for _ in range(_ROUNDS):
        solution = model.solve(lots, injection, links, arc_limit=limit)
        if solution is None:
            break
        if _is_whole(solution):
            return _rounded(solution)
        limit = _dealt_out(model, solution, links, limit)
    # A fixed profile may need a lot more than the dealt-out limits leave: search in whole lots.
    found = _integer_programme(model, lots, injection, links, start)
    if found is None:
        found = _integer_programme(model, lots, injection, links, np.full(len(start), np.inf))
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


def _integer_programme(
    model: PeriodModel,
    lots: IntArray,
    injection: FloatArray,
    links: FloatArray,
    limit: FloatArray,
) -> PeriodLots | None:
    """Last resort where several full links on one route leave fractions."""
    plain = model.programme(lots)
    nodes = len(model.market.nodes)
    programme = Programme(
        cost=plain.cost,
        lower=plain.lower,
        upper=np.concatenate([plain.upper[: model.step_count], limit]),
        row_lower=np.concatenate([-injection, plain.row_lower[nodes:]]),
        row_upper=np.concatenate([-injection, model.capacity - links]),
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
