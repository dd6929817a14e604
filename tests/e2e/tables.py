"""Files that the portal gives out, read back as a person's spreadsheet would."""

import csv
import io
from decimal import Decimal

from openpyxl import load_workbook

from tests.e2e.visitor import Visitor, number_in

DASH = "–"
CENT = Decimal("0.01")
HALF = CENT / 2


def csv_rows(content: bytes) -> list[dict[str, str]]:
    """Return the rows of an exported table; the control lines below it are left out."""
    lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return [row for row in lines if not next(iter(row.values())).startswith("#")]


def xlsx_row(content: bytes, key: str) -> list[object]:
    """Return the row of the first sheet that begins with a key."""
    sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    return next([*row] for row in sheet.iter_rows(values_only=True) if row[0] == key)


def figures_of(visitor: Visitor, row: str) -> list[Decimal]:
    """Return the figures of a row of a table of the page, from left to right; a dash is nothing."""
    cells = visitor.page.locator(row).first.locator("td.num").all_inner_texts()
    return [Decimal(0) if cell == DASH else Decimal(number_in(cell)) for cell in cells]


def same_in_cents(shown: list[Decimal], exact: list[Decimal]) -> bool:
    """Tell whether figures with two decimals are the exact ones, rounded."""
    pairs = zip(shown, exact, strict=True)
    return all(abs(figure - amount) <= HALF for figure, amount in pairs)
