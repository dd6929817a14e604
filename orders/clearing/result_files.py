"""The files of a result folder as bytes, and back."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from orders.clearing.canonical import json_bytes
from orders.clearing.csv_tables import csv_of_columns
from orders.clearing.errors import ResultUnreadable
from orders.clearing.fields import format_decimal
from orders.clearing.row_tables import Column, Numbering, RowTable, first_rows
from orders.clearing.schema import RESULT_TABLES, TEXT_COLUMNS
from orders.clearing.types import (
    AssignmentRow,
    BlockResultRow,
    Bound,
    CurveResultRow,
    DeliveredPriceRow,
    FlexibleResultRow,
    FlowRow,
    LinkRentRow,
    PriceRow,
    Result,
    Summary,
)

_ROW_TYPES: dict[str, Any] = {
    "prices": PriceRow,
    "delivered_prices": DeliveredPriceRow,
    "curve_results": CurveResultRow,
    "block_results": BlockResultRow,
    "flexible_results": FlexibleResultRow,
    "assignments": AssignmentRow,
    "flows": FlowRow,
    "link_rents": LinkRentRow,
}
# Tables with rows for each order, which stay columns.
_LONG = ("curve_results", "assignments")
# Rows of a file that are read at once.
_BLOCK = 20_000
_SUMMARY_TEXTS = ("status", "engine_version", "bundle_sha256")


def result_files(result: Result) -> dict[str, bytes]:
    """Return file name to content."""
    files = {f"{name}.csv": _file_of(name, getattr(result, name)) for name in RESULT_TABLES}
    files["bound.json"] = json_bytes(
        {
            "prices": [_json_row(row) for row in result.bound.prices],
            "link_rents": [_json_row(row) for row in result.bound.link_rents],
            "upper_bound": format_decimal(result.bound.upper_bound),
        }
    )
    files["summary.json"] = json_bytes(_json_row(result.summary))
    files["timing.json"] = json_bytes(dict(result.timing))
    return files


def _file_of(name: str, rows: Sequence[Any]) -> bytes:
    header = RESULT_TABLES[name]
    table = RowTable.of(_ROW_TYPES[name], rows)
    return csv_of_columns(header, [table.columns[column] for column in header], _text)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if value is None:
        return ""
    return format_decimal(value) if isinstance(value, Decimal) else str(value)


def _json_row(row: Any) -> dict[str, Any]:
    return {
        key: format_decimal(value) if isinstance(value, Decimal) else value
        for key, value in row._asdict().items()
    }


def result_from_files(files: Mapping[str, bytes]) -> Result:
    """Build a result from the content of its files; `timing.json` may be absent.

    Raises:
        ResultUnreadable: a file or column is missing or a cell is not what it should be.
    """
    rows = {name: _read_rows(files, name) for name in RESULT_TABLES}
    bound = _read_json(files, "bound.json")
    summary = _read_json(files, "summary.json")
    try:
        return Result(
            summary=_read_summary(summary),
            bound=Bound(
                prices=tuple(_read_row("bound.json", PriceRow, row) for row in bound["prices"]),
                link_rents=tuple(
                    _read_row("bound.json", LinkRentRow, row) for row in bound["link_rents"]
                ),
                upper_bound=_number("bound.json", bound["upper_bound"]),
            ),
            timing=_read_json(files, "timing.json") if "timing.json" in files else {},
            **rows,
        )
    except (KeyError, TypeError) as error:
        raise ResultUnreadable(f"bound.json or summary.json: {error} is missing") from error


def _read_json(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    if name not in files:
        raise ResultUnreadable(f"{name}: the file is missing")
    try:
        value = json.loads(files[name].decode())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ResultUnreadable(f"{name}: not valid JSON") from error
    if not isinstance(value, dict):
        raise ResultUnreadable(f"{name}: not a JSON object")
    return value


def _read_summary(values: Mapping[str, Any]) -> Summary:
    out: dict[str, Any] = {}
    for key in Summary._fields:
        value = values[key]
        if key in _SUMMARY_TEXTS:
            out[key] = str(value)
        elif key == "paradoxically_rejected":
            out[key] = int(value)
        else:
            out[key] = None if value is None else _number("summary.json", value)
    return Summary(**out)


def _read_rows(files: Mapping[str, bytes], name: str) -> Any:
    file = f"{name}.csv"
    if file not in files:
        raise ResultUnreadable(f"{file}: the file is missing")
    header = RESULT_TABLES[name]
    columns = {column: Numbering() for column in header}
    try:
        reader = csv.reader(io.TextIOWrapper(io.BytesIO(files[file]), encoding="utf-8", newline=""))
        if tuple(next(reader, ())) != header:
            raise ResultUnreadable(f"{file}: the header must be {','.join(header)}")
        count = 1
        while block := list(islice(reader, _BLOCK)):
            wrong = [k for k, row in enumerate(block) if len(row) != len(header)]
            if wrong:
                raise ResultUnreadable(f"{file}:{count + wrong[0] + 1}: wrong number of cells")
            for column, own in zip(columns.values(), zip(*block, strict=True), strict=True):
                column.extend(own)
            count += len(block)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ResultUnreadable(f"{file}: not CSV in UTF-8") from error
    found = {name: _parsed(file, name, own.column(strip=False)) for name, own in columns.items()}
    table: RowTable[Any] = RowTable(_ROW_TYPES[name], found)
    return table if name in _LONG else tuple(table)


def _parsed(file: str, name: str, column: Column) -> Column:
    """Return the texts of a column as what they mean; the first bad line is named."""
    if name in TEXT_COLUMNS:
        return column
    lines = (first_rows(column.codes) + 2).tolist()
    pairs = zip(column.values, lines, strict=True)
    return Column([_cell(f"{file}:{line}", name, text) for text, line in pairs], column.codes)


def _read_row(place: str, kind: Any, cells: Mapping[str, Any]) -> Any:
    return kind(**{column: _cell(place, column, cells[column]) for column in kind._fields})


def _cell(place: str, column: str, text: Any) -> Any:
    if column in TEXT_COLUMNS:
        return text
    if column == "period":
        return _period(place, text)
    return None if text in ("", None) else _number(place, text)


def _period(place: str, text: Any) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ResultUnreadable(f"{place}: period {text!r} is not a whole number") from error


def _number(place: str, text: Any) -> Decimal:
    try:
        number = Decimal(str(text))
    except InvalidOperation as error:
        raise ResultUnreadable(f"{place}: {text!r} is not a number") from error
    if not number.is_finite():
        raise ResultUnreadable(f"{place}: {text!r} is not finite")
    return number
