"""Orders by the interface, from the first to the outcome."""

from decimal import Decimal

import pytest

from marketplace.models import Product
from orders.models import Order, OrderSource, OrderState
from tests.api.callers import program_of, stranger
from tests.factories.orders import published
from tests.factories.trading import buyer

pytestmark = pytest.mark.django_db


def test_a_curve_bid_is_in_the_book_with_its_hold(day) -> None:
    caller = program_of(buyer("10000"))

    answer = caller.post("orders/", day.curve())

    assert answer.status_code == 201, answer.content
    body = answer.json()
    order = Order.objects.get(public_id=body["id"])
    assert (order.source, order.state) == (OrderSource.API, OrderState.ACTIVE)
    assert body["worst_case_cny"] == "342.60"
    assert body["steps"] == [{"price": "8.000000", "quantity": "10.000"}]
    assert body["reason"] == {"code": "", "params": {}}
    assert caller.get(f"orders/{body['id']}/").json() == body


def test_a_block_bid_with_a_profile(day) -> None:
    caller = program_of(buyer("10000"))
    legs = [
        {"first_period": 1, "last_period": 2, "quantity": "10"},
        {"first_period": 3, "last_period": 4, "quantity": "5"},
    ]

    answer = caller.post("orders/", day.block(quantity=None, legs=legs, min_acceptance="0.5"))

    assert answer.status_code == 201, answer.content
    assert [leg["quantity"] for leg in answer.json()["options"][0]["legs"]] == ["10.000", "5.000"]
    assert answer.json()["min_acceptance"] == "0.5000"


def test_an_ask_from_ones_own_listing(day) -> None:
    listing = day.market.west_listing
    Order.objects.filter(listing=listing).update(state=OrderState.CANCELLED)
    caller = program_of(day.market.west_seller)

    answer = caller.post("orders/", day.ask())

    assert answer.status_code == 201, answer.content
    assert answer.json()["listing"] == str(listing.public_id)
    assert answer.json()["hub"] == "WEST"


def test_a_preview_says_what_is_missing_and_sends_nothing(day) -> None:
    caller = program_of(buyer("100"))

    answer = caller.post("orders/preview/", day.curve())

    assert answer.status_code == 200, answer.content
    assert answer.json()["worst_case"]["total_cny"] == "342.60"
    assert answer.json()["missing_cny"] == "242.60"
    assert [hub["code"] for hub in answer.json()["hubs"]] == ["EAST", "WEST"]
    assert not Order.objects.filter(side="buy").exists()


def test_cancelling_frees_the_hold(day) -> None:
    caller = program_of(buyer("350"))
    first = caller.post("orders/", day.curve()).json()
    assert caller.post("orders/", day.curve()).status_code == 400

    answer = caller.post(f"orders/{first['id']}/cancel/")

    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "cancelled"
    assert caller.post("orders/", day.curve()).status_code == 201


def test_lists_filter_and_page_without_telling_numbers(day) -> None:
    caller = program_of(buyer("10000"))
    ids = [caller.post("orders/", day.curve()).json()["id"] for _ in range(3)]
    caller.post(f"orders/{ids[0]}/cancel/")

    page = caller.get("orders/", limit="2").json()
    rest = caller.client.get(page["next"], headers=caller.headers).json()
    active = caller.get("orders/", state="active").json()

    assert [row["id"] for row in page["results"]] == [ids[2], ids[1]]
    assert [row["id"] for row in rest["results"]] == [ids[0]]
    assert rest["next"] is None
    assert f"after={ids[1]}" in page["next"]
    assert [row["id"] for row in active["results"]] == [ids[2], ids[1]]


def test_both_sides_read_their_own_side_of_an_allocation(day) -> None:
    caller = program_of(buyer("10000"))
    seller = program_of(day.market.west_seller)
    order = caller.post("orders/", day.curve()).json()
    published(day.auction)

    bought = caller.get("allocations/").json()["results"]
    sold = seller.get("allocations/", side="sold").json()["results"]

    assert [row["order"] for row in bought] == [order["id"]]
    assert [row["id"] for row in sold] == [bought[0]["id"]]
    assert sold[0]["order"] != order["id"]
    detail = caller.get(f"allocations/{bought[0]['id']}/").json()
    assert len(detail["periods"]) == 4
    assert caller.get(f"orders/{order['id']}/").json()["state"] == "filled"


def test_public_results_after_publication(day) -> None:
    program_of(buyer("10000")).post("orders/", day.curve())
    address = f"auctions/{day.auction.public_id}/"
    assert stranger().get(f"{address}prices/", product="AI-T").json() == {
        "published": False,
        "results": [],
    }
    published(day.auction)

    detail = stranger().get(address).json()
    prices = stranger().get(f"{address}prices/", product="AI-T").json()
    flows = stranger().get(f"{address}flows/").json()
    curves = stranger().get(f"{address}curves/", product="AI-T", period="1").json()
    runs = stranger().get("clearing-runs/").json()["results"]

    assert detail["run"] == runs[0]
    assert detail["auction"]["order_count"] == 3
    assert stranger().get(f"clearing-runs/{runs[0]['id']}/").json() == runs[0]
    assert {row["hub"] for row in prices["results"]} >= {"WEST", "EAST"}
    assert flows["flows"]
    assert curves["is_hidden"] is True  # one buyer: a curve would be this member's


def test_a_flexible_and_an_interruptible_bid(day) -> None:
    caller = program_of(buyer("10000"))

    for kind in ("flexible", "interruptible"):
        answer = caller.post("orders/", day.block(kind=kind, duration=2))

        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert (body["kind"], body["duration"], body["options"]) == (kind, 2, [])
        assert Order.objects.get(public_id=body["id"]).worst_case_cny == Decimal("171.30")


def test_alternatives_and_a_linked_block(day) -> None:
    caller = program_of(buyer("10000"))
    options = [
        {"limit_price": "8", "hub": "WEST", "quantity": "10"},
        {
            "limit_price": "9",
            "hub": "EAST",
            "legs": [{"first_period": 1, "last_period": 2, "quantity": "4"}],
        },
    ]
    sent = day.block(quantity=None, limit_price=None, options=options)

    answer = caller.post("orders/", sent)

    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert [
        (one["option_no"], one["limit_price"], one["legs"][0]["hub"]) for one in body["options"]
    ] == [(1, "8.000000", "WEST"), (2, "9.000000", "EAST")]
    child = caller.post("orders/", day.block(parent_order=body["id"]))
    assert child.status_code == 201, child.content
    assert child.json()["parent_order"] == body["id"]


def test_values_of_another_kind_are_refused_by_name(day) -> None:
    caller = program_of(buyer("10000"))
    step = [{"price": "8", "quantity": "1"}]

    answer = caller.post("orders/", day.block(kind="flexible", duration=2, steps=step))
    twice = caller.post("orders/", day.block(options=[{"limit_price": "8", "quantity": "1"}]))

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["steps"], answer.content
    assert twice.status_code == 400


def test_a_carbon_limit_goes_in_comes_back_and_has_a_price(day) -> None:
    Product.objects.update(carbon_classes_g=[0, 120])
    pool = day.market.east_listing.pool
    pool.carbon_g_per_unit_hour, pool.carbon_evidence = Decimal(100), "绿证 1"
    pool.save()
    caller = program_of(buyer("100000"))
    body = day.curve(max_carbon_g="150", steps=[{"price": "12", "quantity": "10"}])

    preview = caller.post("orders/preview/", body)
    answer = caller.post("orders/", body)
    published(day.auction)

    assert preview.json()["max_carbon_g"] == answer.json()["max_carbon_g"] == "120.000"
    assert caller.get(f"orders/{answer.json()['id']}/").json()["state"] == "filled"
    address = f"auctions/{day.auction.public_id}/prices/"
    asked = {"product": "AI-T", "hub": "EAST"}
    green = stranger().get(address, **asked, carbon_class_g="120").json()["results"]
    plain = stranger().get(address, **asked).json()["results"]
    assert {row["carbon_class_g"] for row in green} == {"120.000"}
    assert {row["carbon_class_g"] for row in plain} == {None}
    assert len(green) == len(plain) == 4
    assert stranger().get(address, **asked, carbon_class_g="0").json()["results"] == []
