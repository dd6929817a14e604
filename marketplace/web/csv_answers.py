"""Answers that a browser saves as a file."""

import csv
import re
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

BYTE_ORDER_MARK = "\ufeff"
FORMULA_SIGNS = {"=", "+", "-", "@", "\t"}
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Return a CSV file with machine names in its head; spreadsheets see that it is UTF-8."""
    response = HttpResponse(BYTE_ORDER_MARK, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return response


def file_answer(content: bytes, *, name: str, content_type: str) -> HttpResponse:
    """Return a finished file."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _safe(cell: object) -> object:
    """Keep a text from being run as a formula by a spreadsheet."""
    if isinstance(cell, str) and cell[:1] in FORMULA_SIGNS and not NUMBER.fullmatch(cell):
        return "'" + cell
    return cell
