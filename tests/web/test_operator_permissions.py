"""Who may open which page of the operator's desk, of notices and of suggestions."""

import pytest
from django.urls import reverse

from marketplace.models import OrganisationState, Role
from marketplace.services.notices import publish_notice, send_suggestion
from marketplace.web import voice_urls
from orders.models import SurveillanceAlert
from orders.services.control import request_cancellation
from orders.services.surveillance import surveil_auction
from orders.web import operator_urls
from tests.factories.marketplace import OrganisationFactory, member, operator
from tests.factories.orders import open_auction_now
from tests.factories.trading import buyer
from tests.web.desks import browser
from tests.web.trading_floor import published_floor

pytestmark = pytest.mark.django_db

WHO = ("visitor", "applicant", "stranger", "buyer", "supplier", "operator", "finance", "auditor")
OPERATOR = "302 403 403 403 403 200 403 403"
READERS = "302 403 403 403 403 200 403 200"
MEMBERS = "302 200 200 200 200 200 200 200"
PARTICIPANTS = "302 200 200 200 200 403 403 403"
OWN = "302 404 404 200 404 200 403 200"

TABLE = {
    "control-room": OPERATOR,
    "control-room-live": OPERATOR,
    "auction-control": OPERATOR,
    "auction-control-detail": OPERATOR,
    "auction-halt": OPERATOR,
    "auction-resume": OPERATOR,
    "auction-extend": OPERATOR,
    "auction-rerun": OPERATOR,
    "auction-check": OPERATOR,
    "auction-cancel": OPERATOR,
    "two-person-requests": READERS,
    "two-person-request": READERS,
    "two-person-approve": OPERATOR,
    "two-person-refuse": OPERATOR,
    "two-person-withdraw": OPERATOR,
    "price-bands": OPERATOR,
    "price-band-new": OPERATOR,
    "market-rules": OPERATOR,
    "market-rules-new": OPERATOR,
    "master-hubs": OPERATOR,
    "links": OPERATOR,
    "products": OPERATOR,
    "calendars": OPERATOR,
    "hub-new": OPERATOR,
    "link-new": OPERATOR,
    "product-new": OPERATOR,
    "calendar-new": OPERATOR,
    "hub-edit": OPERATOR,
    "link-edit": OPERATOR,
    "product-edit": OPERATOR,
    "calendar-edit": OPERATOR,
    "hub-delete": OPERATOR,
    "surveillance": READERS,
    "concentration": READERS,
    "surveillance-case": READERS,
    "audit-log": READERS,
    "audit-csv": READERS,
    "notices": MEMBERS,
    "notice-new": OPERATOR,
    "notice": MEMBERS,
    "suggestions": MEMBERS,
    "suggestion-new": PARTICIPANTS,
    "suggestion": "302 404 404 200 404 200 404 200",
    "suggestion-answer": "302 403 403 403 403 405 403 403",
}


def test_every_page_is_in_the_table() -> None:
    modules = (operator_urls, voice_urls)
    names = {pattern.name for module in modules for pattern in module.urlpatterns}

    assert names == set(TABLE)


def test_pages_let_in_whom_they_should() -> None:
    floor = published_floor()
    surveil_auction(auction_id=floor.auction.pk)
    auction = open_auction_now(calendar=floor.auction.calendar)
    desk = operator(Role.OPERATOR)
    request = request_cancellation(actor=desk, auction_id=auction.pk, reason="for the table")
    notice = publish_notice(
        actor=desk, title_zh="标题", title_en="T", body_zh="正文", body_en="B", audience="all"
    )
    suggestion = send_suggestion(actor=floor.buyer, subject="建议", text="更多节点")
    people = {
        "visitor": None,
        "applicant": member(OrganisationFactory(state=OrganisationState.PENDING)),
        "stranger": buyer(),
        "buyer": floor.buyer,
        "supplier": floor.market.west_seller,
        "operator": operator(Role.OPERATOR),
        "finance": operator(Role.FINANCE),
        "auditor": operator(Role.AUDITOR),
    }
    keys = {
        "hub-edit": floor.market.west.pk,
        "hub-delete": floor.market.west.pk,
        "link-edit": floor.market.west.links_out.get().pk,
        "product-edit": floor.market.product.pk,
        "calendar-edit": auction.calendar.pk,
        "price-band-new": floor.market.product.code,
        "surveillance-case": SurveillanceAlert.objects.first().public_id,
        "notice": notice.public_id,
        "suggestion": suggestion.public_id,
        "suggestion-answer": suggestion.public_id,
        "two-person-request": request.public_id,
        "two-person-approve": request.public_id,
        "two-person-refuse": request.public_id,
        "two-person-withdraw": request.public_id,
    }
    wrong = []
    for who in WHO:
        client = browser(people[who])
        for name, row in TABLE.items():
            plain = name == "auction-control" or not name.startswith("auction-")
            arguments = [] if plain else [floor.auction.code]
            url = reverse(name, args=[keys[name]] if name in keys else arguments)
            got = str(client.get(url).status_code)
            expected = row.split()[WHO.index(who)]
            if got != expected:
                wrong.append(f"{who} on {name}: {got}, expected {expected}")

    assert not wrong, "\n".join(wrong)
