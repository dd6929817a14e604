"""Prices of the relaxed programme, approached step by step where it is too large to be solved.

The relaxed programme lets every indivisible order be served in part. Fixed what of them is served,
it falls apart into periods, which are cleared as they always are; their prices say which way of
which order gains most, and what is served moves a step towards all of these (the conditional
gradient of Frank and Wolfe, Naval Research Logistics Quarterly 3, 1956, 95-110). The sum of all
gains at the prices of any step is a bound on welfare, so the best prices met are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from orders.clearing.block_orders import Relaxation
from orders.clearing.bound import supply_nodes_with_sellers
from orders.clearing.capped_period import CappedPeriod
from orders.clearing.errors import SolverFailed
from orders.clearing.flexible_columns import Column
from orders.clearing.flexible_orders import extend_book
from orders.clearing.flexible_pricing import ColumnPricer
from orders.clearing.market import Kind, link_direction
from orders.clearing.period_solution import PeriodSolution
from orders.clearing.state import Book, Outcome
from orders.clearing.types import FloatArray, IntArray
from orders.clearing.ways import cheapest_ways

# The most steps, and how many bring so little of the gain that no more are made.
_MOST_STEPS = 40
_FEW_STEPS = 5
_LITTLE = 1e-3
# What is served of an order when it was wished for in all but the first steps.
_NEARLY_ALWAYS = 0.75
# Of the newest prices this much at least goes into those that are wished at.
_NEWEST = 0.3


@dataclass(frozen=True, eq=False)
class _Wishes:
    """What every indivisible order would have most of at some prices.

    Attributes:
        price: per unit, by (period, node).
        rent: per Gbit/s, by (period, link direction).
        bound: what they and all others would gain, and links earn: welfare is never higher.
        numbers: the candidates wished for.
        columns: the ways that flexible orders wish for.
        wished: by block order, then by flexible order, whether it wishes for anything: 1 or 0.
        injection: lots by (period, node) of all of them.
        links: Gbit/s by (period, link direction) that placements among them carry along.
    """

    price: FloatArray
    rent: FloatArray
    bound: float
    numbers: IntArray
    columns: tuple[Column, ...]
    wished: FloatArray
    injection: FloatArray
    links: FloatArray


class Relaxed(NamedTuple):
    """A book with the ways that flexible orders wish for at the prices, its relaxation, a bound."""

    book: Book
    relaxation: Relaxation
    bound: float


def relax_in_steps(book: Book, base: Outcome, pricer: ColumnPricer | None) -> Relaxed:
    """Return prices near those of the relaxed programme, and what would be taken whole at them.

    Args:
        book: the auction, its flexible orders not among the candidates.
        base: the outcome with every indivisible order rejected.
        pricer: finds the ways of flexible orders; None where there are none.
    """
    models = [CappedPeriod(model) for model in book.models]
    wisher = _Wisher(book, base.lots, pricer)
    injection, links = base.injection.copy(), base.link_use.copy()
    wishes = best = wisher.at(*_prices(base.solutions))
    bounds, served = [best.bound], np.zeros(len(wishes.wished))
    for number in range(_MOST_STEPS):
        step = 2 / (number + 4)
        injection += step * (wishes.injection - injection)
        links += step * (wishes.links - links)
        served += step * (wishes.wished - served)
        try:
            solutions = [
                model.clear(base.lots[model.steps], injection[model.period], links[model.period])
                for model in models
            ]
        except SolverFailed:
            break  # the search can do with the prices met so far
        # Where few large orders meet few small ones prices leap: wished is at smoothed ones.
        part = max(_NEWEST, 2 / (number + 3))
        price, rent = _prices(solutions)
        price = wishes.price + part * (price - wishes.price)
        wishes = wisher.at(price, wishes.rent + part * (rent - wishes.rent))
        best = min(best, wishes, key=lambda each: each.bound)
        bounds.append(best.bound)
        gained = bounds[-_FEW_STEPS - 1 :][0] - best.bound
        if number >= _FEW_STEPS and gained <= _LITTLE * (best.bound - base.welfare):
            break
    blocks = len(book.market.auction.blocks)
    columns = [c for c in best.columns if served[blocks + c.order] >= _NEARLY_ALWAYS]
    extended = extend_book(book, columns) if columns else book
    ratios = np.zeros(len(extended.candidates))
    ratios[best.numbers] = served[book.table.order[best.numbers]] >= _NEARLY_ALWAYS
    ratios[len(book.candidates) :] = 1.0
    return Relaxed(extended, Relaxation(best.price, best.rent, ratios), best.bound)


def _prices(solutions: Sequence[PeriodSolution]) -> tuple[FloatArray, FloatArray]:
    price = np.stack([solution.node_price for solution in solutions])
    return price, np.stack([solution.rent for solution in solutions])


class _Wisher:
    """Knows the ways of all orders, and asks which is best."""

    def __init__(self, book: Book, lots: IntArray, pricer: ColumnPricer | None) -> None:
        self._book = book
        self._pricer = pricer
        self._lots = lots
        self._jobs = book.market.auction.flexibles
        self._sellers = supply_nodes_with_sellers(book.market, book.merit)
        dearest = [float(product.price_max) for product in book.market.auction.products]
        self._dearest = np.array(dearest)[book.market.node_product]

    def at(self, price: FloatArray, rent: FloatArray) -> _Wishes:
        """Return what all orders wish for at supply prices and rents.

        Args:
            price: per unit, by (period, node); of others than supply nodes it is worked out.
            rent: per Gbit/s, by (period, link direction).
        """
        price = self._delivered(price, rent)
        table = self._book.table
        surplus = table.surplus(price, rent)
        ranked = np.lexsort((-surplus, table.order))
        first = np.diff(table.order[ranked], prepend=-1) > 0
        numbers = ranked[first]
        numbers = numbers[surplus[numbers] > 0]
        ratios = np.zeros(len(surplus))
        ratios[numbers] = 1.0
        injection, links = table.injections(ratios)
        bound = float(surplus[numbers].sum()) + self._divisible_gain(price, rent)
        blocks, columns = len(self._book.market.auction.blocks), []
        wished = np.zeros(blocks + len(self._jobs))
        wished[table.order[numbers]] = 1.0
        for priced in self._pricer.best(price, rent).values() if self._pricer else ():
            if priced.surplus > 0:
                bound += priced.surplus
                columns.append(priced.column)
                wished[blocks + priced.column.order] = 1.0
                self._add(priced.column, injection, links)
        return _Wishes(price, rent, bound, numbers, tuple(columns), wished, injection, links)

    def _delivered(self, price: FloatArray, rent: FloatArray) -> FloatArray:
        """Return prices with those of the cheapest ways; the dearest where nothing can be had.

        At places where nobody is served a programme's own prices mean nothing.
        """
        market = self._book.market
        supply = np.where(self._sellers, price, np.nan)
        ways = [
            cheapest_ways(market, market.capacity[:, period], supply[period], rent[period]).price
            for period in range(len(price))
        ]
        found = np.where(market.node_kind == Kind.SUPPLY, supply, np.stack(ways))
        return np.where(np.isfinite(found), found, self._dearest)

    def _add(self, column: Column, injection: FloatArray, links: FloatArray) -> None:
        market, order = self._book.market, self._jobs[column.order]
        for period, lots in column.profile:
            injection[period, column.node] -= lots
        if order.placement != "single":
            return
        product = market.auction.products[order.product]
        bandwidth = float(product.quantity_tick * product.bandwidth)
        for step in market.routes[market.nodes[column.node].hub, order.hub].steps:
            for period, lots in column.profile:
                links[period, link_direction(*step)] += lots * bandwidth

    def _divisible_gain(self, price: FloatArray, rent: FloatArray) -> float:
        """Return what divisible orders gain, and links earn."""
        merit, market = self._book.merit, self._book.market
        margin = merit.price - price[merit.period, merit.node]
        margin = np.where(merit.is_buy == 1, margin, -margin)
        size = self._lots * market.lot[market.node_product[merit.node]]
        return float(np.maximum(margin, 0.0) @ size + (market.capacity.T * rent).sum())
