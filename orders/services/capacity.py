"""What an auction holds of listings and links, from its frozen book to its publication.

An auction in flight has a frozen run and is not published. It holds what its book offers of the
listings, and all that was left of the links, without a row for it: whoever freezes a book looks for
the others in flight. Publication writes commitments for what was sold, in slots of 15 minutes, and
their check constraint is the guarantee that nothing is sold twice.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from orders.models import SLOT_MINUTES, Auction
from orders.selectors.capacity import AVAILABLE_UNITS, OFFERED, SLOTS, slot_parameters

# What others in flight offer of listings: (listing_id, starts_at of a slot, quantity).
_IN_FLIGHT = f"""
SELECT x.listing_id, slot.starts_at, sum(x.quantity) AS quantity
  FROM (SELECT o.listing_id, o.auction_id, c.first_period, c.last_period, c.quantity
          FROM orders_order o
          JOIN orders_curvestep c ON c.order_id = o.id
         WHERE o.side = 'sell' AND o.state = 'active'
        UNION ALL
        SELECT o.listing_id, o.auction_id, g.first_period, g.last_period, g.quantity
          FROM orders_order o
          JOIN orders_blockoption b ON b.order_id = o.id
          JOIN orders_blockleg g ON g.option_id = b.id
         WHERE o.side = 'sell' AND o.state = 'active') AS x
  JOIN orders_auction f ON f.id = x.auction_id
 CROSS JOIN LATERAL generate_series(
       greatest(f.delivery_starts_at
                + (x.first_period - 1) * f.period_minutes * interval '1 minute', %(starts_at)s),
       least(f.delivery_starts_at
             + x.last_period * f.period_minutes * interval '1 minute', %(ends_at)s)
       - interval '1 second',
       interval '{SLOT_MINUTES} minutes') AS slot(starts_at)
 WHERE f.id = ANY(%(in_flight)s) AND x.listing_id = ANY(%(listings)s)
 GROUP BY x.listing_id, slot.starts_at
"""  # noqa: S608 - built from constants
_OTHERS = """
SELECT DISTINCT a.id
  FROM orders_auction a
  JOIN orders_clearingrun r ON r.auction_id = a.id
 WHERE r.state IN ('frozen', 'cleared', 'verified') AND a.id <> %s
   AND a.delivery_starts_at < %s AND a.delivery_ends_at > %s
"""
_LEFT = f"{AVAILABLE_UNITS} - coalesce(c.committed, 0) - coalesce(f.quantity, 0)"
_FREE_UNITS = f"""
WITH s AS ({SLOTS}), o AS ({OFFERED}), f AS ({_IN_FLIGHT})
SELECT o.listing_id, o.period,
       least(o.quantity, min({_LEFT}))
  FROM o
  JOIN marketplace_listing l ON l.id = o.listing_id
  JOIN s ON s.period = o.period
  LEFT JOIN marketplace_listingavailability a
    ON a.listing_id = l.id AND a.starts_at <= s.starts_at AND a.ends_at >= s.ends_at
  LEFT JOIN orders_capacitycommitment c
    ON c.listing_id = l.id AND c.slot_starts_at = s.starts_at
  LEFT JOIN f ON f.listing_id = l.id AND f.starts_at = s.starts_at
 GROUP BY o.listing_id, o.period, o.quantity
HAVING min({_LEFT}) > 0
"""  # noqa: S608 - built from constants
# What is committed stays covered where a calendar was changed since.
_COMMIT_UNITS = f"""
WITH sold AS (
    SELECT listing_id, starts_at, sum(quantity) AS quantity
      FROM (SELECT a.listing_id, p.quantity,
                   generate_series(p.starts_at, p.ends_at - interval '1 second',
                                   interval '{SLOT_MINUTES} minutes') AS starts_at
              FROM orders_allocationperiod p
              JOIN orders_allocation a ON a.id = p.allocation_id
             WHERE a.run_id = %(run)s) AS each
     GROUP BY listing_id, starts_at),
s AS (SELECT sold.*, sold.starts_at + interval '{SLOT_MINUTES} minutes' AS ends_at FROM sold),
kept AS (
    INSERT INTO orders_capacitycommitment AS c (listing_id, slot_starts_at, available, committed)
    SELECT l.id, s.starts_at, {AVAILABLE_UNITS}, s.quantity
      FROM s
      JOIN marketplace_listing l ON l.id = s.listing_id
      LEFT JOIN marketplace_listingavailability a
        ON a.listing_id = l.id AND a.starts_at <= s.starts_at AND a.ends_at >= s.ends_at
     ORDER BY l.id, s.starts_at
    ON CONFLICT (listing_id, slot_starts_at) DO UPDATE
       SET committed = c.committed + EXCLUDED.committed,
           available = greatest(c.committed, EXCLUDED.available)
    RETURNING id, listing_id, slot_starts_at)
INSERT INTO orders_capacityclaim (auction_id, commitment_id, claimed, kept)
SELECT %(auction)s, kept.id, s.quantity, s.quantity
  FROM kept JOIN s ON s.listing_id = kept.listing_id AND s.starts_at = kept.slot_starts_at
"""  # noqa: S608 - built from constants
_FREE_LINKS = f"""
WITH s AS ({SLOTS}), busy AS (
    SELECT delivery_starts_at AS starts_at, delivery_ends_at AS ends_at
      FROM orders_auction WHERE id = ANY(%(in_flight)s)),
p AS (
    SELECT s.period FROM s
     GROUP BY s.period
    HAVING NOT bool_or(EXISTS (SELECT 1 FROM busy
                                WHERE busy.starts_at < s.ends_at AND busy.ends_at > s.starts_at))),
used AS (
    SELECT c.link_id, c.direction, s.period, max(c.committed_gbps) AS gbps
      FROM orders_linkcommitment c
      JOIN s ON s.starts_at = c.slot_starts_at
     GROUP BY c.link_id, c.direction, s.period),
d AS (
    SELECT id, 'forward' AS direction, forward_gbps AS gbps FROM marketplace_link WHERE active
    UNION ALL
    SELECT id, 'reverse', reverse_gbps FROM marketplace_link WHERE active)
SELECT d.id, d.direction, p.period, d.gbps - coalesce(used.gbps, 0)
  FROM d CROSS JOIN p
  LEFT JOIN used
    ON used.link_id = d.id AND used.direction = d.direction AND used.period = p.period
 WHERE d.gbps > coalesce(used.gbps, 0)
"""  # noqa: S608 - built from constants
_COMMIT_LINKS = f"""
WITH s AS ({SLOTS}), used AS (
    SELECT f.link_id, x.direction, f.period, sum(x.units * p.bandwidth_gbps_per_unit) AS gbps
      FROM orders_linkflow f
      JOIN marketplace_product p ON p.id = f.product_id
     CROSS JOIN LATERAL (VALUES ('forward', f.forward_quantity),
                                ('reverse', f.reverse_quantity)) AS x(direction, units)
     WHERE f.run_id = %(run)s AND x.units > 0
     GROUP BY f.link_id, x.direction, f.period),
sold AS (
    SELECT used.link_id, used.direction, s.starts_at, used.gbps,
           CASE used.direction WHEN 'forward' THEN l.forward_gbps ELSE l.reverse_gbps END AS room
      FROM used
      JOIN s ON s.period = used.period
      JOIN marketplace_link l ON l.id = used.link_id),
kept AS (
    INSERT INTO orders_linkcommitment AS c
           (link_id, direction, slot_starts_at, available_gbps, committed_gbps)
    SELECT link_id, direction, starts_at, room, gbps FROM sold WHERE gbps > 0
     ORDER BY link_id, direction, starts_at
    ON CONFLICT (link_id, direction, slot_starts_at) DO UPDATE
       SET committed_gbps = c.committed_gbps + EXCLUDED.committed_gbps,
           available_gbps = greatest(c.committed_gbps, EXCLUDED.available_gbps)
    RETURNING id, link_id, direction, slot_starts_at)
INSERT INTO orders_linkclaim (auction_id, commitment_id, claimed_gbps, kept_gbps)
SELECT %(auction)s, kept.id, sold.gbps, sold.gbps
  FROM kept JOIN sold ON sold.link_id = kept.link_id AND sold.direction = kept.direction
                     AND sold.starts_at = kept.slot_starts_at
"""  # noqa: S608 - built from constants


def lock_listings(listing_ids: Iterable[int]) -> None:
    """Keep the calendars of listings as they are until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM marketplace_listing WHERE id = ANY(%s) ORDER BY id FOR SHARE",
            [list(listing_ids)],
        )


def free_units(*, auction: Auction, listing_ids: Iterable[int]) -> dict[tuple[int, int], Decimal]:
    """Return what is left for the asks of a book, by (listing id, period), at most what they offer.

    What is sold and what others in flight offer is not there. Needs the network lock, so that two
    books do not overlook each other, and the listings locked.
    """
    values = {**_window(auction), "only": None, "listings": list(listing_ids)}
    with connection.cursor() as cursor:
        cursor.execute(_FREE_UNITS, values)
        return {(listing, period): units for listing, period, units in cursor.fetchall()}


def free_links(*, auction: Auction) -> dict[tuple[int, str, int], Decimal]:
    """Return the Gbit/s that are left of the links, by (link id, direction, period).

    Nothing is left in periods for which another auction is in flight: it holds all there is.
    Needs the network lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FREE_LINKS, _window(auction))
        return {(link, way, period): gbps for link, way, period, gbps in cursor.fetchall()}


def commit_sales(*, auction: Auction, run_id: int) -> None:
    """Commit what a run sold of listings and links; called once, on publication.

    Raises:
        IntegrityError: something of it is committed already; nothing is committed.
    """
    values = {**_window(auction), "run": run_id}
    with connection.cursor() as cursor:
        cursor.execute(_COMMIT_UNITS, values)
        cursor.execute(_COMMIT_LINKS, values)


def units_in_flight(*, listing_id: int, since: datetime) -> dict[datetime, Decimal]:
    """Return what auctions in flight offer of a listing, by start of slot from an instant on."""
    ends_at = datetime.max.replace(tzinfo=since.tzinfo)
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, [0, ends_at, since])
        in_flight = [row[0] for row in cursor.fetchall()]
    return _offered_by(in_flight, listing_id=listing_id, since=since)


def offers_of(*, auction: Auction, listing_id: int, since: datetime) -> dict[datetime, Decimal]:
    """Return what one auction's book offers of a listing, by start of slot from an instant on."""
    return _offered_by([auction.pk], listing_id=listing_id, since=since)


def _offered_by(
    auctions: list[int], *, listing_id: int, since: datetime
) -> dict[datetime, Decimal]:
    values: dict[str, Any] = {
        "starts_at": since,
        "ends_at": datetime.max.replace(tzinfo=since.tzinfo),
        "in_flight": auctions,
        "listings": [listing_id],
    }
    with connection.cursor() as cursor:
        cursor.execute(_IN_FLIGHT, values)
        return {starts_at: quantity for _, starts_at, quantity in cursor.fetchall()}


def _window(auction: Auction) -> dict[str, Any]:
    """Return the parameters of a window, with the other auctions in flight over it."""
    ends_at = auction.delivery_ends_at
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, [auction.pk, ends_at, auction.delivery_starts_at])
        others = [row[0] for row in cursor.fetchall()]
    return {
        **slot_parameters(auction),
        "auction": auction.pk,
        "ends_at": ends_at,
        "in_flight": others,
    }
