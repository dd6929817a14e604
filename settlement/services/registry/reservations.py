"""Setting units aside until a time: for an order, an instruction, a negotiation."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.models import Organisation, User
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from settlement.domain.carbon.errors import InsufficientHeld, NotOwner, ReservationExpired
from settlement.domain.registry.blocks import UnitBlock, count_units, tidy_blocks
from settlement.models import (
    RESERVATION_TRANSITIONS,
    MovementKind,
    Reservation,
    ReservationState,
    SerialRange,
    UnitState,
)
from settlement.services.ledger import IdempotencyConflict
from settlement.services.locks import lock_unit_batches
from settlement.services.registry.access import holder_for
from settlement.services.registry.movements import (
    Business,
    Step,
    blocks_of,
    check_free,
    move_units,
)


class ReservationInPast(RuleBroken):
    """A reservation ends in the future."""

    code = "reservation_in_past"
    message = gettext_noop("The reservation must end in the future.")


@transaction.atomic
def reserve_units(
    *,
    actor: Actor,
    ranges: Sequence[UnitBlock],
    expires_at: datetime,
    source_type: str,
    source_id: str,
    on_behalf_of: Organisation | None = None,
) -> Reservation:
    """Set units aside; a repeated call for the same source returns the first reservation.

    Raises:
        NotPermitted, NotAdmitted, NotFound, ReservationInPast: as named.
        IdempotencyConflict: the source has a reservation of another holder or size.
        CarbonRuleBroken: a serial is not free; nothing was set aside.
    """
    holder = holder_for(actor, on_behalf_of)
    if expires_at <= market_now():
        raise ReservationInPast(field="expires_at")
    registry, blocks, _ = blocks_of(ranges)
    known = Reservation.objects.filter(source_type=source_type, source_id=source_id).first()
    if known is not None:
        if (known.organisation_id, known.units) != (holder.pk, count_units(blocks)):
            raise IdempotencyConflict
        return known
    check_free(blocks, holder)
    reservation = Reservation.objects.create(
        organisation=holder,
        registry=registry,
        source_type=source_type,
        source_id=source_id,
        units=count_units(blocks),
        expires_at=expires_at,
    )
    move_units(
        kind=MovementKind.RESERVE,
        registry=registry,
        steps=[
            Step(block, UnitState.HELD, UnitState.RESERVED, holder, to_reservation=reservation)
            for block in blocks
        ],
        business=Business("reservation", str(reservation.public_id), actor.user),
    )
    return reservation


@transaction.atomic
def release_reservation(
    *, actor: Actor, reservation: Reservation, on_behalf_of: Organisation | None = None
) -> Reservation:
    """Give the units of a reservation back to their holder before its time.

    Raises:
        NotPermitted, NotOwner: the actor may not.
        ReservationExpired: it has ended already.
    """
    holder = holder_for(actor, on_behalf_of)
    if reservation.organisation_id != holder.pk:
        raise NotOwner
    return _give_back(reservation, ReservationState.RELEASED, actor.user)


@transaction.atomic
def lapse_reservation(reservation: Reservation) -> Reservation:
    """Give the units of a reservation back because its time is over; raises ReservationExpired."""
    return _give_back(reservation, ReservationState.EXPIRED, None)


def lapse_due_reservations(now: datetime, *, limit: int = 200) -> int:
    """Let reservations whose time is over lapse back to held; return how many."""
    due = Reservation.objects.filter(state=ReservationState.OPEN, expires_at__lte=now)
    lapsed = 0
    for reservation in due.order_by("id")[:limit]:
        try:
            lapse_reservation(reservation)
            lapsed += 1
        except ReservationExpired:  # somebody used or released it meanwhile
            continue
    return lapsed


def reserved_blocks(reservation: Reservation) -> list[UnitBlock]:
    """Return the units of an open reservation by batch and serial."""
    rows = SerialRange.objects.filter(reservation=reservation).order_by("batch_id", "serials")
    return tidy_blocks(UnitBlock(row.batch_id, row.first_serial, row.last_serial) for row in rows)


def claim_reservation(
    reservation: Reservation | None, *, holder: Organisation, blocks: Sequence[UnitBlock]
) -> Reservation | None:
    """Mark a reservation used by what the caller does now with exactly its units.

    Call it with the batches locked.

    Raises:
        NotOwner: it is somebody else's.
        ReservationExpired: it has ended, or its time is over.
        InsufficientHeld: the blocks are not its units.
    """
    if reservation is None:
        return None
    found = _open(reservation)
    if found.organisation_id != holder.pk:
        raise NotOwner
    if found.expires_at <= market_now():
        raise ReservationExpired
    if list(blocks) != reserved_blocks(found):
        raise InsufficientHeld(asked=count_units(blocks), held=found.units)
    _end(found, ReservationState.USED)
    return found


def _give_back(reservation: Reservation, state: ReservationState, user: User | None) -> Reservation:
    lock_unit_batches(block.batch_id for block in reserved_blocks(reservation))
    found = _open(reservation)
    holder = found.organisation
    move_units(
        kind=MovementKind.RELEASE,
        registry=found.registry,
        steps=[
            Step(block, UnitState.RESERVED, UnitState.HELD, holder, from_reservation=found)
            for block in reserved_blocks(found)
        ],
        business=Business("reservation", str(found.public_id), user, state.value),
    )
    _end(found, state)
    return found


def _open(reservation: Reservation) -> Reservation:
    rows = Reservation.objects.select_for_update(no_key=True, of=("self",))
    found = rows.select_related("registry", "organisation").filter(pk=reservation.pk).first()
    if found is None:
        raise NotFound(field="reservation")
    if not RESERVATION_TRANSITIONS.targets(found.state):
        raise ReservationExpired
    return found


def _end(reservation: Reservation, state: ReservationState) -> None:
    reservation.state = RESERVATION_TRANSITIONS.check(reservation.state, state)
    reservation.ended_at = market_now()
    reservation.save(update_fields=["state", "ended_at"])
