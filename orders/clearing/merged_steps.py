"""Steps of all periods for a programme over all: exact near the price, in bins beyond it."""

from dataclasses import dataclass

import numpy as np

from orders.clearing.state import Book
from orders.clearing.types import FloatArray, IntArray

EXACT_RANKS = 12
_BIN_RATIO = 1.5


@dataclass(frozen=True, eq=False)
class MergedSteps:
    """Steps of all periods, those far from the price merged into bins."""

    row: IntArray
    is_buy: IntArray
    lots: FloatArray
    cost: FloatArray


def merge_steps(book: Book, reference: FloatArray, lots: IntArray) -> MergedSteps:
    """Keep the steps within some ranks of each node's price, merge those beyond into bins.

    Args:
        book: the auction.
        reference: price by (period, node).
        lots: quantity of each step.
    """
    merit, market = book.merit, book.market
    nodes = len(market.nodes)
    row = merit.period * nodes + merit.node
    group = row * 2 + merit.is_buy
    count = len(row)
    starts = np.r_[True, group[1:] != group[:-1]] if count else np.zeros(0, dtype=bool)
    ident = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    below = merit.price <= reference[merit.period, merit.node]
    pivot = first + np.bincount(ident, weights=below, minlength=len(first)).astype(np.int64)
    distance = np.arange(count) - pivot[ident]
    beyond = np.maximum(np.abs(distance) - EXACT_RANKS, 0)
    bins = np.where(beyond > 0, np.ceil(np.log1p(beyond) / np.log(_BIN_RATIO)), 0)
    exact = np.clip(distance, -EXACT_RANKS, EXACT_RANKS)
    key = exact + np.sign(exact) * bins.astype(np.int64)
    change = np.r_[True, (ident[1:] != ident[:-1]) | (key[1:] != key[:-1])][:count]
    target = np.cumsum(change) - 1
    weight = lots.astype(float)
    total = np.bincount(target, weights=weight).astype(float)
    worth = np.bincount(target, weights=weight * merit.price)
    plain = np.bincount(target, weights=merit.price) / np.maximum(np.bincount(target), 1)
    price = np.where(total > 0, worth / np.maximum(total, 1e-300), plain)
    kept = np.flatnonzero(change)
    lot = market.lot[market.node_product[merit.node[kept]]]
    sign = np.where(merit.is_buy[kept] == 1, -1.0, 1.0)
    return MergedSteps(row[kept], merit.is_buy[kept], total, sign * price * lot / book.unit)
