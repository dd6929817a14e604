"""Which steps of a period can matter: those near the price; the others trade wholly or not at all.

The choice is checked after solving: a relief column on either side of a node's window offers what
lies beyond it at the price of its edge, better than it is. While no relief is used, the answer is
that of the whole book.
"""

from dataclasses import dataclass

import numpy as np

from orders.clearing.types import BoolArray, FloatArray, IntArray

WIDTH = 12
# Of the first look at a period, which says where the windows begin.
RUNGS = 24


@dataclass(frozen=True, eq=False)
class Ladder:
    """The steps of a period sorted by node and price."""

    order: IntArray
    node: IntArray
    price: FloatArray
    first: IntArray

    @classmethod
    def of(cls, node: IntArray, price: FloatArray, nodes: int) -> "Ladder":
        """Sort the steps."""
        order = np.lexsort((price, node))
        first = np.searchsorted(node[order], np.arange(nodes + 1))
        return cls(order, node[order], price[order], first)


@dataclass(frozen=True, eq=False)
class Window:
    """Steps inside, below and above by step; relief columns by node with the edge's price."""

    inside: IntArray
    below: BoolArray
    above: BoolArray
    low_node: IntArray
    low_price: FloatArray
    high_node: IntArray
    high_price: FloatArray


def cut_window(ladder: Ladder, centre: FloatArray, width: IntArray) -> Window:
    """Keep `width` steps on either side of each node's price."""
    first, last = ladder.first[:-1], ladder.first[1:]
    count = len(ladder.order)
    under = np.bincount(
        ladder.node, weights=ladder.price <= centre[ladder.node], minlength=len(first)
    ).astype(np.int64)
    low = np.clip(first + under - width, first, last)
    high = np.clip(first + under + width, first, last)
    place = np.arange(count)
    below_sorted = place < low[ladder.node]
    above_sorted = place >= high[ladder.node]
    below, above = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    below[ladder.order] = below_sorted
    above[ladder.order] = above_sorted
    low_node, high_node = np.flatnonzero(low > first), np.flatnonzero(high < last)
    return Window(
        inside=np.flatnonzero(~(below | above)),
        below=below,
        above=above,
        low_node=low_node,
        low_price=ladder.price[low[low_node] - 1],
        high_node=high_node,
        high_price=ladder.price[high[high_node]],
    )


@dataclass(frozen=True, eq=False)
class Rungs:
    """Neighbouring steps of one node and side taken together: lots, and their mean price."""

    node: IntArray
    is_buy: BoolArray
    lots: FloatArray
    price: FloatArray


def coarse_rungs(ladder: Ladder, is_buy: BoolArray, lots: IntArray, most: int) -> Rungs:
    """Take the steps of each node together to at most `most` rungs a side, with lots above zero.

    Args:
        ladder: the steps of a period.
        is_buy: side of each step.
        lots: quantity of each step.
        most: rungs of a node and side.
    """
    first, node = ladder.first[:-1], ladder.node
    count = np.diff(ladder.first)
    place = (np.arange(len(node)) - first[node]) * most // np.maximum(count[node], 1)
    group = (node * most + place) * 2 + is_buy[ladder.order]
    size = len(first) * most * 2
    weight = lots[ladder.order].astype(float)
    total: FloatArray = np.bincount(group, weights=weight, minlength=size).astype(float)
    worth = np.bincount(group, weights=weight * ladder.price, minlength=size)
    kept = np.flatnonzero(total > 0)
    return Rungs(
        node=kept // 2 // most,
        is_buy=kept % 2 == 1,
        lots=total[kept],
        price=worth[kept] / total[kept],
    )
