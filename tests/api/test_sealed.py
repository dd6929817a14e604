"""Before the gate closes, no answer tells that another member has an order."""

import re
from typing import Any

import pytest

from marketplace.models import Role
from orders.models import Order
from tests.api.callers import Caller, Day, browser_of, program_of, stranger
from tests.factories.marketplace import operator
from tests.factories.orders import closed
from tests.factories.trading import buyer, supplier

pytestmark = pytest.mark.django_db

# A request id, and nothing else, differs between two answers about the same world.
REQUEST_ID = re.compile(rb'"request_id":"[^"]*"')
# Headers that name the request or the clock of the machine.
OWN_HEADERS = {"X-Request-ID", "Date", "Expires", "Set-Cookie"}


def _addresses(day: Day, foreign: str, own: str) -> list[tuple[str, str, Any]]:
    auction = f"auctions/{day.auction.public_id}/"
    reads = [
        *("hubs/", "links/", "products/", "scenarios/", "clock/", "auctions/", auction, "me/"),
        *(f"{auction}prices/?product=AI-T", f"{auction}prices/?product=AI-T&kind=delivered"),
        *(f"{auction}flows/", f"{auction}curves/?product=AI-T&period=1", "clearing-runs/"),
        *("orders/", "orders/?state=active", f"orders/?auction={day.auction.public_id}"),
        *(f"orders/{foreign}/", f"orders/{own}/", f"orders/?after={foreign}"),
        *("allocations/", "allocations/?side=sold", f"allocations/{foreign}/"),
        *("pools/", "listings/", "listings/?state=active", f"listings/{foreign}/"),
        *("deliveries/", "deliveries/?side=sold", f"deliveries/{foreign}/", "balance/", "bills/"),
        *(f"bills/{foreign}/", "statement/?since=2026-11-01&until=2026-11-30", "admissions/"),
        "statement/?since=2026-11-01&until=2026-11-30&format=csv",
    ]
    writes = [
        ("POST", "orders/preview/", day.curve()),
        ("POST", "orders/preview/", day.block(quantity="100", limit_price="99")),
        ("POST", f"orders/{foreign}/cancel/", None),
        ("POST", "orders/", day.curve(hub="NOWHERE")),
        ("OPTIONS", "orders/", None),
        ("HEAD", f"orders/{foreign}/", None),
    ]
    return [("GET", address, None) for address in reads] + writes


def _world(callers: list[Caller], addresses: list[tuple[str, str, Any]]) -> list[Any]:
    seen = []
    for number, caller in enumerate(callers):
        for method, address, body in addresses:
            answer = caller.send(method, address, body)
            headers = {k: v for k, v in answer.items() if k not in OWN_HEADERS}
            content = REQUEST_ID.sub(b"", answer.content)
            seen.append((number, method, address, answer.status_code, headers, content))
    return seen


def test_another_members_order_changes_no_byte_of_any_answer(day) -> None:
    actor, secret = buyer(), buyer()
    seller, _listing = supplier(day.market.product, day.market.west, "4")
    own = program_of(actor).post("orders/", day.curve()).json()["id"]
    callers = [
        stranger(),
        program_of(actor),
        browser_of(day.market.west_seller),
        browser_of(seller),
        browser_of(operator()),
        browser_of(operator(Role.FINANCE)),
        browser_of(operator(Role.AUDITOR)),
    ]
    foreign = "5f0c4b0e-7f7f-4a53-9d0c-3c2f4f3c9a11"  # the id that the secret order will get
    addresses = _addresses(day, foreign, own)
    without = _world(callers, addresses)

    order = program_of(secret).post("orders/", day.curve(steps=[{"price": "99", "quantity": "77"}]))
    assert order.status_code == 201
    Order.objects.filter(public_id=order.json()["id"]).update(public_id=foreign)

    assert _world(callers, addresses) == without


def test_after_closure_the_size_of_the_book_is_told(day) -> None:
    # The control: the worlds above differ once the gate is closed.
    program_of(buyer()).post("orders/", day.curve())
    address = f"auctions/{day.auction.public_id}/"
    before = stranger().get(address).json()["auction"]
    closed(day.auction)

    after = stranger().get(address).json()["auction"]

    assert before["order_count"] is None
    assert after["order_count"] == 3
