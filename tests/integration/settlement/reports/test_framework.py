"""Reports of the catalogue: parameters, cut, formats, permissions, and what does not tie."""

import csv
import hashlib
import io
import json
import zipfile

import pytest
from django.utils.translation import override
from pypdf import PdfReader

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken
from settlement.exports.catalogue import REPORTS
from settlement.exports.producing import FORMATS, asked_report, kind_for, write_report
from settlement.exports.report import Report, ReportDoesNotTie
from tests.factories.ledger import deposit
from tests.web.desks import Desk, stranger

pytestmark = pytest.mark.django_db


def written(actor, code, file_format="csv", **given) -> bytes:
    """Return a report of the catalogue as a file."""
    out = io.BytesIO()
    with asked_report(actor, kind_for(actor, code), given) as asked:
        write_report(asked.report, file_format, out)
    return out.getvalue()


def lines(content: bytes) -> list[list[str]]:
    """Return the rows of a CSV file."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_csv_file_carries_its_cut_and_its_hash_and_is_made_again_byte_for_byte():
    desk = Desk().settled()
    finance = desk.people["finance"]

    first = written(finance, "trial-balance")
    facts = {row[1]: row[2] for row in lines(first) if row[0] == "#fact"}
    deposit(desk.buying, "77.00")
    again = written(finance, "trial-balance", cut=facts["cut"])

    body, _, tail = first.rpartition(b"#sha256,")
    assert first == again != written(finance, "trial-balance")
    assert hashlib.sha256(body).hexdigest() == tail.decode().strip()
    assert facts["zone"] == "Asia/Shanghai"
    assert facts["code_version"]


@pytest.mark.parametrize(
    "file_format",
    [pytest.param(f, marks=[pytest.mark.fuller] if f == "pdf" else []) for f in FORMATS],
)
def test_every_format_of_every_report_is_made(file_format):
    desk = Desk().settled()
    finance = desk.people["finance"]

    made = {
        kind.code: written(finance, kind.code, file_format, member=desk.buying.code)
        for kind in REPORTS
    }

    assert len(made) == len(REPORTS)
    assert all(len(content) > 100 for content in made.values())
    if file_format == "xlsx":
        for content in made.values():
            book = zipfile.ZipFile(io.BytesIO(content))
            sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
            assert not any(b"<f>" in book.read(name) for name in sheets)
    if file_format == "json":
        assert all(json.loads(content)["facts"]["cut"] for content in made.values())


def test_a_pdf_holds_chinese_text():
    desk = Desk().settled()

    with override("zh-hans"):
        content = written(desk.people["finance"], "trial-balance", "pdf")

    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert "银行存款" in text


def test_a_report_that_does_not_tie_is_refused():
    report = Report(name="x", title="x", columns=(), rows=[], ties=[_broken_tie()])

    with pytest.raises(ReportDoesNotTie):
        report.require_ties()


def _broken_tie():
    from decimal import Decimal  # noqa: PLC0415

    from settlement.exports.report import Tie  # noqa: PLC0415

    return Tie("x", "x", Decimal(1), Decimal(2))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"since": "2026-13-01"}, "since"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until"),
        ({"since": "2020-01-01", "until": "2026-01-01"}, "until"),
        ({"cut": "x"}, "cut"),
        ({"cut": "999999-0"}, "cut"),
        ({"cut": "１-0"}, "cut"),
    ],
)
def test_wrong_parameters_are_refused_beside_their_field(given, field):
    finance = Desk().people["finance"]

    with pytest.raises(RuleBroken) as refusal:
        written(finance, "trial-balance", **given)

    assert refusal.value.field == field


def test_reports_are_for_those_who_may_read_them():
    desk = Desk().settled()

    with pytest.raises(NotPermitted):
        kind_for(desk.buyer, "trial-balance")
    with pytest.raises(NotFound):
        kind_for(desk.people["finance"], "nonsense")
    with pytest.raises(NotPermitted):
        kind_for(stranger(), "trial-balance")
