"""Rating the deliveries of an auction: readings × allocated prices, rounded once per delivery.

The written rule for what was not read (`docs/explanation/settlement.md`): of a failed delivery
nothing is billed; a period that had ended when access was handed over counts as zero; whatever else
no reading covers counts as contracted, and a period without any reading is marked as estimated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_quotient
from orders.models import AllocationPeriod
from settlement.domain.rating import DeliveredPeriod, FeeRates, RatedDelivery, rate_delivery
from settlement.models import (
    Delivery,
    DeliveryState,
    MeterReading,
    RatedLine,
    RatedPeriod,
    SettlementRun,
)

_QUANTITY_PLACES = 3
_BATCH = 2000


@dataclass(frozen=True)
class MeteredPeriod:
    """A period of a delivery with what the meter says.

    Attributes:
        period: the allocated period.
        metered: units found, or None when no reading covers any of it.
        deemed: units that the rating takes as delivered.
    """

    period: AllocationPeriod
    metered: Decimal | None
    deemed: Decimal

    @property
    def billed(self) -> Decimal:
        """Units billed: what was delivered, never more than was sold."""
        return min(self.deemed, self.period.quantity)


@dataclass(frozen=True)
class DeliveryRating:
    """A delivery with its periods and its rounded sums."""

    delivery: Delivery
    periods: tuple[MeteredPeriod, ...]
    sums: RatedDelivery


def rate_deliveries(deliveries: Sequence[Delivery], *, fees: FeeRates) -> list[DeliveryRating]:
    """Rate deliveries, whose rows the caller has locked, in the order given."""
    periods = _periods_of(deliveries)
    readings = _readings_of(deliveries)
    return [
        _rate(each, periods.get(each.allocation_id, []), readings.get(each.pk, []), fees)
        for each in deliveries
    ]


def store_ratings(run: SettlementRun, ratings: Sequence[DeliveryRating]) -> list[RatedLine]:
    """Write the rated lines and periods of a run and return the lines in the same order."""
    lines = RatedLine.objects.bulk_create(
        [
            RatedLine(
                run=run,
                delivery=rating.delivery,
                sold_unit_hours=rating.sums.sold_unit_hours,
                metered_unit_hours=rating.sums.metered_unit_hours,
                billed_unit_hours=rating.sums.billed_unit_hours,
                buyer_net_cny=rating.sums.buyer_net,
                seller_net_cny=rating.sums.seller_net,
                tariff_cny=rating.sums.tariff,
                congestion_rent_cny=rating.sums.congestion_rent,
            )
            for rating in ratings
        ],
        batch_size=_BATCH,
    )
    RatedPeriod.objects.bulk_create(
        [
            RatedPeriod(
                line=line,
                allocation_period=metered.period,
                sold=metered.period.quantity,
                metered=metered.metered,
                billed=metered.billed,
            )
            for line, rating in zip(lines, ratings, strict=True)
            for metered in rating.periods
        ],
        batch_size=_BATCH,
    )
    return lines


def _rate(
    delivery: Delivery,
    periods: Sequence[AllocationPeriod],
    readings: Sequence[MeterReading],
    fees: FeeRates,
) -> DeliveryRating:
    metered = tuple(_meter(delivery, period, readings) for period in periods)
    sums = rate_delivery(
        [
            DeliveredPeriod(
                sold_quantity=each.period.quantity,
                metered_quantity=each.deemed,
                buyer_price=each.period.buyer_price,
                seller_price=each.period.seller_price,
                tariff_price=each.period.tariff_price,
                period_minutes=_seconds(each.period.starts_at, each.period.ends_at) // 60,
            )
            for each in metered
        ],
        fees=fees,
    )
    return DeliveryRating(delivery, metered, sums)


def _meter(
    delivery: Delivery, period: AllocationPeriod, readings: Sequence[MeterReading]
) -> MeteredPeriod:
    if delivery.state == DeliveryState.FAILED:
        return MeteredPeriod(period, Decimal(0), Decimal(0))
    covered = [(r, _overlap_s(period, r)) for r in readings]
    covered_s = sum(seconds for _, seconds in covered)
    if not covered_s:
        missed = delivery.handed_over_at is None or period.ends_at <= delivery.handed_over_at
        return MeteredPeriod(period, None, Decimal(0) if missed else period.quantity)
    length_s = _seconds(period.starts_at, period.ends_at)
    unit_seconds = add_exactly(multiply_exactly(r.quantity, seconds) for r, seconds in covered)
    unread = multiply_exactly(period.quantity, length_s - covered_s)
    mean = round_quotient(unit_seconds + unread, length_s, _QUANTITY_PLACES)
    return MeteredPeriod(period, mean, mean)


def _overlap_s(period: AllocationPeriod, reading: MeterReading) -> int:
    starts_at = max(period.starts_at, reading.starts_at)
    ends_at = min(period.ends_at, reading.ends_at)
    return max(_seconds(starts_at, ends_at), 0)


def _seconds(starts_at: datetime, ends_at: datetime) -> int:
    return (ends_at - starts_at) // timedelta(seconds=1)


def _periods_of(deliveries: Sequence[Delivery]) -> dict[int, list[AllocationPeriod]]:
    found: dict[int, list[AllocationPeriod]] = {}
    rows = AllocationPeriod.objects.filter(allocation_id__in=[d.allocation_id for d in deliveries])
    for row in rows.order_by("allocation_id", "period"):
        found.setdefault(row.allocation_id, []).append(row)
    return found


def _readings_of(deliveries: Sequence[Delivery]) -> dict[int, list[MeterReading]]:
    """Return the newest revision of every interval, by delivery."""
    found: dict[int, list[MeterReading]] = {}
    rows = MeterReading.objects.filter(delivery__in=[d.pk for d in deliveries])
    newest = rows.order_by("delivery_id", "starts_at", "ends_at", "-revision").distinct(
        "delivery_id", "starts_at", "ends_at"
    )
    for row in newest:
        found.setdefault(row.delivery_id, []).append(row)
    return found
