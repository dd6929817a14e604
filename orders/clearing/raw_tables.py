"""Rows of a bundle as plain text columns, before anything in them is believed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orders.clearing.errors import BundleRefused
from orders.clearing.fields import as_text
from orders.clearing.row_tables import Column, column_of, combined, first_rows
from orders.clearing.schema import BUNDLE_TABLES, REQUIRED_TABLES


@dataclass(frozen=True)
class RawTable:
    """One file: text columns of equal length. An absent optional column reads as empty.

    A column is its texts, or its distinct texts with a number for each row.
    """

    name: str
    columns: Mapping[str, Sequence[str] | Column]
    count: int

    @property
    def file(self) -> str:
        """Name of the file, for messages."""
        return f"{self.name}.csv"

    def column(self, name: str) -> Sequence[str]:
        """Return a column, empty texts if the file lacks it."""
        found = self.columns.get(name)
        if found is None:
            return [""] * self.count
        return found.cells() if isinstance(found, Column) else found

    def coded(self, name: str) -> Column:
        """Return a column as distinct texts with a number for each row."""
        found = self.columns.get(name)
        if found is None:
            return Column([""], np.zeros(self.count, dtype=np.int32))
        return found if isinstance(found, Column) else column_of(found)

    def distinct(self, *names: str) -> list[tuple[int, tuple[str, ...]]]:
        """Return the different rows of some columns with the line where each stands first."""
        if not self.count:
            return []
        columns = [self.coded(name) for name in names]
        first = np.sort(first_rows(combined(column.codes for column in columns)))
        cells = [[column.values[code] for code in column.codes[first]] for column in columns]
        return list(zip((first + 2).tolist(), zip(*cells, strict=True), strict=True))

    def rows(self, *names: str) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield the line number in the file and the named cells of each row."""
        columns = [self.column(name) for name in names]
        return ((number + 2, cells) for number, cells in enumerate(zip(*columns, strict=True)))


def check_columns(name: str, header: Sequence[str]) -> None:
    """Refuse unknown, repeated or missing columns."""
    required, optional = BUNDLE_TABLES[name]
    file = f"{name}.csv"
    for column in header:
        if column not in required and column not in optional:
            raise BundleRefused(file, 1, f"unknown column {column!r}")
    if len(set(header)) != len(header):
        raise BundleRefused(file, 1, "a column appears twice")
    missing = [column for column in required if column not in header]
    if missing:
        raise BundleRefused(file, 1, f"missing column {missing[0]!r}")


def raw_table_from_rows(name: str, rows: Iterable[Mapping[str, object]]) -> RawTable:
    """Build a table from row dicts; the columns are those any row names."""
    if name not in BUNDLE_TABLES:
        raise BundleRefused(f"{name}.csv", None, "unknown file")
    required, optional = BUNDLE_TABLES[name]
    known = (*required, *optional)
    columns: dict[str, list[str]] = {column: [] for column in known}
    count = 0
    for count, row in enumerate(rows, start=1):
        for column in row:
            if column not in columns:
                raise BundleRefused(f"{name}.csv", count + 1, f"unknown column {column!r}")
        for column in known:
            value = row.get(column)
            columns[column].append(
                value
                if type(value) is str
                else as_text(value, file=f"{name}.csv", line=count + 1, column=column)
            )
    return RawTable(name=name, columns=columns, count=count)


def with_absent_tables(tables: Mapping[str, RawTable]) -> dict[str, RawTable]:
    """Return all tables of the format, the absent optional ones empty."""
    for name in REQUIRED_TABLES:
        if name not in tables:
            raise BundleRefused(f"{name}.csv", None, "the file is missing")
    empty = {name: RawTable(name=name, columns={}, count=0) for name in BUNDLE_TABLES}
    return {**empty, **tables}


def refuse_duplicates(table: RawTable, *key: str) -> None:
    """Refuse two rows with the same key."""
    seen: set[tuple[str, ...]] = set()
    for line, cells in table.rows(*key):
        if cells in seen:
            raise BundleRefused(table.file, line, f"duplicate {', '.join(key)}: {'/'.join(cells)}")
        seen.add(cells)
