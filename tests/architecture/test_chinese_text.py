"""How Chinese is written, wherever it is: CONTRIBUTING, "How Chinese is written"."""

import re

import pytest

from tests.architecture.chinese import HAN, all_chinese, catalogue

# rule -> what breaks it
RULES = {
    "a space between Chinese and Latin letters or figures": re.compile(
        f"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}"
    ),
    "Chinese punctuation beside Chinese": re.compile(f"{HAN}[,;:!?()]|[,;!?()]{HAN}|{HAN}\\.$"),
    "no space beside Chinese punctuation": re.compile(
        r"[，。；：、！？（）“”] | [，。；：、！？）”]"
    ),
    "no space between Chinese characters": re.compile(f"{HAN} +{HAN}"),
    "the reader is 您": re.compile("你"),
    "the reader's organisation is 贵方, one's own is 本组织": re.compile(
        "贵单位|贵公司|贵机构|贵组织|本单位|本机构|本公司"
    ),
    "a space before the percent sign, as figures on pages have it": re.compile(r"\d%"),
    "no three 的 in a row": re.compile(r"的[^，。；：、的]{1,8}的[^，。；：、的]{1,8}的"),
    "no straight quotation marks": re.compile(f"{HAN}[\"']|[\"']{HAN}"),
}
# Placeholders that are Chinese on a Chinese page: no space between them and Chinese.
CHINESE_HERE = r"%\((?:unit|price_unit)\)s"
SPACED = re.compile(f"{CHINESE_HERE} +{HAN}|{HAN} +{CHINESE_HERE}")
# Addresses as mail writes them, names as their owners write them.
AS_WRITTEN = (re.compile(r"示例路\d+号|示例大街\d+号"),)


@pytest.fixture(scope="module")
def texts(root) -> list[tuple[str, str]]:
    return all_chinese(root)


@pytest.mark.parametrize("rule", RULES)
def test_chinese_follows_the_rule(texts, rule: str) -> None:
    broken = [
        f"{place}: {text}"
        for place, text in texts
        if RULES[rule].search(_without_given_names(text))
    ]

    assert broken == []


def test_a_unit_stands_beside_chinese_without_a_space(root) -> None:
    broken = [one.chinese for one in catalogue(root) if SPACED.search(one.chinese)]

    assert broken == []
    assert SPACED.search("价格 %(price)s %(unit)s 高于限价")


TRANSLATED = re.compile(r"\{% blocktranslate.*?%\}.*?\{% endblocktranslate %\}", re.DOTALL)
# Words put together in a template -> what of market_ui puts them together in both languages.
TOGETHER = {
    "aside": re.compile(r"(?:\}\}|%\}) \((?:\{\{|\{%)"),
    "lead_in": re.compile(r"(?:\}\}|%\})(?:</\w+>)?: "),
    "gap": re.compile(r"[.?!]\" %\}(?:</\w+>)? (?:\{%|<a)"),
}


@pytest.mark.parametrize("instead", TOGETHER)
def test_templates_leave_marks_between_words_to_the_language(root, instead: str) -> None:
    wrong = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in sorted((root / "templates").rglob("*.html"))
        for line in TRANSLATED.sub("{% %}", path.read_text(encoding="utf-8")).splitlines()
        if TOGETHER[instead].search(line)
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("instead", "wrong"),
    [
        ("aside", "{{ name }} ({{ code }})"),
        ("lead_in", '{% translate "Key" %}: '),
        ("gap", '{% translate "No." %} <a'),
    ],
)
def test_each_mark_between_words_is_found(instead: str, wrong: str) -> None:
    assert TOGETHER[instead].search(wrong)


def _without_given_names(text: str) -> str:
    for pattern in AS_WRITTEN:
        text = pattern.sub("", text)
    return text


BREAKING = (
    "使用API令牌",
    "已保存,请返回",
    "已保存， 请返回",
    "已保 存",
    "请联系你的管理员",
    "贵单位尚未入市",
    "比例为 5%",
    "本市场的会员的账户的余额",
    '名称"甲"',
)


@pytest.mark.parametrize(("rule", "wrong"), list(zip(RULES, BREAKING, strict=True)))
def test_each_rule_finds_what_breaks_it(rule: str, wrong: str) -> None:
    assert RULES[rule].search(wrong)
