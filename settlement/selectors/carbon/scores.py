"""Green shares of data centres, hubs and suppliers: by the hour, by volume, against the target.

All figures are sums over the current statements of data centres, so that they tie to them; supply
that was corrected after a statement shows only once the month is stated again.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, F, QuerySet, Sum

from marketplace.domain.decimals import add_exactly
from marketplace.domain.periods import MARKET_TIME_ZONE, month_window
from marketplace.models import Hub, Organisation, ResourcePool
from settlement.domain.carbon.supply import (
    HourSupply,
    ShareGap,
    energy_from_grid,
    gap_to_target,
    score_with_grid,
    volume_share,
)
from settlement.models import (
    EmissionStatement,
    GranularSlice,
    GreenSource,
    StatementSubject,
    SupplyReading,
)
from settlement.selectors.carbon.statements import load_by_hour
from settlement.selectors.carbon.supply import (
    NOT_STATED,
    StatedShare,
    StatedShares,
    metered_supply,
)

# As in the public book: figures of fewer members would tell what one of them does.
FEWEST_SUPPLIERS = 3
_SUMS = ("facility_wh", "matched_wh", "own_wh", "direct_wh", "hourly_wh", "supply_wh")


@dataclass(frozen=True)
class GreenFigures:
    """What statements of data centres say together, watt-hours.

    Attributes:
        facility_wh: facility energy.
        matched_wh: covered by own supply, direct supply or certificates.
        own_wh: by own generation and storage.
        direct_wh: by direct supply.
        hourly_wh: by supply of the same hour, contracts included.
        supply_wh: all supply of the hours.
        from_grid_wh: carbon-free energy from the grid, each month and province by its own share.
        grid: the grid's stated share; None of several months or provinces, which have no one share.
        target: the target of the year.
        suppliers: whose data centres these are; over several months the fewest of a month.
    """

    facility_wh: int = 0
    matched_wh: int = 0
    own_wh: int = 0
    direct_wh: int = 0
    hourly_wh: int = 0
    supply_wh: int = 0
    from_grid_wh: Decimal = Decimal(0)
    grid: StatedShare | None = NOT_STATED
    target: StatedShare = NOT_STATED
    suppliers: int = 0

    @classmethod
    def together(cls, rows: Iterable["GreenFigures"]) -> "GreenFigures":
        """Return the sum of figures that are held against one target."""
        found = list(rows)
        if not found:
            return cls()
        sums = {name: sum(getattr(row, name) for row in found) for name in _SUMS}
        grids = {row.grid for row in found}
        return cls(
            **sums,
            from_grid_wh=add_exactly([row.from_grid_wh for row in found]),
            grid=grids.pop() if len(grids) == 1 else None,
            target=found[0].target,
            suppliers=min(row.suppliers for row in found),
        )

    @property
    def may_show_energy(self) -> bool:
        """Whether everybody may see energy, not shares alone, without seeing one supplier's."""
        return self.suppliers >= FEWEST_SUPPLIERS

    @property
    def certified_wh(self) -> int:
        """Covered by retired certificates."""
        return self.matched_wh - self.own_wh - self.direct_wh

    @property
    def facility_kwh(self) -> Decimal:
        """The energy in kWh."""
        return Decimal(self.facility_wh) / 1000

    @property
    def score(self) -> Decimal | None:
        """The 24/7 score."""
        return score_with_grid(self.facility_wh, self.hourly_wh, self.from_grid_wh)

    @property
    def grid_share(self) -> Decimal | None:
        """The share that the score counts of the grid; nothing where there is no one share."""
        return None if self.grid is None else self.grid.share

    @property
    def grid_source(self) -> str:
        """Who states it; empty where nobody does or there is no one share."""
        return "" if self.grid is None else self.grid.source

    @property
    def volume(self) -> Decimal | None:
        """The share when the hour plays no part."""
        return volume_share(self.facility_wh, self.supply_wh)

    @property
    def gap(self) -> ShareGap:
        """How far the green share is from the target."""
        return gap_to_target(self.facility_wh, self.matched_wh, target=self.target.share)


@dataclass(frozen=True)
class PoolFigures:
    """A data centre with its month and its year to date."""

    pool: ResourcePool
    month: GreenFigures
    year: GreenFigures


@dataclass(frozen=True)
class HubFigures:
    """A hub with its month and its year to date, over all data centres there."""

    hub: Hub
    month: GreenFigures
    year: GreenFigures


@dataclass(frozen=True)
class HourOfPool:
    """Load and supply of a data centre in one hour, watt-hours."""

    starts_at: datetime
    load_wh: int
    own_wh: int
    direct_wh: int
    contract_wh: int

    @property
    def supply_wh(self) -> int:
        """All supply of the hour."""
        return self.own_wh + self.direct_wh + self.contract_wh

    @property
    def covered_wh(self) -> int:
        """Load that supply of the same hour covers."""
        return min(self.load_wh, self.supply_wh)


@dataclass(frozen=True)
class PoolMonth:
    """The hours of a data centre's month, and what is missing of them.

    Attributes:
        statement: the current statement they were read from; None when there is none.
        hours: those with load or supply, in order.
        is_stale: whether supply was recorded or corrected after the statement.
        unmetered: hours with load in which a source has nothing metered, by its code.
    """

    statement: EmissionStatement | None
    hours: list[HourOfPool]
    is_stale: bool
    unmetered: dict[str, int]


def latest_month(
    organisation: Organisation | None = None, *, pool: ResourcePool | None = None
) -> date | None:
    """Return the newest month that a data centre's statement states."""
    rows = _statements()
    if pool is not None:
        rows = rows.filter(pool=pool)
    if organisation is not None:
        rows = rows.filter(organisation=organisation)
    return rows.order_by("-month").values_list("month", flat=True).first()


def pool_figures(
    *, month: date, organisation: Organisation | None = None, hub: Hub | None = None
) -> list[PoolFigures]:
    """Return the stated data centres of a year up to a month, by identifier."""
    rows = _statements()
    if organisation is not None:
        rows = rows.filter(organisation=organisation)
    if hub is not None:
        rows = rows.filter(pool__hub=hub)
    found = _figures(rows, "pool_id", month)
    pools = ResourcePool.objects.filter(pk__in=found).select_related("hub", "organisation")
    return [PoolFigures(pool, *found[pool.pk]) for pool in pools.order_by("identifier")]


def hub_figures(month: date) -> list[HubFigures]:
    """Return the hubs with stated data centres of a year up to a month, by code."""
    found = _figures(_statements(), "pool__hub_id", month)
    hubs = Hub.objects.filter(pk__in=found).order_by("code")
    return [HubFigures(hub, *found[hub.pk]) for hub in hubs]


def supplier_figures(pools: Iterable[PoolFigures]) -> GreenFigures:
    """Return the month of a supplier's data centres together.

    Each data centre counts with the grid share of its own province.
    """
    return GreenFigures.together(row.month for row in pools)


def pool_month(pool: ResourcePool, month: date) -> PoolMonth:
    """Return load and supply of a data centre by the hour as its statement read them.

    Without a statement only the supply is known.
    """
    window = month_window(month)
    metered = metered_supply(pool=pool, starts_at=window.starts_at, ends_at=window.ends_at)
    statement = _statements().filter(pool=pool, month=month).first()
    if statement is None:
        return PoolMonth(None, _hours({}, metered), is_stale=False, unmetered={})
    stated = json.loads(statement.inputs)["matching"].get("on_site", [])
    supply = [HourSupply(*row) for row in stated]
    load = load_by_hour(statement)
    return PoolMonth(
        statement=statement,
        hours=_hours(load, supply),
        is_stale=supply != metered,
        unmetered=_unmetered(pool, load),
    )


def _statements() -> QuerySet[EmissionStatement]:
    return EmissionStatement.objects.filter(
        superseded_by__isnull=True, subject=StatementSubject.POOL
    )


def _figures(
    statements: QuerySet[EmissionStatement], key: str, month: date
) -> dict[int, tuple[GreenFigures, GreenFigures]]:
    """Return month and year to date by data centre or hub.

    Every month of the year counts with the share that was stated of its grid then; the target is
    that of the month asked for.
    """
    rows = (
        statements.filter(month__gte=month.replace(month=1), month__lte=month)
        .values(key, "month", area=F("pool__hub__grid_province"))
        .annotate(
            suppliers=Count("organisation_id", distinct=True),
            **{f"sum_{name}": Sum(name) for name in _SUMS},
        )
        .order_by()
    )
    found = list(rows)
    shares = StatedShares({row["area"] for row in found})
    target = shares.target(on=_last_day(month))
    months: dict[int, dict[date, GreenFigures]] = {}
    for row in found:
        grid = shares.grid(row["area"], on=_last_day(row["month"]))
        sums = {name: int(row[f"sum_{name}"]) for name in _SUMS}
        from_grid = energy_from_grid(sums["facility_wh"], sums["hourly_wh"], grid.share)
        figures = GreenFigures(
            **sums,
            from_grid_wh=from_grid,
            grid=grid,
            target=target,
            suppliers=row["suppliers"],
        )
        months.setdefault(row[key], {})[row["month"]] = figures
    nothing = {
        row[key]: GreenFigures(grid=shares.grid(row["area"], on=_last_day(month)), target=target)
        for row in found
    }
    return {
        pk: (
            by_month.get(month, nothing[pk]),
            replace(GreenFigures.together(by_month.values()), grid=None),
        )
        for pk, by_month in months.items()
    }


def _last_day(month: date) -> date:
    """Return the last day of a month, so that a share stated in the month counts for it."""
    return (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _hours(load: dict[int, int], supply: Iterable[HourSupply]) -> list[HourOfPool]:
    by_hour = {row.hour: row for row in supply}
    found = []
    for hour in sorted({*load, *by_hour}):
        row = by_hour.get(hour, HourSupply(hour))
        at = datetime.fromtimestamp(hour, UTC).astimezone(MARKET_TIME_ZONE)
        wh = (load.get(hour, 0), row.own_wh, row.direct_wh, row.contract_wh)
        found.append(HourOfPool(at, *wh))
    return found


def _unmetered(pool: ResourcePool, load: dict[int, int]) -> dict[str, int]:
    """Return how many hours with load each source has nothing metered in, if any."""
    found = {}
    hours = {datetime.fromtimestamp(hour, UTC) for hour in load}
    metered: dict[int, set[datetime]] = {}
    rows = GranularSlice.objects.filter(
        batch__isnull=True,
        source__pool=pool,
        reading=SupplyReading.METERED,
        starts_at__in=hours,
    )
    for source_id, at in rows.values_list("source_id", "starts_at"):
        metered.setdefault(source_id, set()).add(at)
    for source in GreenSource.objects.filter(pool=pool).order_by("code"):
        wanted = {at for at in hours if _covers(source, at)}
        missing = len(wanted - metered.get(source.pk, set()))
        if missing:
            found[source.code] = missing
    return found


def _covers(source: GreenSource, at: datetime) -> bool:
    day = at.astimezone(MARKET_TIME_ZONE).date()
    return source.valid_from <= day and (source.valid_to is None or day <= source.valid_to)
