"""The bid form: what it costs, what it refuses, and that one confirmation is one order."""

import pytest
from django.urls import reverse

from orders.models import Order, OrderKind
from settlement.models import Hold
from tests.factories.orders import closed
from tests.factories.trading import buyer
from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor(db: None) -> Floor:
    """An open auction with a bid in it."""
    return open_floor()


def _own(floor: Floor) -> int:
    return Order.objects.filter(organisation=floor.buyer.organisation).count()


def _confirmation(floor: Floor, client, **changes) -> dict[str, str]:
    entry = floor.entry(**changes)
    page = client.post(floor.url("auction-bid"), {**entry, "review": "yes"})
    assert page.status_code == 200, text_of(page)
    return {**entry, "confirmed": "yes", "token": page.context["token"]}


def test_preview_says_net_fee_tax_hold_and_the_hubs_in_reach(floor: Floor) -> None:
    client = browser(floor.buyer)

    page = client.post(floor.url("auction-bid-preview"), floor.entry(max_rtt_ms="10"))

    text = text_of(page)
    assert page.status_code == 200
    # 10 units x 8.5 CNY x 4 h = 340; fee 1 %; tax of 6 % on both
    assert "340.00" in text
    assert "3.40" in text
    assert "20.61" in text  # 20.604 rounded up
    assert "364.01" in text
    assert [bar.hub.code for bar in page.context["bars"] if bar.is_reached] == ["EAST"]
    assert _own(floor) == 1


def test_preview_without_scripts_is_a_button_on_the_page(floor: Floor) -> None:
    page = browser(floor.buyer).post(floor.url("auction-bid"), {**floor.entry(), "preview": "yes"})

    assert page.status_code == 200
    assert "364.01" in text_of(page)
    assert 'value="8.5"' in text_of(page)


def test_a_confirmed_bid_is_in_the_book_with_its_money_on_hold(floor: Floor) -> None:
    client = browser(floor.buyer)

    done = client.post(floor.url("auction-bid"), _confirmation(floor, client))

    order = Order.objects.latest("id")
    assert done.headers["Location"] == reverse("order", args=[order.public_id])
    assert order.organisation == floor.buyer.organisation
    assert order.source == "portal"
    assert f"{order.worst_case_cny:.2f}" == "364.01"
    assert Hold.objects.filter(reference=order.hold_reference).exists()


def test_sending_the_confirmation_twice_makes_one_order(floor: Floor) -> None:
    client = browser(floor.buyer)
    confirmation = _confirmation(floor, client)

    client.post(floor.url("auction-bid"), confirmation)
    again = client.post(floor.url("auction-bid"), confirmation)

    assert again.headers["Location"] == reverse("orders")
    assert _own(floor) == 2


def test_a_block_takes_one_step_a_share_and_a_single_listing(floor: Floor) -> None:
    client = browser(floor.buyer)
    entry = {"kind": "block", "min_acceptance": "50", "placement": "single"}

    client.post(floor.url("auction-bid"), _confirmation(floor, client, **entry))

    order = Order.objects.latest("id")
    assert order.kind == OrderKind.BLOCK
    assert f"{order.min_acceptance:.2f}" == "0.50"
    assert order.placement == "single"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_1": "-1"}, "price_1"),
        ({"price_1": "NaN"}, "price_1"),
        ({"price_1": "Infinity"}, "price_1"),
        ({"price_1": "1e3"}, "price_1"),
        ({"price_1": "８.5"}, "price_1"),
        ({"price_1": "8.1234567"}, "price_1"),
        ({"price_1": "8.505"}, "price_1"),
        ({"price_1": "99999999"}, "price_1"),
        ({"price_1": ""}, "price_1"),
        ({"quantity_1": "0"}, "price_1"),
        ({"quantity_1": "1.5"}, "price_1"),
        ({"quantity_1": "99999999999999"}, "quantity_1"),
        ({"first_period": "3", "last_period": "2"}, "last_period"),
        ({"last_period": "5"}, "last_period"),
        ({"product": "NO-SUCH"}, "product"),
        ({"hub": "NO-SUCH"}, "hub"),
        ({"price_2": "7"}, "quantity_2"),
        ({"price_2": "8.5", "quantity_2": "1"}, "price_1"),
        ({"kind": "block", "price_2": "7", "quantity_2": "1"}, "price_2"),
        ({"kind": "block", "min_acceptance": "101"}, "min_acceptance"),
        ({"max_rtt_ms": "0.1"}, "max_rtt_ms"),
    ],
)
def test_bad_input_is_refused_at_its_field_and_nothing_is_lost(
    floor: Floor, changes: dict[str, str], field: str
) -> None:
    page = browser(floor.buyer).post(
        floor.url("auction-bid"), {**floor.entry(note="kept", **changes), "review": "yes"}
    )

    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert 'value="kept"' in text_of(page)
    assert _own(floor) == 1


def test_refusals_are_in_the_readers_language(floor: Floor) -> None:
    page = browser(floor.buyer, language="zh-hans").post(
        floor.url("auction-bid"), {**floor.entry(price_1="8.505"), "review": "yes"}
    )

    assert "0.01 元的整数倍" in text_of(page)


def test_too_little_money_is_refused_with_what_is_missing(floor: Floor) -> None:
    poor = buyer("100")

    page = browser(poor).post(floor.url("auction-bid"), {**floor.entry(), "review": "yes"})

    assert page.status_code == 422
    assert "264.01 CNY is missing" in text_of(page)
    assert not Order.objects.filter(organisation=poor.organisation).exists()


def test_a_closed_gate_refuses_the_confirmation(floor: Floor) -> None:
    client = browser(floor.buyer)
    confirmation = _confirmation(floor, client)
    closed(floor.auction)

    page = client.post(floor.url("auction-bid"), confirmation)

    assert page.status_code == 422
    assert "is closed" in text_of(page)
    assert _own(floor) == 1


def test_bid_on_this_leads_to_the_open_auction_with_the_product_chosen(floor: Floor) -> None:
    client = browser(floor.buyer)

    page = client.get(
        reverse("bid"), {"product": floor.market.product.code, "hub": "CITY"}, follow=True
    )

    form = page.context["form"]
    assert page.redirect_chain[0][0].startswith(floor.url("auction-bid"))
    assert form["product"].value() == floor.market.product.code
    assert form["hub"].value() == "CITY"


def test_without_an_open_auction_the_bid_link_says_so(floor: Floor) -> None:
    closed(floor.auction)

    page = browser(floor.buyer).get(reverse("bid"), follow=True)

    assert "No auction takes orders for this now" in text_of(page)
