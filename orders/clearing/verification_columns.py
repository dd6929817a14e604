"""Whole columns for the verifier: groups of equal rows, exact sums, amounts in ticks.

Written apart from what the engine uses for the same ends.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import floor
from typing import TypeVar

import numpy as np

from orders.clearing.row_tables import Column
from orders.clearing.types import Codes, IntArray

Value = TypeVar("Value")
# Stands for an amount that is not a whole number of ticks, or too large for sums over all rows.
ODD = -(2**62)
# Sums and products of 64 bits stay below this, with room for the sign and one difference.
_LARGEST = 2**61


def groups(columns: Sequence[Codes]) -> tuple[IntArray, IntArray]:
    """Return the first row of every different row of some columns, and each row's group."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    if not len(code):
        return code, code
    for column in columns:
        low, high = int(column.min()), int(column.max())
        if (int(code.max()) + 1) * (high - low + 1) >= _LARGEST:
            code, column = _ranked(code), _ranked(column)
            low, high = 0, int(column.max())
        code = code * (high - low + 1) + (column - low)
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    return first, group.reshape(-1)


def distinct(cells: Sequence[Value]) -> tuple[list[Value], IntArray]:
    """Return the different values of some cells, and each cell's place among them."""
    places: dict[Value, int] = {}
    numbers = [places.setdefault(value, len(places)) for value in cells]
    return list(places), np.array(numbers, dtype=np.int64)


def _ranked(column: Codes) -> IntArray:
    """Return the place of each number among the different ones."""
    return np.unique(column, return_inverse=True)[1].reshape(-1)


def totals(group: IntArray, values: IntArray, count: int) -> list[int]:
    """Return the exact sum of whole numbers by group, whatever their size."""
    if np.abs(values.astype(np.float64)).sum() < _LARGEST:
        found = np.zeros(count, dtype=np.int64)
        np.add.at(found, group, values)
        return found.tolist()
    sums = [0] * count
    for place, value in zip(group.tolist(), values.tolist(), strict=True):
        sums[place] += value
    return sums


def product_totals(group: IntArray, first: IntArray, second: IntArray, count: int) -> list[int]:
    """Return the exact sum of products by group, whatever their size."""
    if not len(first):
        return [0] * count
    if int(np.abs(first).max()) * int(np.abs(second).sum(dtype=np.float64) + 1) < _LARGEST:
        return totals(group, first * second, count)
    found = [0] * count
    for place, a, b in zip(group.tolist(), first.tolist(), second.tolist(), strict=True):
        found[place] += a * b
    return found


def whole_ticks(column: Column, product: IntArray, ticks: Sequence[Decimal]) -> IntArray:
    """Return each amount as ticks of its row's product, ODD where that is no whole number.

    ODD as well is what would pass 64 bits if every row had it: such amounts are added up as
    decimals, and reported, since no book has as many lots.
    """
    largest = _LARGEST // max(1, len(column.codes))
    first, group = groups((product, column.codes))
    found = np.full(len(first), ODD, dtype=np.int64)
    for place, row in enumerate(first.tolist()):
        item, value = int(product[row]), column.values[column.codes[row]]
        if item < 0 or not isinstance(value, Decimal) or not value.is_finite():
            continue
        if abs(value) < largest * ticks[item]:
            number = int(value / ticks[item])
            if number * ticks[item] == value:
                found[place] = number
    return found[group]


def border(price: Decimal, tick: Decimal) -> tuple[int, bool]:
    """Return the last whole tick at or below a price, and whether the price lies on it."""
    lowest = max(-_LARGEST, min(_LARGEST, floor(price / tick)))
    return lowest, lowest * tick == price
