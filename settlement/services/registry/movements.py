"""Moving units: one movement, its lines and one balanced entry of the ledger, or nothing.

Order of locks: the batches in id order (advisory), then the journal entry's unique key; the
database's own function moves the ranges.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import NumericRange

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, User
from marketplace.selectors.clock import market_now
from settlement.domain.carbon.errors import (
    CertificateExpired,
    CertificateFrozen,
    CreditInvalidated,
    InsufficientHeld,
    MwhAlreadyClaimed,
    NotOwner,
    SerialAlreadyRetired,
)
from settlement.domain.registry.blocks import UnitBlock, count_units, tidy_blocks
from settlement.models import (
    MovementKind,
    Registry,
    Reservation,
    SerialRange,
    UnitBatch,
    UnitMovement,
    UnitMovementLine,
    UnitState,
)
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.locks import lock_unit_batches
from settlement.services.registry.accounts import unit_account

_WHY_NOT: Mapping[str, type[RuleBroken]] = {
    UnitState.RETIRED: SerialAlreadyRetired,
    UnitState.EXPIRED: CertificateExpired,
    UnitState.FROZEN: CertificateFrozen,
    UnitState.CANCELLED: MwhAlreadyClaimed,
    UnitState.INVALIDATED: CreditInvalidated,
}
_UNITS_ELSEWHERE = "23R03"


@dataclass(frozen=True)
class Step:
    """Serials with where they come from and where they go.

    Attributes:
        block: the serials.
        from_state: state they are in; `issued` for a new batch.
        to_state: state they get.
        holder: who has them before.
        receiver: who has them afterwards, the holder unless they change hands.
        from_reservation: the reservation they leave.
        to_reservation: the reservation they enter.
    """

    block: UnitBlock
    from_state: str
    to_state: str
    holder: Organisation
    receiver: Organisation | None = None
    from_reservation: Reservation | None = None
    to_reservation: Reservation | None = None

    @property
    def taker(self) -> Organisation:
        """Who has the units afterwards."""
        return self.receiver or self.holder


@dataclass(frozen=True)
class Business:
    """What a movement is for: the object behind it, the person, the reason, the key.

    Attributes:
        source_type: kind of business object.
        source_id: its id; empty for an act of its own, which the movement itself names.
        user: the person, if any.
        reason: why.
        key: names the act; a repeated key returns the first movement. Empty for none.
    """

    source_type: str
    source_id: str
    user: User | None = None
    reason: str = ""
    key: str = ""


@transaction.atomic
def move_units(
    *, kind: MovementKind, registry: Registry, steps: Sequence[Step], business: Business
) -> UnitMovement:
    """Move units of one registry and post the entry; a request with one bad serial moves none.

    Raises:
        IdempotencyConflict: the key stands for another movement.
        PeriodClosed: the accounting month takes no entries.
        CarbonRuleBroken: the units are not where a step takes them from.
    """
    lock_unit_batches(step.block.batch_id for step in steps)
    public_id = uuid.uuid4()
    key = business.key or str(public_id)
    known = UnitMovement.objects.filter(idempotency_key=key).select_related("entry").first()
    today = market_date(market_now())
    # Every entry names what it is for: an act of its own is named by its movement.
    source_id = business.source_id or (known.source_id if known else str(public_id))
    entry = post_entry(
        kind=f"units_{kind.value}",
        effective_on=known.effective_on if known else today,
        source_type=business.source_type,
        source_id=source_id,
        idempotency_key=f"units:{key}",
        postings=_postings(registry, steps),
        reason=business.reason,
        actor=business.user,
    )
    if known is not None:
        return known
    movement = UnitMovement.objects.create(
        public_id=public_id,
        kind=kind,
        registry=registry,
        effective_on=today,
        source_type=business.source_type,
        source_id=source_id,
        idempotency_key=key,
        entry=entry,
        reason=business.reason,
        actor=business.user,
    )
    _write_lines(movement, steps)
    return movement


def blocks_of(
    ranges: Sequence[UnitBlock], *, registry: Registry | None = None
) -> tuple[Registry, list[UnitBlock], dict[int, UnitBatch]]:
    """Lock the batches that a request names; return their registry, tidy blocks and the batches.

    Raises:
        NotFound: a batch is unknown, the blocks are of several registries, or there are none.
        SerialRangeOverlap: two blocks share a serial.
        InsufficientHeld: a block reaches outside its batch.
    """
    blocks = tidy_blocks(ranges)
    lock_unit_batches(block.batch_id for block in blocks)
    rows = UnitBatch.objects.select_related("registry", "programme", "project", "registry__asset")
    batches = rows.in_bulk([block.batch_id for block in blocks])
    registries = {batch.registry_id: batch.registry for batch in batches.values()}
    if len(batches) != len({block.batch_id for block in blocks}) or len(registries) != 1:
        raise NotFound(field="ranges")
    (found,) = registries.values()
    if registry is not None and found != registry:
        raise NotFound(field="ranges")
    for block in blocks:
        batch = batches[block.batch_id]
        if block.first < batch.first_serial or block.last > batch.last_serial:
            raise InsufficientHeld(first=block.first, last=block.last)
    return found, blocks, batches


def check_free(
    blocks: Sequence[UnitBlock],
    holder: Organisation,
    *,
    state: str = UnitState.HELD,
    reservation: Reservation | None = None,
) -> list[SerialRange]:
    """Return the stored ranges under blocks when the holder has every serial in the state.

    Call it with the batches locked.

    Raises:
        NotOwner: a serial belongs to somebody else.
        SerialAlreadyRetired, CertificateExpired, CertificateFrozen, MwhAlreadyClaimed,
        CreditInvalidated: what happened to a serial.
        InsufficientHeld: a serial is reserved or locked.
    """
    found: list[SerialRange] = []
    for block in blocks:
        span = NumericRange(block.first, block.last + 1)
        rows = SerialRange.objects.filter(batch_id=block.batch_id, serials__overlap=span)
        found.extend(rows.order_by("serials"))
    for row in found:
        if row.organisation_id != holder.pk:
            raise NotOwner(first=row.first_serial, last=row.last_serial)
    wanted_reservation = reservation.pk if reservation else None
    for row in found:
        if row.state != state or row.reservation_id != wanted_reservation:
            refusal = _WHY_NOT.get(row.state, InsufficientHeld)
            raise refusal(first=row.first_serial, last=row.last_serial, state=row.state)
    return found


def _postings(registry: Registry, steps: Iterable[Step]) -> list[PostingLine]:
    """Return one line per account: what comes in is a debit, what leaves a credit."""
    totals: dict[int, int] = {}
    for step in steps:
        source = unit_account(registry, step.from_state, step.holder).pk
        target = unit_account(registry, step.to_state, step.taker).pk
        totals[source] = totals.get(source, 0) - step.block.units
        totals[target] = totals.get(target, 0) + step.block.units
    return [PostingLine(account, Decimal(units)) for account, units in sorted(totals.items())]


def _write_lines(movement: UnitMovement, steps: Sequence[Step]) -> None:
    lines = [
        UnitMovementLine(
            movement=movement,
            line=number,
            batch_id=step.block.batch_id,
            serials=NumericRange(step.block.first, step.block.last + 1),
            from_state=step.from_state,
            to_state=step.to_state,
            from_organisation=None if step.from_state == UnitState.ISSUED else step.holder,
            to_organisation=step.taker,
            from_reservation=step.from_reservation,
            to_reservation=step.to_reservation,
        )
        for number, step in enumerate(steps, 1)
    ]
    try:
        with transaction.atomic():
            UnitMovementLine.objects.bulk_create(lines)
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if getattr(diagnosis, "sqlstate", None) != _UNITS_ELSEWHERE:
            raise
        asked = count_units(step.block for step in steps)
        raise InsufficientHeld(asked=asked) from error
