"""Compiles every template and checks the house rules that a strict CSP and two languages need.

Rules: no inline script, style element or event handler; no visible word outside the catalogue.
"""

import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

import django  # noqa: E402
from django.template import TemplateSyntaxError, engines  # noqa: E402

TEMPLATES = ROOT / "templates"
TRANSLATED_BLOCK = re.compile(
    r"\{%\s*(blocktranslate|comment)\b.*?%\}.*?\{%\s*end\1\s*%\}|\{#.*?#\}", re.DOTALL
)
CLASS_BLOCK = re.compile(r"\{%\s*block \w*class\w*\s*%\}.*?\{%\s*endblock\b.*?%\}", re.DOTALL)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
VISIBLE_ATTRIBUTES = {"title", "placeholder", "aria-label", "alt"}
WORD = re.compile(r"[A-Za-z]{3,}")
# The same in both languages: names, codes and units.
SAME_IN_BOTH = {
    *("Hengsuan", "English", "CNY", "USD", "GPU", "CPU", "HPC", "API", "CSV", "XLSX", "PDF", "UTC"),
    *(
        "JSON",
        "TSV",
        "VAT",
        "PUE",
        "CUE",
        "REF",
        "kWh",
        "kgCO",
        "gCO",
        "tCO",
        "MWh",
        "GWh",
        "TFLOPS",
        "SHA",
        "ICP",
    ),
    *("example", "com", "org", "http", "https", "nbsp", "middot"),
}


def _blank(match: re.Match[str]) -> str:
    """Replace by as many line breaks, so that line numbers stay right."""
    return " " + "\n" * match.group().count("\n")


class HouseRules(HTMLParser):
    """Collects what breaks a rule in one template."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[tuple[int, str]] = []
        self._silent_tag = ""
        self._depth = 0

    def _note(self, text: str) -> None:
        self.problems.append((self.getpos()[0], text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element and its attributes."""
        values = dict(attrs)
        if tag == "style":
            self._note("a style element; put the rule into static/css")
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self._note("an inline script; put it into static/js")
        for name, value in attrs:
            if name == "style" or re.fullmatch(r"on[a-z]+", name):
                self._note(f"the inline attribute {name}")
            if name in VISIBLE_ATTRIBUTES:
                self._check_text(value or "", f"{name}=")
        # An element that names its own language is written in both, as on the error pages.
        own_language = tag != "html" and "lang" in values
        silent = own_language or tag in {"script", "style", "code", "kbd"}
        if self._silent_tag == tag:
            self._depth += 1
        elif not self._silent_tag and (silent or values.get("translate") == "no"):
            self._silent_tag, self._depth = tag, 1

    def handle_endtag(self, tag: str) -> None:
        """Leave an element whose text is not for reading."""
        if tag == self._silent_tag:
            self._depth -= 1
            if not self._depth:
                self._silent_tag = ""

    def handle_data(self, data: str) -> None:
        """Look at text between elements."""
        if not self._silent_tag:
            self._check_text(data, "")

    def _check_text(self, text: str, where: str) -> None:
        words = [word for word in WORD.findall(text) if word not in SAME_IN_BOTH]
        if words:
            self._note(f"untranslated text: {where}{' '.join(text.split())[:60]!r}")


def problems_of(path: Path) -> list[str]:
    """Return one line for each broken rule of a template."""
    source = path.read_text(encoding="utf-8")
    place = path.relative_to(ROOT)
    found = []
    try:
        engines["django"].from_string(source)
    except TemplateSyntaxError as error:
        found.append(f"{place}: {error}")
    # Printed documents carry both languages at once and are never sent to a browser.
    if path.suffix == ".html" and "pdf" not in path.parts:
        rules = HouseRules()
        for pattern in (TRANSLATED_BLOCK, CLASS_BLOCK, TAG):
            source = pattern.sub(_blank, source)
        rules.feed(source)
        found += [f"{place}:{line}: {text}" for line, text in rules.problems]
    return found


def main() -> None:
    """Check all templates."""
    django.setup()
    paths = sorted(path for path in TEMPLATES.rglob("*") if path.is_file())
    problems = [problem for path in paths for problem in problems_of(path)]
    print("\n".join(problems) or f"{len(paths)} templates keep the rules.")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
