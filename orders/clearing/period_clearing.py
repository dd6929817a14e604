"""Exact clearing of the divisible orders of one period, indivisible acceptances fixed."""

from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np

from orders.clearing.errors import SolverFailed
from orders.clearing.market import Market
from orders.clearing.merit_order import MeritOrder
from orders.clearing.solver import Programme, Solver, SolveStatus
from orders.clearing.types import FloatArray, IntArray

# Among welfare-equal results volume is maximised, then the number of links is minimised: both as
# shares of the smallest possible welfare difference, far above the solver's tolerance of 1e-7.
_VOLUME_BONUS = 1e-2
_LINK_MALUS = 1e-4
_LARGEST_COST = 1e7
FLOW_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class PeriodSolution:
    """Lots of each step and arc, node prices per unit and rents per Gbit/s, welfare of the period.

    `full` marks link directions without room left.
    """

    step_lots: FloatArray
    arc_lots: FloatArray
    node_price: FloatArray
    rent: FloatArray
    full: IntArray
    welfare: float


def money_unit(market: Market) -> float:
    """Return the largest sum of money that divides every price and tariff per lot."""
    amounts: list[Fraction] = []
    largest = Fraction(1)
    for product in market.auction.products:
        lot = Fraction(product.quantity_tick)
        amounts.append(Fraction(product.price_tick) * lot)
        largest = max(
            largest, max(abs(Fraction(product.price_min)), Fraction(product.price_max)) * lot
        )
        for link in market.auction.links:
            if link.tariff and product.bandwidth:
                amounts.append(Fraction(link.tariff) * Fraction(product.bandwidth) * lot)
    common = amounts[0]
    for amount in amounts[1:]:
        common = Fraction(
            gcd(common.numerator * amount.denominator, amount.numerator * common.denominator),
            common.denominator * amount.denominator,
        )
    return max(float(common), float(largest) / _LARGEST_COST)


class PeriodModel:
    """The linear programme of one period, kept loaded for repeated solves.

    Columns are the period's steps, then all arcs; rows are node balances, then link directions.
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
        self._solver: Solver | None = None

    @property
    def step_count(self) -> int:
        """Number of steps of the period."""
        return len(self.step_node)

    def worth(self, steps: IntArray, arcs: IntArray) -> float:
        """Return the welfare of whole lots by step and arc."""
        return -float(np.concatenate([steps, arcs]) @ self._true_cost)

    def programme(self, lots: IntArray) -> Programme:
        """Return the programme without any fixed injection."""
        arcs, nodes = self.market.arcs, len(self.market.nodes)
        count = self.step_count
        hops = np.bincount(arcs.use_arc, minlength=len(arcs.start))
        cost = self._true_cost / self._unit
        cost[:count] -= np.where(self.step_buy, _VOLUME_BONUS, 0.0)
        cost[count:] += _LINK_MALUS * hops
        arc_columns = count + np.arange(len(arcs.start))
        rows = len(self.capacity)
        return Programme(
            cost=cost,
            lower=np.zeros(len(cost)),
            upper=np.concatenate([lots.astype(float), np.full(len(arcs.start), np.inf)]),
            row_lower=np.concatenate([np.zeros(nodes), np.full(rows, -np.inf)]),
            row_upper=np.concatenate([np.zeros(nodes), self.capacity]),
            entry_row=np.concatenate([self.step_node, arcs.start, arcs.end, nodes + arcs.use_link]),
            entry_column=np.concatenate(
                [np.arange(count), arc_columns, arc_columns, count + arcs.use_arc]
            ),
            entry_value=np.concatenate(
                [
                    np.where(self.step_buy, -1.0, 1.0),
                    np.full(len(arcs.start), -1.0),
                    np.full(len(arcs.start), 1.0),
                    arcs.use_bandwidth,
                ]
            ),
        )

    def solve(
        self,
        lots: IntArray,
        injection: FloatArray,
        link_use: FloatArray,
        *,
        arc_limit: FloatArray | None = None,
    ) -> PeriodSolution | None:
        """Clear with fixed injections (lots by node, supply positive); None if impossible."""
        solver = self._loaded(lots)
        nodes, count = len(self.market.nodes), self.step_count
        links = np.arange(len(self.capacity))
        solver.change_rows(np.arange(nodes), -injection, -injection)
        room = self.capacity - link_use
        if np.any(room < -1e-9):
            return None
        solver.change_rows(nodes + links, np.full(len(links), -np.inf), np.maximum(room, 0.0))
        solver.change_columns(np.arange(count), np.zeros(count), lots.astype(float))
        arcs = len(self.market.arcs.start)
        limit = np.full(arcs, np.inf) if arc_limit is None else arc_limit
        solver.change_columns(count + np.arange(arcs), np.zeros(arcs), limit)
        answer = solver.solve()
        if answer.status == SolveStatus.INFEASIBLE:
            return None
        if answer.status != SolveStatus.OPTIMAL:
            raise SolverFailed(f"period {self.period + 1}: {answer.status.value}")
        return self._read(answer.x, answer.row_dual, room)

    def _loaded(self, lots: IntArray) -> Solver:
        if self._solver is None:
            self._solver = Solver(self.programme(lots))
        return self._solver

    def _read(self, x: FloatArray, dual: FloatArray, room: FloatArray) -> PeriodSolution:
        nodes, count = len(self.market.nodes), self.step_count
        arcs = self.market.arcs
        used = np.bincount(
            arcs.use_link,
            weights=x[count:][arcs.use_arc] * arcs.use_bandwidth,
            minlength=len(self.capacity),
        )
        tight = (room - used <= 1e-7 * np.maximum(1.0, self.capacity)) & (self.capacity > 0)
        return PeriodSolution(
            step_lots=x[:count],
            arc_lots=x[count:],
            node_price=dual[:nodes] * self._unit / self.lot,
            rent=np.maximum(0.0, -dual[nodes:] * self._unit),
            full=np.flatnonzero(tight),
            welfare=float(-(x @ self._true_cost)),
        )
