"""Builds the Chinese catalogue: extracts every string, fills in locale/parts/*.tsv, reports gaps.

    python tools/messages.py            write locale/zh_Hans/LC_MESSAGES/django.po
    python tools/messages.py --check    change nothing; fail on a missing, doubtful or stale entry

A part is a table without header: English, Chinese and, where one is used, the context. Extraction
needs no gettext programs: Django turns a template into calls, Babel reads calls.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

from django.utils.translation.template import templatize  # noqa: E402 - needs the settings

PARTS = ROOT / "locale" / "parts"
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
SOURCES = ("config", "marketplace", "orders", "settlement", "templates")
TEMPLATE_ENDINGS = {".html", ".txt", ".svg"}
# What each call means: positions of the text, its plural and ("c") its context.
_ONE = (1,)
_PLURAL = (1, 2)
_CONTEXT = ((1, "c"), 2)
_CONTEXT_PLURAL = ((1, "c"), 2, 3)
KEYWORDS: dict[str, tuple] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), _ONE),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), _PLURAL),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), _CONTEXT),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), _CONTEXT_PLURAL),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[-+ #0-9.]*[a-z]|%[sd]|\{\w*(?:![rs])?(?::[^{}]*)?\}")
LONE_PERCENT = re.compile(r"%(?!\(\w+\)|%)")
FIXED_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # a date of today would change the file at each run

Key = tuple[str | None, str]


@dataclass
class Found:
    """One string of the source: context, singular, plural, and where it stands."""

    context: str | None
    text: str
    plural: str | None
    places: set[str] = field(default_factory=set)


def _calls(path: Path) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    content = path.read_text(encoding="utf-8")
    if path.suffix in TEMPLATE_ENDINGS:
        # Indentation means nothing in a template, but stops the reader of Python.
        calls = templatize(content, origin=str(path))
        content = "\n".join(line.strip() for line in calls.splitlines())
    source = io.BytesIO(content.encode())
    for _line, name, messages, _comments in extract_python(
        source, list(KEYWORDS), [], {"encoding": "utf-8"}
    ):
        yield name, messages if isinstance(messages, tuple) else (messages,)


def _interpret(name: str, arguments: tuple[str | None, ...]) -> Found | None:
    context, texts = None, []
    for position in KEYWORDS[name]:
        index = position[0] if isinstance(position, tuple) else position
        value = arguments[index - 1] if len(arguments) >= index else None
        if not value:  # a variable instead of a text
            return None
        if isinstance(position, tuple):
            context = value
        else:
            texts.append(value)
    return Found(context, texts[0], texts[1] if len(texts) > 1 else None)


def extract() -> dict[Key, Found]:
    """Return every translatable string of the project."""
    found: dict[Key, Found] = {}
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix != ".py" and path.suffix not in TEMPLATE_ENDINGS:
                continue
            for name, arguments in _calls(path):
                item = _interpret(name, arguments)
                if item is None:
                    continue
                kept = found.setdefault((item.context, item.text), item)
                kept.plural = kept.plural or item.plural
                kept.places.add(path.relative_to(ROOT).as_posix())
    return found


def _unescape(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t").strip(" ")


def read_parts() -> tuple[dict[Key, str], list[str]]:
    """Return the translations of all parts, and what contradicts or cannot be read."""
    translations: dict[Key, str] = {}
    origin: dict[Key, str] = {}
    problems = []
    for path in sorted(PARTS.glob("*.tsv")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            place = f"{path.relative_to(ROOT)}:{number}"
            cells = line.split("\t")
            if len(cells) not in {2, 3}:
                problems.append(f"{place}: expected 2 or 3 columns, found {len(cells)}")
                continue
            context = _unescape(cells[2]) if len(cells) == 3 else ""
            key = (context or None, _unescape(cells[0]))
            text = _unescape(cells[1])
            if translations.setdefault(key, text) != text:
                problems.append(f"{place}: {key[1]!r} has another translation in {origin[key]}")
            origin.setdefault(key, place)
    return translations, problems


def _placeholders(text: str) -> list[str]:
    return sorted(set(PLACEHOLDER.findall(text.replace("%%", ""))))


def _translation(item: Found, translations: dict[Key, str]) -> str:
    """Return the Chinese, found by the singular or the plural.

    Templates double a percent sign before the look-up; parts may carry it as the template does.
    """
    texts = [text for text in (item.text, item.plural) if text]
    for text in texts:
        if (item.context, text) in translations:
            return translations[item.context, text]
    for text in texts:
        plain = translations.get((item.context, text.replace("%%", "%")))
        if plain:
            return LONE_PERCENT.sub("%%", plain)
    return ""


def find_problems(found: dict[Key, Found], translations: dict[Key, str]) -> list[str]:
    """Return one line for each string without Chinese, or whose placeholders differ."""
    problems = []
    for item in found.values():
        chinese = _translation(item, translations)
        place = ", ".join(sorted(item.places)[:2])
        shown = repr(item.text) + (f" ({item.context})" if item.context else "")
        if not chinese:
            problems.append(f"{place}: no Chinese for {shown}")
        elif _placeholders(chinese) != _placeholders(item.plural or item.text):
            problems.append(f"{place}: other placeholders in the Chinese for {shown}")
    return problems


def build(found: dict[Key, Found], translations: dict[Key, str]) -> bytes:
    """Return the catalogue as the content of django.po."""
    catalogue = Catalog(
        locale="zh_Hans",
        project="Hengsuan",
        version="1",
        copyright_holder="the Hengsuan contributors",
        msgid_bugs_address="none",
        last_translator="the Hengsuan contributors",
        language_team="the Hengsuan contributors",
        creation_date=FIXED_DATE,
        revision_date=FIXED_DATE,
        header_comment="# Made by `make messages` from locale/parts: edit those, not this.",
        fuzzy=False,
    )
    for key in sorted(found, key=lambda item: (item[1], item[0] or "")):
        item = found[key]
        chinese = _translation(item, translations)
        text = (item.text, item.plural) if item.plural else item.text
        filled = (chinese,) if item.plural else chinese
        places = [(place, None) for place in sorted(item.places)]
        catalogue[text] = Message(text, filled, places, context=item.context)
    output = io.BytesIO()
    write_po(output, catalogue, width=100, include_lineno=False)
    return output.getvalue()


def main() -> None:
    """Write or check the catalogue."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on any gap")
    arguments = parser.parse_args()
    found = extract()
    translations, problems = read_parts()
    problems += find_problems(found, translations)
    content = build(found, translations)
    current = CATALOGUE.read_bytes() if CATALOGUE.exists() else b""
    if arguments.check and content != current:
        problems.append(f"{CATALOGUE.relative_to(ROOT)} is out of date: run 'make messages'")
    elif content != current:
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        CATALOGUE.write_bytes(content)
    print("\n".join(problems) or f"{len(found)} strings, all translated.")
    if problems and arguments.check:
        sys.exit(1)
    if problems:
        print(f"{len(problems)} of {len(found)} strings need work.")


if __name__ == "__main__":
    main()
