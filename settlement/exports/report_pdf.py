"""Reports as PDF, for printing and signing: A4 across, the project's own font, one language.

Rows are laid out a few hundred at a time and the pages put together, so that the layout of a long
report stays small.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

from django.template.loader import render_to_string
from django.utils.translation import get_language

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import MARKET_TIME_ZONE
from settlement.exports.csv import Progress
from settlement.exports.pdf import PDF_BASE, pdf_engine
from settlement.exports.report import Cell, Column, ColumnKind, Report

MOST_ROWS = 10_000
_CHUNK = 200
_NUMBERS = (ColumnKind.DECIMAL, ColumnKind.INTEGER)


class PdfTooLong(RuleBroken):
    """A report of so many rows is not for printing."""

    code = "pdf_too_long"
    message = gettext_noop(
        "A PDF holds at most %(most)s rows; take CSV or XLSX, or ask for a shorter span."
    )


# Wide tables across; the parts of a long report count their pages on.
_SHEET = """
@page {
  size: A4 landscape; margin: 12mm 12mm 15mm;
  @bottom-right { content: counter(page); font: 8pt Document; color: #5b6472; }
}
@page :first { counter-increment: page; }
table.rows td, table.rows th { font-size: 7.5pt; padding: 0.7mm 1.1mm; overflow-wrap: anywhere; }
table.rows .figure { white-space: nowrap; overflow-wrap: normal; }
"""


def write_pdf(report: Report, out: BinaryIO, *, progress: Progress | None = None) -> None:
    """Write a report as PDF in the active language.

    Args:
        report: what to write.
        out: a binary file.
        progress: told the number of rows laid out so far.

    Raises:
        PdfTooLong: it has more than `MOST_ROWS` rows.
        PdfUnavailable: Pango is missing.
    """
    if len(report.rows) > MOST_ROWS:
        raise PdfTooLong(most=MOST_ROWS)
    documents: list[Any] = []
    done = 0
    for chunk, is_last in _chunks(report.rows):
        pages = sum(len(document.pages) for document in documents)
        documents.append(_layout(report, chunk, first_page=pages + 1, is_last=is_last))
        done += len(chunk)
        if progress is not None:
            progress(done)
    every = [page for document in documents for page in document.pages]
    documents[0].copy(every).write_pdf(out)


def _chunks(rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[list[Sequence[Cell]], bool]]:
    """Yield the rows in parts, at least one, and whether a part is the last."""
    source = iter(rows)
    chunk = list(islice(source, _CHUNK))
    while True:
        following = list(islice(source, _CHUNK))
        yield chunk, not following
        if not following:
            return
        chunk = following


def _layout(report: Report, rows: list[Sequence[Cell]], *, first_page: int, is_last: bool) -> Any:
    weasyprint, fetcher = pdf_engine()
    language = "zh-hans" if (get_language() or "").startswith("zh") else "en"
    shown = report.shown_columns(language)
    columns = [report.columns[i] for i in shown]
    totals = report.control_totals() if is_last else {}
    context = {
        "report": report,
        "language": language,
        "columns": [{"column": c, "is_figure": c.kind in _NUMBERS} for c in columns],
        "rows": [
            [
                {"text": printed(row[i], report.columns[i]), "is_figure": c.kind in _NUMBERS}
                for i, c in zip(shown, columns, strict=True)
            ]
            for row in rows
        ],
        "is_first": first_page == 1,
        "is_last": is_last,
        "totals": totals,
        "sums": [_sum(totals, column) for column in columns],
    }
    text = render_to_string("settlement/pdf/report.html", context)
    sheet = weasyprint.CSS(
        string=f"{_SHEET} @page :first {{ counter-reset: page {first_page - 1}; }}",
        url_fetcher=fetcher,
    )
    page = weasyprint.HTML(string=text, base_url=PDF_BASE, url_fetcher=fetcher)
    return page.render(stylesheets=[sheet])


def printed(cell: Cell, column: Column) -> str:
    """Return a cell as a printed table shows it."""
    cell = column.text(cell)
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(MARKET_TIME_ZONE).strftime("%Y-%m-%d %H:%M")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return format(cell, f",.{column.places}f")
    return str(cell)


def _sum(totals: dict[str, str], column: Column) -> str:
    total = totals.get(column.name) if column.is_total else None
    return format(Decimal(total), f",.{column.places}f") if total is not None else ""
