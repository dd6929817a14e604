"""The real service and a real browser, both for all tests of this folder, and gone after them."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.service import Service, running_service
from tests.e2e.visitor import Visitor
from tests.scheduling import GALLERY

FOLDER = Path(__file__).parent
PATIENCE_S = 1500  # a cold start, a whole day and its month, on a busy machine
LOCALES = {"zh-hans": "zh_CN", "en": "en_GB"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, give it time, and keep it together: one service serves it.

    The gallery comes before the story, whose people would stand in its pictures. One process does
    the quick tests first; of two, one begins here, where most of the time goes.
    """
    here = [item for item in items if FOLDER in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(PATIENCE_S))
    gathered = sorted(here, key=lambda item: (item.path.name != GALLERY, item.path.name))
    others = [item for item in items if FOLDER not in item.path.parents]
    items[:] = gathered + others if hasattr(config, "workerinput") else others + gathered


@pytest.fixture(scope="package")
def service() -> Iterator[Service]:
    """Web server, worker, beat, database and broker with a seeded market."""
    with running_service() as running:
        yield running


@pytest.fixture(scope="package")
def browsers(django_db_setup: None) -> Iterator[dict[str, Browser]]:
    """Chromium as the system has it, once in Chinese and once in English.

    Dates and times are typed into the browser's own fields, which speak the browser's language.
    The package scope ends the event loop before other tests. The test database is made before the
    loop begins, which Django would refuse to wait in; some tests of the folder use it.
    """
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "Chromium is missing: 'make test' says how to install it."
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # The thread in which the loop runs uses the database too, before and after tests.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
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
