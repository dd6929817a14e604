"""Deliveries: whose, in which state, and how far they are metered."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from marketplace.models import Organisation
from marketplace.selectors.clock import MarketNow
from settlement.models import Delivery, DeliveryState, MeterReading

ENDED = (DeliveryState.COMPLETED, DeliveryState.FAILED)

# Seconds of each delivery's periods, and how many of them a reading covers.
_UNMETERED = """
SELECT d.id
  FROM settlement_delivery d
  JOIN orders_allocationperiod p ON p.allocation_id = d.allocation_id
  LEFT JOIN settlement_meterreading r
    ON r.delivery_id = d.id AND r.revision = 1
   AND r.starts_at < p.ends_at AND r.ends_at > p.starts_at
 WHERE d.id = ANY (%s)
 GROUP BY d.id, p.id
HAVING coalesce(sum(least(r.ends_at, p.ends_at) - greatest(r.starts_at, p.starts_at))
                FILTER (WHERE r.id IS NOT NULL), interval '0') < p.ends_at - p.starts_at
"""


def _with_parties() -> QuerySet[Delivery]:
    return Delivery.objects.select_related(
        "allocation__auction",
        "allocation__buyer",
        "allocation__seller",
        "allocation__product",
        "allocation__hub",
        "allocation__supply_hub",
        "allocation__listing__pool",
    )


def deliveries_bought_by(organisation: Organisation) -> QuerySet[Delivery]:
    """Return a buyer's deliveries, the latest first."""
    return _with_parties().filter(allocation__buyer=organisation).order_by("-starts_at", "-pk")


def deliveries_sold_by(organisation: Organisation) -> QuerySet[Delivery]:
    """Return a supplier's deliveries, the latest first."""
    return _with_parties().filter(allocation__seller=organisation).order_by("-starts_at", "-pk")


def deliveries_to_hand_over(organisation: Organisation) -> QuerySet[Delivery]:
    """Return what a supplier can still hand over (待交付), the most urgent first.

    One that has ended meanwhile has failed, even where nobody has written that down yet.
    """
    return (
        _with_parties()
        .filter(
            allocation__seller=organisation,
            state=DeliveryState.SCHEDULED,
            ends_at__gt=MarketNow(),
        )
        .order_by("starts_at", "pk")
    )


def deliveries_of_auction(auction_id: int) -> QuerySet[Delivery]:
    """Return the deliveries of an auction in the order of their confirmations."""
    return _with_parties().filter(allocation__auction_id=auction_id).order_by("allocation__number")


def latest_readings(delivery: Delivery) -> QuerySet[MeterReading]:
    """Return the newest revision of each interval of a delivery, in time order."""
    return (
        MeterReading.objects.filter(delivery=delivery)
        .order_by("starts_at", "ends_at", "-revision")
        .distinct("starts_at", "ends_at")
    )


def unmetered_among(delivery_ids: Sequence[int]) -> set[int]:
    """Return which of the deliveries have a period not fully covered by readings."""
    if not delivery_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_UNMETERED, [list(delivery_ids)])
        return {row[0] for row in cursor.fetchall()}


def auctions_to_settle(now: datetime, limit: int = 20) -> list[int]:
    """Return the auctions whose deliveries have all ended and are not settled, oldest first."""
    open_auctions = Delivery.objects.exclude(state__in=[*ENDED, DeliveryState.SETTLED]).values(
        "allocation__auction_id"
    )
    due = (
        Delivery.objects.filter(state__in=ENDED, ends_at__lte=now)
        .exclude(allocation__auction_id__in=open_auctions)
        .order_by("allocation__auction_id")
        .values_list("allocation__auction_id", flat=True)
        .distinct()
    )
    return list(due[:limit])
