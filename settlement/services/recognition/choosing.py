"""Units that a person names, and the units of a plan, as the registry's services take them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from marketplace.domain.errors import NotFound
from marketplace.models import Organisation
from settlement.domain.carbon.recognition import CreditBlock
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import BatchKind, UnitBatch
from settlement.selectors.recognition.credits import adjusted_batches, block_of
from settlement.services.registry.movements import blocks_of, check_free


@dataclass(frozen=True)
class ChosenUnits:
    """Serials of a batch that a person names, both ends included."""

    batch: UUID | str
    first_serial: int
    last_serial: int


def chosen_credits(organisation: Organisation, chosen: Sequence[ChosenUnits]) -> list[CreditBlock]:
    """Return named units as the rules see them, when every one is the organisation's and free.

    Raises:
        NotFound: there is no such batch of credits.
        CarbonRuleBroken: SerialRangeOverlap, NotOwner, SerialAlreadyRetired, CreditInvalidated,
            InsufficientHeld, as the registry refuses them.
    """
    batches = _batches(each.batch for each in chosen)
    units = [
        UnitBlock(batches[str(each.batch)].pk, each.first_serial, each.last_serial)
        for each in chosen
    ]
    if any(unit.first > unit.last or unit.first < 0 for unit in units):
        raise NotFound(field="chosen")
    by_registry: dict[int, list[UnitBlock]] = {}
    registry_of = {batch.pk: batch.registry_id for batch in batches.values()}
    for unit in units:
        by_registry.setdefault(registry_of[unit.batch_id], []).append(unit)
    found: list[CreditBlock] = []
    for _, wanted in sorted(by_registry.items()):
        found.extend(_checked(organisation, wanted))
    return found


def unit_blocks(blocks: Iterable[CreditBlock]) -> list[UnitBlock]:
    """Return blocks of the rules as blocks of the registry."""
    return [
        UnitBlock(int(block.batch), block.serials.first, block.serials.last) for block in blocks
    ]


def _checked(organisation: Organisation, units: Sequence[UnitBlock]) -> list[CreditBlock]:
    _, tidy, batches = blocks_of(units)
    check_free(tidy, organisation)
    adjusted = adjusted_batches(batches)
    return [
        block_of(batches[unit.batch_id], unit.serials, adjusted=unit.batch_id in adjusted)
        for unit in tidy
    ]


def _batches(public_ids: Iterable[UUID | str]) -> dict[str, UnitBatch]:
    wanted = {str(public_id) for public_id in public_ids}
    rows = UnitBatch.objects.filter(public_id__in=wanted, kind=BatchKind.CREDIT)
    found = {str(batch.public_id): batch for batch in rows}
    if wanted - set(found):
        raise NotFound(field="chosen")
    return found
