"""Granular certificates, international credits and effectiveness through the interface."""

import pytest

from marketplace.selectors.clock import market_now
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.statements import issue_statement
from tests.api.callers import program_of, stranger
from tests.api.codes.instruments import cad_file, hours_file, taken, vcs_file
from tests.api.registry_stage import Stage
from tests.factories.instruments import bundle, cad_trust, hours_line, vcs_line, vcs_serial
from tests.factories.registry import picture
from tests.web.desks import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None) -> Stage:
    """A stage."""
    return Stage()


def _batch(registry: str) -> dict:
    (row,) = stranger().get("unit-batches/", registry=registry).json()["results"]
    return stranger().get(f"unit-batches/{row['id']}/").json()


def test_hours_are_issued_from_a_file_and_cancelled_for_their_hour(stage) -> None:
    taken(hours_file(stage, hours_line(stage.gec, stage.actor.organisation)))
    batch = _batch("GC")
    body = {
        "ranges": [{"batch": batch["batch"]["id"], "first_serial": 1, "last_serial": 200_000}],
        "beneficiary": stage.actor.organisation.code,
        "purpose": "green_power",
        "claim_month": "2026-03-01",
        "claim_hour": "2026-03-15T10:30:00+08:00",
    }

    made = stage.own.post("retirements/", body)

    assert made.status_code == 201, made.json()
    assert made.json()["retirement"]["claim_hour"] == "2026-03-15T10:00:00+08:00"
    assert made.json()["retirement"]["units"] == 200_000
    bundle = _batch("GC")["bundle"]
    assert bundle["wh_by_status"] == {"active": 300_000, "cancelled": 200_000}
    assert (bundle["parent_issuance_id"], bundle["device"]) == (stage.gec.issuance_id, "INV-01")
    assert bundle["production_starts_at"] == "2026-03-15T10:00:00+08:00"
    without = {key: value for key, value in body.items() if key != "claim_hour"}
    assert stage.own.post("retirements/", without).json()["error"]["code"] == "missing"


def test_certificates_are_invalidated_after_the_hours_that_used_them_up(stage) -> None:
    hours = bundle(stage.gec, stage.actor.organisation, 300_000)
    certificates = stage.invalidation(stage.gec)
    withdrawal = {"ranges": stage.ranges(hours, 1, 300_000), "reason": "计量更正"}

    refused, chinese = certificates.send("en"), certificates.send("zh-hans")

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "state_forbids")
    assert refused.json()["error"]["message"].endswith("withdraw the hours first.")
    assert "请先撤回" in chinese.json()["error"]["message"]
    assert picture(stage.gec)[0][:3] == (1, 1, "retired")
    assert stage.keeper.post("unit-invalidations/", withdrawal).status_code == 201
    made = certificates.send("en")
    assert made.status_code == 201, made.json()
    assert picture(stage.gec)[0][:3] == (1, 10, "invalidated")


def test_units_of_vcs_and_cad_trust_say_where_they_come_from(stage) -> None:
    owner = stage.actor.organisation
    serial = vcs_serial(days="01012026-30062026")
    read = vcs_file(stage, vcs_line(owner, serial=serial)).send("en").json()
    warned = {(row["registry"], row["country"], row["sector"]) for row in read["warnings"]}

    assert (read["file_format"], read["units"], read["lines"]) == ("vcs", 100, 1)
    assert warned == {("CCER", "CN", "1")}
    taken(cad_file(stage, cad_trust(owner)))
    detail = _batch("VCS")
    assert detail["bundle"] is None
    assert detail["origin"] == {
        "native_serial": vcs_serial(),
        "country": "CN",
        "sector": 1,
        "adjustment": "committed",
        "has_additional_certification": True,
    }


def test_a_statement_answers_its_effectiveness() -> None:
    desk = Desk().settled()
    load_factor_sets()
    month = market_now().date().replace(day=1)
    subject = SubjectKey.of_buyer(desk.buying)
    statement = issue_statement(subject=subject, month=month, actor=None)

    found = program_of(desk.buyer).get(f"carbon/statements/{statement.public_id}/").json()

    figures = found["effectiveness"]
    assert (figures["pue"], figures["ref"]) == ("1.2000", "0.0000")
    (row,) = figures["intensities"]
    assert (row["embodied_g"], row["sci_g_per_unit_hour"]) == (None, None)
    assert row["embodied_missing_for"]
    assert row["operational_g_per_unit_hour"] == "371.220"
