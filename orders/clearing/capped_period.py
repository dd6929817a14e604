"""One period cleared beside injections that the price bands may refuse."""

import numpy as np

from orders.clearing.errors import SolverFailed
from orders.clearing.period_clearing import PeriodModel
from orders.clearing.period_solution import PeriodSolution
from orders.clearing.types import FloatArray, IntArray


class CappedPeriod(PeriodModel):
    """A period's model that is asked for prices, not for an answer that can be delivered.

    What would drive a price beyond its band is missed instead: at the highest price there is always
    somebody who sells, at the lowest one who buys.
    """

    def __init__(self, model: PeriodModel) -> None:
        """Go on from where a model started, without moving it."""
        vars(self).update(vars(model))  # built once, and large
        self._loaded = None

    def clear(self, lots: IntArray, injection: FloatArray, link_use: FloatArray) -> PeriodSolution:
        """Clear with fixed injections as far as links and price bands allow.

        Args:
            lots: quantity of each step.
            injection: lots by node, supply positive.
            link_use: Gbit/s by link direction that is taken; beyond the capacity it is left out.
        """
        room = np.maximum(self.capacity - link_use, 0.0)
        answer = self._settled(lots, injection, room, (None, None))
        if answer is None:
            raise SolverFailed(f"period {self.period + 1}: no answer within the price bands")
        return self._read(answer, lots, room)

    def _shortage_costs(self, nodes: IntArray) -> tuple[FloatArray, FloatArray]:
        products = self.market.auction.products
        bands = np.array([[float(p.price_max), float(p.price_min)] for p in products])
        high, low = (bands[self.market.node_product[nodes]] * self.lot[nodes, None]).T / self._unit
        return high, -low
