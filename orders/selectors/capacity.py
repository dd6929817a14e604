"""How much of a listing can still be sold, period by period of an auction."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from orders.models import SLOT_MINUTES, Auction

# Available in a slot: the window that covers it, at most the listing, nothing under maintenance.
AVAILABLE_UNITS = """
CASE WHEN EXISTS (
       SELECT 1 FROM marketplace_maintenancewindow m
        WHERE m.listing_id = l.id AND m.starts_at < s.ends_at AND m.ends_at > s.starts_at)
     THEN 0 ELSE least(l.quantity, coalesce(a.quantity, 0)) END
"""
SLOTS = f"""
SELECT n / %(slots_per_period)s + 1 AS period,
       %(starts_at)s::timestamptz + n * interval '{SLOT_MINUTES} minutes' AS starts_at,
       %(starts_at)s::timestamptz + (n + 1) * interval '{SLOT_MINUTES} minutes' AS ends_at
  FROM generate_series(0, %(slot_count)s - 1) AS n
"""  # noqa: S608 - built from constants
_SLOT_ROOM = f"""
WITH s AS ({SLOTS})
SELECT l.id AS listing_id, s.period, {AVAILABLE_UNITS} - coalesce(c.committed, 0) AS free
  FROM marketplace_listing l
  JOIN marketplace_listingavailability a ON a.listing_id = l.id
  JOIN s ON a.starts_at <= s.starts_at AND a.ends_at >= s.ends_at
  LEFT JOIN orders_capacitycommitment c
    ON c.listing_id = l.id AND c.slot_starts_at = s.starts_at
 WHERE l.id = ANY(%(listings)s)
"""  # noqa: S608 - built from constants
# A period with a slot outside every window has fewer slots than it should, and no room.
_PERIOD_ROOM = f"""
SELECT listing_id, period, greatest(min(free), 0)
  FROM ({_SLOT_ROOM}) AS room
 GROUP BY listing_id, period
HAVING count(*) = %(slots_per_period)s AND min(free) > 0
 ORDER BY listing_id, period
"""  # noqa: S608 - built from constants
# What the asks of the auction's book offer of each listing in each period.
OFFERED = """
SELECT listing_id, period, sum(quantity) AS quantity FROM (
    SELECT o.listing_id, p.period, c.quantity
      FROM orders_order o
      JOIN orders_curvestep c ON c.order_id = o.id
     CROSS JOIN LATERAL generate_series(c.first_period, c.last_period) AS p(period)
     WHERE o.auction_id = %(auction)s AND o.side = 'sell' AND o.state = 'active'
       AND (%(only)s::bigint[] IS NULL OR o.listing_id = ANY(%(only)s))
    UNION ALL
    SELECT o.listing_id, p.period, g.quantity
      FROM orders_order o
      JOIN orders_blockoption b ON b.order_id = o.id
      JOIN orders_blockleg g ON g.option_id = b.id
     CROSS JOIN LATERAL generate_series(g.first_period, g.last_period) AS p(period)
     WHERE o.auction_id = %(auction)s AND o.side = 'sell' AND o.state = 'active'
       AND (%(only)s::bigint[] IS NULL OR o.listing_id = ANY(%(only)s))
) AS asks
GROUP BY listing_id, period
"""


def slot_parameters(auction: Auction) -> dict[str, Any]:
    """Return the parameters of `SLOTS` for the delivery window of an auction."""
    slots_per_period = auction.period_minutes // SLOT_MINUTES
    return {
        "starts_at": auction.delivery_starts_at,
        "slots_per_period": slots_per_period,
        "slot_count": slots_per_period * auction.period_count,
    }


def unsold_units(*, auction: Auction, listing_ids: Iterable[int]) -> dict[int, dict[int, Decimal]]:
    """Return by listing and period the units that no published auction has sold.

    Periods without room are absent. Units of the least available slot count for a period.
    """
    found: dict[int, dict[int, Decimal]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PERIOD_ROOM, {**slot_parameters(auction), "listings": list(listing_ids)})
        for listing_id, period, free in cursor.fetchall():
            found.setdefault(listing_id, {})[period] = free
    return found


def offered_units(*, auction: Auction, listing_id: int) -> dict[int, Decimal]:
    """Return by period what the asks in the auction's book offer of a listing."""
    with connection.cursor() as cursor:
        cursor.execute(OFFERED, {"auction": auction.pk, "only": [listing_id]})
        return {period: quantity for _, period, quantity in cursor.fetchall()}


def period_starts(auction: Auction) -> list[datetime]:
    """Return the start of every delivery period."""
    step = (auction.delivery_ends_at - auction.delivery_starts_at) / auction.period_count
    return [auction.delivery_starts_at + index * step for index in range(auction.period_count)]
