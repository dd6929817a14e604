"""The real service and a real browser, both for all tests of this folder, and gone after them."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.service import Service
from tests.e2e.visitor import Visitor

FOLDER = Path(__file__).parent
PATIENCE_S = 900  # a cold start and a whole day, on a busy machine
LOCALES = {"zh-hans": "zh_CN", "en": "en_GB"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, give it time, and put it last: one service serves all of it.

    The gallery comes before the story, whose people would stand in its pictures.
    """
    here = [item for item in items if FOLDER in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(PATIENCE_S))
    gathered = sorted(here, key=lambda item: item.path.name)
    items[:] = [item for item in items if FOLDER not in item.path.parents] + gathered


@pytest.fixture(scope="package")
def service() -> Iterator[Service]:
    """Web server, worker, beat, database and broker with a seeded market."""
    # Not below pytest's own folder: the account that runs the database may not enter that.
    var = Path(tempfile.mkdtemp(prefix="hengsuan-e2e-"))
    var.chmod(0o755)
    running = Service(var)
    running.do("prepare")
    yield running
    code = running.stop()
    shutil.rmtree(var, ignore_errors=True)
    assert code == 0


@pytest.fixture(scope="package")
def browsers() -> Iterator[dict[str, Browser]]:
    """Chromium as the system has it, once in Chinese and once in English.

    Dates and times are typed into the browser's own fields, which speak the browser's language.
    The package scope ends the event loop before other tests.
    """
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "Chromium is missing: 'make test' says how to install it."
    with sync_playwright() as playwright:
        started = {
            language: playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox"], env={**os.environ, "LANGUAGE": locale}
            )
            for language, locale in LOCALES.items()
        }
        yield started
        for browser in started.values():
            browser.close()


@pytest.fixture
def visit(browsers: dict[str, Browser], service: Service) -> Iterator[Callable[..., Visitor]]:
    """Open browsers for people; they are closed after the test."""
    visitors: list[Visitor] = []

    def open_browser(*, language: str, **options: str | int) -> Visitor:
        visitors.append(Visitor(browsers[language], service.url, language=language, **options))
        return visitors[-1]

    yield open_browser
    for visitor in visitors:
        visitor.close()
