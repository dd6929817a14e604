"""Suppliers' pools and listings by the interface."""

import pytest

from marketplace.models import Listing, ResourcePool, Role
from tests.api.callers import program_of
from tests.factories.market import make_actor, market_with_reference

pytestmark = pytest.mark.django_db

POOL = {"hub": "NX-ZW", "product": "AI-910B", "name": "中卫一号", "unit_count": "128"}
WINDOW = {
    "starts_at": "2026-12-01T00:00:00+08:00",
    "ends_at": "2026-12-08T00:00:00+08:00",
    "quantity": "64",
}
LISTING = {
    "name": "夜间闲置",
    "quantity": "64",
    "price_steps": [{"quantity": "32", "price": "7.50"}, {"quantity": "32", "price": "8.20"}],
    "windows": [WINDOW],
}


@pytest.fixture
def seller():
    market_with_reference()
    return make_actor(Role.SUPPLIER)


def test_a_pool_and_its_listing_from_first_to_last(seller) -> None:
    caller = program_of(seller)

    pool = caller.post("pools/", POOL)
    assert pool.status_code == 201, pool.content
    identifier = pool.json()["identifier"]
    assert len(identifier) == 22
    assert caller.get(f"pools/{identifier}/").json() == pool.json()
    made = caller.post("listings/", {**LISTING, "pool": identifier})
    assert made.status_code == 201, made.content
    listing = made.json()
    assert (listing["state"], listing["source"]) == ("active", "api")
    assert listing["price_steps"][1] == {"quantity": "32.000", "price": "8.200000"}
    address = f"listings/{listing['id']}/"
    revised = caller.send("PATCH", address, {"name": "周末闲置"})
    assert revised.json()["name"] == "周末闲置"
    assert revised.json()["windows"] == listing["windows"]
    states = [caller.post(f"{address}{move}/").json()["state"] for move in ("pause", "resume")]
    assert states == ["paused", "active"]
    assert caller.post(f"{address}withdraw/").json()["state"] == "withdrawn"

    refused = caller.post(f"{address}resume/")

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "state_forbids")
    assert [row["id"] for row in caller.get("listings/", state="withdrawn").json()["results"]]


CHANGES = [
    ({"quantity": "136"}, "quantity", "listing_exceeds_pool"),
    ({"quantity": "72"}, "price_steps", "steps_do_not_add_up"),
    ({"quantity": "0"}, "quantity", "not_positive"),
    ({"price_steps": LISTING["price_steps"][::-1]}, "price_steps", "prices_not_rising"),
    (
        {"windows": [{**WINDOW, "starts_at": "2026-11-01T00:00:00+08:00"}]},
        "windows",
        "window_in_past",
    ),
    (
        {"windows": [{**WINDOW, "ends_at": WINDOW["starts_at"]}]},
        "windows",
        "window_backwards",
    ),
    (
        {"windows": [{**WINDOW, "starts_at": "2026-12-01T00:07:00+08:00"}]},
        "windows",
        "off_time_grid",
    ),
    ({"windows": [{**WINDOW, "quantity": "72"}]}, "windows", "window_exceeds_listing"),
    ({"windows": [WINDOW, WINDOW]}, "windows", "windows_overlap"),
    ({"state": "active"}, "state", "unknown_field"),
    ({"organisation": "M0001"}, "organisation", "unknown_field"),
]


def test_listings_that_break_a_rule(seller) -> None:
    caller = program_of(seller)
    identifier = caller.post("pools/", POOL).json()["identifier"]

    for changes, field, code in CHANGES:
        answer = caller.post("listings/", {**LISTING, "pool": identifier, **changes})
        assert answer.status_code == 400, changes
        assert answer.json()["error"]["fields"][field][0]["code"] == code, changes

    assert not Listing.objects.exists()


def test_pools_of_others_and_wrong_names(seller) -> None:
    caller, other = program_of(seller), program_of(make_actor(Role.SUPPLIER))
    identifier = caller.post("pools/", POOL).json()["identifier"]

    foreign = other.post("listings/", {**LISTING, "pool": identifier})

    assert (foreign.status_code, foreign.json()["error"]["code"]) == (404, "not_found")
    assert other.get(f"pools/{identifier}/").status_code == 404
    for name in ("hub", "product", "hardware"):
        assert caller.post("pools/", {**POOL, name: "NO-SUCH"}).status_code == 404
    assert caller.post("pools/", {**POOL, "trust_level": 2}).status_code == 400
    assert ResourcePool.objects.count() == 1


def test_a_file_is_listed_as_a_whole_or_refused_with_its_lines(seller) -> None:
    caller = program_of(seller)
    identifier = caller.post("pools/", POOL).json()["identifier"]
    head = "pool,name,quantity,price_curve,windows\n"
    windows = "2026-12-01T00:00/2026-12-08T00:00"
    good = f"{identifier},甲,16,16@7.50,{windows}\n"
    bad = f"{identifier},乙,１６,16@7.50,{windows}\n"
    csv = {"Content_Type": "text/csv", "Idempotency_Key": "file-1"}

    refused = caller.post("listings/import/", (head + good + bad).encode(), **csv)
    again = caller.post("listings/import/", (head + good + bad).encode(), **csv)
    other_file = caller.post("listings/import/", (head + good).encode(), **csv)

    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "import_refused")
    assert [(row["line"], row["field"], row["code"]) for row in error["rows"]] == [
        (3, "quantity", "not_ascii")
    ]
    assert error["rows"][0]["message"]
    assert again.json()["error"]["rows"] == error["rows"]
    assert other_file.status_code == 422
    assert not Listing.objects.exists()
    csv["Idempotency_Key"] = "file-2"
    taken = caller.post("listings/import/", (head + good).encode(), **csv)
    assert taken.status_code == 201, taken.content
    assert taken.json() == {"count": 1, "ids": [str(Listing.objects.get().public_id)]}


def test_lists_do_not_ask_more_for_more_rows(seller, django_assert_max_num_queries) -> None:
    caller = program_of(seller)
    identifier = caller.post("pools/", POOL).json()["identifier"]
    small = {
        "quantity": "8",
        "price_steps": [{"quantity": "8", "price": "7.50"}],
        "windows": [{**WINDOW, "quantity": "8"}],
    }
    for number in range(5):
        body = {**LISTING, **small, "name": f"第{number}批", "pool": identifier}
        assert caller.post("listings/", body).status_code == 201

    with django_assert_max_num_queries(8):
        page = caller.get("listings/")

    assert len(page.json()["results"]) == 5
