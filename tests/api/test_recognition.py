"""Recognition over the interface: what is answered, to whom, and once."""

from decimal import Decimal
from uuid import uuid4

import pytest

from marketplace.models import Role
from settlement.models import (
    Retirement,
)
from tests.api.callers import browser_of, program_of
from tests.api.codes.recognition import recognition, sinks
from tests.factories.ledger import make_member
from tests.factories.marketplace import member, operator
from tests.factories.recognition import Region, make_registry, state

pytestmark = pytest.mark.django_db


@pytest.fixture
def region() -> Region:
    return Region()


def call(region: Region, **body: object):
    """Ask for a recognition; the statement is one of 100 t unless given."""
    return recognition(region, **body).send("en")


def test_a_recognition_is_answered_with_its_events(region):
    sinks(region)

    answer = call(region)

    body = answer.json()
    assert answer.status_code == 201
    assert body["recognition"]["applied_t"] == "100.000000"
    assert body["recognition"]["residual_t"] == "0.000000"
    assert [event["credits"] for event in body["events"]] == [100]
    again = browser_of(region.person).get(f"recognitions/{body['recognition']['id']}/")
    assert again.json() == body


def test_a_key_sent_twice_has_one_effect(region):
    sinks(region)
    caller = browser_of(region.person)
    body = {"statement": str(state(region.centre, "5").public_id)}

    first = caller.post("recognitions/", body, Idempotency_Key="k-1")
    again = caller.post("recognitions/", body, Idempotency_Key="k-1")

    assert (again.status_code, again.json()) == (201, first.json())
    assert Retirement.objects.count() == 1


def test_a_program_without_the_scope_cannot_retire(region):
    sinks(region)
    body = {"statement": str(state(region.centre, "5").public_id)}

    answer = program_of(region.person).post("recognitions/", body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")


def test_a_statement_of_somebody_else_is_not_found(region):
    sinks(region)

    assert call(region, statement=str(uuid4())).status_code == 404
    assert call(region, statement=str(state(make_member(), "5").public_id)).status_code == 404


def test_members_see_their_own_and_the_platform_sees_all(region):
    sinks(region)
    made = call(region).json()["recognition"]["id"]

    stranger = browser_of(member(make_member(), Role.FINANCE))
    finance = browser_of(operator(Role.AUDITOR))

    assert stranger.get("recognitions/").json()["results"] == []
    assert stranger.get(f"recognitions/{made}/").status_code == 404
    assert [row["id"] for row in finance.get("recognitions/").json()["results"]] == [made]


def test_agreements_show_what_is_used(region):
    sinks(region, absolute_cap_t=Decimal(200), discount_d=Decimal("0.1"))
    call(region)

    (row,) = browser_of(region.person).get("agreements/").json()["results"]

    assert (row["code"], row["is_in_force"], row["period"]) == ("AGR-P", True, "2026")
    assert (row["used_t"], row["own_used_t"]) == ("90.000000", "90.000000")
    assert row["terms"]["discount_d"] == "0.1000"
    assert make_registry("PHCER").code == row["from_registry"]
