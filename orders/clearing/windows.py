"""Which steps of a period can matter: those near the price; the others trade wholly or not at all.

The choice is checked after solving: a relief column on either side of a node's window offers what
lies beyond it at the price of its edge, better than it is. While no relief is used, the answer is
that of the whole book.
"""

from dataclasses import dataclass

import numpy as np

from orders.clearing.types import BoolArray, FloatArray, IntArray

WIDTH = 12


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


def crossing_prices(
    group: IntArray, price: FloatArray, is_buy: BoolArray, lots: IntArray, groups: int
) -> FloatArray:
    """Return by group of steps the price where its supply meets its demand, nan with one side."""
    order = np.lexsort((price, group))
    own, level, buys = group[order], price[order], is_buy[order]
    sold = np.where(buys, 0, lots[order])
    bought = np.where(buys, lots[order], 0)
    wanted = np.bincount(own, weights=bought, minlength=groups)
    offered = np.bincount(own, weights=sold, minlength=groups)
    total = np.cumsum(sold) + np.cumsum(bought) - bought
    first = np.searchsorted(own, np.arange(groups))
    before = np.concatenate([[0], np.cumsum(sold + bought)])[first]
    met = np.flatnonzero(total - before[own] >= wanted[own])
    out = np.full(groups, np.nan)
    # The first of each group: later assignments are overwritten by going backwards.
    out[own[met[::-1]]] = level[met[::-1]]
    out[(wanted == 0) | (offered == 0)] = np.nan
    return out
