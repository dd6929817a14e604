"""Summaries of the runs that were published before there were summaries."""

from django.db import migrations

from marketplace.services.history import protect_history

_FILL = """
INSERT INTO orders_pricesummary
       (run_id, product_id, hub_id, unit_hours, value_cny, lowest_price, highest_price)
SELECT p.run_id, p.product_id, p.hub_id,
       sum(p.supplied * a.period_minutes / 60.0),
       round(sum(p.supplied * p.price * a.period_minutes / 60.0), 6),
       min(p.price), max(p.price)
  FROM orders_clearingprice p
  JOIN orders_clearingrun r ON r.id = p.run_id
  JOIN orders_auction a ON a.id = r.auction_id
 WHERE r.state = 'published' AND NOT p.is_delivered AND p.carbon_class_g IS NULL
   AND p.price IS NOT NULL AND p.supplied > 0
 GROUP BY p.run_id, p.product_id, p.hub_id;
-- Foreign keys are checked at the end of the transaction; the triggers need it now.
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_price_summaries")]

    operations = [
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        *protect_history("orders_pricesummary"),
    ]
