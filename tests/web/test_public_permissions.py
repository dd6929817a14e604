"""Pages of published figures open for everybody, signed in or not, and nobody may post to them."""

import pytest
from django.urls import reverse

from marketplace.models import Role
from marketplace.web import rulebook_urls
from orders.web import market_urls
from settlement.web import public_urls
from tests.factories.marketplace import operator
from tests.web.desks import browser, stranger
from tests.web.trading_floor import open_floor, published_floor

pytestmark = pytest.mark.django_db
ARGUMENTS = {
    "market-data-file": ["history"],
    "bulletin": ["2026-11-22"],
    "bulletin-pdf": ["2026-11-22", "en"],
    "rulebook-page": ["price-index"],
}
REDIRECTS = {"rulebook"}
# Nothing was published on such a floor, so there is no such thing to show yet.
ABSENT_AT_FIRST = {"market-data-file", "bulletin", "bulletin-pdf"}


def _names() -> list[str]:
    modules = (market_urls, public_urls, rulebook_urls)
    return [str(pattern.name) for module in modules for pattern in module.urlpatterns]


def _expected(name: str, *, published: bool) -> int:
    if name in REDIRECTS:
        return 302
    return 200 if published or name not in ABSENT_AT_FIRST else 404


@pytest.mark.parametrize("published", [False, True])
def test_everybody_sees_the_same(published: bool) -> None:
    floor = published_floor() if published else open_floor()
    people = (None, stranger(), floor.buyer, floor.market.west_seller, operator(Role.AUDITOR))

    for person in people:
        client = browser(person)
        found = {
            name: client.get(reverse(name, args=ARGUMENTS.get(name, []))).status_code
            for name in _names()
        }
        assert found == {name: _expected(name, published=published) for name in found}


def test_nothing_is_posted_to_them() -> None:
    open_floor()
    client = browser()

    answers = {n: client.post(reverse(n, args=ARGUMENTS.get(n, []))).status_code for n in _names()}

    assert set(answers.values()) == {405}
