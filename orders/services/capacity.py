"""Claims on listings and links: taken when a gate closes, cut to what was sold on publication.

The rows of commitments are taken in one order everywhere (listing or link, then time), and their
check constraint is the guarantee that nothing is sold twice.
"""

from decimal import Decimal

from django.db import connection

from orders.models import SLOT_MINUTES, Auction, CapacityClaim, LinkClaim
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
_OPEN_LINKS = f"""
WITH s AS ({SLOTS}), d AS (
    SELECT id, 'forward' AS direction, forward_gbps AS gbps FROM marketplace_link WHERE active
    UNION ALL
    SELECT id, 'reverse', reverse_gbps FROM marketplace_link WHERE active)
INSERT INTO orders_linkcommitment AS c
       (link_id, direction, slot_starts_at, available_gbps, committed_gbps)
SELECT d.id, d.direction, s.starts_at, d.gbps, 0 FROM d CROSS JOIN s
 WHERE d.gbps > 0
 ORDER BY d.id, d.direction, s.starts_at
ON CONFLICT (link_id, direction, slot_starts_at)
DO UPDATE SET available_gbps = greatest(c.committed_gbps, EXCLUDED.available_gbps)
"""  # noqa: S608 - built from constants
_CLAIM_LINKS = """
WITH claim AS (
    INSERT INTO orders_linkclaim (auction_id, commitment_id, claimed_gbps)
    SELECT %(auction)s, c.id, c.available_gbps - c.committed_gbps
      FROM orders_linkcommitment c
     WHERE c.slot_starts_at >= %(starts_at)s AND c.slot_starts_at < %(ends_at)s
       AND c.available_gbps > c.committed_gbps
    RETURNING commitment_id, claimed_gbps)
UPDATE orders_linkcommitment c SET committed_gbps = c.committed_gbps + claim.claimed_gbps
  FROM claim WHERE claim.commitment_id = c.id
"""
_CLAIMED_LINKS = f"""
SELECT c.link_id, c.direction, s.period, min(k.claimed_gbps)
  FROM orders_linkclaim k
  JOIN orders_linkcommitment c ON c.id = k.commitment_id
  JOIN ({SLOTS}) AS s ON s.starts_at = c.slot_starts_at
 WHERE k.auction_id = %(auction)s
 GROUP BY c.link_id, c.direction, s.period
HAVING count(*) = %(slots_per_period)s
"""  # noqa: S608 - built from constants
_FREE_LINKS = f"""
WITH s AS ({SLOTS}), used AS (
    SELECT f.link_id, x.direction, f.period, sum(x.units * p.bandwidth_gbps_per_unit) AS gbps
      FROM orders_linkflow f
      JOIN marketplace_product p ON p.id = f.product_id
     CROSS JOIN LATERAL (VALUES ('forward', f.forward_quantity),
                                ('reverse', f.reverse_quantity)) AS x(direction, units)
     WHERE f.run_id = %(run)s
     GROUP BY f.link_id, x.direction, f.period),
locked AS (
    SELECT c.id, c.link_id, c.direction, c.slot_starts_at
      FROM orders_linkcommitment c
     WHERE c.id IN (SELECT commitment_id FROM orders_linkclaim
                     WHERE auction_id = %(auction)s AND kept_gbps IS NULL)
     ORDER BY c.link_id, c.direction, c.slot_starts_at FOR NO KEY UPDATE),
cut AS (
    UPDATE orders_linkclaim k SET kept_gbps = coalesce(used.gbps, 0)
      FROM locked
      JOIN s ON s.starts_at = locked.slot_starts_at
      LEFT JOIN used ON used.link_id = locked.link_id AND used.direction = locked.direction
                    AND used.period = s.period
     WHERE k.auction_id = %(auction)s AND k.commitment_id = locked.id
    RETURNING k.commitment_id, k.claimed_gbps - k.kept_gbps AS freed)
UPDATE orders_linkcommitment c SET committed_gbps = c.committed_gbps - cut.freed
  FROM cut WHERE cut.commitment_id = c.id AND cut.freed > 0
"""  # noqa: S608 - built from constants


def claim_capacity(*, auction: Auction) -> None:
    """Take what the book offers of every listing, and all that is left of every link.

    Needs the auction locked. Waits for other auctions that claim the same slots.
    """
    values = {**slot_parameters(auction), "auction": auction.pk, "only": None}
    values["ends_at"] = auction.delivery_ends_at
    with connection.cursor() as cursor:
        for statement in (_OPEN_LISTINGS, _CLAIM_LISTINGS, _OPEN_LINKS, _CLAIM_LINKS):
            cursor.execute(statement, values)


def claimed_units(*, auction: Auction) -> dict[tuple[int, int], Decimal]:
    """Return what the auction holds of each listing in each period, by (listing id, period)."""
    values = {**slot_parameters(auction), "auction": auction.pk}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMED_UNITS, values)
        return {(listing, period): units for listing, period, units in cursor.fetchall()}


def claimed_links(*, auction: Auction) -> dict[tuple[int, str, int], Decimal]:
    """Return the Gbit/s the auction holds, by (link id, direction, period)."""
    values = {**slot_parameters(auction), "auction": auction.pk}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMED_LINKS, values)
        return {(link, way, period): gbps for link, way, period, gbps in cursor.fetchall()}


def release_claims(*, auction: Auction) -> None:
    """Give back all that the auction claimed, so that nothing or another freezing may follow."""
    free_unsold_capacity(auction=auction, run_id=None)
    CapacityClaim.objects.filter(auction=auction).delete()
    LinkClaim.objects.filter(auction=auction).delete()


def free_unsold_capacity(*, auction: Auction, run_id: int | None) -> None:
    """Cut the auction's claims to what a run sold; without a run nothing was sold.

    A repeated call does nothing: claims are cut once.
    """
    values = {**slot_parameters(auction), "auction": auction.pk, "run": run_id}
    with connection.cursor() as cursor:
        cursor.execute(_FREE_LISTINGS, values)
        cursor.execute(_FREE_LINKS, values)
