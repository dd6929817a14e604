"""A listing hour by hour: available, sold, held by auctions in flight, free, under maintenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from marketplace.domain.periods import SLOT_MINUTES
from marketplace.models import Organisation
from orders.selectors.capacity import AVAILABLE_UNITS

_SLOTS_PER_HOUR = 60 // SLOT_MINUTES
HOUR = timedelta(hours=1)
_SLOTS = f"""
WITH s AS (
    SELECT %(since)s::timestamptz + n * interval '{SLOT_MINUTES} minutes' AS starts_at,
           %(since)s::timestamptz + (n + 1) * interval '{SLOT_MINUTES} minutes' AS ends_at
      FROM generate_series(0, %(slots)s - 1) AS n
)
SELECT s.starts_at, {AVAILABLE_UNITS}, coalesce(c.committed, 0),
       EXISTS (SELECT 1 FROM marketplace_maintenancewindow m
                WHERE m.listing_id = l.id AND m.starts_at < s.ends_at AND m.ends_at > s.starts_at)
  FROM s
 CROSS JOIN marketplace_listing l
  LEFT JOIN marketplace_listingavailability a
    ON a.listing_id = l.id AND a.starts_at <= s.starts_at AND a.ends_at >= s.ends_at
  LEFT JOIN orders_capacitycommitment c
    ON c.listing_id = l.id AND c.slot_starts_at = s.starts_at
 WHERE l.id = %(listing)s
 ORDER BY s.starts_at
"""  # noqa: S608 - built from constants
_DAYS = f"""
WITH s AS (
    SELECT %(since)s::timestamptz + n * interval '{SLOT_MINUTES} minutes' AS starts_at,
           %(since)s::timestamptz + (n + 1) * interval '{SLOT_MINUTES} minutes' AS ends_at
      FROM generate_series(0, %(slots)s - 1) AS n
)
SELECT p.product_id, (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date,
       sum({AVAILABLE_UNITS}), sum(least(coalesce(c.committed, 0), {AVAILABLE_UNITS}))
  FROM marketplace_listing l
  JOIN marketplace_resourcepool p ON p.id = l.pool_id
  JOIN marketplace_listingavailability a ON a.listing_id = l.id
  JOIN s ON a.starts_at <= s.starts_at AND a.ends_at >= s.ends_at
  LEFT JOIN orders_capacitycommitment c
    ON c.listing_id = l.id AND c.slot_starts_at = s.starts_at
 WHERE l.organisation_id = %(owner)s AND l.state = 'active'
 GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - built from constants


@dataclass(frozen=True, slots=True)
class CalendarHour:
    """One hour of a listing; units of the worst quarter of an hour count.

    Attributes:
        starts_at: its beginning.
        available: units on offer.
        sold: units that published auctions have sold.
        held: units that auctions in flight may still sell.
        in_maintenance: whether nothing is sold because of maintenance.
    """

    starts_at: datetime
    available: Decimal
    sold: Decimal
    held: Decimal
    in_maintenance: bool

    @property
    def ends_at(self) -> datetime:
        """The end of the hour."""
        return self.starts_at + HOUR

    @property
    def free(self) -> Decimal:
        """Units that can still be sold."""
        return max(self.available - self.sold - self.held, Decimal(0))

    @property
    def state(self) -> str:
        """``maintenance``, ``closed``, ``sold``, ``part``, ``held`` or ``free``."""
        if self.in_maintenance:
            return "maintenance"
        if not self.available:
            return "sold" if self.sold else "closed"
        if self.sold:
            return "part" if self.free else "sold"
        return "held" if self.held else "free"


@dataclass(frozen=True, slots=True)
class DayForecast:
    """Unit-hours of a product on one market day: on offer and sold so far."""

    day: object
    offered: Decimal
    sold: Decimal

    @property
    def free(self) -> Decimal:
        """Unit-hours that nobody has bought yet."""
        return max(self.offered - self.sold, Decimal(0))


def hours_of(
    *, listing_id: int, since: datetime, hours: int, held: Mapping[datetime, Decimal]
) -> list[CalendarHour]:
    """Return the hours of a listing from a full hour on.

    Args:
        listing_id: the listing.
        since: where to begin.
        hours: how many.
        held: units of auctions in flight by start of slot.
    """
    parameters: dict[str, datetime | int] = {
        "since": since,
        "slots": hours * _SLOTS_PER_HOUR,
        "listing": listing_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SLOTS, parameters)
        slots = cursor.fetchall()
    return [
        _hour(slots[index : index + _SLOTS_PER_HOUR], held)
        for index in range(0, len(slots), _SLOTS_PER_HOUR)
    ]


def _hour(
    slots: Sequence[tuple[datetime, Decimal, Decimal, bool]], held: Mapping[datetime, Decimal]
) -> CalendarHour:
    return CalendarHour(
        starts_at=slots[0][0],
        available=min(slot[1] for slot in slots),
        sold=max(slot[2] for slot in slots),
        held=max(held.get(slot[0], Decimal(0)) for slot in slots),
        in_maintenance=any(slot[3] for slot in slots),
    )


def week_ahead(
    *, organisation: Organisation, since: datetime, days: int = 7
) -> dict[int, list[DayForecast]]:
    """Return by product id the unit-hours of the coming days, from the running slot on.

    Unit-hours of different products are never added up: a core is not a card.
    """
    length = timedelta(minutes=SLOT_MINUTES)
    start = since - (since - datetime.min.replace(tzinfo=since.tzinfo)) % length
    slots = days * 24 * _SLOTS_PER_HOUR
    found: dict[int, list[DayForecast]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"since": start, "slots": slots, "owner": organisation.pk})
        for product, day, offered, sold in cursor.fetchall():
            row = DayForecast(day, offered / _SLOTS_PER_HOUR, sold / _SLOTS_PER_HOUR)
            found.setdefault(product, []).append(row)
    return found
