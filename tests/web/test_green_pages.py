"""A carbon limit on the pages: the bid form, its preview and question, the order, the premium."""

from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import Product
from orders.models import Order
from orders.services.submission import submit_order
from orders.web.master_forms import ProductForm
from tests.factories.orders import curve_request, published
from tests.factories.trading import buyer
from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """East sells green at 9, west sells at 5 what nobody declared."""
    floor = open_floor()
    Product.objects.update(carbon_classes_g=[Decimal(0), Decimal(120)])
    pool = floor.market.east_listing.pool
    pool.carbon_g_per_unit_hour, pool.carbon_evidence = Decimal(0), "绿证 1"
    pool.save()
    return floor


def test_a_green_bid_is_shown_from_the_form_to_the_order(floor):
    client = browser(floor.buyer)
    entry = floor.entry(max_carbon_g="0", price_1="10")

    preview = client.post(floor.url("auction-bid-preview"), entry)
    asked = client.post(floor.url("auction-bid"), {**entry, "review": "yes"})
    confirmed = {**entry, "confirmed": "yes", "token": asked.context["token"]}
    client.post(floor.url("auction-bid"), confirmed)

    order = Order.objects.latest("id")
    assert ("max_carbon_g", "0") in asked.context["hidden"]
    assert order.max_carbon_g == 0
    pages = [preview, asked, client.get(reverse("order", args=[order.public_id]))]
    pages.append(client.get(reverse("orders")))
    assert all("green capacity only" in text_of(page) for page in pages)
    rows = client.get(reverse("orders-csv")).content.decode().splitlines()
    assert rows[0].endswith("max_carbon_g_per_unit_hour")
    assert rows[1].endswith(",0.000")


def test_a_limit_stricter_than_any_class_is_refused_at_its_field(floor):
    Product.objects.update(carbon_classes_g=[Decimal(120)])

    page = browser(floor.buyer).post(
        floor.url("auction-bid"), {**floor.entry(max_carbon_g="119"), "review": "yes"}
    )

    assert page.status_code == 422
    assert list(page.context["form"].errors) == ["max_carbon_g"]


def test_a_link_fills_the_limit_in(floor):
    page = browser(floor.buyer).get(floor.url("auction-bid"), {"max_carbon_g": "120"})

    assert page.context["form"]["max_carbon_g"].value() == "120"


def test_the_check_says_that_nothing_is_green_enough(floor):
    pool = floor.market.east_listing.pool
    pool.carbon_evidence = ""
    pool.save()

    page = browser(floor.buyer).post(
        floor.url("auction-bid-preview"), floor.entry(max_carbon_g="0")
    )

    assert "offers capacity of at most 0 g per unit-hour" in text_of(page)


def test_prospects_and_grams_are_those_of_capacity_within_the_limit(floor):
    published(floor.auction)
    pool = floor.market.west_listing.pool
    pool.carbon_g_per_unit_hour, pool.carbon_evidence = Decimal(100), "合同 1"
    pool.save()
    client, url = browser(floor.buyer), floor.url("auction-bid-preview")

    plain = client.post(url, floor.entry()).context["outlook"]
    green = client.post(url, floor.entry(max_carbon_g="0")).context["outlook"]

    assert (plain.hub.code, plain.grams) == ("WEST", 100)
    assert (green.hub.code, green.grams) == ("EAST", 0)
    assert green.lowest > plain.lowest


def test_the_premium_is_shown_where_somebody_asked_for_a_class(floor):
    request = curve_request(
        floor.auction,
        floor.market.product,
        floor.market.city,
        [(12, 10)],
        max_carbon_g=Decimal(0),
    )
    submit_order(actor=buyer(), request=request)
    published(floor.auction)

    page = browser(floor.buyer).get(floor.url("auction"))

    (row,) = page.context["results"].premiums
    assert row.grams == 0
    assert row.premium == row.price - row.plain > 0
    assert "Green premium" in text_of(page)


def test_without_a_green_bid_there_is_no_premium(floor):
    published(floor.auction)

    page = browser(floor.buyer).get(floor.url("auction"))

    assert page.context["results"].premiums == []
    assert "Green premium" not in text_of(page)


def test_an_operator_gives_a_product_carbon_classes_once(floor):
    product = floor.market.product
    known = ProductForm(instance=product)
    typed = {name: known[name].value() for name in known.fields}
    typed |= {"rtt_classes_ms": "10, 30", "reference_price": "8", "active": "on", "note": ""}
    typed |= {"unit_zh": "卡时", "unit_en": "card·h"}

    new = ProductForm({**typed, "code": "AI-NEW", "carbon_classes_g": "120, 0"})
    many = ProductForm({**typed, "code": "AI-NEW", "carbon_classes_g": "1 2 3 4 5 6 7"})
    old = ProductForm({**typed, "carbon_classes_g": "5"}, instance=product)

    assert new.is_valid(), new.errors
    assert new.values()["carbon_classes_g"] == [0, 120]
    assert list(many.errors) == ["carbon_classes_g"]
    assert old.is_valid(), old.errors
    assert "carbon_classes_g" not in old.values()
