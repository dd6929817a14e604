"""The programme of a period as it stands in the solver."""

from dataclasses import dataclass

import numpy as np

from orders.clearing.solver import Solver
from orders.clearing.types import FloatArray, IntArray
from orders.clearing.windows import Window

USED = 1e-7


@dataclass(eq=False)
class LoadedProgramme:
    """A programme in the solver: window columns, relief columns, then what was added.

    `width` is what the window was cut with; `short` are the nodes whose injection may be missed.
    """

    solver: Solver
    window: Window
    width: IntArray
    columns: list[IntArray]
    short: IntArray

    @property
    def kinds(self) -> IntArray:
        """Arc of each column after the reliefs; below zero a shortage or an excess of a node."""
        return np.concatenate(self.columns)

    @property
    def reliefs(self) -> IntArray:
        """Nodes of the relief columns, those below first."""
        return np.concatenate([self.window.low_node, self.window.high_node])

    @property
    def first_arc(self) -> int:
        """Column of the first arc."""
        return len(self.window.inside) + len(self.reliefs)

    def let_miss(self, nodes: IntArray, short: FloatArray, excess: FloatArray) -> None:
        """Let the fixed injection of nodes be missed, at a cost a lot short or in excess."""
        count = len(nodes)
        self.solver.add_columns(
            np.concatenate([short, excess]),
            np.tile(nodes, 2),
            np.arange(2 * count),
            np.repeat([1.0, -1.0], count),
        )
        self.columns.append(np.concatenate([-1 - 2 * nodes, -2 - 2 * nodes]))
        self.short = np.concatenate([self.short, nodes])

    def missing(self, x: FloatArray, nodes: int) -> FloatArray:
        """Return the lots by node that an answer leaves out of fixed injections."""
        left_out = self.kinds < 0
        node = (-1 - self.kinds[left_out]) // 2
        lots = x[self.first_arc :][left_out]
        return np.bincount(node, weights=lots, minlength=nodes).astype(float)
