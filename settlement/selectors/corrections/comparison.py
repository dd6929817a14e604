"""A settlement run against the sequences before it: what changed, where, and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from settlement.models import (
    Adjustment,
    Delivery,
    MeterReading,
    RatedLine,
    RatedPeriod,
    SettlementRun,
    SlaPenalty,
)

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Amounts:
    """What a delivery comes to, CNY before tax, and its unit-hours billed."""

    billed_unit_hours: Decimal = _ZERO
    buyer_net_cny: Decimal = _ZERO
    seller_net_cny: Decimal = _ZERO
    penalty_cny: Decimal = _ZERO
    buyer_adjustment_cny: Decimal = _ZERO
    seller_adjustment_cny: Decimal = _ZERO


@dataclass(frozen=True)
class PeriodChange:
    """A period that a run found otherwise: units before and after, None where none were read."""

    starts_at: datetime
    ends_at: datetime
    sold: Decimal
    metered_before: Decimal | None
    metered_after: Decimal | None
    billed_before: Decimal
    billed_after: Decimal


@dataclass(frozen=True)
class DeliveryChange:
    """A delivery of a run: before, difference, periods, and what caused it.

    Attributes:
        delivery: the delivery, with its allocation.
        before: what all sequences before came to.
        difference: what this run added.
        periods: the periods found otherwise; none in the first sequence.
        readings: late readings that this run was the first to know.
        adjustments: what was ordered by decision.
        penalty: the arithmetic of the penalty, if there is one.
    """

    delivery: Delivery
    before: Amounts
    difference: Amounts
    periods: tuple[PeriodChange, ...] = ()
    readings: tuple[MeterReading, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    penalty: SlaPenalty | None = None

    @property
    def after(self) -> Amounts:
        """Return what all sequences up to this one come to."""
        names = Amounts.__dataclass_fields__
        return Amounts(**{n: getattr(self.before, n) + getattr(self.difference, n) for n in names})


@dataclass
class _Found:
    """Rows around a run, by delivery."""

    before: dict[int, Amounts] = field(default_factory=dict)
    periods: dict[int, list[PeriodChange]] = field(default_factory=dict)
    readings: dict[int, list[MeterReading]] = field(default_factory=dict)
    adjustments: dict[int, list[Adjustment]] = field(default_factory=dict)
    penalties: dict[int, SlaPenalty] = field(default_factory=dict)


def lines_of_run(run: SettlementRun) -> QuerySet[RatedLine]:
    """Return the rated lines of a run with their parties, in the order of confirmations."""
    lines = RatedLine.objects.filter(run=run).select_related(
        "delivery__allocation__buyer",
        "delivery__allocation__seller",
        "delivery__allocation__product",
    )
    return lines.order_by("id")


def compare_lines(run: SettlementRun, lines: Sequence[RatedLine]) -> list[DeliveryChange]:
    """Return what a run changed of some of its lines, in a fixed number of queries."""
    keys = [line.delivery_id for line in lines]
    found = _around(run, keys)
    return [_change(line, found) for line in lines]


def _change(line: RatedLine, found: _Found) -> DeliveryChange:
    key = line.delivery_id
    penalty = found.penalties.get(key)
    adjustments = found.adjustments.get(key, [])
    return DeliveryChange(
        delivery=line.delivery,
        before=found.before.get(key, Amounts()),
        difference=Amounts(
            billed_unit_hours=line.billed_unit_hours,
            buyer_net_cny=line.buyer_net_cny,
            seller_net_cny=line.seller_net_cny,
            penalty_cny=penalty.posted_cny if penalty else _ZERO,
            buyer_adjustment_cny=sum((a.buyer_net_cny for a in adjustments), _ZERO),
            seller_adjustment_cny=sum((a.seller_net_cny for a in adjustments), _ZERO),
        ),
        periods=tuple(found.periods.get(key, [])),
        readings=tuple(found.readings.get(key, [])),
        adjustments=tuple(adjustments),
        penalty=penalty,
    )


def _around(run: SettlementRun, keys: Collection[int]) -> _Found:
    found = _Found()
    for adjustment in Adjustment.objects.filter(run=run, delivery__in=keys).order_by("pk"):
        found.adjustments.setdefault(adjustment.delivery_id, []).append(adjustment)
    for penalty in SlaPenalty.objects.filter(run=run, delivery__in=keys).select_related("terms"):
        found.penalties[penalty.delivery_id] = penalty
    earlier = SettlementRun.objects.filter(auction=run.auction_id, sequence__lt=run.sequence)
    last = earlier.order_by("sequence").last()
    if last is None:
        return found
    found.before = _before(earlier, keys)
    for reading in _new_readings(run, last, keys):
        found.readings.setdefault(reading.delivery_id, []).append(reading)
    for key, change in _changed_periods(run, keys):
        found.periods.setdefault(key, []).append(change)
    return found


def _before(earlier: QuerySet[SettlementRun], keys: Collection[int]) -> dict[int, Amounts]:
    names = ("billed_unit_hours", "buyer_net_cny", "seller_net_cny")
    lines = RatedLine.objects.filter(run__in=earlier, delivery__in=keys).order_by()
    sums = lines.values("delivery_id").annotate(**{f"s_{name}": Sum(name) for name in names})
    penalties = dict(
        SlaPenalty.objects.filter(run__in=earlier, delivery__in=keys)
        .order_by()
        .values_list("delivery_id")
        .annotate(total=Sum("posted_cny"))
    )
    ordered = {
        row["delivery_id"]: row
        for row in Adjustment.objects.filter(run__in=earlier, delivery__in=keys)
        .order_by()
        .values("delivery_id")
        .annotate(buyer=Sum("buyer_net_cny"), seller=Sum("seller_net_cny"))
    }
    nothing = {"buyer": _ZERO, "seller": _ZERO}
    return {
        row["delivery_id"]: Amounts(
            **{name: row[f"s_{name}"] for name in names},
            penalty_cny=penalties.get(row["delivery_id"], _ZERO),
            buyer_adjustment_cny=ordered.get(row["delivery_id"], nothing)["buyer"],
            seller_adjustment_cny=ordered.get(row["delivery_id"], nothing)["seller"],
        )
        for row in sums
    }


def _new_readings(
    run: SettlementRun, last: SettlementRun, keys: Collection[int]
) -> QuerySet[MeterReading]:
    readings = MeterReading.objects.filter(
        delivery__in=keys,
        is_late=True,
        pk__gt=last.last_reading_id or 0,
        pk__lte=run.last_reading_id or 0,
    )
    return readings.select_related("recorded_by").order_by("starts_at", "revision")


def _changed_periods(run: SettlementRun, keys: Collection[int]) -> list[tuple[int, PeriodChange]]:
    now = RatedPeriod.objects.filter(line__run=run, line__delivery__in=keys)
    rows = RatedPeriod.objects.filter(
        line__delivery__in=keys, line__run__sequence__lt=run.sequence
    ).order_by("line__delivery_id", "allocation_period_id", "-line__run__sequence")
    newest = rows.distinct("line__delivery_id", "allocation_period_id")
    before = {row.allocation_period_id: row for row in newest}
    changes = []
    for row in now.select_related("allocation_period", "line").order_by(
        "line__delivery_id", "allocation_period__starts_at"
    ):
        old = before[row.allocation_period_id]
        if (old.metered, old.billed) != (row.metered, row.billed):
            period = row.allocation_period
            change = PeriodChange(
                period.starts_at,
                period.ends_at,
                row.sold,
                old.metered,
                row.metered,
                old.billed,
                row.billed,
            )
            changes.append((row.line.delivery_id, change))
    return changes
