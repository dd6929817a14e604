"""The catalogue finds every kind of string and sees a missing or wrong translation."""

import gettext
import sys

import pytest

from config.env import BASE_DIR

sys.path.insert(0, str(BASE_DIR / "tools"))

import compile_messages
import messages

TEMPLATE = """{% load i18n %}{% translate "Plain" %} {% translate "Bid" context "market" %}
{% blocktranslate %}Costs {{ sum }}{% endblocktranslate %}
{% blocktranslate count n=n %}{{ n }} bid{% plural %}{{ n }} bids{% endblocktranslate %}
{% translate "50% off" %}"""
CODE = """
_("Lazy")
ngettext("%(n)s ask", "%(n)s asks", n)
pgettext("market", "Ask")
_(variable)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "page.html").write_text(TEMPLATE)
    (tmp_path / "config" / "code.py").write_text(CODE)
    parts = tmp_path / "locale" / "parts"
    parts.mkdir(parents=True)
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    monkeypatch.setattr(messages, "PARTS", parts)
    return tmp_path


def _write_part(project, *rows):
    text = "\n".join("\t".join(row) for row in rows)
    (project / "locale" / "parts" / "some.tsv").write_text(text, encoding="utf-8")


ALL = [
    ("Plain", "普通"),
    ("Bid", "买入申报", "market"),
    ("Costs %(sum)s", "费用 %(sum)s"),
    ("%(n)s bid", "%(n)s 笔买入申报"),
    ("50% off", "五折即 50%"),
    ("Lazy", "惰性"),
    ("%(n)s ask", "%(n)s 笔卖出申报"),
    ("Ask", "卖出申报", "market"),
]


def test_every_kind_of_string_is_found(project):
    found = messages.extract()

    assert {(item.context, item.text, item.plural) for item in found.values()} == {
        (None, "Plain", None),
        ("market", "Bid", None),
        (None, "Costs %(sum)s", None),
        (None, "%(n)s bid", "%(n)s bids"),
        (None, "50%% off", None),
        (None, "Lazy", None),
        (None, "%(n)s ask", "%(n)s asks"),
        ("market", "Ask", None),
    }


def test_complete_parts_have_no_problem_and_compile(project):
    _write_part(project, *ALL)
    found, (translations, problems) = messages.extract(), messages.read_parts()
    source = project / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)

    source.write_bytes(messages.build(found, translations))
    compile_messages.compile_catalogue(source)
    with source.with_suffix(".mo").open("rb") as handle:
        compiled = gettext.GNUTranslations(handle)

    assert problems + messages.find_problems(found, translations) == []
    assert compiled.gettext("Plain") == "普通"
    assert compiled.pgettext("market", "Bid") == "买入申报"
    assert compiled.ngettext("%(n)s bid", "%(n)s bids", 3) == "%(n)s 笔买入申报"
    assert compiled.gettext("50%% off") == "五折即 50%%"


def test_missing_translation_is_a_problem(project):
    _write_part(project, *ALL[1:])
    translations, _ = messages.read_parts()

    problems = messages.find_problems(messages.extract(), translations)

    assert problems == ["config/page.html: no Chinese for 'Plain'"]


def test_other_placeholders_are_a_problem(project):
    _write_part(project, *ALL, ("x", "x"))
    translations, _ = messages.read_parts()
    translations[None, "Costs %(sum)s"] = "费用 %(total)s"

    problems = messages.find_problems(messages.extract(), translations)

    assert problems == ["config/page.html: other placeholders in the Chinese for 'Costs %(sum)s'"]


def test_two_translations_of_one_string_are_a_problem(project):
    _write_part(project, *ALL, ("Plain", "朴素"))

    _, problems = messages.read_parts()

    assert problems == [
        "locale/parts/some.tsv:9: 'Plain' has another translation in locale/parts/some.tsv:1"
    ]
