"""The only file that imports highspy: programmes in, plain arrays out."""

from dataclasses import dataclass, field
from enum import Enum

import highspy
import numpy as np

from orders.clearing.errors import SolverFailed
from orders.clearing.types import FloatArray, IntArray

# A programme of a national book proves its last digits far too slowly; the search that follows
# works on the exact book and finds more than the proof would.
_SMALL = 6000
_FINE_GAP = 1e-6
_COARSE_GAP = 1e-3
# On the relaxations of national books with 300 and 635 listings, where many answers are equally
# good, an interior point method with a crossover to a basis took less processor time than the
# simplex method and found the same optimum. So it did for the integer programme with 300 listings
# (`NationalMarket(1, products=7, listings=300, curves=600, blocks=100)`); with 635 it made no such
# difference. No programme of the benchmark's demonstration day is as large as this.
_INTERIOR_FROM = 25_000

INFINITY = highspy.kHighsInf


class SolveStatus(Enum):
    """Outcome of a solve: values, not exceptions."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class Programme:
    """Minimise cost·x (+ ½ x·diag(hessian)·x) within column and row bounds; matrix by triplets."""

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    entry_row: IntArray
    entry_column: IntArray
    entry_value: FloatArray
    integer: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    hessian: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Solution:
    """Column values and row duals (empty arrays when there is no solution).

    `least` is the proven lower bound of an integer programme, the objective otherwise.
    """

    status: SolveStatus
    x: FloatArray
    row_dual: FloatArray
    objective: float = 0.0
    least: float = 0.0


class Solver:
    """One HiGHS instance with a loaded programme, warm-started between solves."""

    def __init__(
        self, programme: Programme, *, node_limit: int | None = None, presolve: bool = True
    ) -> None:
        self._highs = highspy.Highs()
        # Options are set once, before the first run: HiGHS refuses a later change of `threads`.
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("parallel", "off"),
            ("random_seed", 0),
            ("presolve", "choose" if presolve else "off"),
            ("mip_rel_gap", _FINE_GAP if len(programme.cost) <= _SMALL else _COARSE_GAP),
            ("mip_abs_gap", 0.0),
        ):
            self._set(name, value)
        if node_limit is not None:
            self._set("mip_max_nodes", node_limit)
        self._has_integers = len(programme.integer) > 0
        if len(programme.cost) >= _INTERIOR_FROM and programme.hessian is None:
            name = "mip_lp_solver" if self._has_integers else "solver"
            self._set(name, "ipm")
        self._load(programme)

    def _set(self, name: str, value: object) -> None:
        if self._highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise SolverFailed(f"the solver refuses {name} = {value}")

    def _load(self, programme: Programme) -> None:
        lp = highspy.HighsLp()
        count = len(programme.cost)
        lp.num_col_ = count
        lp.num_row_ = len(programme.row_lower)
        lp.col_cost_ = programme.cost
        lp.col_lower_ = programme.lower
        lp.col_upper_ = programme.upper
        lp.row_lower_ = programme.row_lower
        lp.row_upper_ = programme.row_upper
        order = np.lexsort((programme.entry_row, programme.entry_column))
        starts = np.searchsorted(programme.entry_column[order], np.arange(count + 1))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = starts.astype(np.int32)
        lp.a_matrix_.index_ = programme.entry_row[order].astype(np.int32)
        lp.a_matrix_.value_ = programme.entry_value[order]
        if self._has_integers:
            kinds = [highspy.HighsVarType.kContinuous] * count
            for column in programme.integer.tolist():
                kinds[column] = highspy.HighsVarType.kInteger
            lp.integrality_ = kinds
        self._highs.passModel(lp)
        if programme.hessian is not None:
            self._pass_hessian(programme.hessian)

    def _pass_hessian(self, diagonal: FloatArray) -> None:
        hessian = highspy.HighsHessian()
        hessian.dim_ = len(diagonal)
        hessian.format_ = highspy.HessianFormat.kTriangular
        hessian.start_ = np.arange(len(diagonal) + 1, dtype=np.int32)
        hessian.index_ = np.arange(len(diagonal), dtype=np.int32)
        hessian.value_ = diagonal
        self._highs.passHessian(hessian)

    def change_rows(self, rows: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Replace the bounds of some rows."""
        if len(rows):
            self._highs.changeRowsBounds(len(rows), rows.astype(np.int32), lower, upper)

    def change_columns(self, columns: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Replace the bounds of some columns."""
        if len(columns):
            self._highs.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def add_columns(
        self, cost: FloatArray, rows: IntArray, columns: IntArray, values: FloatArray
    ) -> None:
        """Append columns from zero up without limit; `columns` counts from the first new one."""
        count = len(cost)
        order = np.lexsort((rows, columns))
        starts = np.searchsorted(columns[order], np.arange(count)).astype(np.int32)
        self._highs.addCols(
            count,
            cost,
            np.zeros(count),
            np.full(count, INFINITY),
            len(values),
            starts,
            rows[order].astype(np.int32),
            values[order],
        )

    def basis(self) -> tuple[IntArray, IntArray]:
        """Return where the last solve ended: a state for each column and each row."""
        basis = self._highs.getBasis()
        columns, rows = (
            np.array([int(state) for state in states], dtype=np.int64)
            for states in (basis.col_status, basis.row_status)
        )
        return columns, rows

    def stand_at(self, columns: IntArray, rows: IntArray) -> None:
        """Begin the next solve where another one of the same programme ended."""
        basis = highspy.HighsBasis()
        basis.valid, basis.alien = True, False
        basis.col_status = [highspy.HighsBasisStatus(state) for state in columns.tolist()]
        basis.row_status = [highspy.HighsBasisStatus(state) for state in rows.tolist()]
        if self._highs.setBasis(basis) != highspy.HighsStatus.kOk:
            raise SolverFailed("the solver refuses to go on from a basis")

    def solve(self) -> Solution:
        """Run and return the outcome.

        A warm start may end in a basis that HiGHS cannot clean up; then it starts again from none.
        """
        self._highs.run()
        status = self._status(self._highs.getModelStatus())
        if status in (SolveStatus.FEASIBLE, SolveStatus.FAILED) and not self._has_integers:
            self._highs.clearSolver()
            self._highs.run()
            status = self._status(self._highs.getModelStatus())
        if status in (SolveStatus.INFEASIBLE, SolveStatus.FAILED):
            return Solution(status, np.zeros(0), np.zeros(0))
        solution = self._highs.getSolution()
        duals = np.zeros(0) if self._has_integers else np.array(solution.row_dual)
        info = self._highs.getInfo()
        value = float(info.objective_function_value)
        least = float(info.mip_dual_bound) if self._has_integers else value
        return Solution(status, np.array(solution.col_value), duals, value, least)

    def _status(self, status: highspy.HighsModelStatus) -> SolveStatus:
        if status == highspy.HighsModelStatus.kOptimal:
            return SolveStatus.OPTIMAL
        if status == highspy.HighsModelStatus.kInfeasible:
            return SolveStatus.INFEASIBLE
        info = self._highs.getInfo()
        feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        limits = (
            highspy.HighsModelStatus.kSolutionLimit,
            highspy.HighsModelStatus.kIterationLimit,
            highspy.HighsModelStatus.kUnknown,
        )
        if feasible and status in limits:
            return SolveStatus.FEASIBLE
        return SolveStatus.FAILED


def solve(
    programme: Programme, *, node_limit: int | None = None, presolve: bool = True
) -> Solution:
    """Solve a programme once."""
    return Solver(programme, node_limit=node_limit, presolve=presolve).solve()
