"""Writing off certificates whose last valid day is past (R14)."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from settlement.domain.carbon.errors import CarbonRuleBroken
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import MovementKind, Registry, SerialRange, UnitState
from settlement.services.locks import lock_unit_batches
from settlement.services.registry.movements import Business, Step, move_units
from settlement.services.registry.reservations import lapse_due_reservations


def expire_units(now: datetime, *, limit: int = 500) -> int:
    """Let due reservations lapse, then write off held certificates that ended; return how many.

    Units that moved meanwhile stay for the next round. Locked and frozen ones stay as they are.
    """
    lapse_due_reservations(now)
    today = market_date(now)
    due = SerialRange.objects.filter(
        state=UnitState.HELD, batch__expires_on__isnull=False, batch__expires_on__lt=today
    ).select_related("batch__registry", "organisation")
    by_registry: dict[Registry, list[tuple[Organisation, UnitBlock]]] = defaultdict(list)
    for row in due.order_by("batch_id", "serials")[:limit]:
        block = UnitBlock(row.batch_id, row.first_serial, row.last_serial)
        by_registry[row.batch.registry].append((row.organisation, block))
    return sum(_expire(registry, held) for registry, held in by_registry.items())


def _expire(registry: Registry, held: list[tuple[Organisation, UnitBlock]]) -> int:
    try:
        with transaction.atomic():
            lock_unit_batches(block.batch_id for _, block in held)
            move_units(
                kind=MovementKind.EXPIRE,
                registry=registry,
                steps=[
                    Step(block, UnitState.HELD, UnitState.EXPIRED, owner) for owner, block in held
                ],
                business=Business("expiry", registry.code),
            )
    except CarbonRuleBroken:
        return 0
    return sum(block.units for _, block in held)
