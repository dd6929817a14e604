"""Carbon statements, factor files and files of metered PUE that are refused."""

from datetime import UTC, datetime

from settlement.services.carbon.factors import COLUMNS
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.pue import COLUMNS as PUE_COLUMNS
from settlement.services.carbon.statements import issue_statement
from settlement.services.registry.retiring import retire_units
from tests.api.callers import Caller, browser_of
from tests.api.refusing import CSV, Ask, reaches
from tests.factories.marketplace import HubFactory, member, operator
from tests.factories.registry import block, holder, issue, registries
from tests.factories.settlement import move_clock
from tests.integration.settlement.carbon.floor import MONTH, SettledDay, settled_day

AFTER = datetime(2026, 12, 1, 4, tzinfo=UTC)
FACTOR_QUERY = "year=2024&announcement=A&published_on=2026-11-20&reason=R"


def stated() -> tuple[SettledDay, Caller, str]:
    """Return a settled day, its buyer's browser, and the address of the buyer's statement."""
    day = settled_day()
    subject = SubjectKey.of_buyer(day.buyer)
    statement = issue_statement(subject=subject, month=MONTH, actor=None)
    return day, browser_of(member(day.buyer)), f"carbon/statements/{statement.public_id}"


def closed() -> tuple[SettledDay, Caller, str]:
    """Return the same with the statement closed after its month."""
    day, caller, address = stated()
    registries(AFTER)
    assert caller.post(f"{address}/close/").status_code == 200
    return day, caller, address


@reaches("month_not_over")
def closed_in_its_month() -> Ask:
    _day, caller, address = stated()
    return Ask(caller, f"{address}/close/")


@reaches("STATEMENT_CLOSED")
def closed_twice() -> Ask:
    _day, caller, address = closed()
    return Ask(caller, f"{address}/close/")


@reaches("STATEMENT_CLOSED")
def corrected_without_a_reason() -> Ask:
    day, caller, address = closed()
    retire_units(
        actor=holder(day.buyer),
        ranges=[block(issue(day.buyer, 1, month=MONTH.replace(month=10)))],
        beneficiary=day.buyer,
        purpose="green_power",
        claim_month=MONTH,
    )
    return Ask(caller, f"{address}/correct/", {})


@reaches("nothing_to_state")
def a_month_without_deliveries() -> Ask:
    day = settled_day()
    return Ask(browser_of(member(day.seller)), "carbon/statements/", {"month": str(MONTH)})


@reaches("factors_missing")
def a_month_before_any_factors() -> Ask:
    day = settled_day()
    return Ask(browser_of(member(day.buyer)), "carbon/statements/", {"month": "2010-01-01"})


def factor_file(*lines: str) -> Ask:
    """Return the request to enter a factor set."""
    text = "\n".join([",".join(COLUMNS), *lines])
    return Ask(browser_of(operator()), f"factor-sets/?{FACTOR_QUERY}", text, CSV)


@reaches("factor_file_refused")
def a_factor_with_an_exponent() -> Ask:
    return factor_file("national,National,CN,average,1e-3")


@reaches("factor_file_refused")
def factors_without_the_nation() -> Ask:
    return factor_file("province,Ningxia,宁夏,average,0.6")


@reaches("factor_file_refused")
def factors_that_are_no_table() -> Ask:
    return factor_file("national\rNational")


def pue_file(line: str) -> Ask:
    """Return the request to state metered PUE of a hub."""
    move_clock(AFTER)
    HubFactory(code="HUBP")
    text = "\n".join([",".join(PUE_COLUMNS), line])
    return Ask(browser_of(operator()), "pue-files/?measured_by=DCIM", text, CSV)


@reaches("pue_file_refused")
def a_place_nobody_knows() -> Ask:
    return pue_file("NOWHERE,2026-11-23T00:00+08:00,2026-11-23T01:00+08:00,1.2")


@reaches("pue_file_refused")
def a_pue_below_one() -> Ask:
    return pue_file("HUBP,2026-11-23T00:00+08:00,2026-11-23T01:00+08:00,0.9")


@reaches("pue_file_refused")
def a_pue_of_long_ago() -> Ask:
    return pue_file("HUBP,0001-01-01T00:00+08:00,2026-11-23T01:00+08:00,1.2")
