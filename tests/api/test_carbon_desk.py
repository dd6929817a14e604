"""Carbon statements, factor sets and metered PUE entered over the interface."""

import pytest

from settlement.models import EmissionStatement, FactorSet, PueInterval
from settlement.services.carbon.factors import COLUMNS
from settlement.services.carbon.pue import COLUMNS as PUE_COLUMNS
from settlement.services.registry.retiring import retire_units
from tests.api.callers import browser_of
from tests.api.codes.statements import FACTOR_QUERY, closed
from tests.api.refusing import CSV
from tests.factories.marketplace import member, operator
from tests.factories.registry import block, holder, issue
from tests.integration.settlement.carbon.floor import MONTH, settled_day

pytestmark = pytest.mark.django_db
FACTORS = "\n".join(
    [
        ",".join(COLUMNS),
        "national,National,全国,average,0.5000",
        "national,National,全国,average_excl_market_traded_non_fossil,0.6000",
    ]
)


def test_a_buyer_states_its_month_and_nobody_elses():
    day = settled_day()
    caller = browser_of(member(day.buyer))

    made = [caller.post("carbon/statements/", {"month": "2026-11-15"}) for _ in range(2)]
    platform = browser_of(operator()).post("carbon/statements/", {"month": "2026-11-01"})

    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["id"] == made[1].json()["id"]
    assert made[0].json()["month"] == str(MONTH)
    assert platform.status_code == 404
    assert EmissionStatement.objects.count() == 1


def test_a_closed_statement_is_corrected_with_a_reason():
    day, caller, address = closed()
    batch = issue(day.buyer, 1, month=MONTH.replace(month=10))
    retire_units(
        actor=holder(day.buyer),
        ranges=[block(batch)],
        beneficiary=day.buyer,
        purpose="green_power",
        claim_month=MONTH,
    )

    corrected = caller.post(f"{address}/correct/", {"reason": "A certificate came late"})
    stranger = browser_of(member(day.seller)).post(f"{address}/correct/", {"reason": "x"})

    assert (corrected.status_code, corrected.json()["version"]) == (200, 2)
    assert stranger.status_code == 404


def test_a_factor_set_takes_two_operators():
    first, second = browser_of(operator()), browser_of(operator())
    path = f"factor-sets/?{FACTOR_QUERY}"

    made = first.post(path, FACTORS, **CSV)
    other = first.post(path, FACTORS.replace("0.5", "0.4"), **CSV).json()["id"]
    own = first.post(f"factor-sets/{made.json()['id']}/approve/")
    approved = second.post(f"factor-sets/{made.json()['id']}/approve/")
    refused = second.post(f"factor-sets/{other}/refuse/")

    assert (made.status_code, made.json()["state"]) == (201, "proposed")
    assert own.json()["error"]["code"] == "second_person_needed"
    assert (approved.json()["state"], refused.json()["state"]) == ("approved", "refused")
    shown = second.get("factor-sets/").json()["results"]
    assert [(row["year"], row["version"]) for row in shown] == [(2024, 2), (2024, 1)]
    assert FactorSet.objects.count() == 2


def test_a_supplier_states_the_pue_of_own_pools_only():
    day = settled_day()
    pool = day.deliveries[0].allocation.listing.pool
    line = f"{pool.identifier},2026-11-23T00:00+08:00,2026-11-23T01:00+08:00,1.2345"
    text = "\n".join([",".join(PUE_COLUMNS), line])
    path = "pue-files/?measured_by=DCIM"

    other = browser_of(member(day.buyer)).post(path, text, **CSV)
    own = browser_of(member(day.seller)).post(path, text, **CSV)

    assert (other.status_code, other.json()["error"]["code"]) == (403, "not_permitted")
    assert (own.status_code, own.json()) == (201, {"intervals": 1})
    assert PueInterval.objects.count() == 1
