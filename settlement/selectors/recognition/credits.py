"""Credits as the rules of recognition see them: what a party holds, what a retirement used up."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from marketplace.models import Organisation
from settlement.domain.carbon.recognition import CreditBlock
from settlement.domain.carbon.serials import SerialRange as Serials
from settlement.models import (
    BatchKind,
    CorrespondingAdjustment,
    Retirement,
    RetirementLine,
    SerialRange,
    UnitBatch,
    UnitState,
)


@dataclass(frozen=True)
class RetiredBlock:
    """A line of a retirement with its units as the rules see them."""

    line: RetirementLine
    block: CreditBlock


def held_credits(organisation: Organisation) -> list[CreditBlock]:
    """Return the free credits of a party, in the order of their serials."""
    ranges = (
        SerialRange.objects.filter(
            organisation=organisation, state=UnitState.HELD, batch__kind=BatchKind.CREDIT
        )
        .select_related("batch__registry", "batch__programme")
        .order_by("batch_id", "serials")
    )
    adjusted = adjusted_batches(row.batch_id for row in ranges)
    return [
        block_of(
            row.batch,
            Serials(row.first_serial, row.last_serial),
            adjusted=row.batch_id in adjusted,
        )
        for row in ranges
    ]


def retired_credits(retirement: Retirement) -> list[RetiredBlock]:
    """Return the lines of a retirement; units that the registry took back are marked."""
    lines = list(
        retirement.lines.select_related("batch__registry", "batch__programme").order_by("line")
    )
    adjusted = adjusted_batches(line.batch_id for line in lines)
    return [
        RetiredBlock(
            line,
            block_of(
                line.batch,
                Serials(line.first_serial, line.last_serial),
                adjusted=line.batch_id in adjusted,
                invalidated=_taken_back(line).exists(),
            ),
        )
        for line in lines
    ]


def block_of(
    batch: UnitBatch, serials: Serials, *, adjusted: bool, invalidated: bool = False
) -> CreditBlock:
    """Return units of a batch as the rules see them; the batch's key is its primary key."""
    return CreditBlock(
        batch=f"{batch.pk:012d}",
        registry=batch.registry.code,
        programme=batch.programme.code,
        instrument_type=batch.programme.instrument_type,
        vintage=batch.vintage_year,
        serials=serials,
        adjustment_done=adjusted,
        is_invalidated=invalidated,
    )


def _taken_back(line: RetirementLine) -> QuerySet[SerialRange]:
    return SerialRange.objects.filter(
        batch_id=line.batch_id, serials__overlap=line.serials, state=UnitState.INVALIDATED
    )


def adjusted_batches(batch_ids: Iterable[int]) -> set[int]:
    """Return which of the batches have a corresponding adjustment on record."""
    rows = CorrespondingAdjustment.objects.filter(batch_id__in=set(batch_ids))
    return set(rows.values_list("batch_id", flat=True))
