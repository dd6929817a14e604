"""Credits that are not recognised as asked."""

from datetime import date
from decimal import Decimal

from settlement.domain.registry.blocks import UnitBlock
from settlement.models import Retirement, StatementClosing, UnitBatch
from settlement.services.registry.holdings import retire_units
from settlement.services.registry.invalidation import invalidate_units
from tests.api.callers import browser_of
from tests.api.refusing import Ask, reaches
from tests.factories.ledger import make_member
from tests.factories.recognition import MONTH, Region, issue, state, terms


def recognition(region: Region, **body: object) -> Ask:
    """Return the request for a recognition; the statement is one of 100 t unless given."""
    if "statement" not in body:
        body["statement"] = str(state(region.centre, "100").public_id)
    return Ask(browser_of(region.person), "recognitions/", body)


def sinks(region: Region, holder=None, **changes: object) -> UnitBatch:
    """Return a hundred sink credits, and an agreement on them with changed terms."""
    region.agree("AGR-P", "PHCER", terms(**changes))
    return issue(holder or region.centre, "PHCER", vintage=2023, first=1, last=100)


def chosen(batch: UnitBatch, first: int, last: int) -> list[dict[str, object]]:
    """Return credits that are named, as JSON."""
    return [{"batch": str(batch.public_id), "first_serial": first, "last_serial": last}]


def retired(region: Region, batch: UnitBatch, **changes: object) -> Retirement:
    """Retire ten credits for recognition, or as changed."""
    given = {"beneficiary": region.centre, "purpose": "recognition", "claim_month": MONTH}
    return retire_units(
        actor=region.person, ranges=[UnitBlock(batch.pk, 1, 10)], **{**given, **changes}
    )


@reaches("NO_AGREEMENT")
def without_an_agreement() -> Ask:
    region = Region()
    issue(region.centre, "PHCER", vintage=2023, first=1, last=100)
    return recognition(region)


@reaches("NO_AGREEMENT")
def by_an_organisation_without_a_scheme() -> Ask:
    region = Region()
    region.centre = make_member()
    return recognition(region)


@reaches("AGREEMENT_NOT_IN_FORCE")
def after_the_agreement_ended() -> Ask:
    region = Region()
    sinks(region, valid_to=date(2026, 3, 30))
    return recognition(region)


@reaches("VINTAGE_OUT_OF_WINDOW")
def of_an_older_vintage() -> Ask:
    region = Region()
    return recognition(region, chosen=chosen(sinks(region, vintage_min=2024), 1, 5))


@reaches("INSTRUMENT_NOT_ELIGIBLE")
def of_another_kind() -> Ask:
    region = Region()
    sinks(region, instrument_types=("reduction",))
    return recognition(region)


@reaches("CAP_EXCEEDED")
def beyond_the_cap() -> Ask:
    region = Region()
    sinks(region, absolute_cap_t=Decimal("0.5"))
    return recognition(region)


@reaches("CAP_EXCEEDED")
def named_beyond_the_cap() -> Ask:
    region = Region()
    batch = sinks(region, absolute_cap_t=Decimal("4.5"))
    return recognition(region, chosen=chosen(batch, 1, 5))


@reaches("ALREADY_RECOGNISED")
def recognised_before() -> Ask:
    region = Region()
    retirement = str(retired(region, sinks(region)).public_id)
    assert recognition(region, retirement=retirement).send("en").status_code == 201
    other = state(region.centre, "50", month=date(2026, 2, 1))
    return recognition(region, retirement=retirement, statement=str(other.public_id))


@reaches("ADJUSTMENT_REQUIRED")
def without_the_adjustment() -> Ask:
    region = Region()
    sinks(region, adjustment_required=True)
    return recognition(region)


@reaches("CREDIT_INVALIDATED")
def taken_back_by_the_registry() -> Ask:
    region = Region()
    batch = sinks(region)
    invalidate_units(actor=region.first, ranges=[UnitBlock(batch.pk, 1, 5)], reason="fire")
    return recognition(region, chosen=chosen(batch, 1, 5))


@reaches("STATEMENT_CLOSED")
def for_a_closed_statement() -> Ask:
    region = Region()
    sinks(region)
    statement = state(region.centre, "100")
    StatementClosing.objects.create(statement=statement)
    return recognition(region, statement=str(statement.public_id))


@reaches("SERIAL_RANGE_OVERLAP")
def ranges_that_share_a_serial() -> Ask:
    region = Region()
    batch = sinks(region)
    return recognition(region, chosen=chosen(batch, 1, 5) + chosen(batch, 5, 9))


@reaches("SERIAL_ALREADY_RETIRED")
def used_up() -> Ask:
    region = Region()
    batch = sinks(region)
    retired(region, batch)
    return recognition(region, chosen=chosen(batch, 10, 12))


@reaches("INSUFFICIENT_HELD")
def without_credits() -> Ask:
    region = Region()
    region.agree("AGR-P", "PHCER")
    return recognition(region)


@reaches("NOT_OWNER", status=403)
def of_somebody_else() -> Ask:
    region = Region()
    return recognition(region, chosen=chosen(sinks(region, holder=make_member()), 1, 2))


@reaches("nothing_needed")
def covered_already() -> Ask:
    region = Region()
    sinks(region)
    statement = str(state(region.centre, "5").public_id)
    assert recognition(region, statement=statement).send("en").status_code == 201
    return recognition(region, statement=statement)


@reaches("more_than_needed")
def more_than_the_statement_says() -> Ask:
    region = Region()
    batch = sinks(region)
    statement = str(state(region.centre, "5").public_id)
    return recognition(region, statement=statement, chosen=chosen(batch, 1, 6))


@reaches("purpose_exclusive")
def retired_for_compliance() -> Ask:
    region = Region()
    retirement = retired(region, sinks(region), purpose="compliance")
    return recognition(region, retirement=str(retirement.public_id))
