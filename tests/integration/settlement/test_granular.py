"""Granular certificates: issued against a month, split, handed on, cancelled for one hour."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.backends.postgresql.psycopg_any import NumericRange

from marketplace.domain.errors import NotPermitted, RuleBroken
from settlement.domain.carbon.errors import InstrumentNotEligible
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import (
    GranularBundle,
    GranularSlice,
    MovementKind,
    Registry,
    Retirement,
    RetirementPurpose,
    UnitBatch,
    UnitState,
)
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.registry.expiring import expire_units
from settlement.services.registry.granular import issue_granular
from settlement.services.registry.holdings import reserve_units, retire_units, transfer_units
from settlement.services.registry.invalidation import invalidate_units
from settlement.services.registry.movements import Business, Step, move_units
from tests.factories.instruments import PRODUCED, bundle, hour_of_parent
from tests.factories.registry import (
    MONTH,
    NOW,
    block,
    holder,
    issue,
    keeper,
    picture,
    registries,
)
from tests.factories.settlement import move_clock
from tests.integration.settlement.serial_rules import broken_rules
from tests.unit.test_instrument_examples import EXAMPLES, hours_of_e7

pytestmark = pytest.mark.runtime_role
HOUR = timedelta(hours=1)


@pytest.fixture
def owner(transactional_db: None):
    registries()
    return holder()


def cancel(actor, batch, first=None, last=None, **changes):
    """Cancel granular certificates for their hour."""
    asked = {
        "beneficiary": actor.organisation,
        "purpose": RetirementPurpose.GREEN_POWER,
        "claim_month": MONTH,
        "claim_hour": PRODUCED,
        **changes,
    }
    return retire_units(actor=actor, ranges=[block(batch, first, last)], **asked)


def code_of(call) -> str:
    with pytest.raises(RuleBroken) as refused:
        call()
    return refused.value.code


def test_a_month_becomes_hours_as_in_the_example(owner) -> None:
    """E7 through the services: what each hour takes of the month, and where it ends (INV-12)."""
    facts = {line[0]: line[3] for line in EXAMPLES["E7"]["facts"]}
    results = {line[0]: line[3] for line in EXAMPLES["E7"]["results"]}
    parent = issue(owner.organisation, int(facts["certificates"]))
    batches = []
    for row in hours_of_e7():
        before = sum(r.units for r in Retirement.objects.filter(purpose="granular"))
        start = datetime.fromisoformat(row["hour"])
        batches.append(bundle(parent, owner.organisation, int(row["metered_wh"]), starts_at=start))
        after = sum(r.units for r in Retirement.objects.filter(purpose="granular"))
        assert after - before == int(row["uses_up"])
    late = PRODUCED + 5 * HOUR

    assert (
        code_of(lambda: bundle(parent, owner.organisation, 1, starts_at=late))
        == (results["one_wh_more"])
    )
    assert code_of(lambda: bundle(parent, owner.organisation, 1)) == results["same_hour_again"]
    wrong = PRODUCED + HOUR
    assert code_of(lambda: cancel(owner, batches[0], claim_hour=wrong)) == results["another_hour"]
    assert sum(batch.units for batch in batches) == int(results["issued_wh"])
    assert picture(parent) == [(1, int(results["used_up"]), "retired", owner.organisation.code)]
    assert broken_rules() == []


def test_a_bundle_is_split_handed_on_reserved_and_cancelled(owner) -> None:
    buyer = holder()
    parent = issue(owner.organisation, 1)
    batch = bundle(parent, owner.organisation, 1_000_000)
    transfer_units(
        actor=owner, ranges=[block(batch, 1, 400_000)], to_organisation=buyer.organisation
    )
    transfer_units(
        actor=buyer, ranges=[block(batch, 1, 100_000)], to_organisation=owner.organisation
    )
    reserve_units(
        actor=owner,
        ranges=[block(batch, 900_001, 1_000_000)],
        expires_at=NOW + HOUR,
        source_type="test",
        source_id="1",
    )
    made = cancel(buyer, batch, 100_001, 250_000)

    assert (made.claim_hour, made.units, made.registry.code) == (PRODUCED, 150_000, "GC")
    codes = owner.organisation.code, buyer.organisation.code
    assert picture(batch) == [
        (1, 100_000, "held", codes[0]),
        (100_001, 250_000, "retired", codes[1]),
        (250_001, 400_000, "held", codes[1]),
        (400_001, 900_000, "held", codes[0]),
        (900_001, 1_000_000, "reserved", codes[0]),
    ]
    assert batch.serial_text(7) == f"{batch.issuance_id}-7"
    balances = trial_balance(MONTH, date(2026, 12, 31))
    assert set(differences_by_asset(balances).values()) == {0}
    assert broken_rules() == []


def test_what_hours_took_of_the_month_serves_nothing_else(owner) -> None:
    parent = issue(owner.organisation, 2)
    bundle(parent, owner.organisation, 10)

    assert picture(parent)[0][2] == "retired"
    assert Retirement.objects.get().purpose == RetirementPurpose.GRANULAR
    assert (
        code_of(
            lambda: retire_units(
                actor=owner,
                ranges=[block(parent, 1, 1)],
                beneficiary=owner.organisation,
                purpose=RetirementPurpose.GREEN_POWER,
                claim_month=MONTH,
            )
        )
        == "SERIAL_ALREADY_RETIRED"
    )
    with pytest.raises(InstrumentNotEligible):  # nobody but the issue of hours uses them up so
        retire_units(
            actor=owner,
            ranges=[block(parent, 2, 2)],
            beneficiary=owner.organisation,
            purpose=RetirementPurpose.GRANULAR,
            claim_month=MONTH,
        )


def test_what_the_holder_lacks_is_not_taken_from_somebody_else(owner) -> None:
    parent = issue(owner.organisation, 3)
    buyer = holder()
    transfer_units(actor=owner, ranges=[block(parent, 1, 2)], to_organisation=buyer.organisation)

    asked = lambda: bundle(parent, owner.organisation, 1_000_001)  # noqa: E731 - asked later

    assert code_of(asked) == "INSUFFICIENT_HELD"
    assert not GranularSlice.objects.exists()
    bundle(parent, buyer.organisation, 1_000_001)
    bundle(parent, owner.organisation, 999_999, device="INV-02")
    assert broken_rules() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ends_at": PRODUCED + timedelta(minutes=61)}, "PRODUCTION_INTERVAL_INVALID"),
        ({"starts_at": NOW, "ends_at": NOW + HOUR}, "PRODUCTION_INTERVAL_INVALID"),
        ({"starts_at": datetime(2026, 3, 31, 16, tzinfo=UTC)}, "GRANULAR_OUTSIDE_PARENT"),
        ({"starts_at": datetime(2026, 2, 28, 15, tzinfo=UTC)}, "GRANULAR_OUTSIDE_PARENT"),
    ],
)
def test_an_hour_that_is_none_of_the_months_is_refused(owner, changes, code) -> None:
    parent = issue(owner.organisation, 1)

    assert code_of(lambda: bundle(parent, owner.organisation, 5, **changes)) == code
    assert not UnitBatch.objects.filter(kind="granular").exists()


def test_only_the_keeper_issues_and_only_against_certificates(owner) -> None:
    parent = issue(owner.organisation, 1)
    credits = issue(owner.organisation, 1, registry="CCER")

    with pytest.raises(NotPermitted):
        bundle(parent, owner.organisation, actor=owner)
    with pytest.raises(InstrumentNotEligible):
        bundle(credits, owner.organisation)


def test_quarters_of_an_hour_share_it_and_overlap_never(owner) -> None:
    parent = issue(owner.organisation, 1)
    quarter = timedelta(minutes=15)
    for number in range(4):
        start = PRODUCED + number * quarter
        bundle(parent, owner.organisation, 1000, starts_at=start, ends_at=start + quarter)
    overlapping = {"starts_at": PRODUCED + quarter / 3, "ends_at": PRODUCED + quarter / 2}

    assert code_of(lambda: bundle(parent, owner.organisation, 1, **overlapping)) == (
        "GRANULAR_HOUR_ISSUED"
    )
    assert {cancel(owner, b).claim_hour for b in UnitBatch.objects.filter(kind="granular")} == {
        PRODUCED
    }


def test_hours_expire_with_their_month_and_are_withdrawn_by_the_keeper(owner) -> None:
    parent = issue(owner.organisation, 1)
    batch = bundle(parent, owner.organisation, 10)
    invalidate_units(actor=keeper(), ranges=[block(batch, 1, 4)], reason="计量更正")
    later = datetime(2028, 3, 1, tzinfo=UTC)
    move_clock(later)
    expire_units(later)

    assert [row[:3] for row in picture(batch)] == [(1, 4, "invalidated"), (5, 10, "expired")]
    assert broken_rules() == []


def test_hours_rest_on_valid_certificates_alone(owner) -> None:
    """A certificate that was used up falls after its hours, and carries no hour afterwards."""
    buyer, person = holder(), keeper()
    parent = issue(owner.organisation, 3)
    transfer_units(actor=owner, ranges=[block(parent, 3, 3)], to_organisation=buyer.organisation)
    batch = bundle(parent, owner.organisation, 100_000)
    bundle(parent, buyer.organisation, 100_000, device="INV-02")
    asked = lambda: invalidate_units(actor=person, ranges=[block(parent, 1, 1)], reason="x")  # noqa: E731 - asked twice

    assert code_of(asked) == "state_forbids"
    invalidate_units(actor=person, ranges=[block(batch, 1, 40_000)], reason="计量更正")
    assert code_of(asked) == "state_forbids"
    assert [row[:3] for row in picture(parent)] == [
        (1, 1, "retired"),
        (2, 2, "held"),
        (3, 3, "retired"),
    ]
    invalidate_units(actor=person, ranges=[block(batch, 40_001, 100_000)], reason="计量更正")
    _, duties = asked()  # the hours of another holder rest on other certificates
    assert [duty.units for duty in duties] == [1]
    bundle(parent, owner.organisation, 500_000, starts_at=PRODUCED + HOUR)

    assert [row[:3] for row in picture(parent)] == [
        (1, 1, "invalidated"),
        (2, 2, "retired"),
        (3, 3, "retired"),
    ]
    assert broken_rules() == []


def test_what_certificates_have_left_serves_no_hour_after_their_last_day(owner) -> None:
    parent = issue(owner.organisation, 1)
    bundle(parent, owner.organisation, 10)
    move_clock(datetime(2028, 3, 1, tzinfo=UTC))

    asked = lambda: bundle(parent, owner.organisation, 10, device="INV-02")  # noqa: E731 - later

    assert code_of(asked) == "CERTIFICATE_EXPIRED"
    assert UnitBatch.objects.filter(kind="granular").count() == 1


def test_the_database_refuses_hours_past_the_services(owner) -> None:
    """23L13: a batch of hours has its bundle, and a bundle what was used up for it."""
    parent = issue(owner.organisation, 2)
    batch = bundle(parent, owner.organisation, 1_000_000)
    fields = {
        "kind": "granular",
        "registry": Registry.objects.get(code="GC"),
        "programme": batch.programme,
        "project": batch.project,
        "vintage_year": 2026,
        "starts_on": batch.starts_on,
        "ends_on": batch.ends_on,
        "issued_to": owner.organisation,
        "issued_on": batch.issued_on,
        "expires_on": batch.expires_on,
    }

    with pytest.raises(DatabaseError) as without:
        _write_without_an_hour(owner, fields)
    with pytest.raises(DatabaseError) as beyond:
        _write_past_the_services(parent, batch, fields)
    with pytest.raises(DatabaseError):
        GranularBundle.objects.filter(pk=batch.bundle.pk).update(device="other")

    states = [error.value.__cause__.diag.sqlstate for error in (without, beyond)]
    assert states == ["23L13", "23L13"]


@transaction.atomic
def _write_without_an_hour(owner, fields) -> None:
    """Put the units of a batch with their holder: all that is missing is its bundle."""
    made = UnitBatch.objects.create(
        **fields, issuance_id="X", serials=NumericRange(1, 3), serial_prefix="X-"
    )
    units = UnitBlock(made.pk, 1, 2)
    move_units(
        kind=MovementKind.ISSUE,
        registry=made.registry,
        steps=[Step(units, UnitState.ISSUED, UnitState.HELD, owner.organisation)],
        business=Business("test", "X"),
    )


@transaction.atomic
def _write_past_the_services(parent, batch, fields) -> None:
    part = GranularSlice.objects.create(
        batch=parent, starts_at=PRODUCED + HOUR, energy_wh=2, device="INV-01"
    )
    other = UnitBatch.objects.create(
        **fields, issuance_id="Y", serials=NumericRange(1, 3), serial_prefix="Y-"
    )
    GranularBundle.objects.create(
        batch=other,
        parent_slice=part,
        project=batch.project,
        device="INV-01",
        source="offshore_wind",
        starts_at=PRODUCED + HOUR,
        ends_at=PRODUCED + 2 * HOUR,
    )


def test_the_hour_given_stays_with_the_issue(owner) -> None:
    parent = issue(owner.organisation, 1)
    hour = hour_of_parent(parent, 42)
    batch = issue_granular(actor=keeper(), hour=hour, holder=owner.organisation)

    found = GranularBundle.objects.get(batch=batch)
    assert (found.starts_at, found.ends_at, found.device) == (
        hour.starts_at,
        hour.ends_at,
        hour.device,
    )
    assert (batch.units, batch.expires_on) == (42, parent.expires_on)
    assert found.parent_slice.energy_wh == 42
