"""Exports: exact, inert, with control totals, and documents that people can read."""

import csv
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pypdf
import pytest
from django.utils import translation
from weasyprint.urls import FatalURLFetchingError

from orders.models import Allocation
from settlement.exports.csv import csv_bytes
from settlement.exports.files import (
    FormatUnknown,
    SpanInvalid,
    export_register,
    export_statement,
    export_summary,
    export_trial_balance,
)
from settlement.exports.pdf import confirmation_pdf, invoice_pdf, pdf_engine
from settlement.exports.report import Column, ColumnKind, Report, inert
from settlement.exports.xlsx import xlsx_bytes
from settlement.models import Invoice
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.settling import settle_auction
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    deliver,
    funded,
    move_clock,
    published_auction,
)

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
NASTY = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "  =1",
    "\u3000=1",
    "a\0b",
    '"=1',
    "甲,乙",
    "x" * 40_000,
]


def _report(texts: list[str]) -> Report:
    return Report(
        name="t",
        title="T",
        columns=(
            Column("text", "Text"),
            Column("hours", "Hours", ColumnKind.DECIMAL, places=6, is_exact=True, is_total=True),
            Column("at", "At", ColumnKind.INSTANT),
            Column("on", "On", ColumnKind.DATE),
        ),
        rows=[
            [text, Decimal("-12345678901234.567891"), datetime(2026, 11, 22, 16, tzinfo=UTC),
             date(2026, 11, 23)]
            for text in texts
        ],
    )  # fmt: skip


def _table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", NASTY)
def test_no_text_becomes_a_formula_in_csv(text: str) -> None:
    """S-17: every nasty text is inert in CSV and stays readable."""
    content = csv_bytes(_report([text]))

    cell = _table(content)[1][0]
    assert content.startswith(b"\xef\xbb\xbf")
    assert not cell.lstrip(" \u3000").startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert cell.removeprefix("'") == text.replace("\0", "")


def test_numbers_and_times_stay_exact_in_csv() -> None:
    row = _table(csv_bytes(_report(["x"])))[1]

    assert row[1:] == ["-12345678901234.567891", "2026-11-23T00:00:00+08:00", "2026-11-23"]


def test_control_totals_stand_below_the_table() -> None:
    table = _table(csv_bytes(_report(["x", "y"])))

    assert table[3:] == [
        ["#total", "rows", "2"],
        ["#total", "hours", "-24691357802469.135782"],
    ]


def test_no_text_becomes_a_formula_in_xlsx() -> None:
    """S-17: no formula node stands in the XML of the workbook."""
    content = xlsx_bytes([_report(NASTY)])

    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [str(cell.value).replace("_x000D_", "\r")[:50] for cell in cells] == [
        inert(text)[:50] for text in NASTY
    ]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = "".join(archive.read(name).decode() for name in archive.namelist() if "sheet" in name)
    assert not re.search(r"<f[ >]", xml)


def test_xlsx_carries_exact_decimals_as_text_beside_the_number() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_bytes([_report(["x"])]))).worksheets[0]

    assert sheet["B2"].value == pytest.approx(-12345678901234.57)
    assert sheet["C2"].value == "-12345678901234.567891"
    assert sheet["D2"].value == datetime(2026, 11, 23)
    assert sheet.freeze_panes == "A2"


@pytest.fixture
def settled(db: None) -> Invoice:
    market = Market()
    buyer = funded("5000", code="BUYX", name_zh="=买方", name_en="@buyer")
    auction = published_auction(
        market,
        [
            Trade(buyer, funded(name_en="Seller"), ["2", "2", "3"], "5.4321", "5", "0.1"),
            Trade(buyer, funded(), ["1", "1", "1"], "6", "5"),
        ],
    )
    deliver(auction)
    later = DELIVERY_STARTS.replace(day=24)
    move_clock(later)
    complete_due_deliveries(later)
    settle_auction(auction_id=auction.pk)
    return Invoice.objects.get(direction="receivable")


def test_a_statement_repeats_byte_for_byte_and_its_manifest_says_what_it_is(
    settled: Invoice,
) -> None:
    first, second = (
        export_statement(settled.organisation, *NOVEMBER, file_format="csv") for _ in range(2)
    )

    table = _table(first.content)
    records = [row[0] for row in table[1:] if not row[0].startswith("#")]
    assert first.content == second.content
    assert first.filename == "statement-BUYX-20261101-20261130.csv"
    assert records.count("opening") == records.count("closing") == 4
    assert [row[6] for row in table if row[0] == "movement"] == ["deposit", "buyer_bill"]
    assert first.manifest["reports"]["statement"]["closing:2203.BUYX"] == format(
        5000 - settled.gross.amount, ".6f"
    )
    assert json.dumps(first.manifest)


def test_headers_of_a_workbook_follow_the_language(settled: Invoice) -> None:
    with translation.override("en"):
        content = export_statement(settled.organisation, *NOVEMBER, file_format="xlsx").content

    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Member statement", "Holds", "Control totals"]
    assert book.worksheets[0]["A1"].value == "Record"


@pytest.mark.parametrize("by", ["period", "member", "product", "auction"])
def test_the_summary_is_exported(settled: Invoice, by: str) -> None:
    file = export_summary(*NOVEMBER, by=by, file_format="csv")

    totals = {row[1]: row[2] for row in _table(file.content) if row[0] == "#total"}
    assert Decimal(totals["buyer_gross_cny"]) == settled.gross.amount


@pytest.mark.usefixtures("settled")
def test_trial_balance_and_register_are_exported() -> None:
    trial = _table(export_trial_balance(*NOVEMBER, file_format="csv").content)
    register = _table(export_register(*NOVEMBER, file_format="csv").content)

    totals = {row[1]: row[2] for row in trial if row[0] == "#total"}
    assert totals["debit"] == totals["credit"]
    assert totals["closing_debit"] == totals["closing_credit"]
    assert [row[0][:2] for row in register[1:4]] == ["GJ", "GJ", "JS"]
    assert "'=买方" in {row[5] for row in register[1:4]}


@pytest.mark.django_db
def test_wrong_arguments_are_named() -> None:
    with pytest.raises(FormatUnknown):
        export_trial_balance(*NOVEMBER, file_format="exe")
    with pytest.raises(SpanInvalid):
        export_trial_balance(*reversed(NOVEMBER), file_format="csv")


def _text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def test_the_bill_as_pdf_says_the_bills_figures_in_both_languages(settled: Invoice) -> None:
    text = _text(invoice_pdf(settled))

    assert settled.number in text
    assert format(settled.gross.amount, ",") in text
    assert "结算单" in text
    assert "Total due, tax included" in text


def test_the_confirmation_as_pdf_says_who_serves_whom(settled: Invoice) -> None:
    allocation = Allocation.objects.order_by("number").first()

    text = _text(confirmation_pdf(allocation))

    assert allocation.number in text
    assert "成交确认单" in text
    assert allocation.seller.name_zh in text


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1/", "asset:///../../etc/passwd", "data:,x"]
)
def test_a_document_loads_nothing_from_outside(url: str) -> None:
    _, fetcher = pdf_engine()

    with pytest.raises(FatalURLFetchingError, match="nothing from outside"):
        fetcher.fetch(url)
