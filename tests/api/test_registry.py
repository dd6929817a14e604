"""Registries through the interface: public facts, own units, files, what the keeper does."""

from datetime import timedelta
from uuid import UUID

import pytest

from marketplace.models import Role
from settlement.models import Retirement, UnitBatch, UnitMovement
from tests.api.callers import browser_of, program_of, stranger
from tests.api.registry_stage import Stage
from tests.factories.marketplace import member
from tests.factories.registry import (
    NOW,
    picture,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None) -> Stage:
    """A stage."""
    return Stage()


def test_everybody_reads_public_facts_without_holders(stage) -> None:
    stage.retire(stage.gec, 1, 40)

    face = {r["code"]: r for r in stranger().get("registries/").json()["results"]}["GEC"]
    assert face["totals"] == {"issued": 100, "by_state": {"held": 60, "retired": 40}}
    batch = stranger().get(f"unit-batches/{stage.gec.public_id}/").json()
    assert batch["totals"]["by_state"] == {"held": 60, "retired": 40}
    assert stage.actor.organisation.code not in str(batch)
    assert stranger().get("unit-batches/", registry="CCER").json()["results"][0]["units"] == 100
    assert stranger().get("registry-projects/", text="GP-9").json()["results"][0]["native_id"]
    life = stranger().get("serials/", serial=stage.gec.serial_text(40)).json()
    assert [event["kind"] for event in life["events"]] == ["issue", "retire"]
    assert {event["to_holder"] for event in life["events"]} == {None}
    assert stranger().get("serials/", serial="NOTHING-1").status_code == 404


def test_holdings_are_moved_set_aside_and_used_up(stage) -> None:
    lapses = (NOW + timedelta(hours=1)).isoformat()
    moved = stage.transfer(stage.ccer, 1, 10)
    aside = stage.own.post(
        "unit-reservations/",
        {
            "ranges": stage.ranges(stage.ccer, 11, 20),
            "reference": "deal-1",
            "expires_at": lapses,
        },
    )
    released = stage.own.post(f"unit-reservations/{aside.json()['id']}/release/")
    retired = stage.retire(stage.gec, 1, 5, beneficiary="某某公司", purpose="green_power")

    assert (moved.status_code, aside.status_code, released.status_code, retired.status_code) == (
        201,
        201,
        200,
        201,
    )
    assert released.json()["state"] == "released"
    shown = stage.own.get("holdings/", registry="CCER").json()["results"]
    assert [(row["first_serial"], row["last_serial"], row["state"]) for row in shown] == [
        (11, 100, "held")
    ]
    assert stage.others.get("holdings/").json()["results"][0]["units"] == 10
    found = retired.json()
    assert found["lines"][0]["last_serial"] == 5
    address = f"retirements/{found['retirement']['id']}/"
    assert stage.own.get(address).json()["retirement"]["beneficiary"] == "某某公司"
    assert stage.others.get(address).status_code == 404
    assert stage.keeper.get(address).status_code == 200
    assert len(stage.own.get("retirements/").json()["results"]) == 1


def test_a_repeated_request_with_a_key_has_its_effect_once(stage) -> None:
    body = {
        "ranges": stage.ranges(stage.gec, 1, 5),
        "beneficiary": stage.actor.organisation.code,
        "purpose": "voluntary",
        "claim_month": "2026-03-01",
    }
    answers = [stage.own.post("retirements/", body, **{"Idempotency-Key": "one"}) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert Retirement.objects.count() == 1


def test_the_keeper_freezes_cancels_locks_and_frees(stage) -> None:
    stage.transfer(stage.gec, 1, 40)
    assert stage.register().json()["ccer_state"] == "registered"
    assert stage.credit(60, 34).json()["units"] == 34
    assert [row[2] for row in picture(stage.gec)] == ["held", "cancelled"]
    body = {
        "ranges": stage.ranges(stage.ccer),
        "holder": stage.actor.organisation.code,
        "reason": "争议",
    }
    assert stage.keeper.post("unit-locks/", body).status_code == 201
    assert picture(stage.ccer)[0][2] == "locked"
    assert stage.keeper.post("unit-unlocks/", body).status_code == 201
    assert picture(stage.ccer)[0][2] == "held"


def test_a_registry_file_is_read_confirmed_and_refused_with_line_and_code(stage) -> None:
    good = stage.line()

    refused = stage.file(good, good).send("en")
    read = stage.file(good).send("en")
    confirmed = stage.keeper.post(f"registry-files/{read.json()['id']}/confirm/")
    again = stage.file(good).send("en")

    rows = refused.json()["error"]["rows"]
    assert {(row["line"], row["code"]) for row in rows} == {
        (3, "SERIAL_RANGE_OVERLAP"),
        (3, "issuance_known"),
    }
    assert (read.status_code, read.json()["state"], read.json()["units"]) == (201, "previewed", 9)
    assert confirmed.json()["state"] == "confirmed"
    assert again.json()["id"] == read.json()["id"]
    assert stage.keeper.post(f"registry-files/{read.json()['id']}/discard/").status_code == 400
    assert UnitBatch.objects.filter(issuance_id="F-1").count() == 1


def test_moving_units_needs_a_signed_in_person_with_the_role(stage) -> None:
    body = {"ranges": stage.ranges(stage.gec), "to_organisation": stage.other.organisation.code}
    auditor = browser_of(member(stage.actor.organisation, Role.AUDITOR))

    assert program_of(stage.actor).post("unit-transfers/", body).status_code == 403
    assert auditor.post("unit-transfers/", body).status_code == 403
    assert program_of(stage.actor).get("holdings/").status_code == 200
    assert not UnitMovement.objects.filter(kind="transfer").exists()


def test_unknown_batches_members_and_reservations_are_not_found(stage) -> None:
    nowhere = str(UUID(int=1))
    answers = [
        stage.transfer(stage.gec, to_organisation="NOBODY"),
        stage.transfer(stage.gec, reservation=nowhere),
        stage.transfer(stage.gec, ranges=[{"batch": nowhere, "first_serial": 1, "last_serial": 2}]),
        stage.own.post(f"unit-reservations/{nowhere}/release/"),
        stage.own.get(f"retirements/{nowhere}/"),
        stranger().get(f"unit-batches/{nowhere}/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6


def test_a_range_runs_forwards(stage) -> None:
    assert stage.transfer(stage.gec, 10, 9).status_code == 400
