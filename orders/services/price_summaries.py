"""Sums by product and hub of a run, written once when it is published."""

from django.db import connection

from orders.models import ClearingRun

_SUMMARISE = """
INSERT INTO orders_pricesummary
       (run_id, product_id, hub_id, unit_hours, value_cny, lowest_price, highest_price)
SELECT p.run_id, p.product_id, p.hub_id,
       sum(p.supplied * a.period_minutes / 60.0),
       round(sum(p.supplied * p.price * a.period_minutes / 60.0), 6),
       min(p.price), max(p.price)
  FROM orders_clearingprice p
  JOIN orders_clearingrun r ON r.id = p.run_id
  JOIN orders_auction a ON a.id = r.auction_id
 WHERE p.run_id = %s AND NOT p.is_delivered AND p.carbon_class_g IS NULL
   AND p.price IS NOT NULL AND p.supplied > 0
 GROUP BY p.run_id, p.product_id, p.hub_id
"""


def summarise_prices(*, run: ClearingRun) -> int:
    """Write the summary of a run's supply prices and return how many rows it has.

    Called in the transaction that publishes the run, after its prices were written.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARISE, [run.pk])
        return cursor.rowcount
