"""A finance person finds the month of recognition in the browser, in Chinese, and downloads it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from config.demo.recognition import play_recognition
from marketplace.models import Membership, Role
from settlement.models import NettingCycle, RecognitionEvent
from tests.factories.recognition_month import Quiet, three_data_centres
from tests.web.desks import BACKEND

pytestmark = [pytest.mark.fuller, pytest.mark.django_db(transaction=True)]
FORMATS = ("CSV", "XLSX", "PDF", "JSON")


@pytest.fixture
def month(transactional_db: None) -> None:
    """Play the month; the browser's thread and the server's are different ones."""
    play_recognition(three_data_centres(), Quiet())


@pytest.fixture
def page(browsers: dict[str, Browser], live_server: object, month: None) -> Iterator[Page]:
    """Open a window in Chinese, signed in as the market's finance; it is closed after the test.

    Left open it would go on asking the server while other tests run.
    """
    finance = Membership.objects.filter(organisation__is_platform=True, role=Role.FINANCE)
    client = Client()
    client.force_login(finance.earliest("id").user, backend=BACKEND)
    context = browsers["zh-hans"].new_context(accept_downloads=True, locale="zh-CN")
    url = str(live_server)
    cookies = {
        settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
        settings.LANGUAGE_COOKIE_NAME: "zh-hans",
    }
    context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
    )
    yield context.new_page()
    context.close()


def _download(page: Page, name: str, folder: Path) -> bytes:
    with page.expect_download() as waiting:
        page.locator("main").get_by_role("link", name=name, exact=True).first.click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target.read_bytes()


def test_finance_finds_the_month_and_downloads_it(
    page: Page, live_server: object, tmp_path: Path
) -> None:
    page.goto(f"{live_server}/")
    page.locator("a[href='/recognition/']").first.evaluate("link => link.click()")
    page.wait_for_url("**/recognition/")
    assert page.get_by_role("heading", level=1).inner_text() == "碳汇互认结算"
    assert page.locator("main").get_by_text("PHCER-HR").count()

    files = {name: _download(page, name, tmp_path) for name in FORMATS}

    event = RecognitionEvent.objects.select_related("recognition").earliest("id")
    assert event.recognition.number in files["CSV"].decode()
    assert files["PDF"].startswith(b"%PDF")
    assert files["XLSX"].startswith(b"PK")
    assert event.recognition.number in json.dumps(json.loads(files["JSON"]))
    assert len(hashlib.sha256(files["CSV"]).hexdigest()) == 64


def test_finance_reads_a_cycle_down_to_what_moved(page: Page, live_server: object) -> None:
    cycle = NettingCycle.objects.get()
    page.goto(f"{live_server}/recognition/")
    page.get_by_role("link", name=cycle.code, exact=True).first.click()

    text = page.locator("main").inner_text()

    assert "28.700000" in text
    assert "已执行" in text
    assert cycle.computations.get().input_sha256 in text
