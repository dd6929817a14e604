"""How much of a supplier's listings is sold in a stretch of time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from marketplace.domain.periods import SLOT_MINUTES
from marketplace.models import Organisation
from orders.selectors.capacity import AVAILABLE_UNITS

_SALES = f"""
WITH s AS (
    SELECT %(since)s::timestamptz + n * interval '{SLOT_MINUTES} minutes' AS starts_at,
           %(since)s::timestamptz + (n + 1) * interval '{SLOT_MINUTES} minutes' AS ends_at
      FROM generate_series(0, %(slots)s - 1) AS n
)
SELECT l.id, sum({AVAILABLE_UNITS}), sum(coalesce(c.committed, 0))
  FROM marketplace_listing l
  JOIN marketplace_listingavailability a ON a.listing_id = l.id
  JOIN s ON a.starts_at <= s.starts_at AND a.ends_at >= s.ends_at
  LEFT JOIN orders_capacitycommitment c
    ON c.listing_id = l.id AND c.slot_starts_at = s.starts_at
 WHERE l.organisation_id = %(owner)s AND l.state <> 'withdrawn'
 GROUP BY l.id
"""  # noqa: S608 - built from constants


@dataclass(frozen=True, slots=True)
class Sales:
    """Unit-hours that a listing offers in a stretch of time, and how many of them are committed."""

    offered: Decimal
    sold: Decimal

    @property
    def idle(self) -> Decimal:
        """Unit-hours that nobody has bought."""
        return max(self.offered - self.sold, Decimal(0))


def sales_of(*, organisation: Organisation, since: datetime, hours: int = 24) -> dict[int, Sales]:
    """Return by listing id the unit-hours offered and committed from the running slot on.

    What an auction in flight offers counts as committed once it is published as sold.
    """
    slots_per_hour = 60 // SLOT_MINUTES
    length = timedelta(minutes=SLOT_MINUTES)
    start = since - (since - datetime.min.replace(tzinfo=since.tzinfo)) % length
    parameters: dict[str, datetime | int] = {
        "since": start,
        "slots": hours * slots_per_hour,
        "owner": organisation.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SALES, parameters)
        return {
            listing_id: Sales(offered / slots_per_hour, sold / slots_per_hour)
            for listing_id, offered, sold in cursor.fetchall()
        }
