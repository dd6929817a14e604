"""From the delivery to the bill by the interface."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from marketplace.models import AuditEvent
from marketplace.services.clock import set_clock
from settlement.models import Delivery, MeterReading
from settlement.services.deliveries import complete_due_deliveries, create_deliveries
from settlement.services.grid_factors import load_grid_factors
from settlement.services.settling import settle_auction
from tests.api.callers import Caller, Day, program_of
from tests.factories.orders import published
from tests.factories.trading import buyer

pytestmark = pytest.mark.django_db

ACCESS = {"access_text": "ssh user@192.0.2.1\n密码：另行通知"}


@pytest.fixture
def parties(day: Day) -> tuple[Caller, Caller, Delivery]:
    """A buyer and its supplier as programs, and the delivery between them."""
    program = program_of(buyer())
    assert program.post("orders/", day.curve()).status_code == 201
    day.market.west.grid_province = "Ningxia"
    day.market.west.save()
    load_grid_factors()
    published(day.auction)
    create_deliveries(day.auction.pk)
    return program, program_of(day.market.west_seller), Delivery.objects.get()


def _reading(delivery: Delivery, hours: int = 4, **changes: object) -> dict[str, object]:
    ends_at = delivery.starts_at + timedelta(hours=hours)
    return {
        "starts_at": delivery.starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "quantity": "9.5",
        **changes,
    }


def _move_to(delivery: Delivery, hours: int) -> None:
    at = delivery.starts_at + timedelta(hours=hours)
    set_clock(market_at=at, speed=Decimal(0), is_demo=True)


def test_from_hand_over_to_the_statement(day, parties) -> None:
    program, supplier, delivery = parties
    address = f"deliveries/{delivery.public_id}/"
    assert program.post(f"{address}reveal-access/").json()["error"]["code"] == "access_not_given"

    handed = supplier.post(f"{address}hand-over/", ACCESS)
    revealed = program.post(f"{address}reveal-access/")
    accepted = program.post(f"{address}accept/")

    assert (handed.json()["state"], handed.json()["side"]) == ("handed_over", "sold")
    assert revealed.json() == ACCESS
    assert revealed.headers["Cache-Control"] == "no-store"
    assert AuditEvent.objects.filter(action="delivery.access_revealed").count() == 1
    assert (accepted.json()["state"], accepted.json()["side"]) == ("accepted", "bought")
    _move_to(delivery, 4)
    metered = supplier.post(f"{address}readings/", _reading(delivery))
    assert metered.status_code == 201, metered.content
    assert program.get(f"{address}readings/").json() == metered.json()
    complete_due_deliveries(delivery.ends_at)
    settle_auction(auction_id=day.auction.pk)

    bill = program.get("bills/").json()["results"][0]
    detail = program.get(f"bills/{bill['id']}/").json()
    statement = supplier.get("bills/", direction="payable").json()["results"][0]

    assert detail["bill"] == bill
    lines = [Decimal(line["net_cny"]) + Decimal(line["vat_cny"]) for line in detail["lines"]]
    assert sum(lines) == Decimal(bill["gross_cny"]) > 0
    assert detail["lines"][0]["unit_hours"] == "38.000000"
    assert statement["direction"] == "payable"
    assert supplier.get(f"bills/{bill['id']}/").status_code == 404
    assert program.get("balance/").json()["held_cny"] == "0.00"
    _check_statement(program, bill)


def _check_statement(program: Caller, bill: dict[str, str]) -> None:
    span = {"since": "2026-11-01", "until": "2026-11-30"}
    body = program.get("statement/", **span).json()
    funds = next(a for a in body["accounts"] if a["purpose"] == "member_funds")
    assert funds["closing_cny"] == funds["lines"][-1]["balance_cny"]
    assert bill["number"] in {line["document"] for line in funds["lines"]}
    csv = program.get("statement/", **span, format="csv")
    assert csv.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert bill["number"] in csv.content.decode("utf-8-sig")
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    headers = {**program.headers, "Accept": xlsx}
    query = "since=2026-11-01&until=2026-11-30"
    file = Client().get(f"/api/v1/statement/?{query}", headers=headers)
    assert (file.headers["Content-Type"], file.content[:2]) == (xlsx, b"PK")


READINGS = [
    ({"quantity": "-1"}, "negative"),
    ({"quantity": "9.5555"}, "too_precise"),
    ({"quantity": 9.5}, "not_a_string"),
    ({"energy_wh": -1}, "min_value"),
    ({"energy_wh": "1"}, "invalid"),
    ({"starts_at": "2026-11-22T16:00:00"}, "not_an_instant"),
    ({"revision": 7}, "unknown_field"),
]


def test_readings_that_are_refused(parties) -> None:
    program, supplier, delivery = parties
    address = f"deliveries/{delivery.public_id}/readings/"
    early = supplier.post(address, _reading(delivery))
    assert early.json()["error"]["code"] == "delivery_takes_no_readings"
    supplier.post(f"deliveries/{delivery.public_id}/hand-over/", ACCESS)
    future = supplier.post(address, _reading(delivery))
    assert future.json()["error"]["code"] == "reading_in_future"
    _move_to(delivery, 4)

    for changes, code in READINGS:
        error = supplier.post(address, _reading(delivery, **changes)).json()["error"]
        assert [e["code"] for entries in error["fields"].values() for e in entries] == [code]

    assert program.post(address, _reading(delivery)).status_code == 403
    outside = supplier.post(address, _reading(delivery, hours=5))
    assert outside.json()["error"]["code"] == "reading_outside_delivery"
    assert not MeterReading.objects.exists()


def test_a_batch_is_stored_as_a_whole_or_not_at_all(parties) -> None:
    _program, supplier, delivery = parties
    supplier.post(f"deliveries/{delivery.public_id}/hand-over/", ACCESS)
    _move_to(delivery, 4)
    good = {**_reading(delivery, hours=1), "delivery": delivery.allocation.number}
    foreign = {**good, "delivery": "CJ-20261122-999999"}

    refused = supplier.post("readings/", {"readings": [good, foreign]})
    assert (refused.status_code, MeterReading.objects.count()) == (404, 0)
    stored = supplier.post("readings/", {"readings": [good]}, Idempotency_Key="m-1")
    again = supplier.post("readings/", {"readings": [good]}, Idempotency_Key="m-1")
    corrected = supplier.post("readings/", {"readings": [{**good, "quantity": "8"}]})

    assert stored.status_code == 201, stored.content
    assert again.content == stored.content
    assert corrected.json()["results"][0]["revision"] == 2
    assert MeterReading.objects.count() == 2
    csv = f"delivery,starts_at,ends_at,quantity\n{good['delivery']},x,{good['ends_at']},1\n"
    file = supplier.post("readings/import/", csv.encode(), Content_Type="text/csv")
    assert file.json()["error"]["rows"][0]["code"] == "not_an_instant"
