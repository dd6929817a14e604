"""Units of registries: issue, transfer, reservation, retirement, freezing, expiry, invalidation."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError

from marketplace.domain.errors import NotPermitted, RuleBroken
from settlement.domain.carbon.errors import CreditInvalidated
from settlement.domain.registry.blocks import UnitBlock
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    Programme,
    ReservationState,
    Retirement,
    RetirementPurpose,
    UnitMovement,
)
from settlement.selectors.registry import available_blocks
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.registry.disputes import lock_units, unlock_units
from settlement.services.registry.exclusivity import (
    CcerIssue,
    issue_ccer,
    register_ccer_project,
)
from settlement.services.registry.expiring import expire_units
from settlement.services.registry.holdings import (
    SameHolder,
    TransferLimitReached,
    release_reservation,
    reserve_units,
    retire_units,
    transfer_units,
)
from settlement.services.registry.invalidation import invalidate_units, meet_duty
from tests.factories.marketplace import OrganisationFactory, member
from tests.factories.registry import (
    MONTH,
    NOW,
    allocate,
    block,
    holder,
    is_too_much_energy,
    issue,
    keeper,
    make_project,
    picture,
    registries,
)
from tests.factories.settlement import move_clock

pytestmark = pytest.mark.django_db
VOLUNTARY = RetirementPurpose.VOLUNTARY


@pytest.fixture(autouse=True)
def _registries(db: None) -> None:
    registries()


def _balances() -> dict[str, Decimal]:
    rows = trial_balance(date(2026, 11, 1), date(2026, 11, 30))
    assert set(differences_by_asset(rows).values()) <= {Decimal(0)}
    return {row.code: row.closing for row in rows if row.closing}


def _code(error: pytest.ExceptionInfo[RuleBroken]) -> str:
    return error.value.code


def _retire(actor, *ranges: UnitBlock, **changes):
    return retire_units(
        **{
            "actor": actor,
            "ranges": list(ranges),
            "beneficiary": actor.organisation,
            "purpose": VOLUNTARY,
            "claim_month": MONTH,
            **changes,
        }
    )


def test_an_issue_puts_units_with_their_holder_and_on_the_ledger() -> None:
    actor = holder()

    batch = issue(actor.organisation, 100)

    code = actor.organisation.code
    assert picture(batch) == [(1, 100, "held", code)]
    assert _balances() == {"9001.GEC": -100, f"9101.GEC.{code}": 100}


def test_a_part_moves_by_its_serials_and_the_rest_stays() -> None:
    seller, buyer = holder(), holder()
    batch = issue(seller.organisation, 100, registry="CCER")

    moved = transfer_units(
        actor=seller, ranges=[block(batch, 31, 60)], to_organisation=buyer.organisation
    )

    # An act without another business object is its own: no entry is without a source.
    assert moved.source_id == moved.entry.source_id == str(moved.public_id)
    s, b = seller.organisation.code, buyer.organisation.code
    assert picture(batch) == [(1, 30, "held", s), (31, 60, "held", b), (61, 100, "held", s)]
    assert _balances() == {"9001.CCER": -100, f"9101.CCER.{s}": 70, f"9101.CCER.{b}": 30}


def test_adjacent_ranges_of_one_history_merge_again() -> None:
    actor = holder()
    batch = issue(actor.organisation, 90)
    lapses = NOW + timedelta(hours=1)

    first = reserve_units(
        actor=actor, ranges=[block(batch, 1, 30)], expires_at=lapses, source_type="t", source_id="1"
    )
    second = reserve_units(
        actor=actor,
        ranges=[block(batch, 31, 60)],
        expires_at=lapses,
        source_type="t",
        source_id="2",
    )
    assert len(picture(batch)) == 3
    release_reservation(actor=actor, reservation=second)
    release_reservation(actor=actor, reservation=first)

    assert picture(batch) == [(1, 90, "held", actor.organisation.code)]


def test_a_repeated_key_moves_once() -> None:
    seller, buyer = holder(), holder()
    batch = issue(seller.organisation, 10, registry="CCER")

    movements = {
        transfer_units(
            actor=seller,
            ranges=[block(batch, 1, 4)],
            to_organisation=buyer.organisation,
            idempotency_key="k1",
        ).pk
        for _ in range(2)
    }

    assert len(movements) == 1
    assert picture(batch)[0] == (1, 4, "held", buyer.organisation.code)


def test_a_certificate_changes_hands_once_only() -> None:
    seller, buyer, third = holder(), holder(), holder()
    batch = issue(seller.organisation, 10)
    transfer_units(actor=seller, ranges=[block(batch, 1, 5)], to_organisation=buyer.organisation)

    with pytest.raises(TransferLimitReached):
        transfer_units(actor=buyer, ranges=[block(batch, 1, 5)], to_organisation=third.organisation)


def test_units_do_not_move_to_their_holder_or_to_nobody() -> None:
    actor = holder()
    batch = issue(actor.organisation, 10)

    with pytest.raises(SameHolder):
        transfer_units(actor=actor, ranges=[block(batch)], to_organisation=actor.organisation)
    with pytest.raises(RuleBroken) as refused:
        transfer_units(
            actor=actor,
            ranges=[block(batch)],
            to_organisation=OrganisationFactory(state="suspended"),
        )
    assert _code(refused) == "not_found"


def test_a_retirement_names_serials_and_beneficiary_and_is_final() -> None:
    actor = holder()
    batch = issue(actor.organisation, 100)

    retirement = _retire(actor, block(batch, 1, 40))

    line = retirement.lines.get()
    assert (line.first_serial, line.last_serial, retirement.units) == (1, 40, 40)
    assert retirement.beneficiary == actor.organisation
    assert _balances()["9002.GEC"] == 40
    for ranges in ([block(batch, 40, 41)], [block(batch, 1, 40)]):
        with pytest.raises(RuleBroken) as refused:
            _retire(actor, *ranges)
        assert _code(refused) == "SERIAL_ALREADY_RETIRED"
    assert Retirement.objects.count() == 1
    assert picture(batch)[1][:3] == (41, 100, "held")


def test_a_repeated_key_retires_once() -> None:
    actor = holder()
    batch = issue(actor.organisation, 10)

    assert _retire(actor, block(batch, 1, 5), idempotency_key="r") == _retire(
        actor, block(batch, 1, 5), idempotency_key="r"
    )


def _foreign(actor) -> None:
    _retire(holder(), block(issue(actor.organisation, 10)))


def _overlapping(actor) -> None:
    batch = issue(actor.organisation, 10)
    _retire(actor, block(batch, 1, 5), block(batch, 5, 6))


def _more_than_issued(actor) -> None:
    batch = issue(actor.organisation, 10)
    _retire(actor, block(batch, 5, 11))


def _locked(actor) -> None:
    batch = issue(actor.organisation, 10)
    lock_units(
        actor=keeper(), ranges=[block(batch, 3, 4)], holder=actor.organisation, reason="争议"
    )
    _retire(actor, block(batch))


def _expired(actor) -> None:
    batch = issue(actor.organisation, 10)
    move_clock(datetime(2028, 2, 29, 16, tzinfo=UTC))  # the first of March in Shanghai
    _retire(actor, block(batch))


def _written_off(actor) -> None:
    batch = issue(actor.organisation, 10)
    later = datetime(2028, 3, 1, tzinfo=UTC)
    move_clock(later)
    expire_units(later)
    _retire(actor, block(batch))


def _other_year(actor) -> None:
    _retire(actor, block(issue(actor.organisation, 10)), claim_month=date(2025, 12, 1))


def _credits_as_green_power(actor) -> None:
    batch = issue(actor.organisation, 10, registry="CCER")
    _retire(actor, block(batch), purpose=RetirementPurpose.GREEN_POWER)


def _certificates_as_tonnes(actor) -> None:
    batch = issue(actor.organisation, 10)
    _retire(actor, block(batch), purpose=RetirementPurpose.RECOGNITION)


def _invalid(actor) -> None:
    batch = issue(actor.organisation, 10, registry="CCER")
    invalidate_units(actor=keeper(), ranges=[block(batch, 2, 3)], reason="fire")
    _retire(actor, block(batch))


def _future(actor) -> None:
    _retire(actor, block(issue(actor.organisation, 10)), claim_month=date(2026, 12, 1))


@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        (_foreign, "NOT_OWNER"),
        (_overlapping, "SERIAL_RANGE_OVERLAP"),
        (_more_than_issued, "INSUFFICIENT_HELD"),
        (_locked, "INSUFFICIENT_HELD"),
        (_expired, "CERTIFICATE_EXPIRED"),
        (_written_off, "CERTIFICATE_EXPIRED"),
        (_other_year, "PRODUCTION_YEAR_MISMATCH"),
        (_credits_as_green_power, "INSTRUMENT_NOT_ELIGIBLE"),
        (_certificates_as_tonnes, "INSTRUMENT_NOT_ELIGIBLE"),
        (_invalid, "CREDIT_INVALIDATED"),
        (_future, "claim_month_in_future"),
    ],
)
def test_a_retirement_that_breaks_a_rule_changes_nothing(attempt, code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        attempt(holder())

    assert _code(refused) == code
    assert not Retirement.objects.exists()
    assert not UnitMovement.objects.filter(kind="retire").exists()


def test_the_last_valid_day_is_good() -> None:
    actor = holder()
    batch = issue(actor.organisation, 10)
    move_clock(datetime(2028, 2, 29, 15, 59, tzinfo=UTC))

    assert _retire(actor, block(batch)).retired_on == date(2028, 2, 29)


def test_a_reservation_lapses_back_to_held_and_is_refused_afterwards() -> None:
    actor, buyer = holder(), holder()
    batch = issue(actor.organisation, 10, registry="CCER")
    reservation = reserve_units(
        actor=actor,
        ranges=[block(batch, 1, 6)],
        expires_at=NOW + timedelta(hours=1),
        source_type="order",
        source_id="7",
    )
    assert _balances()[f"9102.CCER.{actor.organisation.code}"] == 6
    late = NOW + timedelta(hours=1)
    move_clock(late)

    with pytest.raises(RuleBroken) as refused:
        transfer_units(
            actor=actor,
            ranges=[block(batch, 1, 6)],
            to_organisation=buyer.organisation,
            reservation=reservation,
        )
    expire_units(late)

    assert _code(refused) == "RESERVATION_EXPIRED"
    reservation.refresh_from_db()
    assert reservation.state == ReservationState.EXPIRED
    assert picture(batch) == [(1, 10, "held", actor.organisation.code)]


def test_reserved_units_are_delivered_by_their_reservation_alone() -> None:
    actor, buyer = holder(), holder()
    batch = issue(actor.organisation, 10, registry="CCER")
    reservation = reserve_units(
        actor=actor,
        ranges=[block(batch, 1, 6)],
        expires_at=NOW + timedelta(hours=1),
        source_type="order",
        source_id="7",
    )
    with pytest.raises(RuleBroken) as refused:
        _retire(actor, block(batch, 6, 7))
    assert _code(refused) == "INSUFFICIENT_HELD"

    transfer_units(
        actor=actor,
        ranges=[block(batch, 1, 6)],
        to_organisation=buyer.organisation,
        reservation=reservation,
    )

    reservation.refresh_from_db()
    assert reservation.state == ReservationState.USED
    assert picture(batch)[0] == (1, 6, "held", buyer.organisation.code)


def test_a_dispute_locks_units_and_its_end_frees_them() -> None:
    actor, person = holder(), keeper()
    batch = issue(actor.organisation, 10)
    lock_units(actor=person, ranges=[block(batch)], holder=actor.organisation, reason="争议")

    unlock_units(actor=person, ranges=[block(batch)], holder=actor.organisation, reason="撤诉")

    assert picture(batch) == [(1, 10, "held", actor.organisation.code)]


@pytest.mark.parametrize("service", [lock_units, invalidate_units])
def test_members_neither_lock_nor_invalidate(service) -> None:
    actor = holder()
    batch = issue(actor.organisation, 10)
    holder_argument = {"holder": actor.organisation} if service is lock_units else {}

    with pytest.raises(NotPermitted):
        service(actor=actor, ranges=[block(batch)], reason="x", **holder_argument)


def _ccer(units: int, months: dict[date, int]) -> CcerIssue:
    return CcerIssue(
        programme=Programme.objects.get(registry__code="CCER", code="OFFSHORE-WIND"),
        issuance_id="CCER-ISS-1",
        run=SerialRun("CCER-X-", "", 6, 1, units),
        mwh_by_month=months,
        baseline_factor=Decimal("0.5703"),
        issued_on=date(2026, 11, 20),
    )


def test_one_megawatt_hour_serves_one_instrument() -> None:
    """The worked example E5."""
    owner, buyer, person = holder(), holder(), keeper()
    project = make_project()
    batch = issue(owner.organisation, 10_000, project=project)
    transfer_units(actor=owner, ranges=[block(batch, 1, 4000)], to_organisation=buyer.organisation)

    register_ccer_project(
        actor=person,
        project_id=project.public_id,
        first_day=date(2026, 1, 1),
        last_day=date(2026, 12, 31),
    )
    assert picture(batch)[1] == (4001, 10_000, "frozen", owner.organisation.code)
    with pytest.raises(RuleBroken) as frozen:
        transfer_units(
            actor=owner, ranges=[block(batch, 4001, 4001)], to_organisation=buyer.organisation
        )
    with pytest.raises(RuleBroken) as too_much:
        issue_ccer(
            actor=person,
            project_id=project.public_id,
            issue=_ccer(3422, {MONTH: 6001}),
            holder=owner.organisation,
        )
    issued = issue_ccer(
        actor=person,
        project_id=project.public_id,
        issue=_ccer(3421, {MONTH: 6000}),
        holder=owner.organisation,
    )

    assert (_code(frozen), _code(too_much)) == ("CERTIFICATE_FROZEN", "MWH_ALREADY_CLAIMED")
    assert issued.units == 3421
    assert picture(batch)[1][:3] == (4001, 10_000, "cancelled")
    assert _balances()["9003.GEC"] == 6000
    with pytest.raises(RuleBroken) as spent:
        issue(owner.organisation, 1, project=project, metered_mwh=10_000)
    assert _code(spent) == "MWH_ALREADY_CLAIMED"


def test_certificates_issued_after_registration_are_born_frozen() -> None:
    owner, person = holder(), keeper()
    project = make_project()
    register_ccer_project(
        actor=person,
        project_id=project.public_id,
        first_day=date(2026, 1, 1),
        last_day=date(2026, 12, 31),
    )

    assert picture(issue(owner.organisation, 10, project=project))[0][2] == "frozen"


def test_other_technologies_may_not_choose_ccer() -> None:
    project = make_project(technology="onshore_wind")

    with pytest.raises(RuleBroken) as refused:
        register_ccer_project(
            actor=keeper(),
            project_id=project.public_id,
            first_day=date(2026, 1, 1),
            last_day=date(2026, 12, 31),
        )

    assert _code(refused) == "INSTRUMENT_NOT_ELIGIBLE"


def test_invalidated_retired_units_open_a_duty_that_a_replacement_meets() -> None:
    actor, person = holder(), keeper()
    batch = issue(actor.organisation, 100, registry="CCER")
    spare = issue(actor.organisation, 30, registry="CCER")
    _retire(actor, block(batch, 1, 40))

    _, duties = invalidate_units(actor=person, ranges=[block(batch, 21, 60)], reason="森林火灾")

    (duty,) = duties
    assert (duty.units, duty.serials.lower, duty.serials.upper) == (20, 21, 41)
    assert [row[:3] for row in picture(batch)] == [
        (1, 20, "retired"),
        (21, 60, "invalidated"),
        (61, 100, "held"),
    ]
    replacement = _retire(actor, block(spare, 1, 20), purpose=RetirementPurpose.REPLACEMENT)
    met = meet_duty(actor=person, duty_id=duty.public_id, retirement_id=replacement.public_id)
    assert met.state == "met"
    with pytest.raises(CreditInvalidated):
        invalidate_units(actor=person, ranges=[block(batch, 60, 61)], reason="again")


def test_a_certificate_carries_a_million_watt_hours_for_many_loads() -> None:
    actor = holder()
    line = _retire(actor, block(issue(actor.organisation, 2))).lines.get()
    allocate(line, "1", 1_500_000)

    with pytest.raises(IntegrityError) as refused:
        allocate(line, "2", 500_001)
    assert is_too_much_energy(refused.value)
    allocate(line, "2", 500_000)


def test_free_blocks_come_by_vintage_then_serial() -> None:
    actor = holder()
    young = issue(actor.organisation, 10, registry="CCER", month=date(2025, 6, 1))
    old = issue(actor.organisation, 10, registry="CCER", month=date(2024, 6, 1))
    _retire(actor, block(old, 3, 4), claim_month=date(2026, 3, 1))

    found = available_blocks(actor.organisation, registry="CCER", vintages=range(2023, 2026))

    assert [b.block for b in found] == [block(old, 1, 2), block(old, 5, 10), block(young)]
    assert not available_blocks(actor.organisation, instrument_type="reduction", registry="GEC")


def test_auditors_move_nothing() -> None:
    actor = member(None, "auditor")
    batch = issue(actor.organisation, 10)

    with pytest.raises(NotPermitted):
        _retire(actor, block(batch))
