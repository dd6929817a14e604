"""What has changed since an auction was settled: readings that came late, adjustments."""

from django.db import connection

# Deliveries of an auction with a reading later than the newest one looked at, or an adjustment
# that no run has taken in.
_CHANGED = """
SELECT r.delivery_id FROM settlement_meterreading r
  JOIN settlement_delivery d ON d.id = r.delivery_id
  JOIN orders_allocation a ON a.id = d.allocation_id
 WHERE a.auction_id = %(auction)s AND r.is_late AND r.id > %(checked)s
UNION
SELECT j.delivery_id FROM settlement_adjustment j
  JOIN settlement_delivery d ON d.id = j.delivery_id
  JOIN orders_allocation a ON a.id = d.allocation_id
 WHERE a.auction_id = %(auction)s AND j.run_id IS NULL
"""
# Newest posted run of every auction, and the auctions where something waits. Late readings and
# open adjustments have partial indexes, so that what is long settled costs nothing.
_DUE = """
WITH checked AS (
    SELECT auction_id, max(coalesce(checked_reading_id, 0)) AS reading_id
      FROM settlement_settlementrun WHERE state = 'posted' GROUP BY auction_id
), waiting AS (
    SELECT d.allocation_id, r.id AS reading_id FROM settlement_meterreading r
      JOIN settlement_delivery d ON d.id = r.delivery_id WHERE r.is_late
    UNION ALL
    SELECT d.allocation_id, NULL FROM settlement_adjustment j
      JOIN settlement_delivery d ON d.id = j.delivery_id WHERE j.run_id IS NULL
)
SELECT DISTINCT a.auction_id FROM waiting w
  JOIN orders_allocation a ON a.id = w.allocation_id
  JOIN checked c ON c.auction_id = a.auction_id
 WHERE w.reading_id IS NULL OR w.reading_id > c.reading_id
 ORDER BY a.auction_id LIMIT %(limit)s
"""


def changed_deliveries(*, auction_id: int, checked_reading_id: int) -> set[int]:
    """Return the deliveries of an auction to rate again."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"auction": auction_id, "checked": checked_reading_id})
        return {row[0] for row in cursor.fetchall()}


def auctions_with_differences(limit: int = 20) -> list[int]:
    """Return settled auctions with newer readings or adjustments than their last run, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"limit": limit})
        return [row[0] for row in cursor.fetchall()]
