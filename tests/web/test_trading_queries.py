"""Pages ask the database a fixed number of times, however much there is to show."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories.orders import bid
from tests.factories.trading import buyer, supplier
from tests.web.desks import browser
from tests.web.trading_floor import Floor, open_floor, published_floor

pytestmark = pytest.mark.django_db

# The most that a page may ask; raise it only with a reason. One is the bell's number.
BASELINE = {
    "home": 25,
    "market": 19,
    "hubs": 11,
    "auctions": 12,
    "auction": 31,
    "auction-bid": 17,
    "orders": 13,
    "order": 18,
}


def _address(name: str, floor: Floor) -> str:
    if name.startswith("auction") and name != "auctions":
        return floor.url(name)
    return reverse(name, args=[floor.order.public_id] if name == "order" else [])


def _counts(floor: Floor) -> dict[str, int]:
    client = browser(floor.buyer)
    counts = {}
    for name in BASELINE:
        client.get(_address(name, floor))  # what is cached for all pages is cached now
        with CaptureQueriesContext(connection) as queries:
            client.get(_address(name, floor))
        counts[name] = len(queries)
    return counts


def _grow(floor: Floor) -> None:
    for number in range(3):
        supplier(floor.market.product, floor.market.west, str(6 + number))
        bid(floor.buyer, floor.auction, floor.market.product, floor.market.city, (7, 2 + number))
        bid(buyer(), floor.auction, floor.market.product, floor.market.city, (7, 3))


def test_more_rows_do_not_mean_more_questions() -> None:
    floor = open_floor()
    before = _counts(floor)
    _grow(floor)

    assert _counts(floor) == before


def test_published_pages_stay_below_their_baseline() -> None:
    counts = _counts(published_floor())

    assert {name: n for name, n in counts.items() if n > BASELINE[name]} == {}
