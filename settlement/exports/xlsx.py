"""XLSX for people: translated headers, typed cells, text that is never taken for a formula."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import xlsxwriter
from django.utils.translation import gettext as _

from marketplace.domain.periods import MARKET_TIME_ZONE
from settlement.exports.csv import Progress
from settlement.exports.report import Cell, Column, ColumnKind, Report, decimal_text, inert

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
_MAX_TEXT = 32_767  # what a cell of the format holds
_SHEET_NAME = 31
_SHEET_ROWS = 1_000_000  # a sheet of the format holds a few more
_STEP = 2_000
_WIDTHS = {ColumnKind.TEXT: 24, ColumnKind.INSTANT: 20, ColumnKind.DATE: 12}


def xlsx_bytes(reports: Sequence[Report]) -> bytes:
    """Return reports as one workbook, a sheet each, and a last sheet with the control totals."""
    out = io.BytesIO()
    write_xlsx(reports, out)
    return out.getvalue()


def write_xlsx(
    reports: Sequence[Report], out: BinaryIO, *, progress: Progress | None = None
) -> None:
    """Write reports as one workbook, row by row, with a last sheet of control totals.

    Args:
        reports: a sheet each; one with more than a million rows goes on in further sheets.
        out: a binary file.
        progress: told the number of rows written so far, now and then.
    """
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        formats = _formats(book)
        for report in reports:
            _write_report(book, report, formats, progress)
        _write_control(book.add_worksheet(_("Control totals")), reports, formats)


def _formats(book: Any) -> dict[str, Any]:
    return {
        "header": book.add_format({"bold": True, "text_wrap": True, "bottom": 1}),
        "text": book.add_format({"num_format": "@"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "integer": book.add_format({"num_format": "0"}),
        **{
            f"decimal{places}": book.add_format(
                {"num_format": "#,##0" + ("." + "0" * places if places else "")}
            )
            for places in range(9)
        },
    }


def _write_report(
    book: Any, report: Report, formats: dict[str, Any], progress: Progress | None
) -> None:
    sheet, part = _new_sheet(book, report, formats, 1), 1
    for number, row in enumerate(report.rows):
        line = number % _SHEET_ROWS + 1
        if number and line == 1:
            part += 1
            sheet = _new_sheet(book, report, formats, part)
        _write_row(sheet, line, row, report.columns, formats)
        if progress is not None and (number + 1) % _STEP == 0:
            progress(number + 1)


def _new_sheet(book: Any, report: Report, formats: dict[str, Any], part: int) -> Any:
    suffix = f" {part}" if part > 1 else ""
    sheet = book.add_worksheet(str(report.title)[: _SHEET_NAME - len(suffix)] + suffix)
    sheet.freeze_panes(1, 0)
    position = 0
    for column in report.columns:
        width = 1 + column.is_exact
        sheet.set_column(position, position + width - 1, _WIDTHS.get(column.kind, 16))
        position += width
    _write_header(sheet, report.columns, formats)
    return sheet


def _write_header(sheet: Any, columns: Sequence[Column], formats: dict[str, Any]) -> None:
    position = 0
    for column in columns:
        sheet.write_string(0, position, str(column.label), formats["header"])
        position += 1
        if column.is_exact:
            label = _("%(column)s (exact)") % {"column": column.label}
            sheet.write_string(0, position, label, formats["header"])
            position += 1


def _write_row(
    sheet: Any, number: int, row: Sequence[Cell], columns: Sequence[Column], formats: dict[str, Any]
) -> None:
    position = 0
    for cell, column in zip(row, columns, strict=True):
        _write_cell(sheet, number, position, column.text(cell), column, formats)
        position += 1
        if column.is_exact:
            if isinstance(cell, Decimal):
                exact = decimal_text(cell, column.places)
                sheet.write_string(number, position, exact, formats["text"])
            position += 1


def _write_cell(
    sheet: Any, row: int, position: int, cell: Cell, column: Column, formats: dict[str, Any]
) -> None:
    if cell is None:
        return
    if isinstance(cell, datetime):
        local = cell.astimezone(MARKET_TIME_ZONE).replace(tzinfo=None, microsecond=0)
        sheet.write_datetime(row, position, local, formats["instant"])
    elif isinstance(cell, date):
        sheet.write_datetime(row, position, cell, formats["date"])
    elif isinstance(cell, Decimal):
        sheet.write_number(row, position, float(cell), formats[f"decimal{column.places}"])
    elif isinstance(cell, int):
        sheet.write_number(row, position, cell, formats["integer"])
    else:
        sheet.write_string(row, position, inert(str(cell))[:_MAX_TEXT], formats["text"])


def _write_control(sheet: Any, reports: Sequence[Report], formats: dict[str, Any]) -> None:
    sheet.set_column(0, 2, 28)
    rows = [
        (str(report.title), name, value)
        for report in reports
        for name, value in (
            *report.control_totals().items(),
            *sorted(report.parameters.items()),
            *((t.name, f"{t.reported:f} / {t.booked:f} / {t.difference:f}") for t in report.ties),
            *report.facts.items(),
        )
    ]
    for position, label in enumerate((_("Report"), _("Figure"), _("Value"))):
        sheet.write_string(0, position, label, formats["header"])
    for number, row in enumerate(rows, 1):
        for position, text in enumerate(row):
            sheet.write_string(number, position, inert(text), formats["text"])
