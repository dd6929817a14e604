"""Rating the deliveries of an auction: readings × allocated prices, rounded once per delivery.

The written rule for what was not read (`docs/explanation/settlement.md`): of a failed delivery
nothing is billed; a period that had ended when access was handed over counts as zero; whatever else
no reading covers counts as contracted, and a period without any reading is marked as estimated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_quotient
from orders.models import AllocationPeriod
from settlement.domain.rating import DeliveredPeriod, FeeRates, RatedDelivery, rate_delivery
from settlement.models import (
    Delivery,
    DeliveryState,
    MeterReading,
    RatedLine,
    SettlementRun,
)

_QUANTITY_PLACES = 3
_BATCH = 2000
# One statement for all periods of a day: a row object for each would take longer than the rating.
_STORE_PERIODS = """
INSERT INTO settlement_ratedperiod (line_id, allocation_period_id, sold, metered, billed)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[])
"""


@dataclass(frozen=True, slots=True)
class SoldPeriod:
    """An allocated period: units, and prices per unit and hour before tax."""

    pk: int
    starts_at: datetime
    ends_at: datetime
    quantity: Decimal
    buyer_price: Decimal
    seller_price: Decimal
    tariff_price: Decimal


# Units by interval, the newest revision of each.
Readings = Mapping[tuple[datetime, datetime], Decimal]


@dataclass(frozen=True, slots=True)
class MeteredPeriod:
    """A period of a delivery with what the meter says.

    Attributes:
        period: the allocated period.
        metered: units found, or None when no reading covers any of it.
        deemed: units that the rating takes as delivered.
    """

    period: SoldPeriod
    metered: Decimal | None
    deemed: Decimal

    @property
    def billed(self) -> Decimal:
        """Units billed: what was delivered, never more than was sold."""
        return min(self.deemed, self.period.quantity)


@dataclass(frozen=True)
class DeliveryRating:
    """A delivery with its periods and its rounded sums, in CNY before tax.

    In a later sequence the sums are differences to all sequences before it; the periods never are.

    Attributes:
        delivery: what is rated.
        periods: what each period came to.
        sums: the rounded sums.
        penalty: what short service costs; it lowers the bill and the supplier's statement alike.
        buyer_adjustment: added to the buyer's bill by decision.
        seller_adjustment: added to the supplier's statement by decision.
    """

    delivery: Delivery
    periods: tuple[MeteredPeriod, ...]
    sums: RatedDelivery
    penalty: Decimal = Decimal(0)
    buyer_adjustment: Decimal = Decimal(0)
    seller_adjustment: Decimal = Decimal(0)


def rate_deliveries(deliveries: Sequence[Delivery], *, fees: FeeRates) -> list[DeliveryRating]:
    """Rate deliveries, whose rows the caller has locked, in the order given."""
    periods = _periods_of(deliveries)
    readings = _readings_of(deliveries)
    return [
        _rate(each, periods.get(each.allocation_id, []), readings.get(each.pk, {}), fees)
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
                rounding_cny=rating.sums.rounding,
                buyer_fee_cny=rating.sums.buyer_fee,
                seller_fee_cny=rating.sums.seller_fee,
            )
            for rating in ratings
        ],
        batch_size=_BATCH,
    )
    _store_periods(lines, ratings)
    return lines


def _store_periods(lines: Sequence[RatedLine], ratings: Sequence[DeliveryRating]) -> None:
    rows = [
        (line.pk, each.period.pk, each.period.quantity, each.metered, each.billed)
        for line, rating in zip(lines, ratings, strict=True)
        for each in rating.periods
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_STORE_PERIODS, [list(column) for column in zip(*rows, strict=True)])


def _rate(
    delivery: Delivery,
    periods: Sequence[SoldPeriod],
    readings: Readings,
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


def _meter(delivery: Delivery, period: SoldPeriod, readings: Readings) -> MeteredPeriod:
    # A settled delivery keeps the reason of its failure, not the state.
    if delivery.state == DeliveryState.FAILED or delivery.failure_reason:
        return MeteredPeriod(period, Decimal(0), Decimal(0))
    # Newest readings never overlap: one of the very period is all there is of it.
    whole = readings.get((period.starts_at, period.ends_at))
    if whole is not None:
        return MeteredPeriod(period, whole, whole)
    covered = [(units, _overlap_s(period, span)) for span, units in readings.items()]
    covered_s = sum(seconds for _, seconds in covered)
    if not covered_s:
        missed = delivery.handed_over_at is None or period.ends_at <= delivery.handed_over_at
        return MeteredPeriod(period, None, Decimal(0) if missed else period.quantity)
    length_s = _seconds(period.starts_at, period.ends_at)
    unit_seconds = add_exactly(multiply_exactly(units, seconds) for units, seconds in covered)
    unread = multiply_exactly(period.quantity, length_s - covered_s)
    mean = round_quotient(unit_seconds + unread, length_s, _QUANTITY_PLACES)
    return MeteredPeriod(period, mean, mean)


def _overlap_s(period: SoldPeriod, span: tuple[datetime, datetime]) -> int:
    starts_at, ends_at = max(period.starts_at, span[0]), min(period.ends_at, span[1])
    return max(_seconds(starts_at, ends_at), 0)


def _seconds(starts_at: datetime, ends_at: datetime) -> int:
    return (ends_at - starts_at) // timedelta(seconds=1)


def _periods_of(deliveries: Sequence[Delivery]) -> dict[int, list[SoldPeriod]]:
    found: dict[int, list[SoldPeriod]] = {}
    rows = AllocationPeriod.objects.filter(allocation_id__in=[d.allocation_id for d in deliveries])
    columns = ("starts_at", "ends_at", "quantity", "buyer_price", "seller_price", "tariff_price")
    for allocation_id, *row in rows.order_by("allocation_id", "period").values_list(
        "allocation_id", "pk", *columns
    ):
        found.setdefault(allocation_id, []).append(SoldPeriod(*row))
    return found


def _readings_of(deliveries: Sequence[Delivery]) -> dict[int, Readings]:
    """Return the newest revision of every interval, by delivery."""
    found: dict[int, dict[tuple[datetime, datetime], Decimal]] = {}
    rows = MeterReading.objects.filter(delivery__in=[d.pk for d in deliveries])
    in_order = rows.order_by("delivery_id", "starts_at", "ends_at", "revision")
    for delivery_id, starts_at, ends_at, quantity in in_order.values_list(
        "delivery_id", "starts_at", "ends_at", "quantity"
    ):
        found.setdefault(delivery_id, {})[starts_at, ends_at] = quantity
    return dict(found)
