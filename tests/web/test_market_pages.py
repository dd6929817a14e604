"""Home, market search, listings, hubs: what a visitor finds."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.timezone import localtime

from marketplace.domain.periods import MARKET_TIME_ZONE, market_date
from marketplace.models import Listing, ListingState
from marketplace.services.clock import set_clock
from tests.factories.orders import START, open_auction_now, published, stop_clock
from tests.factories.trading import Market, two_hub_market
from tests.web.desks import browser, text_of
from tests.web.trading_floor import open_floor, published_floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def market(db: None) -> Market:
    """Two listings: west at 5 CNY, east at 9 CNY, a city 5 ms from the east."""
    stop_clock()
    return two_hub_market()


def _found(**query: str) -> list[Listing]:
    page = browser().get(reverse("market"), query)
    assert page.status_code == 200
    return [row["listing"] for row in page.context["rows"]]


def test_home_before_the_first_auction_says_what_to_do(market: Market) -> None:
    text = text_of(browser().get("/"))

    assert "No auction has been cleared yet" in text
    assert reverse("market") in text


def test_home_shows_the_last_trading_day_and_three_doors() -> None:
    floor = published_floor()

    page = browser().get("/")

    last, text = page.context["last"], text_of(page)
    assert last.run.auction == floor.auction
    assert last.figures.composite.index == 100
    assert last.figures.products[0].product == floor.market.product
    assert last.figures.products[0].change_percent is None
    assert last.figures.value_cny == floor.auction.runs.get().buyer_payments_cny > 0
    assert floor.url("auction") in text
    assert text.count('class="card door"') == 3


def test_home_keeps_its_figures_when_the_newest_auction_sold_nothing() -> None:
    floor = published_floor()
    set_clock(market_at=START + timedelta(days=1), speed=Decimal(0), is_demo=True)
    Listing.objects.update(state=ListingState.PAUSED)
    published(open_auction_now())

    page = browser().get("/")

    assert page.context["last"].run.auction == floor.auction
    assert page.context["last"].figures.day == market_date(START)
    assert [row["url"] for row in page.context["latest"]] == [floor.url("auction")]


def test_home_counts_down_to_the_open_gate() -> None:
    floor = open_floor()

    page = browser().get("/")

    assert page.context["next_gate"] == floor.auction
    closes_at = localtime(floor.auction.gate_closes_at, MARKET_TIME_ZONE)
    assert f'data-countdown="{closes_at.isoformat()[:19]}' in text_of(page)


def test_search_finds_what_the_filters_say(market: Market) -> None:
    west, east = market.west_listing, market.east_listing

    assert _found() == [west, east]
    assert _found(sort="-price") == [east, west]
    assert _found(hub="WEST") == [west]
    assert _found(max_price="6") == [west]
    assert _found(city="CITY", max_rtt="10") == [east]
    assert _found(city="CITY", sort="rtt") == [east, west]
    assert _found(product="AI-T", resource_class="GP") == []
    assert _found(trust="2") == []


def test_search_says_the_way_to_each_hub_and_both_prices(market: Market) -> None:
    page = browser().get(reverse("market"), {"city": "CITY"})

    rows = {row["pool"].hub.code: row for row in page.context["rows"]}
    assert (rows["EAST"]["rtt"], rows["WEST"]["rtt"]) == (Decimal(5), Decimal(25))
    assert rows["WEST"]["price"] == Decimal(5)
    assert rows["WEST"]["price_with_vat"] == Decimal("5.3000")
    assert rows["WEST"]["bid_url"].startswith(reverse("bid"))
    assert "hub=CITY" in rows["WEST"]["bid_url"]


@pytest.mark.parametrize("query", ["max_rtt=NaN", "green=101", "city=no", "page=-1", "sort=;drop"])
def test_bad_filters_are_shown_as_such_and_never_fail(market: Market, query: str) -> None:
    assert browser().get(f"{reverse('market')}?{query}").status_code == 200


def test_a_paused_listing_is_not_in_the_catalogue(market: Market) -> None:
    Listing.objects.filter(pk=market.west_listing.pk).update(state=ListingState.PAUSED)

    assert _found() == [market.east_listing]


def test_listing_page_shows_curve_calendar_and_distances(market: Market) -> None:
    page = browser().get(reverse("listing", args=[market.west_listing.public_id]))

    assert len(page.context["windows"]) == 1
    assert [place["hub"].code for place in page.context["reach"]] in ([], ["CITY"])
    assert market.west_listing.pool.identifier in text_of(page)


def test_unknown_and_withdrawn_listings_are_not_found(market: Market) -> None:
    Listing.objects.filter(pk=market.west_listing.pk).update(state=ListingState.WITHDRAWN)
    client = browser()

    gone = client.get(reverse("listing", args=[market.west_listing.public_id]))
    unknown = client.get(reverse("hub", args=["NO-SUCH"]))

    assert (gone.status_code, unknown.status_code) == (404, 404)
