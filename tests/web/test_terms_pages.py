"""What holds for everybody: service terms with their example, rules of disputes and defaults."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from settlement.models import DefaultRule, DisputeRule
from settlement.services.sla.terms import promise_service
from settlement.web.terms import urls
from tests.factories.marketplace import ProductFactory
from tests.web.desks import browser, platform_people, stranger, text_of
from tests.web.test_desk_languages import foreign_words

pytestmark = pytest.mark.django_db

WHO = ("visitor", "stranger", "operator", "finance", "auditor")
TABLE = {
    "service-terms": "302 200 200 200 200",
    "service-terms-history": "302 403 200 200 200",
    "case-rules": "302 200 200 200 200",
}


def test_every_page_is_in_the_table():
    assert {pattern.name for pattern in urls.urlpatterns} == set(TABLE)


@pytest.fixture
def today():
    return market_date(market_now())


@pytest.fixture
def dated(today):
    """Terms of a product: past, in force, to come; and rules in force and to come."""
    product = ProductFactory()
    for days in (-30, -10, 10):
        promise_service([product], valid_from=today + timedelta(days=days))
    DisputeRule.objects.create(
        effective_from=today - timedelta(days=1),
        open_days=11,
        answer_days=6,
        insist_days=7,
        ruling_days=12,
    )
    DefaultRule.objects.create(
        effective_from=today + timedelta(days=9),
        first_reminder_days=2,
        second_reminder_days=4,
        default_days=8,
        penalty_rate_per_day=Decimal("0.0007"),
        penalty_cap_rate=Decimal("0.3"),
    )
    return product


def test_pages_let_in_whom_they_should(dated):
    people = {"visitor": None, "stranger": stranger(), **platform_people()}
    wrong = []
    for who in WHO:
        client = browser(people[who])
        for name, row in TABLE.items():
            got = str(client.get(reverse(name)).status_code)
            if got != row.split()[WHO.index(who)]:
                wrong.append(f"{who} on {name}: {got}")

    assert not wrong, "\n".join(wrong)


def test_terms_in_force_and_to_come_are_shown_past_ones_only_to_the_desk(dated, today):
    everybody = text_of(browser(stranger()).get(reverse("service-terms")))
    history = text_of(browser(platform_people()["operator"]).get(reverse("service-terms-history")))

    def has(text: str, days: int) -> bool:
        return f'datetime="{(today + timedelta(days=days)).isoformat()}"' in text

    assert [has(everybody, days) for days in (-30, -10, 10)] == [False, True, True]
    assert [has(history, days) for days in (-30, -10, 10)] == [True, True, True]
    assert reverse("service-terms-history") not in everybody
    assert "42.66" in everybody  # the cap of the worked example
    assert "29.34" in everybody


def test_a_market_without_terms_says_so():
    text = text_of(browser(stranger()).get(reverse("service-terms")))

    assert "A product without terms has no penalties." in text


def test_rules_are_shown_with_those_that_came_first(dated):
    text = text_of(browser(stranger()).get(reverse("case-rules")))

    assert text.count("from the beginning") == 2
    assert "0.070 %" in text
    assert "to come" in text
    assert "Past" in text


def test_the_pages_of_cases_lead_to_the_rules():
    desk = browser(platform_people()["operator"])

    for name in ("disputes", "defaults"):
        assert reverse("case-rules") in text_of(desk.get(reverse(name)))


@pytest.mark.parametrize("name", TABLE)
def test_chinese_pages_hold_no_untranslated_word(dated, name):
    client = browser(platform_people()["finance"], language="zh-hans")

    names = set(dated.name_zh.split())
    assert foreign_words(text_of(client.get(reverse(name))), names | {"Product"}) == set()


@pytest.mark.parametrize("name", ["service-terms", "service-terms-history"])
def test_lists_cost_no_more_queries_with_more_rows(dated, name):
    client = browser(platform_people()["finance"])
    before = _queries(client, name)
    promise_service([ProductFactory() for _index in range(5)], valid_from=date(2020, 1, 1))

    assert _queries(client, name) == before


def _queries(client, name):
    client.get(reverse(name))
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(name))
    return len(queries)
