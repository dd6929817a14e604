"""The range of recent clearing prices at a hub, for suppliers who choose a price."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

_RANGE = """
WITH recent AS (
    SELECT r.id FROM orders_clearingrun r
     WHERE r.state = 'published' ORDER BY r.published_at DESC, r.id DESC LIMIT %(runs)s)
SELECT count(DISTINCT p.run_id), count(*), min(p.price),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY p.price), max(p.price)
  FROM orders_clearingprice p JOIN recent ON recent.id = p.run_id
 WHERE p.hub_id = %(hub)s AND p.product_id = %(product)s AND NOT p.is_delivered
   AND p.carbon_class_g IS NULL AND p.price IS NOT NULL AND p.supplied > 0
"""
RECENT_RUNS = 20


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Clearing prices with volume in the newest auctions, CNY per unit and hour, 不含税."""

    auctions: int
    periods: int
    lowest: Decimal
    middle: Decimal
    highest: Decimal


def price_range(*, hub_id: int, product_id: int) -> PriceRange | None:
    """Return the range over the newest 20 published auctions, None when nothing was sold there."""
    values = {"hub": hub_id, "product": product_id, "runs": RECENT_RUNS}
    with connection.cursor() as cursor:
        cursor.execute(_RANGE, values)
        row = cursor.fetchone()
    return PriceRange(*row) if row and row[1] else None
