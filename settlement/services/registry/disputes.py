"""Locking units while a dispute about them is open."""

from collections.abc import Sequence

from django.db import transaction

from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.domain.registry.blocks import UnitBlock, count_units
from settlement.models import MovementKind, UnitMovement, UnitState
from settlement.services.registry.access import require_keeper
from settlement.services.registry.movements import (
    Business,
    Step,
    blocks_of,
    check_free,
    move_units,
)


def lock_units(
    *, actor: Actor, ranges: Sequence[UnitBlock], holder: Organisation, reason: str
) -> UnitMovement:
    """Lock held units of a member; they neither move nor die until unlocked.

    Raises:
        NotPermitted, NotFound, Missing: as named.
        CarbonRuleBroken: a serial is not the holder's or not free.
    """
    return _switch(actor, ranges, holder, reason, MovementKind.LOCK)


def unlock_units(
    *, actor: Actor, ranges: Sequence[UnitBlock], holder: Organisation, reason: str
) -> UnitMovement:
    """Free locked units again; raises as `lock_units`."""
    return _switch(actor, ranges, holder, reason, MovementKind.UNLOCK)


@transaction.atomic
def _switch(
    actor: Actor,
    ranges: Sequence[UnitBlock],
    holder: Organisation,
    reason: str,
    kind: MovementKind,
) -> UnitMovement:
    require_keeper(actor)
    why = check_text(reason, field="reason", max_length=200, required=True)
    registry, blocks, _ = blocks_of(ranges)
    source, target = UnitState.HELD, UnitState.LOCKED
    if kind == MovementKind.UNLOCK:
        source, target = target, source
    check_free(blocks, holder, state=source)
    movement = move_units(
        kind=kind,
        registry=registry,
        steps=[Step(block, source, target, holder) for block in blocks],
        business=Business("dispute", "", actor.user, why),
    )
    record_audit(
        action=f"units.{kind.value}ed",
        subject=movement,
        actor=actor.user,
        organisation=holder,
        after={"units": count_units(blocks), "registry": registry.code},
        reason=why,
    )
    return movement
