"""Reports on screen and as files, exports in the background, and who may see what."""

import hashlib
import json
from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import Role
from settlement.exports import producing
from settlement.exports.catalogue import REPORTS
from settlement.exports.jobs import run_export
from settlement.models import ExportJob, Invoice
from settlement.services.reports.export_jobs import file_of
from settlement.web.reports import pages, urls
from tests.integration.settlement.test_invariants import _tamper
from tests.web.desks import Desk, browser, colleague, stranger, text_of

pytestmark = pytest.mark.django_db
BOOKS_ONLY = {
    "trial-balance",
    "tax-summary",
    "platform-revenue",
    "collateral",
    "journal",
    "audit-trail",
}


@pytest.fixture
def desk() -> Desk:
    return Desk().settled()


def open_report(client, code: str, **given: str):
    return client.get(reverse("report", args=[code]), given)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_finance_sees_every_report_with_its_ties(desk: Desk, language: str) -> None:
    client = browser(desk.people["finance"], language=language)
    listed = text_of(client.get(reverse("reports")))

    for kind in REPORTS:
        page = open_report(client, kind.code, member=desk.buying.code)
        assert page.status_code == 200, kind.code
        assert page.context["report"].name
        assert reverse("report", args=[kind.code]) in listed


def test_members_see_their_own_figures_only(desk: Desk) -> None:
    client = browser(desk.buyer)
    assert not any(k.permission(desk.buyer) for k in REPORTS if k.code in BOOKS_ONLY)
    foreign = Invoice.objects.get(organisation=desk.selling).number

    for kind in REPORTS:
        page = open_report(client, kind.code, member=desk.selling.code)
        allowed = kind.permission(desk.buyer)
        assert page.status_code == (200 if allowed else 403), kind.code
        if allowed:
            assert foreign not in text_of(page)
            assert desk.selling.name_zh not in text_of(page)


def test_rows_lead_down_to_the_readings(desk: Desk) -> None:
    client = browser(desk.people["finance"])

    trial = open_report(client, "trial-balance")
    account = next(r for r in trial.context["table"]["body"] if r[0]["text"] == "3001.01")
    entry = client.get(account[0]["url"]).context["rows"][0]["posting"].entry
    lines = open_report(client, "bill-lines", member=desk.buying.code)
    delivery = next(
        c["url"] for c in lines.context["table"]["body"][0] if "/deliveries/" in c["url"]
    )

    assert client.get(reverse("journal-entry", args=[entry.public_id])).status_code == 200
    assert len(client.get(delivery).context["readings"]) == 3


def test_a_report_that_does_not_tie_shows_no_figures(desk: Desk) -> None:
    client = browser(desk.people["finance"])
    _tamper("settlement_invoice", "vat = vat + 1, gross = gross + 1")

    page = open_report(client, "bill-register")
    file = client.get(reverse("report-file", args=["bill-register", "csv"]))

    assert (page.status_code, file.status_code) == (503, 503)
    assert "report" not in page.context
    assert "withheld" in text_of(page)


def test_wrong_parameters_are_explained_beside_their_field(desk: Desk) -> None:
    client = browser(desk.people["finance"])

    page = open_report(client, "statement", member="NOBODY")
    first = open_report(client, "statement")
    span = open_report(client, "trial-balance", since="2026-02-01", until="2026-01-01")
    cut = open_report(client, "trial-balance", cut="x")

    assert (page.status_code, first.status_code, span.status_code) == (422, 200, 422)
    assert page.context["filter_form"].errors["member"]
    assert span.context["filter_form"].errors["until"]
    assert cut.status_code == 422


def test_the_file_is_the_page_and_the_manifest_proves_it(desk: Desk) -> None:
    client = browser(desk.people["finance"])
    page = open_report(client, "statement", member=desk.buying.code)
    query = page.context["query"]
    csv_url = reverse("report-file", args=["statement", "csv"])

    first = client.get(f"{csv_url}?{query}")
    again = client.get(f"{csv_url}?{query}")
    manifest = json.loads(
        client.get(f"{reverse('report-file', args=['statement', 'manifest'])}?{query}").content
    )

    assert first.content == again.content
    assert manifest["sha256"] == hashlib.sha256(first.content).hexdigest()
    assert manifest["generated_by"] == desk.people["finance"].user.email
    assert set(manifest["ties"].values()) == {"0.000000"} or set(
        map(float, manifest["ties"].values())
    ) == {0.0}


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (producing, pages):
        monkeypatch.setattr(module, "MOST_AT_ONCE", dict.fromkeys(producing.FORMATS, 0))


@pytest.mark.usefixtures("_small")
def test_a_large_report_is_made_in_the_background(desk: Desk) -> None:
    client = browser(desk.people["finance"])
    page = open_report(client, "bill-lines")
    direct = client.get(reverse("report-file", args=["bill-lines", "csv"]))
    asked = client.post(
        reverse("report-export", args=["bill-lines", "csv"]), {"query": page.context["query"]}
    )
    waiting = client.get(reverse("exports"))
    job = ExportJob.objects.get()
    made = run_export(job_id=job.pk)
    again = run_export(job_id=job.pk)
    shown = client.get(reverse("exports"))
    file = client.get(reverse("export-file", args=[job.public_id]))
    content = b"".join(file.streaming_content)
    job.refresh_from_db()

    assert (direct.status_code, asked.status_code) == (302, 302)
    assert waiting.context["live_url"]
    assert (made, again) == (True, False)
    assert not shown.context["live_url"]
    assert hashlib.sha256(content).hexdigest() == job.sha256 == file["X-Content-SHA256"]
    assert job.rows_done == job.rows_total == len(page.context["report"].rows)
    assert (
        client.get(reverse("export-manifest", args=[job.public_id])).json()["sha256"] == job.sha256
    )


@pytest.mark.usefixtures("_small")
def test_files_are_for_whoever_asked_and_go_when_removed(desk: Desk) -> None:
    own = browser(desk.people["finance"])
    page = open_report(own, "bill-lines")
    own.post(
        reverse("report-export", args=["bill-lines", "json"]), {"query": page.context["query"]}
    )
    job = ExportJob.objects.get()
    run_export(job_id=job.pk)
    path = file_of(job)

    for other in (desk.people["second"], desk.buyer, stranger()):
        client = browser(other)
        assert client.get(reverse("export-file", args=[job.public_id])).status_code == 404
        assert client.get(reverse("export-manifest", args=[job.public_id])).status_code == 404
        assert client.post(reverse("export-delete", args=[job.public_id])).status_code == 404
        assert str(job.public_id) not in text_of(client.get(reverse("exports")))
    assert path.is_file()
    own.post(reverse("export-delete", args=[job.public_id]))
    assert own.get(reverse("export-file", args=[job.public_id])).status_code == 404
    assert ExportJob.objects.get().state == "removed"


TABLE = {
    "finance": "302 403 200 200 403",
    "ledger-explorer": "302 403 200 200 403",
    "reports": "302 200 200 200 200",
    "report": "302 200 200 200 403",
    "report-file": "302 200 200 200 403",
    "report-export": "302 405 405 405 405",
    "exports": "302 200 200 200 200",
    "export-file": "302 404 404 404 404",
    "export-manifest": "302 404 404 404 404",
    "export-delete": "302 405 405 405 405",
}
NOBODY = "00000000-0000-4000-8000-000000000000"
ARGUMENTS = {
    "report": ["ageing"],
    "report-file": ["ageing", "csv"],
    "report-export": ["ageing", "csv"],
    "export-file": [NOBODY],
    "export-manifest": [NOBODY],
    "export-delete": [NOBODY],
}


def test_pages_let_in_whom_they_should(desk: Desk) -> None:
    people = [
        None,
        colleague(desk.buying, Role.FINANCE),
        desk.people["finance"],
        desk.people["auditor"],
        desk.people["operator"],
    ]

    assert {pattern.name for pattern in urls.urlpatterns} == set(TABLE)
    for name, row in TABLE.items():
        url = reverse(name, args=ARGUMENTS.get(name, []))
        got = [str(browser(person).get(url).status_code) for person in people]
        assert " ".join(got) == row, name


def test_the_dashboard_shows_what_waits_and_leads_there(desk: Desk) -> None:
    client = browser(desk.people["finance"], language="zh-hans")
    page = client.get(reverse("finance"))
    statement = Invoice.objects.get(organisation=desk.selling)
    cards = [*page.context["money"], *page.context["work"], *page.context["books"]]

    payables = sum(Decimal(c["value"].replace(",", "")) for c in page.context["money"][2:4])
    assert payables == statement.gross.amount
    assert all(client.get(card["url"]).status_code == 200 for card in cards)


def test_the_journal_finds_entries_by_every_mark(desk: Desk) -> None:
    client = browser(desk.people["finance"])
    bill = Invoice.objects.get(organisation=desk.buying)
    url = reverse("ledger-explorer")

    def entries(**given: str) -> set[str]:
        table = client.get(url, given).context["table"]
        return {row[0]["text"] for row in table["body"]}

    everything = entries()
    assert entries(source=bill.number) == {str(bill.entry_id)}
    assert entries(kind="buyer_bill") == {str(bill.entry_id)}
    assert str(bill.entry_id) in entries(account="6001.01") < everything
    assert str(bill.entry_id) in entries(amount=str(bill.gross.amount))
    assert entries(amount="0.0123") == set()
    assert client.get(url, {"amount": "1e"}).status_code == 422
    assert client.get(url, {"amount": "NaN"}).status_code == 422


def test_an_entry_leads_to_its_document_and_the_document_back(desk: Desk) -> None:
    client = browser(desk.people["auditor"])
    bill = Invoice.objects.get(organisation=desk.buying)
    entry_url = reverse("journal-entry", args=[bill.entry.public_id])

    entry = client.get(entry_url)
    document = client.get(entry.context["source_url"])

    assert document.context["bill"] == bill
    assert entry_url in text_of(document)
