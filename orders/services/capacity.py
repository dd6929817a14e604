"""What an auction holds of listings and links: taken at freezing, cut to what was sold after.

The rows of commitments are taken in one order everywhere (listing or link, then time), and their
check constraint is the guarantee that nothing is sold twice.
"""

from decimal import Decimal

from django.db import connection

from orders.models import SLOT_MINUTES, Auction, CapacityClaim
from orders.selectors.capacity import AVAILABLE_UNITS, OFFERED, SLOTS, slot_parameters

# A listing may have been changed since its last claim; what is committed stays covered.
_OPEN_LISTINGS = f"""
WITH s AS ({SLOTS}), o AS ({OFFERED})
INSERT INTO orders_capacitycommitment AS c (listing_id, slot_starts_at, available, committed)
SELECT l.id, s.starts_at, {AVAILABLE_UNITS}, 0
  FROM o
  JOIN marketplace_listing l ON l.id = o.listing_id
  JOIN s ON s.period = o.period
  LEFT JOIN marketplace_listingavailability a
    ON a.listing_id = l.id AND a.starts_at <= s.starts_at AND a.ends_at >= s.ends_at
 ORDER BY l.id, s.starts_at
ON CONFLICT (listing_id, slot_starts_at)
DO UPDATE SET available = greatest(c.committed, EXCLUDED.available)
"""  # noqa: S608 - built from constants
_CLAIM_LISTINGS = f"""
WITH s AS ({SLOTS}), o AS ({OFFERED}), claim AS (
    INSERT INTO orders_capacityclaim (auction_id, commitment_id, claimed)
    SELECT %(auction)s, c.id, least(o.quantity, c.available - c.committed)
      FROM o
      JOIN s ON s.period = o.period
      JOIN orders_capacitycommitment c
        ON c.listing_id = o.listing_id AND c.slot_starts_at = s.starts_at
     WHERE c.available > c.committed
    RETURNING commitment_id, claimed)
UPDATE orders_capacitycommitment c SET committed = c.committed + claim.claimed
  FROM claim WHERE claim.commitment_id = c.id
"""  # noqa: S608 - built from constants
_CLAIMED_UNITS = f"""
SELECT c.listing_id, s.period, min(k.claimed)
  FROM orders_capacityclaim k
  JOIN orders_capacitycommitment c ON c.id = k.commitment_id
  JOIN ({SLOTS}) AS s ON s.starts_at = c.slot_starts_at
 WHERE k.auction_id = %(auction)s
 GROUP BY c.listing_id, s.period
HAVING count(*) = %(slots_per_period)s
"""  # noqa: S608 - built from constants
_FREE_LISTINGS = """
WITH sold AS (
    SELECT listing_id, slot_starts_at, sum(quantity) AS quantity
      FROM (SELECT a.listing_id, p.quantity,
                   generate_series(p.starts_at, p.ends_at - interval '1 second',
                                   interval '{minutes} minutes') AS slot_starts_at
              FROM orders_allocationperiod p
              JOIN orders_allocation a ON a.id = p.allocation_id
             WHERE a.run_id = %(run)s) AS each
     GROUP BY listing_id, slot_starts_at),
locked AS (
    SELECT c.id, c.listing_id, c.slot_starts_at
      FROM orders_capacitycommitment c
     WHERE c.id IN (SELECT commitment_id FROM orders_capacityclaim
                     WHERE auction_id = %(auction)s AND kept IS NULL)
     ORDER BY c.listing_id, c.slot_starts_at FOR NO KEY UPDATE),
cut AS (
    UPDATE orders_capacityclaim k SET kept = coalesce(sold.quantity, 0)
      FROM locked LEFT JOIN sold
        ON sold.listing_id = locked.listing_id AND sold.slot_starts_at = locked.slot_starts_at
     WHERE k.auction_id = %(auction)s AND k.commitment_id = locked.id
    RETURNING k.commitment_id, k.claimed - k.kept AS freed)
UPDATE orders_capacitycommitment c SET committed = c.committed - cut.freed
  FROM cut WHERE cut.commitment_id = c.id AND cut.freed > 0
""".replace("{minutes}", str(SLOT_MINUTES))
# An auction in flight holds all that was left of the links in its window, without a row for it.
_FREE_LINKS = f"""
WITH s AS ({SLOTS}), busy AS (
    SELECT a.delivery_starts_at AS starts_at, a.delivery_ends_at AS ends_at
      FROM orders_auction a
      JOIN orders_clearingrun r ON r.auction_id = a.id
     WHERE r.state IN ('frozen', 'cleared', 'verified') AND a.id <> %(auction)s
       AND a.delivery_starts_at < %(ends_at)s AND a.delivery_ends_at > %(starts_at)s),
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


def claim_capacity(*, auction: Auction) -> None:
    """Take what the book offers of every listing, at most what is left.

    Needs the auction locked. Waits for other auctions that change the same slots.
    """
    values = {**slot_parameters(auction), "auction": auction.pk, "only": None}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_LISTINGS, values)
        cursor.execute(_CLAIM_LISTINGS, values)


def claimed_units(*, auction: Auction) -> dict[tuple[int, int], Decimal]:
    """Return what the auction holds of each listing in each period, by (listing id, period)."""
    values = {**slot_parameters(auction), "auction": auction.pk}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMED_UNITS, values)
        return {(listing, period): units for listing, period, units in cursor.fetchall()}


def free_links(*, auction: Auction) -> dict[tuple[int, str, int], Decimal]:
    """Return the Gbit/s that are left of the links, by (link id, direction, period).

    Nothing is left in periods for which another auction has a frozen book and is not published:
    it holds all there is. Needs the network lock, so that two books do not overlook each other.
    """
    values = {**slot_parameters(auction), "auction": auction.pk}
    values["ends_at"] = auction.delivery_ends_at
    with connection.cursor() as cursor:
        cursor.execute(_FREE_LINKS, values)
        return {(link, way, period): gbps for link, way, period, gbps in cursor.fetchall()}


def commit_links(*, auction: Auction, run_id: int) -> None:
    """Commit what the flows of a run use of the links; called once, on publication.

    Raises:
        IntegrityError: a link has less left than the flows use; nothing is committed.
    """
    values = {**slot_parameters(auction), "auction": auction.pk, "run": run_id}
    with connection.cursor() as cursor:
        cursor.execute(_COMMIT_LINKS, values)


def release_claims(*, auction: Auction) -> None:
    """Give back all that the auction claimed, so that nothing or another freezing may follow."""
    free_unsold_capacity(auction=auction, run_id=None)
    CapacityClaim.objects.filter(auction=auction).delete()


def free_unsold_capacity(*, auction: Auction, run_id: int | None) -> None:
    """Cut the auction's claims to what a run sold; without a run nothing was sold.

    A repeated call does nothing: claims are cut once.
    """
    values = {**slot_parameters(auction), "auction": auction.pk, "run": run_id}
    with connection.cursor() as cursor:
        cursor.execute(_FREE_LISTINGS, values)
