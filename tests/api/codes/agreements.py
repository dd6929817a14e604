"""Agreements that cannot be entered as asked."""

from typing import Any

from settlement.models import AgreementVersion
from tests.api.callers import browser_of
from tests.api.refusing import Ask, reaches
from tests.factories.recognition import Region, make_registry

TERMS = {
    "instrument_types": ["sink_removal"],
    "vintage_min": 2022,
    "vintage_max": 2025,
    "valid_from": "2026-01-01",
    "valid_to": "2026-12-31",
    "discount_d": "0.1",
    "relative_cap": None,
}


def agreement(region: Region, code: str = "AGR-N", **changes: Any) -> Ask:
    """Return the request to propose an agreement; `terms` holds changes of the terms."""
    make_registry(changes.get("from_registry", "PHCER"))
    body = {
        "code": code,
        "name_zh": "新协议",
        "name_en": "New",
        "from_registry": "PHCER",
        "to_scheme": "HS",
        "reason": "pilot",
        **changes,
        "terms": {**TERMS, **changes.get("terms", {})},
    }
    return Ask(browser_of(region.first), "agreements/", body)


def change(region: Region, version: AgreementVersion) -> Ask:
    """Return the request to change an agreement's terms."""
    path = f"agreements/{version.agreement.public_id}/versions/"
    return Ask(browser_of(region.first), path, {"terms": TERMS, "reason": "again"})


@reaches("agreement_code_taken")
def a_code_that_another_has() -> Ask:
    region = Region()
    region.agree("AGR-P", "PHCER")
    return agreement(region, "AGR-P")


@reaches("proposal_pending")
def while_a_proposal_waits() -> Ask:
    region = Region()
    return change(region, region.agree("AGR-P", "PHCER", approve=False))


@reaches("never_approved")
def suspended_before_it_counted() -> Ask:
    region = Region()
    version = region.agree("AGR-P", "PHCER", approve=False)
    path = f"agreements/{version.agreement.public_id}/status/"
    return Ask(browser_of(region.first), path, {"status": "suspended", "reason": "r"})


@reaches("same_registry")
def from_a_registry_to_itself() -> Ask:
    return agreement(Region(), to_scheme="PHCER")


@reaches("window_backwards")
def vintages_that_run_backwards() -> Ask:
    return agreement(Region(), terms={"vintage_max": 2021})


@reaches("window_backwards")
def days_that_run_backwards() -> Ask:
    return agreement(Region(), terms={"valid_to": "2025-12-31"})


@reaches("too_many_decimals")
def a_share_of_five_decimals() -> Ask:
    return agreement(Region(), terms={"discount_d": "0.10001"})


@reaches("programme_unknown")
def a_programme_of_nobody() -> Ask:
    return agreement(Region(), terms={"programmes": ["NONE"]})


@reaches("INSTRUMENT_NOT_ELIGIBLE")
def certificates_as_tonnes() -> Ask:
    return agreement(Region(), terms={"instrument_types": ["energy_attribute"]})


@reaches("cross_border_unadjusted")
def across_a_border() -> Ask:
    region = Region()
    make_registry("VCS", jurisdiction="US")
    return agreement(region, from_registry="VCS")


@reaches("scheme_fixed")
def another_scheme_from_the_same_day() -> Ask:
    region = Region()
    make_registry("HS2", kind="platform")
    body = {"organisation": region.centre.code, "scheme": "HS2", "valid_from": "2020-01-01"}
    return Ask(browser_of(region.first), "scheme-memberships/", body)
