"""Who may open which page of market, auctions, bids and orders."""

import pytest
from django.urls import URLPattern, reverse

from marketplace.models import OrganisationState, Role
from marketplace.web import urls as market_urls
from orders.web import urls as order_urls
from tests.factories.marketplace import OrganisationFactory, member, operator
from tests.factories.trading import buyer
from tests.web.desks import browser
from tests.web.trading_floor import Floor, open_floor, published_floor

pytestmark = pytest.mark.django_db

WHO = ("visitor", "applicant", "stranger", "buyer", "supplier", "finance", "operator", "auditor")
PUBLIC = "200 200 200 200 200 200 200 200"
BUYERS = "302 403 200 200 403 403 403 403"
TRADERS = "302 200 200 200 200 200 403 403"
OWN = "302 404 404 200 404 200 403 403"

TABLE = {
    "home": PUBLIC,
    "market": PUBLIC,
    "listing": PUBLIC,
    "hubs": PUBLIC,
    "hub": PUBLIC,
    "capacity-calendar": "302 403 403 403 200 403 403 403",
    "capacity-maintenance": "302 403 403 403 405 403 403 403",
    "auctions": PUBLIC,
    "auction-strip": PUBLIC,
    "auction": PUBLIC,
    "auction-live": PUBLIC,
    "auction-indicative": "404 404 404 404 404 404 404 404",
    "auction-prices": "404 404 404 404 404 404 404 404",
    "auction-bundle": "404 404 404 404 404 404 404 404",
    "auction-result": "404 404 404 404 404 404 404 404",
    "bid": "302 302 302 302 302 302 302 302",
    "auction-bid": BUYERS,
    "auction-bid-preview": "302 403 405 405 403 403 403 403",
    "orders": TRADERS,
    "orders-csv": TRADERS,
    "order": OWN,
    "order-change": "302 403 404 200 404 403 403 403",
    "order-cancel": "302 403 404 200 404 403 403 403",
    "draft": "302 302 302 302 302 302 302 302",
    "draft-discard": "302 405 405 405 405 405 405 405",
    "sign-in": "200 302 302 302 302 302 302 302",
    "sign-out": "405 405 405 405 405 405 405 405",
    "set_language": "405 405 405 405 405 405 405 405",
    "switch-organisation": "405 405 405 405 405 405 405 405",
}
PUBLISHED_TABLE = {
    "auction": PUBLIC,
    "auction-live": "286 286 286 286 286 286 286 286",
    "auction-prices": PUBLIC,
    "auction-bundle": "403 403 403 403 403 403 200 200",
    "auction-result": "403 403 403 403 403 403 200 200",
}


def _people(floor: Floor) -> dict:
    applicant = member(OrganisationFactory(state=OrganisationState.PENDING))
    return {
        "visitor": None,
        "applicant": applicant,
        "stranger": buyer(),
        "buyer": floor.buyer,
        "supplier": floor.market.west_seller,
        "finance": member(floor.buyer.organisation, Role.FINANCE),
        "operator": operator(Role.OPERATOR),
        "auditor": operator(Role.AUDITOR),
    }


def _address(name: str, floor: Floor) -> str:
    arguments = {
        "listing": [floor.market.west_listing.public_id],
        "hub": [floor.market.west.code],
        "capacity-maintenance": [floor.market.west_listing.public_id],
        "order": [floor.order.public_id],
        "order-change": [floor.order.public_id],
        "order-cancel": [floor.order.public_id],
    }
    if name in ("auctions", "auction-strip"):
        return reverse(name)
    if name.startswith("auction"):
        return reverse(name, args=[floor.auction.code])
    return reverse(name, args=arguments.get(name, []))


def _statuses(floor: Floor, table: dict[str, str]) -> dict[str, str]:
    people = _people(floor)
    browsers = [browser(people[who]) for who in WHO]
    return {
        name: " ".join(str(one.get(_address(name, floor)).status_code) for one in browsers)
        for name in table
    }


def test_each_page_opens_for_whom_the_table_says() -> None:
    assert _statuses(open_floor(), TABLE) == TABLE


def test_published_results_open_for_everybody_but_the_bundle_for_the_operator_first() -> None:
    assert _statuses(published_floor(), PUBLISHED_TABLE) == PUBLISHED_TABLE


def test_the_table_names_every_page() -> None:
    routes = [*market_urls.urlpatterns, *order_urls.urlpatterns]
    names = {route.name for route in routes if isinstance(route, URLPattern)}

    assert names | {"home"} == set(TABLE)
