"""Collects what a month's statement is computed from: metered periods, PUE, certificates."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, islice
from typing import Any, NamedTuple, cast

from django.db.models import QuerySet

from marketplace.domain.periods import Period, month_window
from marketplace.models import Organisation, ResourcePool
from orders.models import Order
from settlement.domain.carbon.matching import SlotLength, cut_at_hours
from settlement.domain.carbon.monthly import DeliveryInputs, GreenSupply, Interval
from settlement.models import (
    DeliveryState,
    MeterReading,
    RatedLine,
    RatedPeriod,
    StatementSubject,
)
from settlement.services.carbon.embodied import known_embodied
from settlement.services.carbon.inputs import PinnedFactors, StatementInputs
from settlement.services.carbon.pue import PueSeries


@dataclass(frozen=True)
class SubjectKey:
    """Whose month is stated: a buyer, one of its orders, or a supplier's data centre."""

    kind: StatementSubject
    organisation: Organisation
    order: Order | None = None
    pool: ResourcePool | None = None

    @classmethod
    def of_buyer(cls, organisation: Organisation) -> "SubjectKey":
        """Return a buyer as a subject."""
        return cls(StatementSubject.BUYER, organisation)

    @classmethod
    def of_order(cls, order: Order) -> "SubjectKey":
        """Return a buyer's order as a subject."""
        return cls(StatementSubject.ORDER, order.organisation, order=order)

    @classmethod
    def of_pool(cls, pool: ResourcePool) -> "SubjectKey":
        """Return a supplier's data centre as a subject."""
        return cls(StatementSubject.POOL, pool.organisation, pool=pool)

    def names(self) -> dict[str, str]:
        """Return the subject's public names, for the inputs."""
        named = {
            "kind": self.kind.value,
            "organisation": self.organisation.name_zh,
            "credit_code": self.organisation.credit_code,
        }
        if self.order is not None:
            named["order"] = str(self.order.public_id)
        if self.pool is not None:
            named["pool"] = self.pool.identifier
        return named


class _Row(NamedTuple):
    delivery_id: int
    key: str
    pool_id: int
    hub_id: int
    hub: str
    province: str
    watts: Decimal
    declared_pue: Decimal
    hardware: str | None
    starts_at: datetime
    ends_at: datetime
    units: Decimal


def gather_inputs(
    subject: SubjectKey, *, month: date, factors: PinnedFactors
) -> StatementInputs | None:
    """Return the inputs of a subject's month, or nothing when it took or gave no compute.

    The green energy is added by `certificates.add_green`.
    """
    window = month_window(month)
    lines = _newest_lines(subject, window)
    groups = [
        (key, list(rows))
        for key, rows in groupby(
            _rows(list(lines.values()), window), key=lambda row: row.delivery_id
        )
    ]
    if not groups:
        return None
    firsts = [rows[0] for _, rows in groups]
    series = PueSeries(
        pools={row.pool_id for row in firsts},
        hubs={row.hub_id for row in firsts},
        starts_at=window.starts_at,
        ends_at=window.ends_at,
    )
    metered = _metered_energy(list(lines), window)
    deliveries = [
        _delivery(rows, metered.get(key, ()), series=series, factors=factors)
        for key, rows in groups
    ]
    return StatementInputs(
        subject=subject.names(),
        month=month,
        factors=factors,
        deliveries=deliveries,
        delivery_ids=[row.delivery_id for row in firsts],
        hub_ids=[row.hub_id for row in firsts],
        certificates=(),
        green=GreenSupply(SlotLength.MONTH),
        embodied=known_embodied(delivery.hardware for delivery in deliveries),
    )


def subject_filter(subject: SubjectKey, prefix: str) -> dict[str, Any]:
    """Return the conditions on deliveries reached by a prefix."""
    if subject.order is not None:
        return {f"{prefix}allocation__buy_order": subject.order}
    if subject.pool is not None:
        return {f"{prefix}allocation__listing__pool": subject.pool}
    return {f"{prefix}allocation__buyer": subject.organisation}


def _newest_lines(subject: SubjectKey, window: Period) -> dict[int, int]:
    """Return the newest rated line of each settled delivery of the subject, by delivery."""
    lines = (
        RatedLine.objects.filter(
            delivery__state=DeliveryState.SETTLED,
            delivery__starts_at__lt=window.ends_at,
            delivery__ends_at__gt=window.starts_at,
            **subject_filter(subject, "delivery__"),
        )
        .order_by("delivery_id", "-pk")
        .distinct("delivery_id")
    )
    return dict(lines.values_list("delivery_id", "pk"))


def _rows(lines: Sequence[int], window: Period) -> Iterator[_Row]:
    """Yield the periods of rated lines that start in the month."""
    rows = (
        RatedPeriod.objects.filter(
            line__in=lines,
            allocation_period__starts_at__gte=window.starts_at,
            allocation_period__starts_at__lt=window.ends_at,
        )
        .order_by("line__delivery_id", "allocation_period__starts_at")
        .values_list(
            "line__delivery_id",
            "line__delivery__public_id",
            "line__delivery__allocation__listing__pool_id",
            "line__delivery__allocation__listing__pool__hub_id",
            "line__delivery__allocation__listing__pool__hub__code",
            "line__delivery__allocation__listing__pool__hub__grid_province",
            "line__delivery__allocation__listing__pool__power_w_per_unit",
            "line__delivery__allocation__listing__pool__pue",
            "line__delivery__allocation__listing__pool__hardware__name",
            "allocation_period__starts_at",
            "allocation_period__ends_at",
            "metered",
            "billed",
        )
    )
    values = cast(Iterable[Any], rows.iterator(chunk_size=5000))
    for row in values:
        # What was not read counts as contracted, the same as on the bill.
        units = row[-1] if row[-2] is None else row[-2]
        facts: tuple[Any, ...] = (row[0], str(row[1]), *row[2:-2], units)
        yield _Row(*facts)


def _metered_energy(
    deliveries: Sequence[int], window: Period
) -> dict[int, Sequence[tuple[int, int, int]]]:
    """Return start, end and energy of the newest readings that carry energy, by delivery."""
    rows: QuerySet[MeterReading] = MeterReading.objects.filter(
        delivery__in=deliveries, starts_at__lt=window.ends_at, ends_at__gt=window.starts_at
    )
    newest = (
        rows.order_by("delivery_id", "starts_at", "ends_at", "-revision")
        .distinct("delivery_id", "starts_at", "ends_at")
        .values_list("delivery_id", "starts_at", "ends_at", "energy_wh")
    )
    found: dict[int, list[tuple[int, int, int]]] = {}
    for delivery_id, starts_at, ends_at, energy_wh in newest:
        if energy_wh is not None:
            span = (int(starts_at.timestamp()), int(ends_at.timestamp()), energy_wh)
            found.setdefault(delivery_id, []).append(span)
    return dict(found)


def _delivery(
    rows: Sequence[_Row],
    metered: Sequence[tuple[int, int, int]],
    *,
    series: PueSeries,
    factors: PinnedFactors,
) -> DeliveryInputs:
    first = rows[0]
    declared = int(first.declared_pue.scaleb(4))
    intervals: list[Interval] = []
    for row in rows:
        units = int(row.units.scaleb(3))
        for start, end in cut_at_hours(row.starts_at, row.ends_at):
            pue = series.pue_e4(pool_id=first.pool_id, hub_id=first.hub_id, at=start)
            intervals.append(
                (start, end - start, units, energy_between(metered, start, end), pue or declared)
            )
    return DeliveryInputs(
        key=first.key,
        hub=first.hub,
        province=first.province,
        factor_e4=factors.location_e4(first.province),
        centiwatts=int(first.watts.scaleb(2)),
        intervals=intervals,
        hardware="".join(known_embodied([first.hardware])),
    )


def energy_between(readings: Sequence[tuple[int, int, int]], start: int, end: int) -> int | None:
    """Return metered watt-hours between two instants, or nothing unless readings cover them all.

    Readings are in order and do not overlap. One is spread evenly over its time; pieces are
    differences of rounded running sums, so the pieces of a reading add up to it.
    """
    if not readings:
        return None
    covered, total = 0, 0
    first = max(0, bisect_right(readings, start, key=lambda reading: reading[0]) - 1)
    for begins, ends, energy_wh in islice(readings, first, None):
        lower, upper = max(begins, start), min(ends, end)
        if begins >= end:
            break
        if lower >= upper:
            continue
        covered += upper - lower
        length = ends - begins
        total += _until(energy_wh, upper - begins, length) - _until(
            energy_wh, lower - begins, length
        )
    return total if covered == end - start else None


def _until(energy_wh: int, seconds: int, length: int) -> int:
    return (2 * energy_wh * seconds + length) // (2 * length)
