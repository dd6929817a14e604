"""A finance person, in the browser and in Chinese, reads the month and takes its full set along."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pypdf import PdfReader

from marketplace.permissions import Actor
from settlement.exports import producing
from settlement.exports.jobs import run_export
from settlement.models import BookPeriod, ExportJob, Invoice, JournalEntry, PeriodState
from settlement.services.ledger import PeriodClosed
from settlement.web.reports import pages as report_pages
from tests.e2e.visitor import PATIENCE_MS
from tests.factories.closing import month_of, post_on
from tests.factories.settlement import move_clock
from tests.web.desks import BACKEND, Desk

pytestmark = [pytest.mark.fuller, pytest.mark.django_db(transaction=True)]
SET = ("trial-balance", "bill-register", "bill-lines", "tax-summary", "ageing", "platform-revenue")
MONTH, IN_THE_MONTH = "2026-11", date(2026, 11, 30)
AFTER_THE_MONTH = datetime(2026, 12, 3, 1, tzinfo=UTC)
Signing = Callable[[Actor], Page]
SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    """A settled market."""
    return Desk().settled()


@pytest.fixture
def sign_in(browsers: dict[str, Browser], live_server: object) -> Iterator[Signing]:
    """Open windows in Chinese, each with somebody signed in; they are closed after the test.

    Left open they would go on asking the server while other tests run.
    """
    contexts: list[BrowserContext] = []

    def open_window(actor: Actor) -> Page:
        client = Client()
        client.force_login(actor.user, backend=BACKEND)
        context = browsers["zh-hans"].new_context(accept_downloads=True, locale="zh-CN")
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        url = str(live_server)
        context.add_cookies(
            [
                {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url},
                {"name": settings.LANGUAGE_COOKIE_NAME, "value": "zh-hans", "url": url},
            ]
        )
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture
def page(sign_in: Signing, desk: Desk) -> Page:
    """Return a window in Chinese, signed in as the market's finance."""
    return sign_in(desk.people["finance"])


def _download(page: Page, label: str, folder: Path) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=label, exact=True).click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target.read_bytes()


def test_the_month_s_full_set(page: Page, live_server: object, desk: Desk, tmp_path: Path) -> None:
    page.goto(f"{live_server}/finance/")
    assert page.get_by_role("heading", level=1).inner_text() == "财务"

    _take_the_set(page, str(live_server), tmp_path)


def _take_the_set(page: Page, live_server: str, tmp_path: Path) -> None:
    """Download every report of the month in every format, and check each file."""
    for code in SET:
        page.goto(f"{live_server}/finance/reports/")
        with page.expect_navigation(url=f"**/finance/reports/{code}/"):
            page.locator(f'main a[href="/finance/reports/{code}/"]').first.click()
        assert page.locator("main .notice-error").all_inner_texts() == []
        page.get_by_text("与账簿核对").first.wait_for()
        exact = _download(page, "CSV", tmp_path)
        manifest = json.loads(_download(page, "校验清单（JSON）", tmp_path))
        assert manifest["sha256"] == hashlib.sha256(exact).hexdigest(), code
        assert {Decimal(d) for d in manifest["ties"].values()} == {Decimal(0)}, code
        _check_workbook(_download(page, "XLSX", tmp_path), manifest)
        _check_print(_download(page, "PDF", tmp_path))
        assert json.loads(_download(page, "JSON", tmp_path))["facts"]["cut"] in exact.decode()


def _check_workbook(content: bytes, manifest: dict[str, object]) -> None:
    """No formula in the XML, and the totals of the control sheet are the manifest's."""
    book = zipfile.ZipFile(io.BytesIO(content))
    sheets = [book.read(name).decode() for name in book.namelist() if SHEET.fullmatch(name)]
    strings = "".join(sheets)
    if "xl/sharedStrings.xml" in book.namelist():
        strings += book.read("xl/sharedStrings.xml").decode()
    assert not any("<f>" in sheet or "<f " in sheet for sheet in sheets)
    totals = manifest["control_totals"]
    assert isinstance(totals, dict)
    assert all(f">{value}<" in strings for value in totals.values())


def _check_print(content: bytes) -> None:
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert "与账簿核对" in text
    assert "制表" in text


def test_two_persons_close_the_month_and_take_its_set(
    page: Page, sign_in: Signing, live_server: object, desk: Desk, tmp_path: Path
) -> None:
    move_clock(AFTER_THE_MONTH)

    page.goto(f"{live_server}/finance/periods/")
    page.get_by_role("link", name=MONTH, exact=True).click()
    assert _open_points(page) == {
        "账簿核查无异常": "尚未核查",
        "本期凭证均已封入哈希链": f"{JournalEntry.objects.count()} 张凭证待封块",
    }
    _confirm(page, "预结账", "预结账")
    page.get_by_text("已预结账。").wait_for()
    assert page.get_by_role("link", name="申请结账").count() == 0  # the sweep is missing
    page.goto(f"{live_server}/finance/sweeps/")
    page.get_by_role("button", name="立即核查").click()
    page.get_by_text("全部核查项通过。").wait_for()
    page.goto(f"{live_server}/finance/periods/{MONTH}/")
    assert _open_points(page) == {}
    _confirm(page, "申请结账", "提交申请", reason="十一月结账")
    page.get_by_text("已提交申请，由另一名财务人员审批。").wait_for()
    assert page.get_by_role("link", name="结账", exact=True).count() == 0  # not one's own request

    second = sign_in(desk.people["second"])
    second.goto(f"{live_server}/finance/periods/{MONTH}/")
    assert second.get_by_text("十一月结账").count()
    _confirm(second, "结账", "结账")
    second.get_by_text("该账期已结账。").first.wait_for()

    _assert_closed(month_of(IN_THE_MONTH), desk)
    _take_the_set(page, str(live_server), tmp_path)


def _open_points(page: Page) -> dict[str, str]:
    """Return the points of the checklist that are not met, with what is left of each."""
    page.get_by_text("账簿核查无异常").wait_for()
    rows = page.locator("main tbody tr", has=page.locator("td", has_text="未满足")).all()
    return {
        row.locator("th").inner_text().strip(): row.locator("td").nth(1).inner_text().strip()
        for row in rows
    }


def _confirm(page: Page, link: str, button: str, *, reason: str = "") -> None:
    """Follow a link of the month to its question, and say yes."""
    page.locator("main, header").get_by_role("link", name=link, exact=True).first.click()
    if reason:
        page.locator("[name=reason]").fill(reason)
    page.get_by_role("button", name=button, exact=True).click()


def _assert_closed(period: BookPeriod, desk: Desk) -> None:
    """The month names both persons, and the database takes no entry into it any more."""
    assert period.state == PeriodState.HARD_CLOSED
    assert (period.closed_by, period.approved_by) == (
        desk.people["finance"].user,
        desk.people["second"].user,
    )
    before = JournalEntry.objects.count()
    with pytest.raises(PeriodClosed):
        post_on(IN_THE_MONTH, "1.00", "too-late", owner=desk.buying)
    assert JournalEntry.objects.count() == before


def test_from_a_total_down_to_the_readings(page: Page, live_server: object, desk: Desk) -> None:
    bill = Invoice.objects.get(organisation=desk.buying)

    page.goto(f"{live_server}/finance/reports/bill-register/")
    page.get_by_role("link", name=bill.number, exact=True).first.click()
    page.locator('a[href^="/deliveries/"]').last.click()

    assert page.url.startswith(f"{live_server}/deliveries/")
    assert page.locator("#readings tbody tr").count() == 3


def test_a_large_file_appears_under_my_exports(
    page: Page,
    live_server: object,
    desk: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # By their names the pages would be read only now, with what was changed here before.
    for module in (producing, report_pages):
        monkeypatch.setattr(module, "MOST_AT_ONCE", dict.fromkeys(producing.MOST_AT_ONCE, 0))
    # The worker of this test is the test itself.
    monkeypatch.setattr("settlement.services.reports.export_jobs.enqueue_on_commit", _nobody)

    page.goto(f"{live_server}/finance/reports/journal/")
    page.get_by_role("button", name="生成 CSV").click()
    page.get_by_text("等待中").first.wait_for()
    job = ExportJob.objects.get()
    assert run_export(job_id=job.pk)
    page.get_by_text("已完成").first.wait_for()  # the list asks again by itself
    with page.expect_download() as waiting:
        page.locator(f'a[href="/exports/{job.public_id}/file/"]').click()
    waiting.value.save_as(tmp_path / "file.csv")
    job.refresh_from_db()

    assert hashlib.sha256((tmp_path / "file.csv").read_bytes()).hexdigest() == job.sha256


def _nobody(task: str, **arguments: object) -> None:
    """Wake nobody."""
