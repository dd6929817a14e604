"""One word for one thing, as docs/glossary.md has it, wherever Chinese is written."""

import re

import pytest

from tests.architecture.chinese import Entry, all_chinese, catalogue, english_pages, python_strings

# English inside longer texts -> what their Chinese has to hold.
INSIDE = {
    r"\bclearing price": "出清价",
    r"\bprice band": "价格上下限",
    r"\baudit trail\b": "审计日志",
    r"\btrial balance\b": "试算平衡",
    r"\bcredit limit": "授信",
    r"\bmeter reading": "计量读数",
    r"\bjournal entr": "记账凭证",
    r"\bcongestion rent": "阻塞盈余",
    r"\blink tariff": "网络使用费",
    r"\bdelivered price": "到户价",
    r"\bhand-over": "移交",
    r"\bmember code": "会员代码",
    r"\bsurveillance\b": "监察",
    r"\btwo-person request": "双人审批",
    r"\bgate closes\b": "截止",
}
HALTED = re.compile(r"\b(halt(ed)?)\b", re.IGNORECASE)
# In the menu a word may stand for a whole section.
MENU_ALONE = {"Money", "Overview", "Market", "Operation"}
# Where an English word means something else -> what it is there. A context of the catalogue
# always says so; these are without.
OTHERWISE = {
    "Account": "one's own settings",
    "Document": "a document of the books: 单据",
    "holds": "a rule of the books that is kept",
}
ROW = re.compile(r"^\| (?!---)(.+?) \| (.+?) \|", re.MULTILINE)
NOT_USED = "## Not said in Chinese"
ASIDE = re.compile(r"（[^）]*）|\([^)]*\)")


@pytest.fixture(scope="module")
def entries(root) -> list[Entry]:
    return catalogue(root)


@pytest.fixture(scope="module")
def glossary(root) -> str:
    return (root / "docs" / "glossary.md").read_text(encoding="utf-8")


def _rows(text: str) -> list[tuple[str, str]]:
    return [(one, two) for one, two in ROW.findall(text) if one not in {"English", "not"}]


def _words(cell: str, separators: str) -> list[str]:
    return [word.strip() for word in re.split(separators, ASIDE.sub("", cell)) if word.strip()]


def _terms(glossary: str) -> dict[str, list[str]]:
    """Return the Chinese words of each English one."""
    found = {}
    for english, chinese in _rows(glossary.partition(NOT_USED)[0]):
        names = _words(english, ", |/")
        words = _words(chinese, "[、/]")
        aligned = len(names) == len(words) and "、" in chinese
        for index, name in enumerate(names):
            found[name.casefold()] = [words[index]] if aligned else words
    return found


def test_no_word_beside_the_glossary_is_used(root, glossary) -> None:
    unused = _rows(glossary.partition(NOT_USED)[2])
    wrong = [
        f"{place}: {text}: {word} → {right}"
        for place, text in [*all_chinese(root), *english_pages(root), *python_strings(root)]
        for words, right in unused
        for word in _words(words, "、")
        if word in text
    ]

    assert len(unused) > 20
    assert wrong == []


def test_each_term_has_its_one_chinese_word(entries, glossary) -> None:
    terms = _terms(glossary)
    wrong, found = [], set()
    for one in entries:
        name = one.english.casefold()
        name = name if name in terms else name.removesuffix("s")
        if name in terms and not one.context and one.english not in OTHERWISE:
            found.add(name)
            if not any(word in one.chinese for word in terms[name]):
                wrong.append(f"{one.place}: {one.english!r}: {one.chinese}, not {terms[name]}")

    assert wrong == []
    assert len(found) > 50, "the glossary is not read"


def test_every_pattern_is_found_inside_some_text(entries) -> None:
    unused = [
        pattern
        for pattern in INSIDE
        if not any(re.search(pattern, one.english, re.IGNORECASE) for one in entries)
    ]

    assert unused == []


def test_terms_inside_texts_are_called_what_the_glossary_says(entries) -> None:
    wrong = [
        f"{one.english!r}: {one.chinese!r} without {term}"
        for one in entries
        for pattern, term in INSIDE.items()
        if re.search(pattern, one.english, re.IGNORECASE) and term not in one.chinese
    ]

    assert wrong == []


def test_a_halted_auction_is_stopped_and_not_paused(entries) -> None:
    wrong = [
        f"{one.english!r}: {one.chinese!r}"
        for one in entries
        if HALTED.search(one.english) and ("中止" not in one.chinese or "暂停" in one.chinese)
    ]

    assert wrong == []


def test_menu_and_title_use_the_same_word(entries) -> None:
    titles = {one.english: one.chinese for one in entries if not one.context}
    wrong = [
        f"{one.english!r}: menu {one.chinese!r}, title {titles[one.english]!r}"
        for one in entries
        if one.context == "navigation"
        and one.english not in MENU_ALONE
        and titles.get(one.english, one.chinese) != one.chinese
    ]

    assert wrong == []
