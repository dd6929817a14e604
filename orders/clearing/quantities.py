"""Whole lots: the fractional answer of a period rounded without breaking balance or capacity."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from orders.clearing.dealing import WHOLE, Dealer, is_whole
from orders.clearing.errors import SolverFailed
from orders.clearing.filling import Freedom, fill_period
from orders.clearing.market import Kind
from orders.clearing.period_clearing import PeriodModel
from orders.clearing.period_solution import PeriodSolution
from orders.clearing.published import EMPTY
from orders.clearing.solver import Programme, solve
from orders.clearing.state import Book, Outcome
from orders.clearing.types import FloatArray, IntArray

_NODE_LIMIT = 500
# Beyond this many columns a search in whole lots takes longer than it is worth.
_SEARCH_COLUMNS = 1500
# So many ways to deal a period's links out are tried.
_TURNS = 24
# Two rounded prices may differ by one tick; a little more for their own rounding.
_TICK_NOISE = 1.01


@dataclass(frozen=True, eq=False)
class PeriodLots:
    """Accepted whole lots by step and by arc."""

    steps: IntArray
    arcs: IntArray


def whole_lots(book: Book, outcome: Outcome) -> list[PeriodLots]:
    """Return whole lots for every period, legs of blocks floored."""
    known = book.market.cache.get("whole_lots")
    if isinstance(known, _Fitting) and known.outcome is outcome:
        return known.lots
    out: list[PeriodLots] = []
    for task, solution in _tasks(book, outcome):
        found = _rounded(solution) if task is None else _best_lots(task) or _lots_anywhere(task)
        if found is None:
            raise SolverFailed(f"period {len(out) + 1}: no answer in whole lots")
        out.append(found)
    return out


def fits_whole_lots(book: Book, outcome: Outcome) -> bool:
    """Whether a choice can be served in whole lots beside what is divisible.

    Floored legs may need a lot that no link has room for, though the exact ones fit; and what is
    dealt out beside them may leave more of an order in the money out, or of a link that earns a
    rent unused, than whole lots explain. The lots of the last choice that fits are remembered.
    """
    out: list[PeriodLots] = []
    for task, solution in _tasks(book, outcome):
        found = _rounded(solution) if task is None else _best_lots(task)
        if found is None or (task is not None and _is_spoilt(task, found)):
            return False
        out.append(found)
    book.market.cache["whole_lots"] = _Fitting(outcome, out)
    return True


@dataclass(frozen=True, eq=False)
class _Fitting:
    outcome: Outcome
    lots: list[PeriodLots]


def _tasks(book: Book, outcome: Outcome) -> Iterator[tuple["_Task | None", PeriodSolution]]:
    """Yield every period with what is to be rounded there; None where the answer is whole."""
    exact, exact_links = book.injections(outcome.selection)
    whole, whole_links = book.injections(outcome.selection, whole=True)
    for model, solution in zip(book.models, outcome.solutions, strict=True):
        period = model.period
        if np.array_equal(exact[period], whole[period]) and is_whole(solution):
            yield None, solution
            continue
        # A floored leg needs no more of a link than the exact one.
        links = np.minimum(exact_links[period], whole_links[period])
        # Rounded prices may disown a way that the exact answer uses; what flows there may stay.
        flow = np.ceil(solution.arc_lots - WHOLE)
        limit = np.maximum(_consistent_arcs(book, outcome, period), flow)
        edges = _edges(book, outcome, model)
        lots = _lots_in_the_money(outcome.lots[model.steps], edges)
        yield _Task(book, outcome, model, whole[period], links, limit, lots, edges), solution


def _is_spoilt(task: "_Task", found: PeriodLots) -> bool:
    return _is_off(task, found) or _loose_links(task, found) > 0


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
    def dealer(self) -> Dealer:
        """Deals out its links."""
        return Dealer(self.model, self.lots, self.injection, self.links)

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


def _best_lots(task: _Task) -> PeriodLots | None:
    """Return the first answer in whole lots that leaves nothing off, else the least bad one.

    Several narrow links on one way may spoil the dealing out: then it is dealt anew, or searched.
    """
    best: PeriodLots | None = None
    for found in _answers(task):
        filled = _filled(task, found)
        best = filled if best is None else min(best, filled, key=lambda x: _rank(task, x))
        if not _is_spoilt(task, best):
            break
    return best


def _lots_anywhere(task: _Task) -> PeriodLots | None:
    """Return any answer in whole lots, on ways that the prices do not agree with."""
    limit = np.full(len(task.limit), np.inf)
    solution = task.dealer.deal_in_turn(limit)
    return _integer_programme(task, limit) if solution is None else _rounded(solution)


def _answers(task: _Task) -> Iterator[PeriodLots]:
    dealer, limit = task.dealer, task.limit
    solution = dealer.deal_at_once(limit)
    if solution is not None:
        yield _rounded(solution)
    for turn in range(_TURNS):
        solution = dealer.deal_in_turn(limit, turn)
        if solution is not None:
            yield _rounded(solution)
    columns = task.model.step_count + int(np.count_nonzero(limit))
    found = _integer_programme(task, limit) if columns <= _SEARCH_COLUMNS else None
    if found is not None:
        yield found


def _rank(task: _Task, found: PeriodLots) -> tuple[bool, int, float]:
    """Order answers: first those that leave nothing off, then those that leave no link loose."""
    worth = task.model.worth(found.steps, found.arcs)
    return _is_off(task, found), _loose_links(task, found), -worth


def _loose_links(task: _Task, found: PeriodLots) -> int:
    """Count the directions with a rent that have room for more than whole lots explain.

    That is a lot of the largest need, and another or one of each cell served across the link.
    """
    free = task.room - task.used(found)
    served = _served_across(task, found)
    loose = (task.rent > 0) & (free >= task.need + np.maximum(task.need, served))
    return int(np.count_nonzero(loose))


def _served_across(task: _Task, found: PeriodLots) -> FloatArray:
    """Return by link direction the Gbit/s of one lot of each cell that is served across it.

    What has no stated route serves the hubs that take in more of a product than they give.
    """
    market, flow = task.book.market, found.arcs
    arcs = market.arcs
    is_free = (market.node_kind[arcs.end] == Kind.NETWORK) & (arcs.hops > 0)
    moved = np.where(is_free, flow, 0)
    net = np.bincount(arcs.end, weights=moved, minlength=len(market.nodes))
    net = net - np.bincount(arcs.start, weights=moved, minlength=len(market.nodes))
    shape = (len(market.auction.products), len(market.auction.hubs))
    by_hub = np.zeros(shape)
    np.add.at(by_hub, (market.node_product, market.node_hub), net)
    roaming = np.count_nonzero(by_hub > 0, axis=1)
    # One row for each cell, or each product that flows freely, on a link.
    used = flow[arcs.use_arc] > 0
    arc, link, need = arcs.use_arc[used], arcs.use_link[used], arcs.use_bandwidth[used]
    cell = np.where(is_free[arc], -1 - arcs.product[arc], arcs.end[arc])
    _, first = np.unique(np.stack([link, cell]), axis=1, return_index=True)
    count = np.where(is_free[arc[first]], roaming[arcs.product[arc[first]]], 1)
    weights = need[first] * count
    return np.bincount(link[first], weights=weights, minlength=len(task.room)).astype(float)


def _rounded(solution: PeriodSolution) -> PeriodLots:
    return PeriodLots(
        np.rint(solution.step_lots).astype(np.int64), np.rint(solution.arc_lots).astype(np.int64)
    )


def _integer_programme(task: _Task, limit: FloatArray) -> PeriodLots | None:
    """Search in whole lots: the last resort, and better where narrow links follow each other."""
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
