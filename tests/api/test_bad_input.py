"""What bad input gets: a 400 with one shape and a stable code, and nothing changed."""

from decimal import Decimal
from uuid import uuid4

import pytest

from marketplace.models import IdempotencyRecord, Organisation
from marketplace.services.clock import set_clock
from marketplace.services.listings import pause_listing
from orders.models import Auction, Order
from orders.ports.collateral import collateral_port
from orders.services.interventions import halt_auction
from settlement.models import Hold
from tests.api.callers import browser_of, program_of
from tests.factories.marketplace import operator
from tests.factories.orders import closed
from tests.factories.trading import buyer

pytestmark = pytest.mark.django_db

NUMBERS = [
    ("-1", "negative"),
    ("NaN", "not_a_number"),
    ("Infinity", "not_a_number"),
    ("-Infinity", "not_a_number"),
    ("sNaN", "not_a_number"),
    ("1e5", "not_a_number"),
    ("1E400", "not_a_number"),
    ("1_000", "not_a_number"),
    ("1,000", "not_a_number"),
    (" 1", "not_a_number"),
    ("+1", "not_a_number"),
    ("0x10", "not_a_number"),
    (".5", "not_a_number"),
    ("1.", "not_a_number"),
    ("", "empty"),
    ("１２.5", "not_ascii"),
    ("١٢", "not_ascii"),
    ("9" * 60, "too_large"),
    ("1.1234567", "too_precise"),
    (0.1, "not_a_string"),
    (7, "not_a_string"),
    (True, "not_a_string"),
    (["1"], "not_a_string"),
    ({"value": "1"}, "not_a_string"),
    (None, "null"),
]
TEXTS = [
    ("NUL\0", "control_characters"),
    ("line\nbreak", "control_characters"),
    ("half a pair \ud800", "control_characters"),
    ("x" * 201, "max_length"),
    (7, "invalid"),
    (None, "null"),
]


def _facts() -> tuple[object, ...]:
    return (
        Order.objects.count(),
        Hold.objects.count(),
        IdempotencyRecord.objects.count(),
        Organisation.objects.count(),
    )


def _assert_refused(answer, code, field=None, status=400) -> dict:
    assert answer.status_code == status, answer.content
    error = answer.json()["error"]
    assert set(error) - {"rows"} == {"code", "message", "fields", "params", "request_id"}
    assert error["message"]
    assert error["request_id"]
    if field is None:
        assert error["code"] == code
    else:
        assert [entry["code"] for entry in error["fields"][field]] == [code]
        assert error["fields"][field][0]["message"]
    return error


@pytest.mark.parametrize("name", ["price", "quantity"])
def test_numbers_that_are_not_plain(day, name) -> None:
    """S-14: every kind of bad number is a 400 at its field, never a 500, no row."""
    caller = program_of(buyer())
    before = _facts()

    for value, code in NUMBERS:
        body = day.curve(steps=[{"price": "8", "quantity": "1", name: value}])
        _assert_refused(caller.post("orders/", body), code, f"steps.0.{name}")
    for name_of_block in ("quantity", "limit_price"):
        for value, code in NUMBERS[:-1]:
            body = day.block(**{name_of_block: value})
            _assert_refused(caller.post("orders/preview/", body), code, name_of_block)

    assert _facts() == before


def test_texts_that_cannot_be_stored(day) -> None:
    """S-17: NUL and other control characters are refused at input."""
    caller = program_of(buyer())

    for value, code in TEXTS:
        _assert_refused(caller.post("orders/", {**day.curve(), "note": value}), code, "note")


ORDERS = [
    ("zero quantity", {"steps": [{"price": "8", "quantity": "0"}]}, "quantity_not_positive"),
    ("minus zero", {"steps": [{"price": "8", "quantity": "-0"}]}, "quantity_not_positive"),
    ("off lot", {"steps": [{"price": "8", "quantity": "1.5"}]}, "off_quantity_lot"),
    ("off tick", {"steps": [{"price": "8.001", "quantity": "1"}]}, "off_price_tick"),
    ("beyond the band", {"steps": [{"price": "100.01", "quantity": "1"}]}, "price_out_of_band"),
    ("no steps", {"steps": []}, "steps_required"),
    (
        "same price twice",
        {"steps": [{"price": "8", "quantity": "1"}, {"price": "8.0", "quantity": "1"}]},
        "step_price_repeated",
    ),
    ("huge", {"steps": [{"price": "100", "quantity": "999999999"}]}, "notional_too_large"),
    ("window outside", {"last_period": 5}, "window_outside_auction"),
    ("window backwards", {"first_period": 3, "last_period": 2}, "window_outside_auction"),
    ("unknown product", {"product": "AI-NONE"}, "product_not_traded"),
    ("unknown place", {"hub": "NOWHERE"}, "hub_not_traded"),
    ("stricter than any class", {"max_rtt_ms": "1"}, "latency_class_unknown"),
    ("no such carbon class", {"max_carbon_g": "0"}, "carbon_class_unknown"),
    ("unknown scenario", {"scenario": "no-such"}, "choice_unknown"),
    ("requirements of a curve", {"min_dengbao_level": 3}, "requirements_need_single_placement"),
]


def test_orders_that_break_a_rule(day) -> None:
    """S-14, S-15: zero, off the grid and huge figures are refused by name, no row."""
    caller = program_of(buyer())
    before = _facts()

    for name, changes, code in ORDERS:
        error = _assert_refused(caller.post("orders/", day.curve(**changes)), code)
        fields = [entry["code"] for entries in error["fields"].values() for entry in entries]
        assert fields in ([code], []), name
        assert _facts() == before, name


SHAPES = [
    ("unknown name", {"organisation": "x"}, "organisation", "unknown_field"),
    ("state", {"state": "filled"}, "state", "unknown_field"),
    ("hold", {"worst_case_cny": "0.01"}, "worst_case_cny", "unknown_field"),
    ("source", {"source": "demo"}, "source", "unknown_field"),
    ("side", {"side": "both"}, "side", "invalid_choice"),
    ("side as list", {"side": ["buy"]}, "side", "invalid_choice"),
    ("auction id", {"auction": "1"}, "auction", "invalid"),
    ("auction number", {"auction": 1}, "auction", "invalid"),
    ("period as text", {"first_period": "1"}, "first_period", "invalid"),
    ("period as float", {"first_period": 1.0}, "first_period", "invalid"),
    ("period as boolean", {"first_period": True}, "first_period", "invalid"),
    ("period zero", {"first_period": 0}, "first_period", "min_value"),
    ("boolean as text", {"requires_xinchuang": "yes"}, "requires_xinchuang", "invalid"),
    ("block value in a curve", {"quantity": "1"}, "quantity", "not_for_kind"),
    ("steps as object", {"steps": {}}, "steps", "not_a_list"),
    ("step as text", {"steps": ["8@10"]}, "steps.0", "invalid"),
    (
        "unknown name in a step",
        {"steps": [{"price": "8", "quantity": "1", "paid": "0"}]},
        "steps.0.paid",
        "unknown_field",
    ),
]


def test_orders_of_a_wrong_shape(day) -> None:
    caller = program_of(buyer())
    before = _facts()

    for name, changes, field, code in SHAPES:
        error = _assert_refused(caller.post("orders/", day.curve(**changes)), code, field)
        assert error["code"] == "invalid_input", name

    assert _facts() == before


BODIES = ["{", "NaN", '{"a": Infinity}', "[" * 100_000, b"\xff\xfe", '{"side": 1, "side": 2}']


def test_bodies_that_are_not_json(day) -> None:
    caller = program_of(buyer())

    for body in BODIES:
        _assert_refused(caller.post("orders/", body), "malformed_json")


def test_bodies_that_are_no_object(day) -> None:
    caller = program_of(buyer())

    for body in ("", "[]", "null", '"text"', "1"):
        _assert_refused(caller.post("orders/", body), "invalid_input")


def test_bodies_that_are_too_large_or_of_another_type(day) -> None:
    caller = program_of(buyer())

    large = caller.post("orders/", "[" + " " * 6_000_000 + "]")
    form = caller.post("orders/", "side=buy", Content_Type="application/x-www-form-urlencoded")

    _assert_refused(large, "too_large", status=413)
    _assert_refused(form, "unsupported_media_type", status=415)


def test_more_than_the_listing_has(day) -> None:
    caller = program_of(day.market.west_seller)
    Order.objects.filter(side="sell").delete()

    answer = caller.post("orders/", day.ask(steps=[{"price": "5", "quantity": "101"}]))

    error = _assert_refused(answer, "capacity_exceeded", "quantity")
    assert error["params"] == {"free": "100.000", "period": 1, "offered": "101"}
    assert not Order.objects.filter(side="sell").exists()


def test_too_little_collateral_says_how_much_is_missing(day) -> None:
    actor = buyer("300")
    before = _facts()

    error = _assert_refused(
        program_of(actor).post("orders/", day.curve()), "insufficient_collateral"
    )

    assert error["params"] == {
        "required_cny": "342.60",
        "available_cny": "300.00",
        "missing_cny": "42.60",
    }
    assert "42.60" in error["message"]
    assert collateral_port().available_cny(organisation_id=actor.organisation.pk) == 300
    assert _facts() == before


def test_a_closed_gate(day) -> None:
    caller = program_of(buyer())
    order = caller.post("orders/", day.curve()).json()
    closed(day.auction)
    before = _facts()

    _assert_refused(caller.post("orders/", day.curve()), "gate_closed")
    _assert_refused(caller.post(f"orders/{order['id']}/cancel/"), "gate_closed")

    assert _facts() == before
    assert Order.objects.get(public_id=order["id"]).state == "active"


def test_a_gate_that_market_time_has_passed(day) -> None:
    set_clock(market_at=day.auction.gate_closes_at, speed=Decimal(0), is_demo=True)

    _assert_refused(program_of(buyer()).post("orders/", day.curve()), "gate_closed")


def test_a_halted_auction(day) -> None:
    halt_auction(actor=operator(), auction_id=day.auction.pk, reason="test")

    _assert_refused(program_of(buyer()).post("orders/", day.curve()), "auction_halted")


def test_a_delivery_that_has_begun(day) -> None:
    starts_at = day.auction.delivery_starts_at
    Auction.objects.filter(pk=day.auction.pk).update(gate_closes_at=starts_at)
    set_clock(market_at=starts_at, speed=Decimal(0), is_demo=True)

    _assert_refused(program_of(buyer()).post("orders/", day.curve()), "gate_closed")


def test_ids_of_somebody_else_are_not_found(day) -> None:
    owner, other = program_of(buyer()), program_of(buyer())
    order = owner.post("orders/", day.curve()).json()
    before = _facts()
    own_listing = str(day.market.east_listing.public_id)
    seller = program_of(day.market.west_seller)

    _assert_refused(other.get(f"orders/{order['id']}/"), "not_found", status=404)
    _assert_refused(other.post(f"orders/{order['id']}/cancel/"), "not_found", status=404)
    _assert_refused(seller.post("orders/", day.ask(listing=own_listing)), "not_found", status=404)
    _assert_refused(seller.get(f"listings/{own_listing}/"), "not_found", status=404)
    _assert_refused(seller.post(f"listings/{own_listing}/pause/"), "not_found", status=404)
    _assert_refused(owner.post("orders/", day.curve(auction=str(uuid4()))), "not_found", status=404)
    assert other.get("orders/").json()["results"] == []
    _assert_refused(other.get("orders/", after=order["id"]), "cursor_unknown", "after")

    assert _facts() == before


def test_a_paused_listing_sells_nothing(day) -> None:
    listing = day.market.west_listing
    pause_listing(actor=day.market.west_seller, public_id=listing.public_id)

    _assert_refused(
        program_of(day.market.west_seller).post("orders/", day.ask()), "listing_not_active"
    )


@pytest.mark.parametrize(
    ("credit_code", "code"),
    [("91110108MA01ABCDE0", "wrong_credit_code"), ("123", "wrong_credit_code"), ("", "blank")],
)
def test_a_wrong_credit_code(day, credit_code, code) -> None:
    before = _facts()
    body = {
        "name_zh": "示例公司",
        "credit_code": credit_code,
        "is_supplier": False,
        "is_buyer": True,
    }

    answer = browser_of(buyer()).post("organisations/", body)

    _assert_refused(answer, code, "credit_code")
    assert _facts()[:2] == before[:2]
    assert not Organisation.objects.filter(name_zh="示例公司").exists()


QUERIES = [
    ("orders/?limit=0", "limit"),
    ("orders/?limit=1000", "limit"),
    ("orders/?limit=١", "limit"),
    ("orders/?limit=1e3", "limit"),
    ("orders/?after=1", "after"),
    ("orders/?state=x", "state"),
    ("orders/?product=%00", "product"),
    ("orders/?ordering=worst_case_cny", "ordering"),
    ("orders/?organisation__name=x", "organisation__name"),
    ("orders/?limit=1&limit=2", "limit"),
    ("auctions/?delivers_after=2026-11-23T00:00:00", "delivers_after"),
    ("auctions/?delivers_after=2026-02-30T00:00:00Z", "delivers_after"),
    ("auctions/?delivers_after=0001-01-01T00:00:00%2B14:00", "delivers_after"),
    ("statement/?since=2026-11-01", "until"),
    ("statement/?since=2026-11-02&until=2026-11-01", "until"),
    ("statement/?since=2026-13-01&until=2026-11-01", "since"),
]


def test_query_strings_that_mean_nothing(day) -> None:
    caller = program_of(buyer())

    for address, field in QUERIES:
        answer = caller.get(address)
        assert answer.status_code == 400, address
        assert answer.json()["error"]["fields"][field], address


def test_times_without_an_offset_are_refused(day) -> None:
    seller = day.market.west_seller
    body = {
        "pool": day.market.west_listing.pool.identifier,
        "name": "夜间",
        "quantity": "1",
        "price_steps": [{"quantity": "1", "price": "5"}],
        "windows": [
            {"starts_at": "2026-12-01T00:00", "ends_at": "2026-12-02T00:00:00Z", "quantity": "1"}
        ],
    }

    answer = program_of(seller).post("listings/", body)

    _assert_refused(answer, "not_an_instant", "windows.0.starts_at")


def test_messages_are_in_the_language_asked_for(day) -> None:
    caller = program_of(buyer("0"))
    caller.headers["Accept-Language"] = "zh-hans"

    error = caller.post("orders/", day.curve(hub="NOWHERE")).json()["error"]

    assert error["code"] == "hub_not_traded"
    assert error["params"] == {"hub": "NOWHERE"}
