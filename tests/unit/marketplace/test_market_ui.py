"""Figures, units, times and badges as the pages print them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation
from django.utils.html import strip_tags
from django.utils.safestring import mark_safe
from moneyed import Money

from marketplace.templatetags import market_layout, market_ui


def words(markup: str) -> str:
    return " ".join(strip_tags(markup).split())


@pytest.mark.parametrize(
    ("value", "places", "most", "shown"),
    [
        ("1234567.5", 2, None, "1,234,567.50"),
        ("0.085", 2, 6, "0.085"),
        ("12", 0, 3, "12"),
        ("12.340", 0, 3, "12.34"),
        ("-0.004", 2, None, "0.00"),
        ("-1234.5", 2, None, "-1,234.50"),
    ],
)
def test_digits_are_grouped_in_threes(value, places, most, shown):
    assert market_ui.group_digits(Decimal(value), places, most) == shown


def test_price_says_currency_unit_and_tax_in_english():
    with translation.override("en"):
        shown = market_ui.money(Decimal("12.5"), unit="card_hour", tax="exclusive")

    assert words(shown) == "CNY 12.50 / card·h excl. VAT"


def test_price_of_a_product_takes_the_chinese_unit():
    product = SimpleNamespace(unit_zh="卡时", unit_en="card·h")

    with translation.override("zh-hans"):
        shown = market_ui.money(Money("12.5", "CNY"), unit=product)

    assert words(shown) == "12.50 元/卡时"


@pytest.mark.parametrize(
    ("unit_zh", "unit_en", "zh", "en"),
    [
        ("卡时", "card·h", "卡", "cards"),
        ("核时", "vCPU·h", "核", "vCPU"),
        ("核时", "core·h", "核", "cores"),
        ("P·时", "PFLOPS·h", "P", "PFLOPS"),
        ("柜时", "rack·h", "柜", "rack"),
    ],
)
def test_a_product_says_what_runs_at_one_moment(unit_zh, unit_en, zh, en):
    product = SimpleNamespace(unit_zh=unit_zh, unit_en=unit_en)

    with translation.override("zh-hans"):
        assert market_ui.counted(product) == zh
    with translation.override("en"):
        assert market_ui.counted(product) == en


def test_words_are_listed_with_the_separator_of_the_language():
    with translation.override("zh-hans"):
        assert market_ui.listed(["甲", "乙", 2026]) == "甲、乙、2026"
    with translation.override("en"):
        assert market_ui.listed(["a", "b", 2026]) == "a, b, 2026"
    assert market_ui.listed([]) == ""


@pytest.mark.parametrize("value", [None, "", "NaN", "Infinity", "abc"])
def test_what_is_no_figure_is_a_dash(value):
    assert market_ui.money(value) == "–"
    assert market_ui.figure(value) == "–"
    assert market_ui.signed(value) == "–"


def test_unknown_unit_is_escaped():
    assert "<b>" not in market_ui.quantity(1, "<b>")


@pytest.mark.parametrize(
    ("value", "direction", "shown"),
    [
        ("1.25", "rise", "up +1.25"),
        ("-0.4", "fall", "down -0.40"),
        ("0.001", "flat", "unchanged 0.00"),
    ],
)
def test_direction_is_word_and_sign_before_it_is_a_colour(value, direction, shown):
    with translation.override("en"):
        markup = market_ui.signed(Decimal(value))

    assert f"change-{direction}" in markup
    assert words(markup) == shown


def test_name_follows_the_language_and_falls_back():
    hub = SimpleNamespace(name_zh="贵安", name_en="Gui'an")
    nameless = SimpleNamespace(name_zh="庆阳", name_en="")

    with translation.override("zh-hans"):
        assert market_ui.localname(hub) == "贵安"
    with translation.override("en"):
        assert market_ui.localname(hub) == "Gui'an"
        assert market_ui.localname(nameless) == "庆阳"


def test_instants_are_shown_in_market_time():
    instant = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)

    assert words(market_ui.market_time(instant)) == "2026-11-23 00:30"
    assert words(market_ui.market_time(instant, "time")) == "00:30"


def test_period_ends_at_24_of_its_own_day():
    starts_at = datetime(2026, 11, 22, 15, tzinfo=UTC)

    hour = market_ui.market_period(starts_at, starts_at + timedelta(hours=1))
    two_days = market_ui.market_period(starts_at, starts_at + timedelta(days=1))

    assert words(hour) == "2026-11-22 23:00–24:00"
    assert words(two_days) == "2026-11-22 23:00 – 2026-11-23 23:00"


def test_duration_names_the_two_largest_units():
    with translation.override("en"):
        assert market_ui.duration(timedelta(hours=2, minutes=30, seconds=5)) == "2 h 30 min"
        assert market_ui.duration(0) == "0 s"


def test_badge_takes_state_and_words_from_a_model():
    order = SimpleNamespace(state="partly_filled", get_state_display=lambda: "Partly filled")

    badge = market_ui.status_badge(order)

    assert "hs-badge-warning" in badge
    assert words(badge) == "Partly filled"


def test_sorted_column_says_so_and_turns_round():
    request = RequestFactory().get("/orders/", {"sort": "price", "page": "3", "hub": "ZWI"})

    with translation.override("en"):
        head = market_layout.sort_head({"request": request}, "price", "Price", numeric=True)

    assert 'aria-sort="ascending"' in head
    assert "sort=-price" in head
    assert "page=" not in head
    assert "hub=ZWI" in head


def test_table_has_caption_and_focusable_region():
    source = (
        "{% load market_layout %}{% datatable caption=caption cards=True %}"
        "<tbody></tbody>{% enddatatable %}"
    )

    markup = Template(source).render(Context({"caption": "A & B"}))

    assert '<caption class="visually-hidden">A &amp; B</caption>' in markup
    assert 'role="region" tabindex="0"' in markup
    assert "<tbody></tbody>" in markup


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "Service fee (0.50 %): <b>1</b> &lt;"),
        ("zh-hans", "Service fee（0.50 %）：<b>1</b> &lt;"),
    ],
)
def test_brackets_and_colon_are_those_of_the_language(language, shown):
    page = Template(
        "{% load market_ui %}{{ label }}{{ rate|aside|lead_in }}<b>1</b> {{ sign|slice:':1' }}"
    )
    with translation.override(language):
        given = {"label": "Service fee", "rate": "0.50 %", "sign": "<"}
        assert page.render(Context(given)) == shown


@pytest.mark.parametrize(("language", "shown"), [("en", "One. Two."), ("zh-hans", "One.Two.")])
def test_chinese_sentences_stand_side_by_side(language, shown):
    page = Template("{% load market_ui %}One.{% gap %}Two.")
    with translation.override(language):
        assert page.render(Context()) == shown


def test_what_is_safe_stays_so_in_brackets():
    page = Template("{% load market_ui %}{{ day|aside }}{{ text|aside }}")
    given = {"day": mark_safe("<time>1</time>"), "text": "<"}
    with translation.override("en"):
        assert page.render(Context(given)) == " (<time>1</time>) (&lt;)"
