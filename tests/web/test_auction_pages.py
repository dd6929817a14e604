"""Auctions: list, live part, published results, and what stays sealed."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.services.clock import set_speed
from orders.models import AuctionState
from orders.services.interventions import cancel_auction
from tests.factories.marketplace import operator
from tests.factories.orders import bid, closed, published
from tests.factories.trading import buyer, supplier
from tests.web.desks import browser, text_of
from tests.web.trading_floor import open_floor, published_floor

TOKEN = re.compile(r'(csrfmiddlewaretoken" value|csrf-token" content)="[^"]*"')
pytestmark = pytest.mark.django_db


def test_list_filters_by_state_and_kind() -> None:
    floor = open_floor()
    client = browser()

    shown = {
        query: len(client.get(reverse("auctions") + query).context["rows"])
        for query in ("", "?state=open", "?state=published", "?kind=day_ahead", "?kind=weekly")
    }

    assert floor.auction.state == AuctionState.OPEN
    assert shown["?state=open"] == 1
    assert shown["?state=published"] == 0
    assert shown["?kind=weekly"] == 0
    assert shown[""] == shown["?kind=day_ahead"] == 1


def test_published_results_show_prices_curves_flows_and_hashes() -> None:
    floor = published_floor()

    page = browser().get(floor.url("auction"))

    text, results = text_of(page), page.context["results"]
    assert results.prices.data["y"]
    assert results.network.table_rows
    assert sum(share.percentage for share in results.shares) in (99, 100, 101)
    assert page.context["run"].bundle_sha256 in text
    assert page.context["run"].result_sha256 in text
    assert "orders.clearing" in text


def test_curves_need_three_members_so_that_no_costs_are_shown() -> None:
    floor = published_floor()

    page = browser().get(floor.url("auction"), {"hub": "WEST", "period": "1"})

    assert page.context["results"].merit is None


def test_curves_of_three_sellers_and_buyers_are_shown() -> None:
    floor = open_floor()
    supplier(floor.market.product, floor.market.west, "6")
    for _number in range(2):
        bid(buyer(), floor.auction, floor.market.product, floor.market.city)
    published(floor.auction)

    page = browser().get(floor.url("auction"))

    assert page.context["results"].merit.data["demand"]


@pytest.mark.parametrize(
    "query",
    [
        {"product": "none"},
        {"hub": "none", "period": "0"},
        {"period": "99999999999999999999"},
        {"period": "²"},
        {"period": "-1"},
    ],
)
def test_odd_choices_fall_back_instead_of_failing(query: dict) -> None:
    assert browser().get(published_floor().url("auction"), query).status_code == 200


def test_live_part_answers_nothing_new_by_204_and_304_and_stops_when_over() -> None:
    floor = open_floor()
    client = browser()
    first = client.get(floor.url("auction-live"))
    state = first.headers["ETag"].strip('"')

    seen = client.get(floor.url("auction-live"), {"seen": state})
    matched = client.get(floor.url("auction-live"), headers={"If-None-Match": f'"{state}"'})
    closed(floor.auction)
    moved = client.get(floor.url("auction-live"), {"seen": state})
    cancel_auction(actor=operator(), auction_id=floor.auction.pk, reason="test")
    over = client.get(floor.url("auction-live"), {"seen": state}, headers={"HX-Request": "true"})

    assert (first.status_code, seen.status_code, matched.status_code) == (200, 204, 304)
    assert moved.status_code == 200
    assert over.status_code == 286
    assert over.headers["HX-Refresh"] == "true"
    assert "hx-get" not in text_of(over)


def test_strip_names_open_auctions_and_answers_204_while_nothing_changes() -> None:
    floor = open_floor()
    client = browser()

    strip = client.get(reverse("auction-strip"))
    again = client.get(strip.context["auction_strip"]["poll_url"])

    assert floor.url("auction") in text_of(strip)
    assert again.status_code == 204


def test_strip_answers_anew_when_the_clock_was_set() -> None:
    floor = open_floor()
    client = browser()
    strip = client.get(reverse("auction-strip"))

    set_speed(speed=Decimal(60))
    moved = client.get(strip.context["auction_strip"]["poll_url"])

    assert floor.url("auction") in text_of(moved)
    assert 'data-market-speed="60' in text_of(moved)


def test_another_members_sealed_order_changes_no_byte_of_any_page() -> None:
    floor = open_floor()
    reader, secret = buyer(), buyer()
    client = browser(reader)
    pages = [
        reverse("home"),
        reverse("market"),
        reverse("auctions"),
        floor.url("auction"),
        floor.url("auction-live"),
        floor.url("auction-bid"),
        reverse("orders"),
        reverse("orders-csv"),
        reverse("hub", args=["WEST"]),
        reverse("listing", args=[floor.market.west_listing.public_id]),
        reverse("order", args=[floor.order.public_id]),
    ]

    before = [_without_tokens(client.get(page)) for page in pages]
    bid(secret, floor.auction, floor.market.product, floor.market.city, (8, 77))
    after = [_without_tokens(client.get(page)) for page in pages]

    assert before == after


def _without_tokens(response) -> str:
    return f"{response.status_code} {TOKEN.sub('', text_of(response))}"


def test_prices_download_has_every_published_price() -> None:
    floor = published_floor()

    lines = text_of(browser().get(floor.url("auction-prices"))).splitlines()

    run = floor.auction.runs.get()
    assert len(lines) == run.prices.count() + 1
    assert "price_cny_per_unit_hour_excl_vat" in lines[0]


def test_bundle_is_a_zip_whose_hash_stands_on_the_page() -> None:
    floor = published_floor()

    answer = browser(operator()).get(floor.url("auction-bundle"))

    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.content[:2] == b"PK"
