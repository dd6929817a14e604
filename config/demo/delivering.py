"""The demonstration's suppliers hand over and meter, its buyers confirm: all by the services.

One delivery in nine runs short and one in forty is handed over late, so that metered differs from
sold and the bills show it.

In the live market the members leave alone what a visitor does for them: a listing that somebody
entered is handed over and metered by hand, and an order that somebody placed is confirmed by hand.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from zlib import crc32

from django.db.models import QuerySet

from config.demo.cast import Cast
from marketplace.permissions import Actor
from orders.models import AllocationPeriod, OrderSource
from settlement.models import Delivery, DeliveryState, MeterReading
from settlement.services.deliveries import accept_delivery, hand_over
from settlement.services.metering import ReadingDraft, record_readings

SHORT_EVERY = 9
SHORT_SHARE = Decimal("0.92")
HAND_OVER_LEAD = timedelta(hours=2)
# While a day is played the clock jumps by hours; what begins before the next look is due now.
PLAYED_LEAD = timedelta(hours=4)
LATE_EVERY = 40
READINGS_AT_ONCE = 5000
# How long after the hand-over the demonstration's buyers answer in the live market, market time.
PATIENCE = timedelta(minutes=30)
ENTERED_BY_HAND = ("portal", "csv", "api")
PLACED_BY_HAND = (OrderSource.PORTAL, OrderSource.API)


def hand_over_due(cast: Cast, *, now: datetime, is_live: bool = False) -> int:
    """Give the buyers of deliveries that begin soon their access details; return how many."""
    lead = HAND_OVER_LEAD if is_live else PLAYED_LEAD
    due = _deliveries(DeliveryState.SCHEDULED).filter(starts_at__lte=now + lead, ends_at__gt=now)
    if is_live:
        due = due.exclude(allocation__listing__source__in=ENTERED_BY_HAND)
    count = 0
    for delivery in due:
        supplier = cast.supplying.get(delivery.allocation.seller_id)
        if supplier is not None and not _is_forgotten(delivery, now):
            hand_over(
                actor=supplier,
                delivery_public_id=delivery.public_id,
                access_text=_access_text(delivery),
            )
            count += 1
    return count


def _is_forgotten(delivery: Delivery, now: datetime) -> bool:
    """Tell whether this is the one in forty that is handed over after it has begun.

    Only a delivery that lasts long enough to be looked at again.
    """
    dice = crc32(delivery.allocation.number[::-1].encode())
    lasts = delivery.ends_at - now > 2 * PLAYED_LEAD
    return not dice % LATE_EVERY and lasts and now < delivery.starts_at


def confirm_handed_over(cast: Cast, *, now: datetime, is_live: bool = False) -> int:
    """Let the demonstration's buyers confirm what was handed over; return how many."""
    buyers = {a.organisation.pk: a for a in cast.buying.values() if a.organisation}
    handed_over = _deliveries(DeliveryState.HANDED_OVER)
    if is_live:
        handed_over = handed_over.filter(handed_over_at__lte=now - PATIENCE).exclude(
            allocation__buy_order__source__in=PLACED_BY_HAND
        )
    count = 0
    for delivery in handed_over:
        buyer = buyers.get(delivery.allocation.buyer_id)
        if buyer is not None:
            accept_delivery(actor=buyer, delivery_public_id=delivery.public_id)
            count += 1
    return count


def meter_ended_periods(cast: Cast, *, now: datetime, is_live: bool = False) -> int:
    """Record a reading for each ended period that has none yet; return how many."""
    by_supplier: dict[int, list[ReadingDraft]] = defaultdict(list)
    for seller_id, draft in _unmetered(now, is_live):
        by_supplier[seller_id].append(draft)
    count = 0
    for seller_id, drafts in by_supplier.items():
        supplier = cast.supplying.get(seller_id)
        if supplier is not None:
            count += _record(supplier, drafts)
    return count


def _record(supplier: Actor, drafts: list[ReadingDraft]) -> int:
    for start in range(0, len(drafts), READINGS_AT_ONCE):
        record_readings(
            actor=supplier, drafts=drafts[start : start + READINGS_AT_ONCE], source="agent"
        )
    return len(drafts)


def _deliveries(state: str) -> QuerySet[Delivery]:
    return (
        Delivery.objects.filter(state=state, allocation__seller__is_demo_bot=True)
        .select_related("allocation__product", "allocation__supply_hub", "allocation__listing")
        .order_by("id")
    )


def _unmetered(now: datetime, is_live: bool) -> Iterator[tuple[int, ReadingDraft]]:
    running = Delivery.objects.filter(
        state__in=[DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED],
        allocation__seller__is_demo_bot=True,
    )
    if is_live:
        running = running.exclude(allocation__listing__source__in=ENTERED_BY_HAND)
    by_allocation = {d.allocation_id: d for d in running.order_by("id")}
    metered = set(
        MeterReading.objects.filter(delivery__in=running).values_list("delivery_id", "starts_at")
    )
    periods: Iterable[AllocationPeriod] = (
        AllocationPeriod.objects.filter(allocation_id__in=by_allocation, ends_at__lte=now)
        .select_related("allocation")
        .order_by("allocation_id", "period")
    )
    for period in periods:
        delivery = by_allocation[period.allocation_id]
        if (delivery.pk, period.starts_at) not in metered:
            yield (
                period.allocation.seller_id,
                ReadingDraft(
                    delivery=str(delivery.public_id),
                    starts_at=period.starts_at,
                    ends_at=period.ends_at,
                    quantity=_metered_quantity(period),
                ),
            )


def _metered_quantity(period: AllocationPeriod) -> Decimal:
    """Return what was delivered: short in the last third of every ninth delivery."""
    dice = crc32(period.allocation.number.encode())
    if dice % SHORT_EVERY or period.period % 3:
        return period.quantity
    return (period.quantity * SHORT_SHARE).quantize(Decimal("0.001"), ROUND_FLOOR)


def _access_text(delivery: Delivery) -> str:
    allocation = delivery.allocation
    host = f"{allocation.supply_hub.code.lower()}.demo.example"
    return (
        f"host: gw.{host}\nuser: u{allocation.number[-6:]}\n"
        f"partition: {allocation.product.code.lower()}\nreservation: {allocation.number}\n"
        "key: see the member's key store"
    )
