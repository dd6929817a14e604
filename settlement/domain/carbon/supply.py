"""Green supply of a data centre by the hour: what its sources gave, and what of it counts.

A source is generation of its own (solar, wind), direct supply (绿电直连), a contract (PPA) or a
storage. Energy that is stored counts in the hour in which it is discharged and in no other: what
charging took is subtracted from the generation of that hour. Worked numbers:
`docs/explanation/green-supply.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_quotient, round_up
from settlement.domain.carbon.certificates import certificates_for
from settlement.domain.carbon.energy import RATIO_PLACES

SECONDS = 3600


class SupplyKind(StrEnum):
    """Where green energy comes from."""

    SOLAR = "own_solar"
    WIND = "own_wind"
    DIRECT = "direct"
    CONTRACT = "contract"
    STORAGE = "storage"


class SupplyPart(StrEnum):
    """How energy counts: own and direct by the hour, a contract by its certificates."""

    OWN = "own"
    DIRECT = "direct"
    CONTRACT = "contract"


PART_OF = {
    SupplyKind.SOLAR: SupplyPart.OWN,
    SupplyKind.WIND: SupplyPart.OWN,
    SupplyKind.STORAGE: SupplyPart.OWN,
    SupplyKind.DIRECT: SupplyPart.DIRECT,
    SupplyKind.CONTRACT: SupplyPart.CONTRACT,
}


@dataclass(frozen=True, slots=True)
class SourceHour:
    """What one source gave in one hour, whole watt-hours.

    Attributes:
        source: the caller's key of the source.
        kind: what it is.
        hour: start of the hour, seconds since 1970.
        energy_wh: generated, delivered or discharged.
        charge_wh: taken by a storage from the other sources of the data centre in the hour.
    """

    source: str
    kind: SupplyKind
    hour: int
    energy_wh: int
    charge_wh: int = 0


@dataclass(frozen=True, slots=True)
class HourSupply:
    """Green energy of a data centre in one hour after storage, whole watt-hours."""

    hour: int
    own_wh: int = 0
    direct_wh: int = 0
    contract_wh: int = 0

    @property
    def total_wh(self) -> int:
        """All of it."""
        return self.own_wh + self.direct_wh + self.contract_wh


@dataclass(frozen=True, slots=True)
class StorageFault:
    """An hour in which a storage cannot have done what was recorded.

    Attributes:
        source: its key; empty when the charging of all storages together is too much.
        hour: start of the hour.
        reason: `charge_above_generation` or `discharge_above_charge`.
    """

    source: str
    hour: int
    reason: str


def net_supply(rows: Iterable[SourceHour]) -> list[HourSupply]:
    """Return the supply of each hour: generation less charging, plus discharge, in order.

    Charging is taken from own generation first, then from direct supply, then from contracts.
    """
    sums: dict[int, dict[SupplyPart, int]] = {}
    charged: dict[int, int] = {}
    discharged: dict[int, int] = {}
    for row in rows:
        parts = sums.setdefault(row.hour, dict.fromkeys(SupplyPart, 0))
        charged[row.hour] = charged.get(row.hour, 0) + row.charge_wh
        if row.kind is SupplyKind.STORAGE:
            discharged[row.hour] = discharged.get(row.hour, 0) + row.energy_wh
        else:
            parts[PART_OF[row.kind]] += row.energy_wh
    found = []
    for hour in sorted(sums):
        parts, left = sums[hour], charged[hour]
        for part in SupplyPart:
            taken = min(left, parts[part])
            parts[part] -= taken
            left -= taken
        own = parts[SupplyPart.OWN] + discharged.get(hour, 0)
        found.append(HourSupply(hour, own, parts[SupplyPart.DIRECT], parts[SupplyPart.CONTRACT]))
    return found


def find_storage_fault(
    rows: Iterable[SourceHour], *, counts: Callable[[StorageFault], bool] = lambda _: True
) -> StorageFault | None:
    """Return the first hour in which storage would count energy twice or out of nothing.

    Charging of an hour may not exceed what the other sources gave in it, and what a storage has
    discharged until the end of an hour not what it has been charged with until then.

    Args:
        rows: hours of a data centre.
        counts: which faults matter. Hours with others are taken as they are; a storage that would
            be below zero begins again at zero.
    """
    by_hour: dict[int, list[SourceHour]] = {}
    for row in rows:
        by_hour.setdefault(row.hour, []).append(row)
    level: dict[str, int] = {}
    for hour in sorted(by_hour):
        here = by_hour[hour]
        generated = sum(row.energy_wh for row in here if row.kind is not SupplyKind.STORAGE)
        faults = []
        if sum(row.charge_wh for row in here) > generated:
            faults.append(StorageFault("", hour, "charge_above_generation"))
        for row in here:
            if row.kind is SupplyKind.STORAGE:
                left = level.get(row.source, 0) + row.charge_wh - row.energy_wh
                if left < 0:
                    faults.append(StorageFault(row.source, hour, "discharge_above_charge"))
                level[row.source] = max(0, left)
        for fault in faults:
            if counts(fault):
                return fault
    return None


@dataclass(frozen=True, slots=True)
class OnSiteMatch:
    """Load of many hours against the supply of the same hours; nothing is lent between hours.

    Attributes:
        own_wh: load covered by own generation and storage.
        direct_wh: load covered by direct supply.
        hourly_wh: load covered when contracts count by the hour as well.
        supply_wh: all supply.
        unused_wh: own and direct energy beyond the load of its hour.
        left_by_hour: load that own and direct supply leave, of hours that have supply.
    """

    own_wh: int
    direct_wh: int
    hourly_wh: int
    supply_wh: int
    unused_wh: int
    left_by_hour: Mapping[int, int]


def match_on_site(load: Mapping[int, int], supply: Iterable[HourSupply]) -> OnSiteMatch:
    """Match own generation, then direct supply with the load of their hour (R4)."""
    own = direct = hourly = total = unused = 0
    left: dict[int, int] = {}
    for row in supply:
        here = load.get(row.hour, 0)
        by_own = min(here, row.own_wh)
        by_direct = min(here - by_own, row.direct_wh)
        own += by_own
        direct += by_direct
        hourly += min(here, row.total_wh)
        total += row.total_wh
        unused += row.own_wh + row.direct_wh - by_own - by_direct
        left[row.hour] = here - by_own - by_direct
    return OnSiteMatch(own, direct, hourly, total, unused, left)


def energy_from_grid(load_wh: int, hourly_wh: int, grid_share: Decimal) -> Decimal:
    """Return the carbon-free energy, exact, in what a grid gave of a load.

    Args:
        load_wh: facility energy of all hours.
        hourly_wh: what supply of the same hour covered of it.
        grid_share: carbon-free share of the grid, 0 to 1; 0 where no source states one.
    """
    return multiply_exactly(load_wh - hourly_wh, grid_share)


def score_with_grid(load_wh: int, hourly_wh: int, from_grid_wh: Decimal) -> Decimal | None:
    """Return the 24/7 score (R6) of hours whose grids had different shares, 4 decimals.

    Args:
        load_wh: facility energy of all hours.
        hourly_wh: what supply of the same hour covered of it.
        from_grid_wh: carbon-free energy from the grid, each month and province with its own share.
    """
    if not load_wh:
        return None
    free = add_exactly([Decimal(hourly_wh), from_grid_wh])
    return round_quotient(free, load_wh, RATIO_PLACES)


def volume_share(load_wh: int, supply_wh: int) -> Decimal | None:
    """Return the share when the hour plays no part: supply up to the load of the whole span."""
    if not load_wh:
        return None
    return round_quotient(Decimal(min(load_wh, supply_wh)), load_wh, RATIO_PLACES)


@dataclass(frozen=True, slots=True)
class ShareGap:
    """What lacks towards a target share of green energy.

    Attributes:
        share: green per facility energy, 4 decimals; nothing without load.
        target_wh: the target in watt-hours, rounded up.
        gap_wh: what lacks; 0 when the target is met.
        certificates: whole certificates that would close the gap.
    """

    share: Decimal | None
    target_wh: int
    gap_wh: int
    certificates: int


def gap_to_target(load_wh: int, green_wh: int, *, target: Decimal) -> ShareGap:
    """Return how far green energy is from a target share of the load."""
    wanted = int(round_up(multiply_exactly(load_wh, target), 0))
    gap = max(0, wanted - green_wh)
    share = round_quotient(Decimal(green_wh), load_wh, RATIO_PLACES) if load_wh else None
    return ShareGap(share, wanted, gap, certificates_for(gap))
