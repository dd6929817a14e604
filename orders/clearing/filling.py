"""Fills link capacity that rounding to whole lots left free, one lot at a time.

A lot may take a walk of arcs whose use agrees with the published prices, from an order that can
sell one more (or, at the money, buy one less) to one that can buy one more (or sell one less).
Every push gains welfare, so it ends; what remains is less than any lot that still wants the link
needs, unless the orders at its ends are used up.
"""

from dataclasses import dataclass

import numpy as np

from orders.clearing.period_clearing import PeriodModel
from orders.clearing.types import BoolArray, FloatArray, IntArray

_HOPS = 8
_PUSHES = 400
_GAIN = 1e-9
_ROOM = 1e-9


@dataclass(frozen=True, eq=False)
class Freedom:
    """What may still change in a period at the published prices.

    `may_rise` and `may_fall` mark steps, `open_arcs` arcs; `room` is Gbit/s by link direction
    before any arc's flow, `limits` lots by step.
    """

    may_rise: BoolArray
    may_fall: BoolArray
    open_arcs: BoolArray
    room: FloatArray
    limits: IntArray


def fill_period(
    model: PeriodModel, steps: IntArray, arcs: IntArray, freedom: Freedom
) -> tuple[IntArray, IntArray]:
    """Return lots by step and arc after all pushes that gain welfare.

    Args:
        model: the period.
        steps: accepted lots by step.
        arcs: lots by arc.
        freedom: what may change.
    """
    filling = _Filling(model, steps.copy(), arcs.copy(), freedom)
    for _ in range(_PUSHES):
        if not filling.push():
            break
    return filling.steps, filling.flow


class _Filling:
    def __init__(
        self, model: PeriodModel, steps: IntArray, flow: IntArray, freedom: Freedom
    ) -> None:
        self._model = model
        self._arcs = model.market.arcs
        self._freedom = freedom
        self.steps = steps
        self.flow = flow
        self._value = model.step_price * model.lot[model.step_node]
        self._closed = np.zeros(len(flow), dtype=bool)

    def push(self) -> bool:
        """Move one lot along the best walk; False if none gains."""
        room = self._room_left()
        tight = self._arcs.use_bandwidth > room[self._arcs.use_link] + _ROOM
        blocked = np.zeros(len(self.flow), dtype=bool)
        blocked[self._arcs.use_arc[tight]] = True
        forward = np.flatnonzero(self._freedom.open_arcs & ~blocked & ~self._closed)
        back = np.flatnonzero(self.flow > 0)
        walk = self._best_walk(forward, back)
        if walk is None:
            return False
        first, arcs, signs, last = walk
        change = np.zeros(len(self.flow), dtype=np.int64)
        np.add.at(change, arcs, signs)
        if np.any(self.flow + change < 0) or np.any(
            room - self._use(change) < -_ROOM * np.maximum(1.0, room)
        ):
            # The walk wants one link twice: try again without its first forward arc.
            self._closed[arcs[signs > 0][:1]] = True
            return bool(np.any(signs > 0))
        self.flow += change
        self.steps[first] += 1 if not self._model.step_buy[first] else -1
        self.steps[last] += 1 if self._model.step_buy[last] else -1
        return True

    def _room_left(self) -> FloatArray:
        return self._freedom.room - self._use(self.flow)

    def _use(self, flow: IntArray) -> FloatArray:
        arcs = self._arcs
        return np.bincount(
            arcs.use_link,
            weights=flow[arcs.use_arc] * arcs.use_bandwidth,
            minlength=len(self._freedom.room),
        ).astype(float)

    def _best_walk(
        self, forward: IntArray, back: IntArray
    ) -> tuple[int, IntArray, IntArray, int] | None:
        """Return first step, arcs with their signs, and last step of the walk that gains most."""
        arcs = self._arcs
        start = np.concatenate([arcs.start[forward], arcs.end[back]])
        end = np.concatenate([arcs.end[forward], arcs.start[back]])
        cost = np.concatenate([arcs.cost[forward], -arcs.cost[back]])
        number = np.concatenate([forward, back])
        sign = np.concatenate([np.ones(len(forward), int), -np.ones(len(back), int)])
        source_step, layer = self._ends(source=True)
        sink_step, worth = self._ends(source=False)
        layers, via = [layer], []
        for _ in range(_HOPS):
            trial = layer[start] + cost
            order = np.lexsort((number, trial, end))
            kept = order[np.r_[True, end[order][1:] != end[order][:-1]]] if len(order) else order
            layer = np.full(len(layer), np.inf)
            layer[end[kept]] = trial[kept]
            taken = np.full(len(layer), -1, dtype=np.int64)
            taken[end[kept]] = kept
            layers.append(layer)
            via.append(taken)
        gains = np.stack([np.where(np.isfinite(item), worth - item, -np.inf) for item in layers])
        depth, node = np.unravel_index(int(np.argmax(gains)), gains.shape)
        if not gains[depth, node] > _GAIN * max(1.0, abs(float(worth[node]))):
            return None
        last, edges = int(sink_step[node]), []
        for level in range(int(depth) - 1, -1, -1):
            edges.append(int(via[level][node]))
            node = start[edges[-1]]
        chosen = np.array(edges[::-1], dtype=np.int64)
        return int(source_step[node]), number[chosen], sign[chosen], last

    def _ends(self, *, source: bool) -> tuple[IntArray, FloatArray]:
        """Return per node the step to change and its money per lot: least cost or most worth."""
        model, freedom = self._model, self._freedom
        buy = model.step_buy
        rises = freedom.may_rise & (self.steps < freedom.limits)
        falls = freedom.may_fall & (self.steps > 0)
        usable = np.flatnonzero(np.where(buy == source, falls, rises))
        value = self._value[usable] if source else -self._value[usable]
        node = model.step_node[usable]
        order = np.lexsort((usable, value, node))
        kept = order[np.r_[True, node[order][1:] != node[order][:-1]]] if len(order) else order
        step = np.full(len(model.market.nodes), -1, dtype=np.int64)
        money = np.full(len(model.market.nodes), np.inf)
        step[node[kept]] = usable[kept]
        money[node[kept]] = value[kept]
        return step, money if source else -money
