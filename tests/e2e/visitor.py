"""A person before the portal: a browser of their own, and every complaint that it makes."""

import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Response, TimeoutError

from tests.e2e.inspection import accessibility_violations, sideways_pixels

WIDE, NARROW = 1440, 390
HEIGHTS = {WIDE: 900, NARROW: 844}
# The machine may be busy: patience costs nothing when it is not.
PATIENCE_MS = 90_000
# Of a page that is not the expected one, so many characters tell which it is.
_SHOWN = 600
HTML_LANGUAGE = {"zh-hans": "zh-Hans", "en": "en"}


class Visitor:
    """Visits pages in one language and theme, and remembers what the browser complained about."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        language: str,
        theme: str = "light",
        width: int = WIDE,
        album: Path | None = None,
    ) -> None:
        self.complaints: list[str] = []
        self._album, self._kept = album, 0
        self._context = browser.new_context(
            base_url=url,
            viewport={"width": width, "height": HEIGHTS[width]},
            reduced_motion="reduce",
            timezone_id="Asia/Shanghai",
            accept_downloads=True,
        )
        self._context.set_default_timeout(PATIENCE_MS)
        self._url = url
        self.dress(language=language, theme=theme)
        self.page = self._context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))

    @property
    def name_column(self) -> str:
        """Return the column of names in this visitor's language."""
        return "name_en" if self.language == "en" else "name_zh"

    def dress(self, *, language: str, theme: str) -> None:
        """Choose language and theme of the pages from now on, by their cookies."""
        self.language = language
        chosen = {"django_language": language, "theme": theme}
        self._context.add_cookies(
            [{"name": name, "value": value, "url": self._url} for name, value in chosen.items()]
        )

    def resize(self, width: int) -> None:
        """Give the window another width."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})

    def close(self) -> None:
        """Close the browser."""
        self._context.close()

    # --- walking -------------------------------------------------------------------------------

    def go(self, path: str) -> Self:
        """Open a page, which must answer 200, and wait until nothing loads any more."""
        answer = self.page.goto(path, wait_until="load")
        assert answer is not None
        assert answer.status == 200, f"{path} answered {answer.status}"
        return self

    def sign_in(self, email: str, password: str) -> Self:
        """Sign in by the form, with the code that the demonstration shows where one is asked."""
        self.go("/sign-in/")
        self.fill(username=email, password=password)
        self.press("main form button:not([type=button])")
        if self.page.url.endswith("/sign-in/code/"):
            self.press("main form button:not([type=button])")
        assert self.page.locator(".tool-user").is_visible(), f"{email} is not signed in"
        return self

    def fill(self, **values: str) -> None:
        """Fill fields of the page by their names; ``a__b`` stands for ``a-b``."""
        for name, value in values.items():
            try:
                self.field(name.replace("__", "-")).fill(value)
            except TimeoutError as error:
                raise AssertionError(
                    f"no field {name} on {self.page.url}: {self.text('main')[:_SHOWN]}"
                ) from error

    def field(self, name: str) -> Locator:
        """Return the field of the page with this name."""
        return self.page.locator(f"main [name='{name}']:not([type=hidden])").first

    def choose(self, name: str, text: str) -> None:
        """Choose the option of a list by words in its label."""
        options = self.field(name).locator("option")
        labels = [label for label in options.all_inner_texts() if text in label]
        assert labels, f"{name} does not offer {text}: {options.all_inner_texts()}"
        self.field(name).select_option(label=labels[0])

    def press(self, selector: str) -> Response | None:
        """Press a button or link that leads to another page, and wait for that page."""
        with self.page.expect_navigation(wait_until="load") as navigation:
            self.page.locator(selector).first.click()
        answer = navigation.value
        assert answer is None or answer.status == 200, (
            f"{answer.url} answered {answer.status}: {self.refusals()}"
        )
        return answer

    def refusals(self) -> list[str]:
        """Return what the page holds against the input, for the message of a failing test."""
        return self.texts("main .field-errors, main .field-error, main .notice-error")

    def download(self, selector: str) -> bytes:
        """Press a link to a file and return the file."""
        with self.page.expect_download() as expected:
            self.page.locator(selector).first.click()
        return expected.value.path().read_bytes()

    def text(self, selector: str) -> str:
        """Return the visible text of the first element that fits."""
        return self.page.locator(selector).first.inner_text().strip()

    def texts(self, selector: str) -> list[str]:
        """Return the visible texts of every element that fits."""
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    # --- judging -------------------------------------------------------------------------------

    def check(self) -> Self:
        """Fail when the page is not accessible, not in the language, too wide or not quiet.

        Where there is an album, what the window shows is kept in it, in the order of the journey.
        """
        self._keep()
        where = self.page.url
        assert self.page.locator("html").get_attribute("lang") == HTML_LANGUAGE[self.language]
        assert self.text("h1"), f"{where} has no heading"
        violations = accessibility_violations(self.page)
        assert violations == [], f"{where}: {violations}"
        assert sideways_pixels(self.page) <= 0, f"{where} scrolls sideways"
        self.check_quiet()
        return self

    def check_quiet(self) -> None:
        """Fail when the browser complained: script errors, missing files, refused by the CSP."""
        assert self.complaints == [], f"{self.page.url}: {self.complaints}"

    def _keep(self) -> None:
        if self._album is None:
            return
        self._album.mkdir(parents=True, exist_ok=True)
        self._kept += 1
        words = re.findall(r"(?<=/)[^/\d]+(?=/)", urlsplit(self.page.url).path)  # no ids, no codes
        name = f"{self._kept:02}-{'-'.join(words) or 'home'}.jpg"
        self.page.screenshot(
            path=self._album / name, type="jpeg", quality=70, animations="disabled"
        )

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")


def number_in(text: str) -> str:
    """Return the figure in a text, without the separators of thousands."""
    found = re.search(r"-?[\d,]+(?:\.\d+)?", text)
    assert found, f"no figure in {text!r}"
    return found.group().replace(",", "")
