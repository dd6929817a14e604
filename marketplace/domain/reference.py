"""Reads the reference tables that come with the project (`marketplace/reference/*.csv`)."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent / "reference"


def table_names() -> list[str]:
    """Return the names of all reference tables, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.csv"))


def load_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a reference table; every value is text, an empty cell is `""`.

    The caller may change what it gets.

    Raises:
        KeyError: when there is no such table.
        ValueError: when a row has more or fewer cells than the header.
    """
    return [dict(row) for row in _read(name)]


@cache
def _read(name: str) -> tuple[dict[str, str], ...]:
    path = _FOLDER / f"{name}.csv"
    if not re.fullmatch("[a-z0-9_]+", name) or not path.is_file():
        raise KeyError(name)
    with path.open(encoding="utf-8", newline="") as file:
        header, *records = csv.reader(file)
    for number, record in enumerate(records, start=2):
        if len(record) != len(header):
            raise ValueError(f"{name}.csv, line {number}: {len(record)} cells, not {len(header)}")
    return tuple(dict(zip(header, record, strict=True)) for record in records)
