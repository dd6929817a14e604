"""One word for one thing in the Chinese catalogue, as the glossary has it."""

import re

import pytest

# A word that is not used -> what the thing is called.
FORBIDDEN = {
    "竞价监控": "竞价管控",
    "审计轨迹": "审计日志",
    "入金与授信": "收款与授信",
    "账户余额": "资金余额（会员）或科目余额（账簿）",
    "挂牌": "供给申报",
    "订单簿": "申报簿",
    "委托": "申报",
    "截单": "申报截止",
    "报盘": "申报",
    "清算价": "出清价",
    "钱包": "资金账户",
    "租户": "组织",
}
# English -> what its Chinese has to hold.
TERMS = {
    r"\bclearing price": "出清价",
    r"\border book\b": "申报簿",
    r"\bprice band": "价格上下限",
    r"\baudit trail\b": "审计日志",
    r"\btrial balance\b": "试算平衡",
    r"\bcredit limit": "授信",
    r"\bmeter reading": "计量读数",
    r"\bjournal entr": "记账凭证",
    r"\bcongestion rent": "阻塞盈余",
    r"\bsurveillance\b": "监察",
    r"\btwo-person request": "双人审批",
    r"\bgate closes\b": "截止",
}
HALTED = re.compile(r"\b(halt(ed)?)\b", re.IGNORECASE)
# In the menu a word may stand for a whole section.
MENU_ALONE = {"Money", "Overview", "Market", "Operation"}


@pytest.fixture(scope="module")
def entries(root) -> list[tuple[str, str, str]]:
    found = []
    for path in sorted((root / "locale" / "parts").glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            cells = line.split("\t")
            if len(cells) >= 2 and not line.startswith("#"):
                found.append((cells[0], cells[1], cells[2] if len(cells) > 2 else ""))
    return found


def test_no_word_beside_the_glossary_is_used(entries) -> None:
    wrong = [
        f"{english!r}: {word} → {right}"
        for english, chinese, _ in entries
        for word, right in FORBIDDEN.items()
        if word in chinese
    ]

    assert wrong == []


def test_terms_are_called_what_the_glossary_says(entries) -> None:
    wrong = [
        f"{english!r}: {chinese!r} without {term}"
        for english, chinese, _ in entries
        for pattern, term in TERMS.items()
        if re.search(pattern, english, re.IGNORECASE) and term not in chinese
    ]

    assert wrong == []


def test_a_halted_auction_is_stopped_and_not_paused(entries) -> None:
    wrong = [
        f"{english!r}: {chinese!r}"
        for english, chinese, _ in entries
        if HALTED.search(english) and ("中止" not in chinese or "暂停" in chinese)
    ]

    assert wrong == []


def test_menu_and_title_use_the_same_word(entries) -> None:
    titles = {english: chinese for english, chinese, context in entries if not context}
    wrong = [
        f"{english!r}: menu {chinese!r}, title {titles[english]!r}"
        for english, chinese, context in entries
        if context == "navigation"
        and english not in MENU_ALONE
        and titles.get(english, chinese) != chinese
    ]

    assert wrong == []
