"""The form that changes an order opens with what was entered, whatever its kind."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from orders.models import Auction, Order
from orders.services.submission import Option, submit_order
from tests.factories.orders import START, block_request
from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor(db: None) -> Floor:
    return open_floor()


def _enter(floor: Floor, **fields) -> Order:
    request = block_request(floor.auction, floor.market.product, floor.market.city, **fields)
    return submit_order(actor=floor.buyer, request=request)


def _job(floor: Floor, kind: str = "flexible") -> Order:
    return _enter(floor, kind=kind, duration=2, first_period=2)


def _url(order: Order) -> str:
    return reverse("order-change", args=[order.public_id])


def _filled_in(page) -> dict[str, str]:
    """Return what a browser would send back unchanged."""
    form = page.context["form"]
    return {name: str(form[name].value() or "") for name in form.fields}


@pytest.mark.parametrize("kind", ["flexible", "interruptible"])
def test_a_job_opens_as_entered_and_changes(floor: Floor, kind: str) -> None:
    order, client = _job(floor, kind), browser(floor.buyer)
    assert _url(order) in text_of(client.get(reverse("order", args=[order.public_id])))

    entry = _filled_in(client.get(_url(order)))
    assert entry == {
        "limit_price": "8",
        "quantity": "10",
        "first_period": "2",
        "last_period": "4",
        "duration": "2",
    }
    done = client.post(_url(order), {**entry, "limit_price": "9", "duration": "3"})

    changed = Order.objects.latest("id")
    assert done.headers["Location"] == reverse("order", args=[changed.public_id])
    assert (changed.kind, changed.limit_price, changed.duration) == (kind, 9, 3)
    old = text_of(client.get(reverse("order", args=[order.public_id])))
    assert reverse("order", args=[changed.public_id]) in old


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"first_period": "4", "last_period": "2"}, "last_period"),
        ({"duration": "4"}, "duration"),
        ({"duration": "two"}, "duration"),
        ({"limit_price": "8.001"}, "limit_price"),
        ({"quantity": "0.5"}, "quantity"),
    ],
)
def test_a_refusal_stands_beside_its_field(floor: Floor, entry: dict, field: str) -> None:
    order, client = _job(floor), browser(floor.buyer)

    page = client.post(_url(order), {**_filled_in(client.get(_url(order))), **entry})

    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]


def test_the_last_phase_is_announced_and_kept(floor: Floor) -> None:
    order, client = _job(floor), browser(floor.buyer)
    Auction.objects.update(no_cancel_from=START - timedelta(minutes=1))
    page = client.get(_url(order))
    assert "the window may only grow" in text_of(page)

    answer = client.post(_url(order), {**_filled_in(page), "duration": "1"})

    assert answer.status_code == 422
    assert "limit_price" in answer.context["form"].errors


def test_alternatives_open_with_their_names_and_change(floor: Floor) -> None:
    options = (
        Option(limit_price=Decimal(8), quantity=Decimal(10)),
        Option(limit_price=Decimal(6), hub="WEST", quantity=Decimal(20)),
    )
    order, client = _enter(floor, options=options), browser(floor.buyer)

    page = client.get(_url(order))
    entry = _filled_in(page)
    assert entry == {"price_1": "8", "quantity_1": "10", "price_2": "6", "quantity_2": "20"}
    assert "Alternative 2: AI-T cards, WEST" in text_of(page)
    client.post(_url(order), {**entry, "price_2": "7", "quantity_2": "24"})

    second = Order.objects.latest("id").options.get(option_no=2)
    assert (second.limit_price, second.legs.get().quantity) == (7, 24)


def test_a_linked_block_keeps_its_link(floor: Floor) -> None:
    parent = _enter(floor)
    child, client = _enter(floor, parent_order=parent.public_id), browser(floor.buyer)
    shown = text_of(client.get(reverse("order", args=[child.public_id])))
    assert reverse("order", args=[parent.public_id]) in shown

    client.post(_url(child), {**_filled_in(client.get(_url(child))), "price_1": "9"})
    client.post(_url(parent), {**_filled_in(client.get(_url(parent))), "quantity_1": "12"})

    changed = Order.objects.latest("id")
    assert (changed.parent, changed.quantity) == (None, 12)
    assert Order.objects.get(parent=changed).limit_price == 9
