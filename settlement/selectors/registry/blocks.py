"""Free units of a member in the order in which they are used (R15)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from marketplace.models import Organisation
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import Registry, SerialRange, UnitState


@dataclass(frozen=True)
class AvailableBlock:
    """Free units of one batch.

    Attributes:
        block: the serials.
        registry: code of the registry.
        programme: code of the programme.
        instrument_type: such as `reduction`.
        vintage_year: year of production or reduction.
        starts_on: first day of the batch's period.
        expires_on: last valid day, of certificates.
    """

    block: UnitBlock
    registry: str
    programme: str
    instrument_type: str
    vintage_year: int
    starts_on: date
    expires_on: date | None


def available_blocks(
    organisation: Organisation,
    instrument_type: str | None = None,
    registry: Registry | str | None = None,
    vintages: Collection[int] | None = None,
) -> list[AvailableBlock]:
    """Return held units by vintage, period and serial; every filter may be left out.

    Args:
        organisation: the holder.
        instrument_type: one type only.
        registry: one registry only, or its code.
        vintages: vintage years that will do, such as a range.
    """
    rows = SerialRange.objects.filter(organisation=organisation, state=UnitState.HELD)
    if instrument_type is not None:
        rows = rows.filter(batch__programme__instrument_type=instrument_type)
    if isinstance(registry, Registry):
        rows = rows.filter(batch__registry=registry)
    elif registry is not None:
        rows = rows.filter(batch__registry__code=registry)
    if vintages is not None:
        rows = rows.filter(batch__vintage_year__in=list(vintages))
    ordered = rows.select_related("batch__registry", "batch__programme").order_by(
        "batch__vintage_year", "batch__starts_on", "batch_id", "serials"
    )
    return [_available(row) for row in ordered]


def _available(row: SerialRange) -> AvailableBlock:
    batch = row.batch
    return AvailableBlock(
        block=UnitBlock(row.batch_id, row.first_serial, row.last_serial),
        registry=batch.registry.code,
        programme=batch.programme.code,
        instrument_type=batch.programme.instrument_type,
        vintage_year=batch.vintage_year,
        starts_on=batch.starts_on,
        expires_on=batch.expires_on,
    )
