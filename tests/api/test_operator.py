"""What the operator does by the interface, signed in and with a reason."""

import pytest

from marketplace.domain.credit_code import complete_credit_code
from marketplace.models import AuditEvent, Organisation
from orders.models import Auction
from tests.api.callers import browser_of, program_of
from tests.factories.marketplace import UserFactory, operator
from tests.factories.trading import buyer

pytestmark = pytest.mark.django_db


def test_an_auction_is_halted_resumed_and_cancelled_with_a_reason(day) -> None:
    desk = browser_of(operator())
    address = f"auctions/{day.auction.public_id}/"
    order = program_of(buyer()).post("orders/", day.curve()).json()

    without = desk.post(f"{address}halt/", {"reason": "  "})
    states = [
        desk.post(f"{address}{name}/", {"reason": "网络故障"}).json()["state"]
        for name in ("halt", "resume")
    ]
    asked = desk.post(f"{address}cancel/", {"reason": "网络故障"})
    waiting = desk.get("operator/requests/").json()[0]["id"]
    own = desk.post(f"operator/requests/{waiting}/approve/", {})
    done = browser_of(operator()).post(f"operator/requests/{waiting}/approve/", {"note": "ok"})

    assert without.status_code == 400
    assert states == ["halted", "open"]
    assert (asked.status_code, asked.json()["state"]) == (202, "pending")
    assert own.json()["error"]["code"] == "second_person_needed"
    assert done.json()["state"] == "approved"
    assert Auction.objects.get().state == "cancelled"
    assert AuditEvent.objects.filter(object_type="orders.Auction", reason="网络故障").count() == 4
    assert order["state"] == "active"
    again = desk.post(f"{address}halt/", {"reason": "again"})
    assert again.json()["error"]["code"] == "state_forbids"


def test_a_token_of_the_operator_cannot_step_in(day) -> None:
    program = program_of(operator())

    answer = program.post(f"auctions/{day.auction.public_id}/halt/", {"reason": "x"})

    assert answer.status_code == 401
    assert Auction.objects.get().state == "open"


def test_an_organisation_asks_and_is_admitted(db) -> None:
    desk = browser_of(operator())
    person = UserFactory()
    applicant = browser_of(buyer())
    applicant.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    body = {
        "name_zh": "示例云计算有限公司",
        "credit_code": complete_credit_code("91110108MA01ABCDE"),
        "is_supplier": False,
        "is_buyer": True,
    }

    asked = applicant.post("organisations/", body)
    waiting = desk.get("admissions/").json()["results"]
    admitted = desk.post(f"admissions/{asked.json()['id']}/approve/", {})

    assert asked.status_code == 201, asked.content
    assert [row["id"] for row in waiting] == [asked.json()["id"]]
    assert admitted.json()["state"] == "approved"
    assert applicant.get("me/").json()["roles"] == ["buyer", "finance"]
    assert Organisation.objects.get(name_zh=body["name_zh"]).state == "approved"
    needs_reason = desk.post(f"admissions/{asked.json()['id']}/suspend/", {})
    assert needs_reason.json()["error"]["code"] == "reason_missing"
