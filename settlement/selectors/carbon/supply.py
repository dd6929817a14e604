"""Hourly green supply of data centres: sources, newest hours, references."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, QuerySet

from marketplace.models import ResourcePool
from marketplace.permissions import Actor
from settlement.domain.carbon.supply import HourSupply, SourceHour, SupplyKind, net_supply
from settlement.models import (
    GranularSlice,
    GreenReference,
    GreenSource,
    ReferenceKind,
    SupplyReading,
)
from settlement.selectors.carbon.statements import reads_all


@dataclass(frozen=True)
class StatedShare:
    """A share with the source that states it; zero without one."""

    share: Decimal
    source: str = ""
    note: str = ""
    valid_from: date = date.min


NOT_STATED = StatedShare(Decimal(0))


def sources_for(actor: Actor) -> QuerySet[GreenSource]:
    """Return the sources that an actor may see: all of them, or those of the own data centres."""
    rows = GreenSource.objects.select_related("pool__hub", "pool__organisation")
    if not reads_all(actor):
        if not actor.can_sell:
            return rows.none()
        rows = rows.filter(pool__organisation=actor.organisation)
    return rows.order_by("pool__identifier", "code")


def metered_supply(
    *, pool: ResourcePool, starts_at: datetime, ends_at: datetime
) -> list[HourSupply]:
    """Return the metered supply of a data centre by the hour, net of storage."""
    found = source_hours(
        pools=[pool.pk], starts_at=starts_at, ends_at=ends_at, readings=[SupplyReading.METERED]
    )
    return net_supply(found.get(pool.pk, ()))


def expected_supply(
    *, pools: Collection[int], starts_at: datetime, ends_at: datetime
) -> dict[int, list[HourSupply]]:
    """Return the supply of data centres by the hour: metered where it is, forecast elsewhere."""
    found = source_hours(
        pools=pools, starts_at=starts_at, ends_at=ends_at, readings=list(SupplyReading)
    )
    return {pool_id: net_supply(rows) for pool_id, rows in found.items()}


def source_hours(
    *,
    pools: Collection[int],
    starts_at: datetime,
    ends_at: datetime,
    readings: Collection[str],
) -> dict[int, list[SourceHour]]:
    """Return the newest revision of every source and hour by data centre; what is metered wins."""
    rows = (
        GranularSlice.objects.filter(
            batch__isnull=True,
            source__pool__in=pools,
            starts_at__gte=starts_at,
            starts_at__lt=ends_at,
            reading__in=readings,
        )
        # "metered" sorts after "forecast".
        .order_by("source_id", "starts_at", "-reading", "-revision")
        .distinct("source_id", "starts_at")
        .values_list(
            *("source__pool_id", "source__code", "source__kind", "starts_at"),
            *("energy_wh", "charge_wh"),
        )
    )
    found: dict[int, list[SourceHour]] = {}
    for pool_id, code, kind, at, energy_wh, charge_wh in rows:
        hour = SourceHour(code, SupplyKind(kind), int(at.timestamp()), energy_wh, charge_wh)
        found.setdefault(pool_id, []).append(hour)
    return found


class StatedShares:
    """Shares stated of the grids of some provinces and of the target, read at once."""

    def __init__(self, areas: Collection[str]) -> None:
        rows = GreenReference.objects.filter(
            Q(kind=ReferenceKind.GRID, area_en__in=areas) | Q(kind=ReferenceKind.TARGET, area_en="")
        )
        self._by_area: dict[tuple[str, str], list[StatedShare]] = {}
        for row in rows.order_by("-valid_from"):
            share = StatedShare(row.share, row.source, row.note, row.valid_from)
            self._by_area.setdefault((row.kind, row.area_en), []).append(share)

    def grid(self, area: str, *, on: date) -> StatedShare:
        """Return the newest share of a province's grid on a day, or zero without a source.

        A province without a row has none: the nation's figure does not stand in for it.
        """
        return self._newest(ReferenceKind.GRID, area, on)

    def target(self, *, on: date) -> StatedShare:
        """Return the newest target on a day, or zero without a source."""
        return self._newest(ReferenceKind.TARGET, "", on)

    def _newest(self, kind: str, area: str, on: date) -> StatedShare:
        rows = self._by_area.get((kind, area), [])
        return next((row for row in rows if row.valid_from <= on), NOT_STATED)
