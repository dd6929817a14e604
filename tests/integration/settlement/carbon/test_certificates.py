"""Retired certificates in carbon statements: by the month, the hour, the year; closing, lapsing."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from settlement.domain.carbon.errors import InstrumentNotEligible
from settlement.models import ClaimAllocation, GranularSlice, MatchingPolicy, UnitBatch
from settlement.models.registry_movements import RetirementPurpose
from settlement.services.carbon.closing import close_statement
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.statements import issue_statement
from settlement.services.registry.invalidation import invalidate_units
from settlement.services.registry.retiring import retire_units
from tests.factories.instruments import bundle
from tests.factories.marketplace import member
from tests.factories.registry import block, holder, issue, keeper, registries
from tests.factories.settlement import DELIVERY_STARTS, move_clock
from tests.integration.settlement.carbon.floor import HOUR, MONTH, settled_day
from tests.integration.settlement.carbon.test_statements import _verify

pytestmark = pytest.mark.django_db
AFTER = datetime(2026, 12, 1, 4, tzinfo=UTC)
LOAD = 38_906
PRODUCED = date(2026, 10, 1)


@pytest.fixture
def day():
    found = settled_day()
    registries(AFTER)
    return found


def _retire(day, units=1, *, month=PRODUCED, claim=MONTH, purpose=RetirementPurpose.GREEN_POWER):
    batch = issue(day.buyer, units, month=month)
    retire_units(
        actor=holder(day.buyer),
        ranges=[block(batch)],
        beneficiary=day.buyer,
        purpose=purpose,
        claim_month=claim,
    )
    return batch


def _state(day, subject=None, **options):
    subject = subject or SubjectKey.of_buyer(day.buyer)
    return issue_statement(subject=subject, month=MONTH, actor=None, **options)


def test_a_certificate_covers_the_load_and_leaves_location_alone(day):
    before = _state(day)
    _retire(day)
    after = _state(day)

    assert (before.matched_wh, before.market_based_t) == (0, Decimal("0.023717"))
    assert (after.matched_wh, after.residual_wh, after.certificates) == (LOAD, 0, 1)
    assert after.market_g == 0
    assert after.location_g == before.location_g
    assert after.excess_wh == 1_000_000 - LOAD
    rows = json.loads(after.inputs)["matching"]["certificates"]
    assert [(row["units"], row["production_month"]) for row in rows] == [(1, "2026-10")]
    assert "follows from its inputs" in _verify(after)


def test_by_the_hour_only_the_same_hour_counts(day):
    MatchingPolicy.objects.create(organisation=day.buyer, slot="hour", from_month=MONTH)
    batch = _retire(day, 2, month=MONTH)
    GranularSlice.objects.create(batch=batch, starts_at=DELIVERY_STARTS, energy_wh=5_000)
    GranularSlice.objects.create(batch=batch, starts_at=DELIVERY_STARTS + HOUR, energy_wh=90_000)
    GranularSlice.objects.create(
        batch=batch, starts_at=DELIVERY_STARTS + 12 * HOUR, energy_wh=900_000
    )
    statement = _state(day)

    # 5,000 of the first hour's 11,910; all 13,498 of the second; nothing of the third.
    assert (statement.slot, statement.matched_wh) == ("hour", 5_000 + 13_498)
    assert statement.excess_wh == 90_000 - 13_498 + 900_000
    assert "follows from its inputs" in _verify(statement)


def test_the_hours_of_a_batch_stay_within_its_certificates(day):
    """INV-12: hourly energy stays within the certificates of its batch (23L12)."""
    batch = issue(day.buyer, 1, month=MONTH)
    GranularSlice.objects.create(batch=batch, starts_at=DELIVERY_STARTS, energy_wh=600_000)

    with pytest.raises(DatabaseError), transaction.atomic():
        GranularSlice.objects.create(
            batch=batch, starts_at=DELIVERY_STARTS + HOUR, energy_wh=400_001
        )


def test_an_order_takes_the_share_of_its_buyer(day):
    _retire(day)
    _state(day)
    orders = [delivery.allocation.buy_order for delivery in day.deliveries]
    parts = [_state(day, SubjectKey.of_order(order)) for order in orders]

    assert sum(part.matched_wh for part in parts) == LOAD
    assert all("follows from its inputs" in _verify(part) for part in parts)


def test_certificates_of_another_month_or_purpose_do_not_count(day):
    _retire(day, claim=date(2026, 10, 1))
    with pytest.raises(InstrumentNotEligible):  # certificates serve claims only
        _retire(day, purpose=RetirementPurpose.COMPLIANCE)

    assert _state(day).matched_wh == 0


def test_by_the_year_certificates_of_other_months_count_once(day):
    MatchingPolicy.objects.create(organisation=day.buyer, slot="year", from_month=MONTH)
    _retire(day, claim=date(2026, 10, 1))

    assert (_state(day).slot, _state(day).matched_wh) == ("year", LOAD)


def test_closing_allocates_and_the_rest_lapses(day):
    _retire(day)
    statement = _state(day)
    close_statement(actor=member(day.buyer), public_id=statement.public_id)
    allocation = ClaimAllocation.objects.get()

    assert allocation.energy_wh == LOAD
    assert allocation.claim_month == MONTH
    corrected = _state(day, reason="Looked at again")
    assert corrected.matched_wh == LOAD
    assert corrected.excess_wh == 0  # what was not allocated has lapsed


def _hourly(day, *bundles: tuple[int, int]) -> UnitBatch:
    """Issue and cancel granular certificates: hours after the delivery began, watt-hours."""
    MatchingPolicy.objects.create(organisation=day.buyer, slot="hour", from_month=MONTH)
    parent = issue(day.buyer, 1, month=MONTH)
    for after, energy_wh in bundles:
        _cancel(day, parent, after, energy_wh)
    return parent


def _cancel(day, parent: UnitBatch, after: int, energy_wh: int, device="INV-01") -> UnitBatch:
    """Issue granular certificates for an hour after the delivery began, and cancel them for it."""
    hour = DELIVERY_STARTS + after * HOUR
    made = bundle(parent, day.buyer, energy_wh, starts_at=hour, device=device)
    retire_units(
        actor=holder(day.buyer),
        ranges=[block(made)],
        beneficiary=day.buyer,
        purpose=RetirementPurpose.GREEN_POWER,
        claim_month=MONTH,
        claim_hour=hour,
    )
    return made


def _close(day, statement) -> dict[str, int]:
    """Close a statement; return the allocated energy of each bundle, by device and hour."""
    close_statement(actor=member(day.buyer), public_id=statement.public_id)
    rows = ClaimAllocation.objects.select_related("line__batch__bundle")
    bundles = {row.line.batch.bundle: row.energy_wh for row in rows}
    return {f"{one.device} {one.starts_at:%H}": energy for one, energy in bundles.items()}


def test_granular_certificates_cover_the_hour_they_were_cancelled_for(day):
    _hourly(day, (0, 5_000), (1, 90_000), (12, 800_000))
    statement = _state(day)

    # 5,000 of the first hour's 11,910; all 13,498 of the second; nothing of a day without load.
    assert (statement.slot, statement.matched_wh) == ("hour", 5_000 + 13_498)
    assert statement.excess_wh == 90_000 - 13_498 + 800_000
    assert statement.location_g == Decimal(LOAD) * Decimal("0.6187")
    rows = json.loads(statement.inputs)["matching"]["certificates"]
    assert [row["available_wh"] for row in rows] == [5_000, 90_000, 800_000]
    assert rows[0]["hour"] == f"{DELIVERY_STARTS:%Y-%m-%dT%H:%MZ}"
    assert "follows from its inputs" in _verify(statement)


def test_a_closed_statement_keeps_each_hour_to_its_load(day):
    _hourly(day, (0, 90_000), (1, 9_000))
    statement = _state(day)
    assert statement.matched_wh == 11_910 + 9_000
    close_statement(actor=member(day.buyer), public_id=statement.public_id)

    kept = ClaimAllocation.objects.values_list("energy_wh", flat=True)
    assert sorted(kept) == [9_000, 11_910]  # not the 90,000 of the first hour
    assert _state(day, reason="Looked at again").matched_wh == statement.matched_wh


@pytest.mark.parametrize(
    ("again", "later", "covered"),
    [
        (5_000, 9_000, 9_000),  # the later bundles come before the closed one in order
        (95_000, 91_000, 13_498),  # and after it
    ],
)
def test_a_corrected_version_allocates_what_the_closed_one_left_open(day, again, later, covered):
    """The hour that is full stays with the first bundle; only the open one is allocated."""
    parent = _hourly(day, (0, 90_000))
    first, second = (f"{DELIVERY_STARTS + after * HOUR:%H}" for after in (0, 1))
    assert _close(day, _state(day)) == {f"INV-01 {first}": 11_910}
    move_clock(AFTER + HOUR)
    _cancel(day, parent, 0, again, device="INV-02")
    _cancel(day, parent, 1, later)
    corrected = _state(day, reason="More was cancelled")
    assert corrected.matched_wh == 11_910 + covered

    kept = _close(day, corrected)

    assert kept == {f"INV-01 {first}": 11_910, f"INV-01 {second}": covered}
    assert _close(day, _state(day, reason="Looked at again")) == kept


def test_a_corrected_version_replaces_hours_that_were_withdrawn(day):
    parent = _hourly(day, (0, 90_000))
    first = f"{DELIVERY_STARTS:%H}"
    _close(day, _state(day))
    move_clock(AFTER + HOUR)
    made = UnitBatch.objects.get(kind="granular")
    invalidate_units(actor=keeper(), ranges=[block(made)], reason="计量更正")
    _cancel(day, parent, 0, 5_000, device="INV-02")

    kept = _close(day, _state(day, reason="Hours were withdrawn"))

    assert kept == {f"INV-01 {first}": 11_910, f"INV-02 {first}": 5_000}


def test_certificates_used_up_for_hours_cover_nothing_themselves(day):
    parent = _hourly(day, (0, 5_000))
    GranularSlice.objects.create(
        batch=parent, starts_at=DELIVERY_STARTS + HOUR, energy_wh=90_000, device="other"
    )

    assert _state(day).matched_wh == 5_000


def test_an_hour_with_granular_certificates_serves_no_certificate_of_the_month(day):
    MatchingPolicy.objects.create(organisation=day.buyer, slot="hour", from_month=MONTH)
    parent = issue(day.buyer, 2, month=MONTH)
    bundle(parent, day.buyer, 900_000, starts_at=DELIVERY_STARTS)
    retire_units(
        actor=holder(day.buyer),
        ranges=[block(parent, 2, 2)],
        beneficiary=day.buyer,
        purpose=RetirementPurpose.GREEN_POWER,
        claim_month=MONTH,
    )

    assert _state(day).matched_wh == 0


def test_what_granular_certificates_used_up_takes_nothing_from_other_hours(day):
    MatchingPolicy.objects.create(organisation=day.buyer, slot="hour", from_month=MONTH)
    parent = issue(day.buyer, 3, month=MONTH)
    bundle(parent, day.buyer, 900_000, starts_at=DELIVERY_STARTS)  # uses one of the three up
    GranularSlice.objects.create(
        batch=parent, starts_at=DELIVERY_STARTS + HOUR, energy_wh=500_000, device="other"
    )
    matched = []
    for serial in (2, 3):
        retire_units(
            actor=holder(day.buyer),
            ranges=[block(parent, serial, serial)],
            beneficiary=day.buyer,
            purpose=RetirementPurpose.GREEN_POWER,
            claim_month=MONTH,
        )
        matched.append(json.loads(_state(day).inputs)["matching"]["hours"])
    hour = int((DELIVERY_STARTS + HOUR).timestamp())

    # 500,000 of what two certificates left hold; half of it goes with each of them.
    assert matched == [[[hour, 250_000]], [[hour, 500_000]]]
    assert _state(day).matched_wh == 13_498


def test_the_hours_of_certificates_never_hold_more_than_was_metered(day):
    MatchingPolicy.objects.create(organisation=day.buyer, slot="hour", from_month=MONTH)
    parent = issue(day.buyer, 2, month=MONTH)
    bundle(parent, day.buyer, 5_000, starts_at=DELIVERY_STARTS)  # uses one of the two up
    for after, energy_wh in ((1, 1_200_000), (2, 400_000)):
        GranularSlice.objects.create(
            batch=parent, starts_at=DELIVERY_STARTS + after * HOUR, energy_wh=energy_wh
        )
    retire_units(
        actor=holder(day.buyer),
        ranges=[block(parent, 2, 2)],
        beneficiary=day.buyer,
        purpose=RetirementPurpose.GREEN_POWER,
        claim_month=MONTH,
    )
    hours = json.loads(_state(day).inputs)["matching"]["hours"]

    # The other certificate is 1,000,000 of the 1,600,000 that are metered.
    assert [energy_wh for _hour, energy_wh in hours] == [750_000, 250_000]


def test_by_the_month_granular_certificates_count_as_energy_of_the_month(day):
    parent = issue(day.buyer, 1, month=MONTH)
    hour = DELIVERY_STARTS + 12 * HOUR
    made = bundle(parent, day.buyer, 7_000, starts_at=hour)
    retire_units(
        actor=holder(day.buyer),
        ranges=[block(made)],
        beneficiary=day.buyer,
        purpose=RetirementPurpose.GREEN_POWER,
        claim_month=MONTH,
        claim_hour=hour,
    )

    assert (_state(day).slot, _state(day).matched_wh) == ("month", 7_000)
