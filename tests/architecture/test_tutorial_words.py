"""The words that a tutorial tells the reader to look for are words of the pages."""

import re
from pathlib import Path

import pytest

from tests.architecture.chinese import Entry, catalogue

ENGLISH = re.compile(r"(?<![*\w])\*([^*\n]+(?:\n[^*\n]+)?)\*(?!\*)")
PAIR = re.compile(r"(?<![*\w])\*([^*\n]+)\*\s+\(([\u3400-\u9fff][^)]*)\)")
CHINESE = re.compile("“([^”]+)”")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
# Said in a tutorial and not by a text of the catalogue: names of data and of files.
OF_THE_DATA = {
    "ISO 20022 pain.001",
    *("买方 buyer", "供方 supplier", "运营 operator"),  # as ``make demo`` prints them
    "Make CSV",
    "Online banking, debit and credit columns",
    "needed to close",
    "settles",
}
TOLD = ("supplier", "buyer", "operator", "finance")


@pytest.fixture(scope="module")
def entries(root) -> list[Entry]:
    return catalogue(root)


def _prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def _parts(words: str) -> list[str]:
    return [part.strip() for part in " ".join(words.split()).split("›")]


def test_english_words_are_on_the_pages(root, entries) -> None:
    known = {one.english.rstrip(".?") for one in entries} | OF_THE_DATA
    wrong = [
        f"{path.name}: {part}"
        for path in sorted((root / "docs" / "tutorial").glob("*.md"))
        if not path.name.endswith(".zh.md") and path.name != "buyer-api.md"
        for words in ENGLISH.findall(_prose(path))
        for part in _parts(words)
        if part.rstrip(".?") not in known
    ]

    assert wrong == []


def test_the_chinese_beside_english_words_is_that_of_the_pages(root, entries) -> None:
    chinese: dict[str, set[str]] = {}
    for one in entries:
        chinese.setdefault(one.english.rstrip(".?"), set()).add(one.chinese)
    wrong = [
        f"{path.name}: {english} ({given})"
        for path in sorted((root / "docs" / "tutorial").glob("*.md"))
        for words, shown in PAIR.findall(_prose(path))
        for english, given in zip(_parts(words), _parts(shown), strict=True)
        if english.rstrip(".?") in chinese and given not in chinese[english.rstrip(".?")]
    ]

    assert wrong == []


def test_words_quoted_in_chinese_are_on_the_pages(root, entries) -> None:
    known = {one.chinese.rstrip("。？") for one in entries} | OF_THE_DATA
    pages = sorted((root / "docs" / "tutorial").glob("*.zh.md"))
    wrong = [
        f"{path.name}: {part}"
        for path in pages
        for words in CHINESE.findall(_prose(path))
        for part in _parts(words)
        if part.rstrip("。？") not in known
    ]

    assert pages
    assert wrong == []


@pytest.mark.parametrize("name", TOLD)
def test_both_languages_show_the_same_pictures(root, name: str) -> None:
    folder = root / "docs" / "tutorial"
    shown = {
        language: [target for _text, target in PICTURE.findall(_prose(folder / f"{name}{ending}"))]
        for language, ending in (("en", ".md"), ("zh", ".zh.md"))
    }

    assert len(shown["en"]) >= 3
    assert [one.replace("-en.", "-zh.") for one in shown["en"]] == shown["zh"]


def test_the_pictures_are_small(root) -> None:
    folder = root / "docs" / "images" / "tutorial"

    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000
