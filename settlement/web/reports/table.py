"""A page of a report's rows as a table: words, figures, and links to the next level down."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language

from marketplace.models import Organisation
from marketplace.templatetags.market_ui import figure, market_time, percent
from settlement.exports.report import Cell, Column, ColumnKind, Report
from settlement.models import Invoice, JournalEntry, SettlementRun

# Read as percentages.
SHARES = {"vat_rate", "fee_rate", "share", "target", "hourly_score", "volume_share"}
MONTHS = {"month", "until"}  # dates that stand for their month
# Files carry identifiers whole; a page tells them apart by their beginning.
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONG_TEXT = 40  # characters; longer cells may break into lines
NUMBERS = (ColumnKind.DECIMAL, ColumnKind.INTEGER)
Links = dict[str, dict[str, str]]


def table_of(report: Report, rows: Sequence[Sequence[Cell]], *, is_books: bool) -> dict[str, Any]:
    """Return head, body and totals of some rows for templates/settlement/reports/report.html.

    Args:
        report: the whole report.
        rows: those of this page.
        is_books: whether the reader keeps the books; others are not led into the ledger.
    """
    shown = report.shown_columns("zh-hans" if (get_language() or "").startswith("zh") else "en")
    links = _links(report, rows, is_books=is_books)
    totals = report.control_totals()
    return {
        "head": [
            {"label": report.columns[i].label, "is_figure": report.columns[i].kind in NUMBERS}
            for i in shown
        ],
        "body": [[_cell(row[i], report.columns[i], links) for i in shown] for row in rows],
        "sums": [
            {"label": report.columns[i].label, "text": _sum(report.columns[i], totals)}
            for i in shown
        ],
        "row_count": totals["rows"],
    }


def _cell(cell: Cell, column: Column, links: Links) -> dict[str, Any]:
    key = "" if cell is None else str(cell)
    text = shown_text(cell, column)
    return {
        "text": text,
        "is_long": not isinstance(cell, date) and len(text) > LONG_TEXT,
        "is_figure": column.kind in NUMBERS,
        "url": links.get(column.link, {}).get(key, ""),
        "label": column.label,
    }


def shown_text(cell: Cell, column: Column) -> str:
    """Return a cell as the page shows it."""
    cell = column.text(cell)
    if cell is None or cell == "":
        return ""
    if isinstance(cell, date) and column.name in MONTHS:
        return f"{cell:%Y-%m}"
    if isinstance(cell, datetime | date):
        return str(market_time(cell))
    if isinstance(cell, Decimal):
        places = column.places if column.page_places is None else column.page_places
        return percent(cell, 2) if column.name in SHARES else figure(cell, places)
    if isinstance(cell, str) and UUID_TEXT.fullmatch(cell):
        return cell[:8]
    return str(cell)


def _sum(column: Column, totals: dict[str, str]) -> str:
    if not column.is_total or column.name not in totals:
        return ""
    return shown_text(Decimal(totals[column.name]), column)


def _links(report: Report, rows: Sequence[Sequence[Cell]], *, is_books: bool) -> Links:
    """Return the addresses of what the rows name, in one query for each kind of thing."""
    found: Links = {}
    for i, column in enumerate(report.columns):
        finder = _FINDERS.get(column.link)
        if finder is None or (column.link in _BOOKS_ONLY and not is_books):
            continue
        wanted = {str(row[i]) for row in rows if row[i] not in (None, "")}
        found.setdefault(column.link, {}).update(finder(wanted) if wanted else {})
    return found


def _entries(ids: Iterable[str]) -> dict[str, str]:
    rows = JournalEntry.objects.filter(pk__in=list(ids)).values_list("pk", "public_id")
    return {str(pk): reverse("journal-entry", args=[public_id]) for pk, public_id in rows}


def _bills(numbers: Iterable[str]) -> dict[str, str]:
    rows = Invoice.objects.filter(number__in=list(numbers)).values_list("number", "public_id")
    return {number: reverse("bill", args=[public_id]) for number, public_id in rows}


def _runs(numbers: Iterable[str]) -> dict[str, str]:
    rows = SettlementRun.objects.filter(number__in=list(numbers)).values_list("number", "public_id")
    return {number: reverse("settlement-run", args=[public_id]) for number, public_id in rows}


def _accounts(codes: Iterable[str]) -> dict[str, str]:
    return {code: reverse("ledger-account", args=[code]) for code in codes}


def _deliveries(ids: Iterable[str]) -> dict[str, str]:
    return {public_id: reverse("delivery", args=[public_id]) for public_id in ids}


def _auctions(codes: Iterable[str]) -> dict[str, str]:
    return {code: reverse("auction", args=[code]) for code in codes}


def _members(codes: Iterable[str]) -> dict[str, str]:
    known = Organisation.objects.filter(code__in=list(codes)).values_list("code", flat=True)
    own = reverse("report", args=["statement"])
    return {code: f"{own}?member={code}" for code in known}


_FINDERS: dict[str, Callable[[Iterable[str]], dict[str, str]]] = {
    "entry": _entries,
    "bill": _bills,
    "run": _runs,
    "account": _accounts,
    "delivery": _deliveries,
    "auction": _auctions,
    "member": _members,
}
_BOOKS_ONLY = {"entry", "run", "account", "member"}
