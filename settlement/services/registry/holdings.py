"""Units of members: put with their holder, handed on, set aside, used up.

The door for other parts. Every function takes ranges (`UnitBlock`), is one transaction, and moves
all of a request or nothing.
"""

from collections.abc import Sequence

from django.db import transaction

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from marketplace.services.outbox import emit_event
from settlement.domain.registry.blocks import UnitBlock, count_units
from settlement.models import (
    MovementKind,
    Registry,
    Reservation,
    SerialRange,
    UnitMovement,
    UnitState,
)
from settlement.services.registry.access import admitted, holder_for
from settlement.services.registry.issuing import BatchFacts, hold_units
from settlement.services.registry.movements import (
    Business,
    Step,
    blocks_of,
    check_free,
    move_units,
)
from settlement.services.registry.reservations import (
    claim_reservation,
    release_reservation,
    reserve_units,
)
from settlement.services.registry.retiring import retire_units

__all__ = [
    "BatchFacts",
    "SameHolder",
    "TransferLimitReached",
    "hold_units",
    "release_reservation",
    "reserve_units",
    "retire_units",
    "transfer_units",
]


class SameHolder(RuleBroken):
    """Units do not move to who has them."""

    code = "same_holder"
    message = gettext_noop("The units already belong to this organisation.")


class TransferLimitReached(RuleBroken):
    """The registry lets its units change hands only so often."""

    code = "transfer_limit_reached"
    message = gettext_noop(
        "Units of %(registry)s change hands at most %(limit)s times; these have done so."
    )
    status = 409


@transaction.atomic
def transfer_units(
    *,
    actor: Actor,
    ranges: Sequence[UnitBlock],
    to_organisation: Organisation | None,
    reason: str = "",
    source_type: str = "transfer",
    source_id: str = "",
    idempotency_key: str = "",
    reservation: Reservation | None = None,
    on_behalf_of: Organisation | None = None,
) -> UnitMovement:
    """Hand units to another member.

    Args:
        actor: a person of the holder, or of the platform with `on_behalf_of`.
        ranges: what moves; with a reservation exactly its units.
        to_organisation: an admitted member.
        reason: why, for the history.
        source_type: kind of business object behind it.
        source_id: its id.
        idempotency_key: a repeated key returns the first movement.
        reservation: the reservation that this uses up.
        on_behalf_of: the holder, when the platform delivers for it.

    Raises:
        NotPermitted, NotAdmitted, NotFound, SameHolder, TransferLimitReached: as named.
        CarbonRuleBroken: a serial is not free; nothing was moved.
    """
    holder = holder_for(actor, on_behalf_of)
    receiver = admitted(to_organisation, field="to_organisation")
    if receiver == holder:
        raise SameHolder(field="to_organisation")
    known = UnitMovement.objects.filter(idempotency_key=idempotency_key).first()
    if idempotency_key and known is not None and known.kind == MovementKind.TRANSFER:
        return known
    registry, blocks, _ = blocks_of(ranges)
    used = claim_reservation(reservation, holder=holder, blocks=blocks)
    state = UnitState.RESERVED if used else UnitState.HELD
    _check_times(registry, check_free(blocks, holder, state=state, reservation=used))
    movement = move_units(
        kind=MovementKind.TRANSFER,
        registry=registry,
        steps=[
            Step(block, state, UnitState.HELD, holder, receiver, from_reservation=used)
            for block in blocks
        ],
        business=Business(
            source_type,
            source_id,
            actor.user,
            check_text(reason, field="reason", max_length=200),
            idempotency_key,
        ),
    )
    _tell(movement, actor, holder, receiver, count_units(blocks))
    return movement


def _check_times(registry: Registry, ranges: Sequence[SerialRange]) -> None:
    limit = registry.transfers_allowed
    if limit is not None and any(part.times_sold >= limit for part in ranges):
        raise TransferLimitReached(registry=registry.code, limit=limit)


def _tell(
    movement: UnitMovement, actor: Actor, holder: Organisation, receiver: Organisation, units: int
) -> None:
    record_audit(
        action="units.transferred",
        subject=movement,
        actor=actor.user,
        organisation=holder,
        after={"units": units, "registry": movement.registry.code, "to": receiver.code},
        reason=movement.reason,
    )
    emit_event(
        topic="units.transferred",
        aggregate=f"unit_movement:{movement.pk}",
        payload={
            "movement": str(movement.public_id),
            "registry": movement.registry.code,
            "units": units,
            "from": holder.pk,
            "to": receiver.pk,
        },
    )
