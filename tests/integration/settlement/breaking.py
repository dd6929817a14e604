"""Breaks the constraints of a table on purpose: makes rows up that keep all rules but one.

Keys to other tables wait until the end of the transaction, so a row may name what is not there.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, transaction

Row = dict[int, Any]
MOST_COMBINATIONS = 40_000
MOST_ATTEMPTS = 12

_COLUMNS = """
SELECT a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity <> ''
  FROM pg_attribute a
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attgenerated = '' ORDER BY a.attnum
"""
_CHECKS = """
SELECT conname, pg_get_expr(conbin, conrelid), conkey FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype = 'c' ORDER BY conname
"""
_KEYS = """
SELECT c.relname, array_remove(i.indkey::int2[], 0::int2), pg_get_expr(i.indpred, i.indrelid),
       pg_get_expr(i.indexprs, i.indrelid) || ''
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = %s::regclass AND (i.indisunique OR i.indisexclusion)
 ORDER BY c.relname
"""
_FOREIGN_KEYS = """
SELECT conname, conkey FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype = 'f' ORDER BY conname
"""
# Values by type: the first is what a row has unless a rule wants another one.
_VALUES = {
    "numeric": ["1", "0", "-1", "0.5", "2", "100", "NaN", "1000000000000", "99999999999999"],
    "integer": ["1", "0", "-1", "2", "9", "2026"],
    "boolean": ["false", "true"],
    "date": ["2026-11-01", "2026-11-30", "2026-12-02", "2020-02-29"],
    "timestamp": ["2026-11-22T00:00Z", "2026-11-22T01:00Z", "2026-11-22T01:07Z"],
    "time": ["00:00", "12:00"],
    "uuid": [f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 5)],
    "jsonb": ["{}", "[]"],
    "int": ["1", "0", "-1", "2", "9", "2026"],
    "bytea": ["\\x01", ""],
    "interval": ["1 hour", "0", "-1 hour"],
    "int8range": ["[1,5)", "[3,9)", "empty"],
    "daterange": ["[2026-11-01,2026-12-01)", "[2026-11-15,2026-12-15)", "empty"],
    "tstzrange": ["[2026-11-22T00:00Z,2026-11-22T01:00Z)", "empty"],
    "inet": ["127.0.0.1"],
}
_NUMBERS = ["900000001", "900000002"]
_KINDS = (
    ("daterange", "daterange"),
    ("int8range", "int8range"),
    ("numeric", "numeric"), ("double", "numeric"), ("bigint", "integer"),
    ("integer", "integer"), ("smallint", "integer"), ("boolean", "boolean"), ("date", "date"),
    ("timestamp", "timestamp"), ("time", "time"), ("uuid", "uuid"), ("json", "jsonb"),
    ("bytea", "bytea"), ("interval", "interval"), ("tstzrange", "tstzrange"), ("inet", "inet"),
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column, and the values worth trying in it."""

    number: int
    name: str
    kind: str
    values: list[str | None]


@dataclass
class Table:
    """A table with its rules, read from the catalogue."""

    name: str
    columns: dict[int, Column] = field(default_factory=dict)
    checks: dict[str, tuple[str, list[int]]] = field(default_factory=dict)
    keys: dict[str, tuple[list[int], str, str]] = field(default_factory=dict)
    foreign_keys: dict[str, list[int]] = field(default_factory=dict)


def _rows(sql: str, *arguments: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments or None)
        return cursor.fetchall()


def read_table(name: str) -> Table:
    """Return a table as the catalogue describes it."""
    table = Table(name)
    for check, rule, numbers in _rows(_CHECKS, name):
        table.checks[check] = (rule, list(numbers))
    for key, numbers, predicate, expression in _rows(_KEYS, name):
        table.keys[key] = (list(numbers), predicate or "", expression or "")
    for key, numbers in _rows(_FOREIGN_KEYS, name):
        table.foreign_keys[key] = list(numbers)
    rules = " ".join([rule for rule, _ in table.checks.values()])
    rules += " ".join(predicate for _, predicate, _expression in table.keys.values())
    for number, column, kind, not_null, counts in _rows(_COLUMNS, name):
        values = _NUMBERS if counts else _values(kind, rules, not_null)
        table.columns[number] = Column(number, column, kind, list(values))
    return table


def _values(kind: str, rules: str, not_null: bool) -> list[str | None]:
    if kind.endswith("[]"):
        return [
            "{1}",
            "{}",
            *(f"{{{text}}}" for text in dict.fromkeys(re.findall(r"'(\w+)'", rules))),
        ]
    name = next((known for begins, known in _KINDS if kind.startswith(begins)), "")
    values: list[str | None] = list(_VALUES.get(name, []))
    if name in ("numeric", "integer"):
        values += [
            n for n in re.findall(r"\(?(-?\d+)\)?::(?:numeric|bigint)", rules) if n not in values
        ]
    if not values:
        quoted = re.findall(r"'([^']*)'::(?:character varying|text)", rules)
        size = re.search(r"\((\d+)\)", kind)
        longest = int(size[1]) if size else 99
        values = ["x", "", *dict.fromkeys(text for text in quoted if 0 < len(text) <= longest)]
    values = [value for value in values if value is not None and _fits(value, kind)]
    return values if not_null else [*values, None]


@functools.cache
def _fits(value: str, kind: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT %s::{kind}", [value])
    except DatabaseError:
        return False
    return True


class RowMaker:
    """Makes rows of one table that keep its checks, or break one of them."""

    def __init__(self, table: Table, given: Mapping[str, str] | None = None) -> None:
        """Look for a row that keeps every check.

        Args:
            table: the table.
            given: values that a trigger asks for, by column.
        """
        self.table = table
        wanted = given or {}
        self.row = {n: wanted.get(c.name, c.values[0]) for n, c in table.columns.items()}
        self.given = {n for n, column in table.columns.items() if column.name in wanted}
        self.row = self.repaired(self.row, self.given)

    def repaired(self, row: Row, fixed: AbstractSet[int] = frozenset()) -> Row:
        """Return a row like this one that keeps the checks, where one is found."""
        for _ in range(MOST_ATTEMPTS):
            broken = self.broken(row)
            if not broken:
                break
            rule, numbers = self.table.checks[broken[0]]
            free = [n for n in numbers if n not in fixed]
            better = self.search(row, free, [f"({rule})"], 60) or []
            row = min((b for b in better), key=lambda r: len(self.broken(r)), default=row)
        return row

    def broken(self, row: Row) -> list[str]:
        """Return the names of the checks that a row breaks."""
        if not self.table.checks:
            return []
        tests = ", ".join(f"({rule}) IS FALSE" for rule, _ in self.table.checks.values())
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {tests} FROM ({self._select(row)}) AS made")
            found = cursor.fetchone()
        return [name for name, bad in zip(self.table.checks, found, strict=True) if bad]

    def search(self, row: Row, numbers: list[int], conditions: list[str], most: int) -> list[Row]:
        """Return rows that differ in these columns and meet the conditions."""
        choices = [self.table.columns[n].values for n in numbers]
        while _size(choices) > MOST_COMBINATIONS:
            longest = max(range(len(choices)), key=lambda i: len(choices[i]))
            choices[longest] = choices[longest][:-1]
        names = [self.table.columns[n].name for n in numbers]
        others = {n: v for n, v in row.items() if n not in numbers}
        tables = ", ".join(
            f"(VALUES {', '.join(f'({self._literal(n, v)})' for v in values)}) AS t{n} ({_q(name)})"
            for n, name, values in zip(numbers, names, choices, strict=True)
        )
        fixed = ", ".join(
            f"{self._literal(n, v)} AS {_q(self.table.columns[n].name)}" for n, v in others.items()
        )
        source = f"(SELECT {fixed}) AS fixed" if fixed else "(SELECT 1) AS fixed"
        shown = ", ".join(f"{_q(name)}::text" for name in names) or "1"
        wanted = " AND ".join(conditions) or "true"
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT {shown} FROM {source}{', ' if tables else ''}{tables}"
                    f" WHERE {wanted} LIMIT {most}"
                )
                return [
                    {**row, **dict(zip(numbers, found, strict=True))} for found in cursor.fetchall()
                ]
        except DatabaseError:
            return []

    def breaking(self, check: str) -> list[Row]:
        """Return rows that break one check and keep the others, as far as there are any."""
        rule, numbers = self.table.checks[check]
        others = [
            f"({r}) IS NOT FALSE" for name, (r, _) in self.table.checks.items() if name != check
        ]
        wide = {
            n for name, (r, ns) in self.table.checks.items() if set(ns) & set(numbers) for n in ns
        }
        for free in (numbers, sorted(wide)):
            found = self.search(
                self.row, list(free), [f"({rule}) IS FALSE", *others], MOST_ATTEMPTS
            )
            if found:
                return found
        return self.search(self.row, list(numbers), [f"({rule}) IS FALSE"], MOST_ATTEMPTS)

    def with_values(self, numbers: list[int]) -> Row:
        """Return a row that has a value in each of these columns and keeps the checks."""
        row = dict(self.row)
        for number in numbers:
            column = self.table.columns[number]
            row[number] = row[number] or next(v for v in column.values if v)
        return self.repaired(row, set(numbers))

    def break_key(self, name: str, before: Sequence[str] = ()) -> tuple[str, str]:
        """Insert two rows alike in a unique or exclusion key; return what refused the second.

        Other keys that the rows share are made different, one value after the other.
        """
        numbers, predicate, _ = self.table.keys[name]
        first = self.with_values([n for n in numbers if not self._is_null_in(n, predicate)])
        if self.broken(first):
            first = dict(self.row)
        asked = set(self._columns_in(predicate))
        for _, touched in self.table.checks.values():
            asked |= set(touched) if asked & set(touched) else set()
        free = sorted(asked - set(numbers) - self.given)
        if free:
            found = self.search(first, free, [f"({predicate})", *self._kept()], 1)
            first = found[0] if found else first
        second, answer = dict(first), ("", "")
        for _ in range(MOST_ATTEMPTS):
            answer = refused_by(*before, self.insert(first), self.insert(second))
            other = self.table.keys.get(answer[1])
            if answer[1] == name or other is None:
                break
            free = [n for n in other[0] if n not in numbers and second[n] == first[n]]
            if not free:
                break
            second = self._changed(second, free)
        return answer

    def covered(self, name: str, other: str) -> bool:
        """Tell whether whatever breaks one rule breaks another one as well."""
        if name in self.table.checks and other in self.table.checks:
            shared = set(self.table.checks[name][1]) & set(self.table.checks[other][1])
            return bool(shared)
        if name in self.table.keys and other in self.table.keys:
            return set(self.table.keys[other][0]) <= set(self.table.keys[name][0])
        return False

    def _changed(self, row: Row, free: list[int]) -> Row:
        for number in free:
            for value in self.table.columns[number].values:
                other = {**row, number: value}
                if value not in (None, row[number]) and not self.broken(other):
                    return other
        return {**row, free[0]: self.table.columns[free[0]].values[1]}

    def _kept(self) -> list[str]:
        return [f"({rule}) IS NOT FALSE" for rule, _ in self.table.checks.values()]

    def _columns_in(self, text: str) -> list[int]:
        words = set(re.findall(r"\w+", text))
        return [n for n, column in self.table.columns.items() if column.name in words]

    def _is_null_in(self, number: int, predicate: str) -> bool:
        return f"{self.table.columns[number].name} IS NULL" in predicate

    def insert(self, row: Row) -> str:
        """Return the statement that inserts a row."""
        names = ", ".join(_q(self.table.columns[n].name) for n in row)
        return f"INSERT INTO {self.table.name} ({names}) {self._select(row)}"

    def _select(self, row: Row) -> str:
        return "SELECT " + ", ".join(
            f"{self._literal(n, v)} AS {_q(self.table.columns[n].name)}" for n, v in row.items()
        )

    def _literal(self, number: int, value: str | None) -> str:
        kind = self.table.columns[number].kind
        if value is None:
            return f"NULL::{kind}"
        return "'" + value.replace("'", "''") + f"'::{kind}"


def _size(choices: list[list[Any]]) -> int:
    size = 1
    for values in choices:
        size *= len(values)
    return size


def _q(name: str) -> str:
    return f'"{name}"'


def refused_by(*statements: str) -> tuple[str, str]:
    """Return state and constraint of the refusal of the last statement, or of an earlier one.

    The statements run in one transaction that is taken back.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError as error:
        diagnosis = error.__cause__.diag
        return diagnosis.sqlstate, diagnosis.constraint_name or diagnosis.message_primary or ""
    return "taken", ""
