"""What the clearing of one period found."""

from dataclasses import dataclass

from orders.clearing.types import FloatArray, IntArray


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


@dataclass(frozen=True, eq=False)
class PeriodStart:
    """A period cleared beside nothing indivisible, and all that later solves go on from.

    Attributes:
        solution: the answer.
        centre: prices by node around which the windows were cut.
        width: steps kept on either side of them, by node.
        arcs: arcs that were loaded, in the order of their columns.
        column_basis, row_basis: where the solver stood.
    """

    solution: PeriodSolution
    centre: FloatArray
    width: IntArray
    arcs: IntArray
    column_basis: IntArray
    row_basis: IntArray
