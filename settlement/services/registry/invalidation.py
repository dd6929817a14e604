"""Units that the registry takes back: a sink that burned down, an order of the authority.

Held units just die. Retired units were counted by somebody: each opens a duty of replacement.
Certificates that were used up for hours are counted in those hours, which are withdrawn first.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import NumericRange

from marketplace.domain.errors import NotFound, RuleBroken, StateForbids, gettext_noop
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from marketplace.services.outbox import emit_event
from settlement.domain.carbon.errors import CreditInvalidated
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import (
    DUTY_TRANSITIONS,
    DutyState,
    MovementKind,
    ReplacementDuty,
    Retirement,
    RetirementLine,
    RetirementPurpose,
    SerialRange,
    UnitMovement,
    UnitState,
)
from settlement.services.registry.access import require_keeper
from settlement.services.registry.movements import Business, Step, blocks_of, move_units


class ReplacementTooSmall(RuleBroken):
    """The retirement does not cover the duty."""

    code = "replacement_too_small"
    message = gettext_noop(
        "%(units)s units have to be replaced; this retirement has %(left)s left."
    )
    status = 409


class HoursAlive(StateForbids):
    """Hours that the certificates were used up for are still valid."""

    message = gettext_noop(
        "Certificates were used up for hours that are still valid: withdraw the hours first."
    )


# Hours in these states are counted by nobody any more.
_OVER = (UnitState.INVALIDATED, UnitState.EXPIRED)


@transaction.atomic
def invalidate_units(
    *, actor: Actor, ranges: Sequence[UnitBlock], reason: str
) -> tuple[UnitMovement, list[ReplacementDuty]]:
    """Invalidate held and retired units by order of their registry.

    Returns:
        The movement, and a duty of replacement for every line of a retirement that lost units.

    Raises:
        NotPermitted, NotFound, Missing: as named.
        CreditInvalidated: a serial is invalid already.
        StateForbids: a serial is reserved, locked, frozen or written off.
        HoursAlive: a serial was used up for hours of its holder, and some of them are valid.
    """
    platform = require_keeper(actor)
    why = check_text(reason, field="reason", max_length=200, required=True)
    registry, blocks, _ = blocks_of(ranges)
    steps = [step for block in blocks for step in _steps(block)]
    for block in blocks:
        _check_hours(block)
    movement = move_units(
        kind=MovementKind.INVALIDATE,
        registry=registry,
        steps=steps,
        business=Business("invalidation", "", actor.user, why),
    )
    retired = [step.block for step in steps if step.from_state == UnitState.RETIRED]
    duties = [duty for block in retired for duty in _duties(movement, block)]
    record_audit(
        action="units.invalidated",
        subject=movement,
        actor=actor.user,
        organisation=platform,
        after={"registry": registry.code, "units": sum(s.block.units for s in steps)},
        reason=why,
    )
    emit_event(
        topic="units.invalidated",
        aggregate=f"unit_movement:{movement.pk}",
        payload={"movement": str(movement.public_id), "duties": [str(d.public_id) for d in duties]},
    )
    return movement, duties


@transaction.atomic
def meet_duty(*, actor: Actor, duty_id: UUID | str, retirement_id: UUID | str) -> ReplacementDuty:
    """Record that a retirement for replacement meets a duty.

    Raises:
        NotPermitted, NotFound, StateForbids: as named.
        ReplacementTooSmall: the retirement has fewer units that replace nothing yet.
    """
    platform = require_keeper(actor)
    rows = ReplacementDuty.objects.select_for_update(no_key=True)
    duty = rows.filter(public_id=duty_id).first()
    retirement = Retirement.objects.filter(
        public_id=retirement_id, purpose=RetirementPurpose.REPLACEMENT
    ).first()
    if duty is None or retirement is None:
        raise NotFound(field="duty" if duty is None else "retirement")
    state = check_transition(DUTY_TRANSITIONS, duty.state, DutyState.MET)
    spent = sum(rows.filter(replaced_by=retirement).values_list("units", flat=True))
    if retirement.units - spent < duty.units:
        raise ReplacementTooSmall(units=duty.units, left=retirement.units - spent)
    duty.state, duty.replaced_by = state, retirement
    duty.save(update_fields=["state", "replaced_by"])
    record_audit(
        action="units.replaced",
        subject=duty,
        actor=actor.user,
        organisation=platform,
        after={"retirement": retirement.number, "units": duty.units},
    )
    return duty


def _steps(block: UnitBlock) -> Iterable[Step]:
    span = NumericRange(block.first, block.last + 1)
    rows = SerialRange.objects.filter(batch_id=block.batch_id, serials__overlap=span)
    for row in rows.select_related("organisation").order_by("serials"):
        if row.state == UnitState.INVALIDATED:
            raise CreditInvalidated(first=row.first_serial, last=row.last_serial)
        if row.state not in (UnitState.HELD, UnitState.RETIRED):
            raise StateForbids(state=row.state)
        inside = UnitBlock(
            block.batch_id, max(block.first, row.first_serial), min(block.last, row.last_serial)
        )
        yield Step(inside, row.state, UnitState.INVALIDATED, row.organisation)


def _check_hours(block: UnitBlock) -> None:
    """Refuse certificates whose hours are valid; their batch is locked, so none is added."""
    span = NumericRange(block.first, block.last + 1)
    lines = RetirementLine.objects.filter(
        batch_id=block.batch_id,
        serials__overlap=span,
        retirement__purpose=RetirementPurpose.GRANULAR,
    )
    hours = SerialRange.objects.filter(
        batch__bundle__parent_slice__batch=block.batch_id,
        batch__issued_to__in=lines.values("retirement__organisation"),
    )
    if hours.exclude(state__in=_OVER).exists():
        raise HoursAlive(field="ranges", state=UnitState.RETIRED)


def _duties(movement: UnitMovement, block: UnitBlock) -> list[ReplacementDuty]:
    span = NumericRange(block.first, block.last + 1)
    lines = RetirementLine.objects.filter(batch_id=block.batch_id, serials__overlap=span)
    duties = []
    for line in lines.order_by("serials"):
        first, last = max(block.first, line.first_serial), min(block.last, line.last_serial)
        duties.append(
            ReplacementDuty.objects.create(
                line=line,
                movement=movement,
                serials=NumericRange(first, last + 1),
                units=last - first + 1,
            )
        )
    return duties
