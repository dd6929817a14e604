"""Writes rows in somebody else's columns: CSV in its encoding, or a workbook; text stays inert."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from settlement.domain.banking.layouts import OutLayout
from settlement.exports.report import Cell, Column, ColumnKind, Report, inert
from settlement.exports.xlsx import xlsx_bytes

Values = Mapping[str, Cell]


def laid_out(rows: Sequence[Values], layout: OutLayout) -> list[list[Cell]]:
    """Return the rows in the layout's columns; a fixed text stands after `=`."""
    return [
        [
            source[1:] if source.startswith("=") else _dated(values.get(source), layout)
            for _heading, source in layout.columns
        ]
        for values in rows
    ]


def csv_of(
    rows: Sequence[Values], layout: OutLayout, *, above: Sequence[Sequence[str]] = ()
) -> bytes:
    """Return the rows as CSV; letters the encoding lacks are refused by it, not replaced.

    Raises:
        UnicodeEncodeError: a name has a letter that the layout's encoding does not know.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows(above)
    writer.writerow([heading for heading, _source in layout.columns])
    for row in laid_out(rows, layout):
        writer.writerow([_text(cell) for cell in row])
    return out.getvalue().encode(layout.encoding)


def xlsx_of(
    rows: Sequence[Values], layout: OutLayout, *, name: str, title: str, totals: Sequence[str]
) -> bytes:
    """Return the rows as a workbook with a sheet of control totals; `totals` are our fields."""
    columns = [
        Column(source, heading, _kind(source, totals), is_total=source in totals)
        for heading, source in layout.columns
    ]
    return xlsx_bytes(
        [Report(name=name, title=title, columns=columns, rows=laid_out(rows, layout))]
    )


def _kind(source: str, totals: Sequence[str]) -> ColumnKind:
    return ColumnKind.DECIMAL if source in totals else ColumnKind.TEXT


def _dated(cell: Cell, layout: OutLayout) -> Cell:
    return cell.strftime(layout.date_format) if isinstance(cell, date) else cell


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return format(cell, ".2f")
    return inert(str(cell)).replace("\r", " ").replace("\n", " ")
