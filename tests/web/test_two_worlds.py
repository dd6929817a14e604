"""Two worlds that differ by another member's order look the same until the gate closes.

Every page that can be reached is asked for by everybody, before and after a stranger's order came
into the sealed book and another one was changed and cancelled; the answers have to be equal byte
for byte, but for what names the request itself. The indicative figures are the exception, and only
of cells with five members.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from marketplace.models import Role
from marketplace.services.clock import set_clock
from orders.services.cancellation import cancel_order
from orders.services.indicative import publish_indicative
from orders.services.order_request import Step
from orders.services.revision import OrderChange, revise_order
from tests.factories.marketplace import member, operator
from tests.factories.orders import START, bid, closed
from tests.factories.trading import buyer
from tests.web.desks import browser
from tests.web.trading_floor import Floor, open_floor

pytestmark = pytest.mark.django_db

MARK = START + timedelta(minutes=15)
# What names the request, the session or the second of the machine's clock, and nothing else.
NOISE = (
    re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"'),
    re.compile(rb'"csrf_token": ?"[^"]+"'),
    re.compile(rb'content="[A-Za-z0-9]{64}"'),
    re.compile(rb'"request_id": ?"[^"]*"'),
    re.compile(rb"nonce-[A-Za-z0-9+/=_-]+"),
    re.compile(rb'nonce="[^"]+"'),
    re.compile(rb"X-CSRFToken[^}]*"),
    re.compile(rb'"(age_s|worker_age_s|seconds|uptime_s)": ?[0-9.]+'),
)
OWN_HEADERS = {"X-Request-ID", "Date", "Expires", "Set-Cookie", "Content-Security-Policy"}
# Signing out would change who asks.
# A new secret is made for each look at the second factor; the health check reads the real clock.
NOT_ASKED = {"sign-out", "healthz", "styleguide", "second-factor-set-up"}
CALLERS = (
    *("visitor", "owner", "other", "supplier", "bookkeeper"),
    *("operator", "finance", "auditor", "chinese"),
)


def _names() -> list[str]:
    """Return the names of all pages without arguments outside the API and Django's own."""
    found: list[str] = []

    def walk(patterns: list[Any]) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                if "admin" not in str(pattern.pattern) and "api/" not in str(pattern.pattern):
                    walk(pattern.url_patterns)
            elif "<" not in str(pattern.pattern) and pattern.name not in (None, *NOT_ASKED):
                found.append(pattern.name)

    walk(get_resolver("config.urls").url_patterns)
    return sorted(set(found))


def _addresses(floor: Floor) -> list[str]:
    code = floor.auction.code
    listing = floor.market.west_listing
    of_auction = (
        *("auction", "auction-live", "auction-prices", "auction-indicative"),
        *("auction-bundle", "auction-result", "auction-bid"),
        *("auction-control-detail", "auction-halt", "auction-extend", "auction-cancel"),
        *("auction-rerun", "auction-check", "auction-resume"),
    )
    return [
        *(reverse(name) for name in _names()),
        *(reverse(name, args=[code]) for name in of_auction),
        *(reverse(name, args=[floor.order.public_id]) for name in ("order", "order-change")),
        *(reverse("hub", args=[hub.code]) for hub in (floor.market.west, floor.market.city)),
        reverse("listing", args=[listing.public_id]),
        reverse("my-listing", args=[listing.public_id]),
        reverse("auctions") + "?state=open",
        reverse("orders") + f"?auction={code}",
        reverse("audit-log") + "?action=order",
        reverse("market") + "?city=CITY",
    ]


def _callers(floor: Floor) -> dict[str, Client]:
    return {
        "visitor": browser(),
        "owner": browser(floor.buyer),
        "other": browser(buyer()),
        "supplier": browser(floor.market.west_seller),
        "bookkeeper": browser(member(floor.buyer.organisation, Role.FINANCE)),
        "operator": browser(operator(Role.OPERATOR)),
        "finance": browser(operator(Role.FINANCE)),
        "auditor": browser(operator(Role.AUDITOR)),
        "chinese": browser(buyer(), language="zh-hans"),
    }


def _seen(callers: dict[str, Client], addresses: list[str]) -> dict[tuple[str, str], Any]:
    seen = {}
    for who, client in callers.items():
        for address in addresses:
            answer = client.get(address)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            for pattern in NOISE:
                content = pattern.sub(b"", content)
            headers = {k: v for k, v in answer.items() if k not in OWN_HEADERS}
            seen[who, address] = (answer.status_code, headers, content)
    return seen


def _differences(before: dict[Any, Any], after: dict[Any, Any]) -> list[str]:
    return [
        f"{who} {address}" for who, address in before if before[who, address] != after[who, address]
    ]


@pytest.mark.fuller
@pytest.mark.parametrize("who", CALLERS)
def test_before_closure_no_page_depends_on_another_members_order(who: str, caplog: Any) -> None:
    floor = open_floor()
    callers = {who: _callers(floor)[who]}
    _compare_worlds(floor, callers, _addresses(floor), caplog)


def test_the_pages_of_the_auction_do_not_depend_on_another_members_order(caplog: Any) -> None:
    floor = open_floor()
    callers = {who: _callers(floor)[who] for who in ("visitor", "owner", "operator")}
    names = ("auction", "auction-live", "auction-prices", "auction-indicative")
    addresses = [
        *(floor.url(name) for name in (*names, "auction-bid", "auction-control-detail")),
        *map(reverse, ("home", "auctions", "auction-strip", "control-room", "auction-control")),
        *map(reverse, ("audit-log", "audit-csv", "orders", "orders-csv", "market", "screen")),
    ]
    _compare_worlds(floor, callers, addresses, caplog)


def _compare_worlds(
    floor: Floor, callers: dict[str, Client], addresses: list[str], caplog: Any
) -> None:
    secret = buyer()
    market = floor.market
    for who in list(callers)[:1]:  # what is cached for all pages is cached now
        _seen({who: callers[who]}, addresses)
    without = _seen(callers, addresses)

    caplog.clear()
    order = bid(secret, floor.auction, market.product, market.city, (9, 77))
    changed = revise_order(
        actor=secret,
        order_public_id=order.public_id,
        change=OrderChange(steps=[Step(order.limit_price, order.quantity)]),
    )
    cancel_order(actor=secret, order_public_id=changed.public_id)
    bid(secret, floor.auction, market.product, market.city, (9, 78))
    logged = " ".join(record.getMessage() for record in caplog.records)

    assert "77" not in logged
    assert str(secret.organisation.code) not in logged
    assert _differences(without, _seen(callers, addresses)) == []


def test_the_indicative_figures_alone_may_tell_of_a_crowd() -> None:
    floor = open_floor()
    callers = {"visitor": browser()}
    addresses = [floor.url("auction")]
    set_clock(market_at=MARK, speed=0, is_demo=True)
    without = _seen(callers, addresses)

    publish_indicative(auction_id=floor.auction.pk, marked_at=MARK)  # three members: nothing
    few = _seen(callers, addresses)
    for units in (10, 20, 30, 40):
        bid(buyer(), floor.auction, floor.market.product, floor.market.city, (8, units))
    publish_indicative(auction_id=floor.auction.pk, marked_at=MARK + timedelta(minutes=15))
    crowd = _seen(callers, addresses)

    text = few["visitor", addresses[0]][2]
    assert b"five members" in text
    assert b'<td class="num" data-label="Matched' not in text
    assert _differences(without, crowd) == [f"visitor {addresses[0]}"]
    assert b'<td class="num" data-label="Matched' in crowd["visitor", addresses[0]][2]


def test_after_closure_the_worlds_differ() -> None:
    # The control: the comparison notices what may then be told, the size of the book.
    floor = open_floor()
    callers = {"visitor": browser()}
    addresses = [floor.url("auction-live")]
    closed(floor.auction)
    without = _seen(callers, addresses)
    type(floor.auction).objects.filter(pk=floor.auction.pk).update(book_order_count=4)

    assert _differences(without, _seen(callers, addresses)) == [f"visitor {addresses[0]}"]
