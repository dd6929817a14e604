"""The files of a result folder as bytes, and back."""

import csv
import io
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from orders.clearing.canonical import csv_bytes, json_bytes
from orders.clearing.errors import ResultUnreadable
from orders.clearing.fields import format_decimal
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
_SUMMARY_TEXTS = ("status", "engine_version", "bundle_sha256")


def result_files(result: Result) -> dict[str, bytes]:
    """Return file name to content."""
    files = {
        f"{name}.csv": csv_bytes(columns, map(_texts, getattr(result, name)))
        for name, columns in RESULT_TABLES.items()
    }
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


def _texts(row: tuple[Any, ...]) -> list[str]:
    return [_text(value) for value in row]


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


def _read_rows(files: Mapping[str, bytes], name: str) -> tuple[Any, ...]:
    file = f"{name}.csv"
    if file not in files:
        raise ResultUnreadable(f"{file}: the file is missing")
    try:
        rows = list(csv.reader(io.StringIO(files[file].decode(), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ResultUnreadable(f"{file}: not CSV in UTF-8") from error
    if not rows or tuple(rows[0]) != RESULT_TABLES[name]:
        raise ResultUnreadable(f"{file}: the header must be {','.join(RESULT_TABLES[name])}")
    kind = _ROW_TYPES[name]
    out = []
    for number, cells in enumerate(rows[1:], start=2):
        if len(cells) != len(rows[0]):
            raise ResultUnreadable(f"{file}:{number}: wrong number of cells")
        out.append(_read_row(f"{file}:{number}", kind, dict(zip(rows[0], cells, strict=True))))
    return tuple(out)


def _read_row(place: str, kind: Any, cells: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for column in kind._fields:
        text = cells[column]
        if column in TEXT_COLUMNS:
            values[column] = text
        elif column == "period":
            values[column] = _period(place, text)
        else:
            values[column] = None if text in ("", None) else _number(place, text)
    return kind(**values)


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
