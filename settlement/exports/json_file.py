"""JSON for programs: the same cells as CSV, decimals as text, with columns and provenance."""

import json
from typing import Any, BinaryIO

from django.utils.translation import override

from settlement.exports.csv import Progress
from settlement.exports.report import Cell, Column, ColumnKind, Report, cell_text

_STEP = 2_000


def write_json(report: Report, out: BinaryIO, *, progress: Progress | None = None) -> None:
    """Write a report as one JSON object, row by row; texts in it are plain, not made inert."""
    with override("en"):
        head = _head(report)
    out.write(json.dumps(head, ensure_ascii=False).encode()[:-1] + b', "rows": [')
    for number, row in enumerate(report.rows):
        cells = [_value(cell, c) for cell, c in zip(row, report.columns, strict=True)]
        text = json.dumps(cells, ensure_ascii=False)
        out.write(((",\n" if number else "\n") + text).encode())
        if progress is not None and (number + 1) % _STEP == 0:
            progress(number + 1)
    out.write(b"\n]}\n")


def _head(report: Report) -> dict[str, Any]:
    return {
        "report": report.name,
        "parameters": report.parameters,
        "facts": report.facts,
        "totals": report.control_totals(),
        "ties": [
            {
                "name": tie.name,
                "reported": format(tie.reported, "f"),
                "booked": format(tie.booked, "f"),
                "difference": format(tie.difference, "f"),
            }
            for tie in report.ties
        ],
        "columns": [
            {"name": column.name, "label": str(column.label), "kind": column.kind.value}
            for column in report.columns
        ],
    }


def _value(cell: Cell, column: Column) -> str | int | None:
    if cell is None or (isinstance(cell, str) and column.kind == ColumnKind.TEXT):
        return cell
    return cell if isinstance(cell, int) else cell_text(cell, column)
