"""Long tables of a result by column: each column is values and, for each row, which one it has.

A million rows as objects take far more memory and time than as columns of numbers.
Whoever wants rows iterates and gets them one by one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, overload

import numpy as np

from orders.clearing.types import Codes, IntArray

Row = TypeVar("Row", bound=tuple[Any, ...])
# Rows that are made at once.
_BLOCK = 65_536
# Range of whole numbers up to which a table of places is cheaper than sorting.
_DENSE = 1 << 23
# Whole numbers up to which binary floats are exact.
_EXACT = 1 << 53


@dataclass(frozen=True, eq=False)
class Column:
    """`values[codes[k]]` is the cell of row k; a value may stand there twice."""

    values: Sequence[Any]
    codes: Codes

    def cells(self, start: int = 0, end: int | None = None) -> list[Any]:
        """Return the cells of some rows."""
        values = self.values
        return [values[code] for code in self.codes[start:end].tolist()]

    def numbers(self, number_of: Callable[[Any], int]) -> IntArray:
        """Return a whole number for each row, worked out once for each value in use."""
        used = np.zeros(len(self.values), dtype=bool)
        used[self.codes] = True
        chosen = np.flatnonzero(used)
        found = np.zeros(len(used), dtype=np.int64)
        values = map(self.values.__getitem__, chosen.tolist())
        found[chosen] = np.fromiter(map(number_of, values), dtype=np.int64, count=len(chosen))
        return found[self.codes]

    @cached_property
    def distinct(self) -> IntArray:
        """The same number for equal cells."""
        index: defaultdict[Any, int] = defaultdict()
        index.default_factory = index.__len__
        return self.numbers(index.__getitem__)


class RowTable(Sequence[Row], Generic[Row]):
    """A sequence of rows of one kind, kept by column."""

    def __init__(self, kind: Any, columns: Mapping[str, Column]) -> None:
        self.kind = kind
        self.columns = {name: columns[name] for name in kind._fields}
        self._count = len(next(iter(self.columns.values())).codes)

    @classmethod
    def of(cls, kind: Any, rows: Sequence[Row]) -> "RowTable[Row]":
        """Return rows as a table; a table is returned as it is."""
        if isinstance(rows, RowTable):
            return rows
        cells = zip(*rows, strict=True) if rows else ((),) * len(kind._fields)
        pairs = zip(kind._fields, cells, strict=True)
        return cls(kind, {name: column_of(own) for name, own in pairs})

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, self._count, _BLOCK):
            cells = [own.cells(start, start + _BLOCK) for own in self.columns.values()]
            yield from map(self.kind._make, zip(*cells, strict=True))

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, place: int | slice) -> Row | tuple[Row, ...]:
        rows = range(self._count)[place]
        if isinstance(rows, int):
            own = self.columns.values()
            return self.kind._make(column.values[column.codes[rows]] for column in own)  # type: ignore[no-any-return]
        return tuple(self[row] for row in rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{self._count} rows of {self.kind.__name__}>"


def column_of(cells: Sequence[Any]) -> Column:
    """Return cells as a column of distinct values, in the order of their first rows.

    Only cells of one type are told apart by their value alone: `1` and `Decimal("1.0")` are equal.
    """
    values = dict.fromkeys(cells)
    index = {value: number for number, value in enumerate(values)}
    codes = np.fromiter(map(index.__getitem__, cells), dtype=np.int32, count=len(cells))
    return Column(list(values), codes)


def numbered(values: Codes) -> tuple[IntArray, IntArray]:
    """Return the distinct whole numbers, ascending, and each one's place among them."""
    if not len(values):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    whole: IntArray = values.astype(np.int64, copy=False)
    low, high = int(whole.min()), int(whole.max())
    if high - low >= _DENSE:
        found, places = np.unique(whole, return_inverse=True)
        return found, places.reshape(-1)
    own = whole - low
    seen = np.zeros(high - low + 1, dtype=bool)
    seen[own] = True
    place = np.cumsum(seen) - 1
    return np.flatnonzero(seen) + low, place[own]


def combined(columns: Iterable[Codes]) -> IntArray:
    """Return one number for each combination of whole numbers, numbered after each column."""
    found: IntArray | None = None
    for column in columns:
        if found is None:
            found = numbered(column)[1]
            continue
        own: IntArray = column.astype(np.int64) - int(column.min(initial=0))
        # Numbered as well, lest a product of two ranges pass 64 bits.
        if int(own.max(initial=0)) >= _DENSE:
            own = numbered(own)[1]
        found = numbered(found * (int(own.max(initial=0)) + 1) + own)[1]
    assert found is not None  # noqa: S101 - there is always a column
    return found


def first_rows(numbers: Codes) -> IntArray:
    """Return the first row of each number from 0 up; every number up to the largest occurs."""
    count = int(numbers.max(initial=-1)) + 1
    rows = np.empty(count, dtype=np.int64)
    rows[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    return rows


def sums(group: IntArray, values: IntArray, count: int) -> IntArray:
    """Return the exact sum of whole numbers, none below zero, by group."""
    if not len(values) or int(values.sum()) < _EXACT:
        return np.bincount(group, weights=values, minlength=count).astype(np.int64)
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, group, values)
    return total


class Numbering:
    """Gives texts numbers as they come, many at once."""

    def __init__(self) -> None:
        self._known: defaultdict[str, int] = defaultdict()
        self._known.default_factory = self._known.__len__
        self._parts: list[Codes] = []

    def extend(self, texts: Sequence[str]) -> None:
        """Append rows."""
        if texts and texts.count(texts[0]) == len(texts):
            self._parts.append(np.full(len(texts), self._known[texts[0]], dtype=np.int32))
            return
        numbers = map(self._known.__getitem__, texts)
        self._parts.append(np.fromiter(numbers, dtype=np.int32, count=len(texts)))

    def column(self, *, strip: bool) -> Column:
        """Return what was appended, on demand without space around the texts."""
        codes = np.concatenate([np.zeros(0, dtype=np.int32), *self._parts])
        given = list(self._known)
        texts = [text.strip() for text in given] if strip else given
        if texts == given:
            return Column(given, codes)
        plain = column_of(texts)
        return Column(plain.values, plain.codes[codes])
