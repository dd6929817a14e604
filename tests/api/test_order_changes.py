"""Changing orders of every kind by the interface."""

from decimal import Decimal

import pytest

from orders.models import Order
from tests.api.callers import program_of
from tests.factories.trading import buyer

pytestmark = pytest.mark.django_db


def _entered(caller, body) -> str:
    answer = caller.post("orders/", body)
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


@pytest.mark.parametrize("kind", ["flexible", "interruptible"])
def test_a_job_changes_in_place(day, kind: str) -> None:
    caller = program_of(buyer("1000"))
    first = _entered(caller, day.block(kind=kind, duration=2, first_period=2))

    body = {"limit_price": "9", "first_period": 1, "duration": 3}
    answer = caller.post(f"orders/{first}/change/", body)

    assert answer.status_code == 200, answer.content
    changed = answer.json()
    assert (changed["kind"], changed["limit_price"]) == (kind, "9.000000")
    assert (changed["first_period"], changed["last_period"], changed["duration"]) == (1, 4, 3)
    old = caller.get(f"orders/{first}/").json()
    assert old["state"] == "cancelled"
    assert old["reason"] == {"code": "replaced", "params": {"order": changed["id"]}}


def test_alternatives_change_one_by_one(day) -> None:
    caller = program_of(buyer("10000"))
    options = [{"limit_price": "8"}, {"limit_price": "6", "hub": "WEST", "quantity": "20"}]
    entry = day.block(options=options)
    entry.pop("limit_price")
    first = _entered(caller, entry)

    answer = caller.post(f"orders/{first}/change/", {"options": [{}, {"limit_price": "7"}]})

    assert answer.status_code == 200, answer.content
    found = answer.json()["options"]
    assert [one["limit_price"] for one in found] == ["8.000000", "7.000000"]
    assert found[1]["legs"][0]["hub"] == "WEST"


def test_links_are_handed_over(day) -> None:
    caller = program_of(buyer("10000"))
    parent = _entered(caller, day.block())
    child = _entered(caller, day.block(parent_order=parent))

    changed = caller.post(f"orders/{parent}/change/", {"limit_price": "9"}).json()["id"]

    assert caller.get(f"orders/{child}/").json()["parent_order"] == changed


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"steps": [{"price": "8", "quantity": "1"}]}, "steps"),
        ({"options": [{"limit_price": "9"}]}, "options"),
    ],
)
def test_parts_that_a_job_does_not_have_are_refused(day, body, field: str) -> None:
    caller = program_of(buyer("1000"))
    first = _entered(caller, day.block(kind="flexible", duration=2))

    answer = caller.post(f"orders/{first}/change/", body)

    assert answer.status_code == 400
    fields = answer.json()["error"]["fields"]
    assert {name: [one["code"] for one in found] for name, found in fields.items()} == {
        field: ["not_revisable"]
    }
    assert Order.objects.filter(public_id=first, state="active", limit_price=Decimal(8)).exists()
