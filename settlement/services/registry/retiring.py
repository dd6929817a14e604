"""Retirement (碳信用注销 / 绿证核销): the final use of units for one named beneficiary."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import NumericRange

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import Missing, check_text
from marketplace.services.outbox import emit_event
from settlement.domain.carbon.certificates import check_certificate
from settlement.domain.carbon.errors import CertificateExpired, InstrumentNotEligible
from settlement.domain.registry.blocks import UnitBlock, count_units
from settlement.domain.registry.granular import ProductionHourMismatch, hour_of
from settlement.models import (
    BatchKind,
    GranularBundle,
    MovementKind,
    Reservation,
    Retirement,
    RetirementLine,
    RetirementPurpose,
    UnitBatch,
    UnitMovement,
    UnitState,
)
from settlement.services.registry.access import holder_for
from settlement.services.registry.movements import (
    Business,
    Step,
    blocks_of,
    check_free,
    move_units,
)
from settlement.services.registry.reservations import claim_reservation

GRANULAR_ISSUE = "granular_issue"  # the only business that uses certificates up for their hours
_CLAIMS = {RetirementPurpose.VOLUNTARY, RetirementPurpose.GREEN_POWER}
_PURPOSES: dict[str, set[RetirementPurpose]] = {
    BatchKind.CERTIFICATE: _CLAIMS,
    BatchKind.GRANULAR: _CLAIMS,
    BatchKind.CREDIT: set(RetirementPurpose)
    - {RetirementPurpose.GREEN_POWER, RetirementPurpose.GRANULAR},
}


class ClaimMonthInFuture(RuleBroken):
    """Consumption that has not begun cannot be claimed."""

    code = "claim_month_in_future"
    message = gettext_noop("The month claimed for must not lie in the future.")


@transaction.atomic
def retire_units(
    *,
    actor: Actor,
    ranges: Sequence[UnitBlock],
    beneficiary: Organisation | str,
    purpose: RetirementPurpose,
    claim_month: date,
    claim_hour: datetime | None = None,
    note: str = "",
    source_type: str = "retirement",
    source_id: str = "",
    idempotency_key: str = "",
    reservation: Reservation | None = None,
    on_behalf_of: Organisation | None = None,
) -> Retirement:
    """Retire units of one registry for one beneficiary; nothing brings them back.

    Args:
        actor: a person of the holder, or of the platform with `on_behalf_of`.
        ranges, reservation: what is retired; with a reservation exactly its units, used up.
        beneficiary: a member, or the name of somebody else.
        purpose: what it is for; certificates never serve tonnes, credits never green power.
        claim_month: any day of the month whose consumption or emissions are claimed.
        claim_hour: an instant of the hour of delivery; granular certificates only.
        note, source_type, source_id: free text; kind and id of the business object behind it.
        idempotency_key: a repeated key returns the first retirement.
        on_behalf_of: the holder, when the platform retires for it.

    Raises:
        NotPermitted, NotAdmitted, NotFound, Missing, ClaimMonthInFuture: as named.
        InstrumentNotEligible: the purpose or a named hour does not fit the kind of unit.
        CertificateExpired, ProductionYearMismatch, ProductionHourMismatch: R14, and its hour.
        CarbonRuleBroken: a serial is not free; nothing was retired.
    """
    holder = holder_for(actor, on_behalf_of)
    known = _known(idempotency_key)
    if known is not None:
        return known
    registry, blocks, batches = blocks_of(ranges)
    known = _known(idempotency_key)  # the first call may have waited for the same batches
    if known is not None:
        return known
    month = _claim_month(claim_month, today := market_date(market_now()))
    _check_purpose(batches.values(), purpose, source_type)
    hour = _claim_hour(batches.values(), claim_hour, month)
    used = claim_reservation(reservation, holder=holder, blocks=blocks)
    state = UnitState.RESERVED if used else UnitState.HELD
    check_free(blocks, holder, state=state, reservation=used)
    _check_dates(batches.values(), month, today)
    movement = move_units(
        kind=MovementKind.RETIRE,
        registry=registry,
        steps=_steps(blocks, state, holder, used),
        business=Business(source_type, source_id, actor.user, note[:200], idempotency_key),
    )
    retirement = _record(
        movement, actor, holder, beneficiary, purpose, note, blocks, month=month, hour=hour
    )
    _tell(retirement, actor)
    return retirement


def _steps(
    blocks: Sequence[UnitBlock], state: str, holder: Organisation, used: Reservation | None
) -> list[Step]:
    return [
        Step(block, state, UnitState.RETIRED, holder, from_reservation=used) for block in blocks
    ]


def _known(key: str) -> Retirement | None:
    return Retirement.objects.filter(movement__idempotency_key=key).first() if key else None


def _claim_month(day: date, today: date) -> date:
    month = day.replace(day=1)
    if month > today.replace(day=1):
        raise ClaimMonthInFuture(field="claim_month")
    return month


def _claim_hour(
    batches: Iterable[UnitBatch], asked: datetime | None, month: date
) -> datetime | None:
    """Return the hour of delivery of granular certificates, which is the one they are of."""
    rows = list(batches)
    if not all(batch.kind == BatchKind.GRANULAR for batch in rows):
        if asked is not None:
            raise InstrumentNotEligible(field="claim_hour", batch=rows[0].issuance_id)
        return None
    if asked is None:
        raise Missing(field="claim_hour")
    hour = hour_of(asked)
    produced = GranularBundle.objects.filter(batch__in=rows).values_list("starts_at", flat=True)
    is_other_month = market_date(hour).replace(day=1) != month
    if is_other_month or {hour_of(starts_at) for starts_at in produced} != {hour}:
        raise ProductionHourMismatch(field="claim_hour")
    return hour


def _check_purpose(
    batches: Iterable[UnitBatch], purpose: RetirementPurpose, source_type: str
) -> None:
    for batch in batches:
        allowed = _PURPOSES[batch.kind]
        if source_type == GRANULAR_ISSUE and batch.kind == BatchKind.CERTIFICATE:
            allowed = {RetirementPurpose.GRANULAR}
        if purpose not in allowed:
            raise InstrumentNotEligible(field="purpose", batch=batch.issuance_id)


def _check_dates(batches: Iterable[UnitBatch], claim_month: date, today: date) -> None:
    for batch in batches:
        if batch.expires_on is not None and today > batch.expires_on:
            raise CertificateExpired(last_valid_day=batch.expires_on.isoformat())
        if batch.kind != BatchKind.CREDIT:
            check_certificate(batch.starts_on, claim_month=claim_month, retired_on=today)


def _record(
    movement: UnitMovement,
    actor: Actor,
    holder: Organisation,
    beneficiary: Organisation | str,
    purpose: RetirementPurpose,
    note: str,
    blocks: Sequence[UnitBlock],
    *,
    month: date,
    hour: datetime | None,
) -> Retirement:
    member = beneficiary if isinstance(beneficiary, Organisation) else None
    name = member.name_zh if member else str(beneficiary)
    name = check_text(name, field="beneficiary", max_length=160, required=True)
    retirement = Retirement.objects.create(
        # The movement's own number makes it unique without a counter that others would wait for.
        number=f"ZX-{movement.effective_on:%Y%m%d}-{movement.pk:06d}",
        registry=movement.registry,
        organisation=holder,
        beneficiary=member,
        beneficiary_name=name,
        purpose=purpose,
        claim_month=month,
        claim_hour=hour,
        units=count_units(blocks),
        retired_on=movement.effective_on,
        movement=movement,
        note=check_text(note, field="note", max_length=200),
        actor=actor.user,
    )
    RetirementLine.objects.bulk_create(
        RetirementLine(
            retirement=retirement,
            line=number,
            batch_id=block.batch_id,
            serials=NumericRange(block.first, block.last + 1),
            units=block.units,
        )
        for number, block in enumerate(blocks, 1)
    )
    return retirement


def _tell(retirement: Retirement, actor: Actor) -> None:
    facts = {
        "number": retirement.number,
        "registry": retirement.registry.code,
        "units": retirement.units,
        "beneficiary": retirement.beneficiary_name,
        "purpose": retirement.purpose,
        "claim_month": retirement.claim_month.isoformat(),
    }
    record_audit(
        action="units.retired",
        subject=retirement,
        actor=actor.user,
        organisation=retirement.organisation,
        after=facts,
        reason=retirement.note,
    )
    emit_event(
        topic="units.retired",
        aggregate=f"retirement:{retirement.pk}",
        payload={**facts, "organisation_id": retirement.organisation_id},
    )
