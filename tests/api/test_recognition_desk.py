"""What the platform's people enter over the interface: agreements, cycles, schemes, duties."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.services.proofs import CONFIRMED_KEY
from settlement.models import (
    AgreementVersion,
    CorrespondingAdjustment,
    SchemeMembership,
    SerialRange,
)
from tests.api.callers import Caller, browser_of, program_of
from tests.api.codes.agreements import TERMS, agreement, change
from tests.api.codes.netting import Desk
from tests.api.registry_stage import Stage
from tests.factories.ledger import make_member
from tests.factories.recognition import Region, issue

pytestmark = pytest.mark.django_db


@pytest.fixture
def region() -> Region:
    return Region()


def grown_cold(caller: Caller) -> Caller:
    """Let the last proof of the session be an hour old."""
    session = caller.client.session
    session[CONFIRMED_KEY] = (timezone.now() - timedelta(hours=1)).isoformat()
    session.save()
    return caller


def test_an_agreement_is_proposed_by_one_and_decided_by_another(region):
    first, second = browser_of(region.first), browser_of(region.second)

    proposed = agreement(region).send("en")
    version = proposed.json()["id"]
    own = first.post(f"agreement-versions/{version}/approve/", {})
    waiting = second.get("agreement-versions/").json()["results"]
    approved = second.post(f"agreement-versions/{version}/approve/", {})

    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    assert proposed.json()["discount_d"] == "0.1000"
    assert (own.status_code, own.json()["error"]["code"]) == (403, "same_person")
    assert [row["id"] for row in waiting] == [version]
    assert (approved.status_code, approved.json()["state"]) == (200, "approved")
    (shown,) = second.get("agreements/").json()["results"]
    assert (shown["code"], shown["terms"]["number"]) == ("AGR-N", 1)


def test_changed_terms_and_a_rest_are_versions_of_their_own(region):
    version = region.agree("AGR-P", "PHCER")
    second = browser_of(region.second)
    path = f"agreements/{version.agreement.public_id}/status/"

    changed = change(region, version).send("en").json()
    silent = second.post(f"agreement-versions/{changed['id']}/refuse/", {})
    refused = second.post(f"agreement-versions/{changed['id']}/refuse/", {"reason": "too wide"})
    rests = browser_of(region.first).post(path, {"status": "suspended", "reason": "audit"})

    assert changed["number"] == 2
    assert silent.json()["error"]["code"] == "missing"
    assert refused.json()["state"] == "refused"
    assert (rests.json()["number"], rests.json()["status"]) == (3, "suspended")
    assert AgreementVersion.objects.count() == 3


def test_terms_left_out_take_the_conservative_default(region):
    terms = {name: value for name, value in TERMS.items() if name != "relative_cap"}
    ask = agreement(region)
    ask.body["terms"] = terms

    made = ask.send("en").json()

    assert (made["relative_cap"], made["factor_k"]) == ("0.0500", "1.0000")
    assert (made["absolute_cap_t"], made["cap_period"]) == (None, "year")


def test_who_decides_has_shown_a_proof_lately(region):
    version = region.agree("AGR-P", "PHCER", approve=False)
    second = grown_cold(browser_of(region.second))

    answer = second.post(f"agreement-versions/{version.public_id}/approve/", {})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "confirmation_missing")
    version.refresh_from_db()
    assert version.state == "proposed"


def test_no_token_keeps_agreements_or_cycles(region):
    program = program_of(region.first)

    answers = [
        program.post(path, {})
        for path in ("agreements/", "netting-cycles/", "scheme-memberships/", "pue-files/")
    ]

    assert {answer.status_code for answer in answers} <= {401, 403}


def test_a_member_joins_a_scheme_and_a_batch_is_adjusted(region):
    desk, newcomer = browser_of(region.first), make_member()
    batch = issue(newcomer, "PHCER", vintage=2023, first=1, last=5)
    scheme = {"organisation": newcomer.code, "scheme": "HS", "valid_from": "2026-01-01"}
    proof = {
        "batch": str(batch.public_id),
        "reference": "CA-1",
        "adjusted_on": "2026-03-01",
    }

    joined = [desk.post("scheme-memberships/", scheme) for _ in range(2)]
    adjusted = [desk.post("corresponding-adjustments/", proof) for _ in range(2)]

    assert [answer.json() for answer in joined] == [scheme] * 2
    assert [answer.json() for answer in adjusted] == [proof] * 2
    assert SchemeMembership.objects.filter(organisation=newcomer).count() == 1
    assert CorrespondingAdjustment.objects.count() == 1


def test_a_cycle_goes_from_opening_to_settlement():
    desk = Desk().taken("freeze", "compute")
    computed = desk.step("compute").send("en").json()
    own = desk.first.post(f"netting-cycles/{desk.cycle}/settle/")

    settled = desk.step("settle").send("en")

    assert (computed["number"], computed["gross_t"]) == (1, "2.500000")
    assert own.json()["error"]["code"] == "same_person"
    assert (settled.status_code, settled.json()["state"]) == (200, "settled")
    held = SerialRange.objects.filter(organisation=desk.payee, state="held")
    assert sum(row.units for row in held) == 2


def test_a_party_is_taken_out_of_a_cycle():
    desk = Desk()
    third = make_member(funds="1000")
    desk.taken()
    desk.owing(payee=third.code, reference="r2").send("en")
    desk.step("freeze").send("en")
    body = {"party": desk.payee.code, "reason": "insolvent"}

    left = desk.first.post(f"netting-cycles/{desk.cycle}/failures/", body)

    assert (left.status_code, left.json()["gross_t"]) == (201, "2.500000")


def test_settling_asks_for_a_proof():
    desk = Desk().taken("freeze", "compute")
    grown_cold(desk.second)

    answer = desk.step("settle").send("en")

    assert answer.json()["error"]["code"] == "confirmation_missing"
    assert not SerialRange.objects.filter(organisation=desk.payee).exists()


def test_a_duty_of_replacement_is_met_once():
    stage = Stage()
    assert stage.retire(stage.ccer).status_code == 201
    (duty,) = stage.invalidation(stage.ccer).send("en").json()["duties"]
    made = stage.retire(stage.ccer, 11, 20, purpose="replacement").json()["retirement"]
    path = f"replacement-duties/{duty['id']}/meet/"

    met = stage.keeper.post(path, {"retirement": made["id"]})
    again = stage.keeper.post(path, {"retirement": made["id"]})

    assert (met.status_code, met.json()["state"]) == (200, "met")
    assert again.json()["error"]["code"] == "state_forbids"
