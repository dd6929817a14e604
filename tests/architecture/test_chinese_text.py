"""How Chinese is written, wherever it is: CONTRIBUTING, "How Chinese is written"."""

import re

import pytest

from tests.architecture.chinese import HAN, all_chinese

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
