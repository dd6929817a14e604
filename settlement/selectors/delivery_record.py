"""How reliably a supplier delivers: figures that every member may see."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

RECORD_DAYS = 90

# The lines of a delivery add up to its newest rating; a failed one has delivered nothing.
_RECORD = """
SELECT a.seller_id, a.product_id, count(*),
       count(*) FILTER (WHERE d.handed_over_at <= d.starts_at),
       count(*) FILTER (WHERE d.failure_reason <> ''),
       coalesce(sum(a.unit_hours), 0),
       coalesce(sum(CASE WHEN d.failure_reason <> '' THEN 0
                         ELSE coalesce(least(r.metered_unit_hours, a.unit_hours), a.unit_hours)
                    END), 0)
  FROM settlement_delivery d
  JOIN orders_allocation a ON a.id = d.allocation_id
  LEFT JOIN LATERAL (
       SELECT sum(l.metered_unit_hours) AS metered_unit_hours FROM settlement_ratedline l
        WHERE l.delivery_id = d.id) AS r ON true
 WHERE d.state IN ('completed', 'failed', 'settled') AND d.ends_at > %(since)s
   AND (%(seller)s::bigint IS NULL OR a.seller_id = %(seller)s)
   AND (%(product)s::bigint IS NULL OR a.product_id = %(product)s)
 GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A supplier's ended deliveries of one product.

    Attributes:
        deliveries: how many have ended.
        on_time: how many were handed over before they began.
        failed: how many did not take place.
        sold_unit_hours: what was sold.
        delivered_unit_hours: what was metered of it; contracted where nobody metered.
    """

    seller_id: int
    product_id: int
    deliveries: int
    on_time: int
    failed: int
    sold_unit_hours: Decimal
    delivered_unit_hours: Decimal

    @property
    def on_time_share(self) -> Decimal:
        """Handed over in time, of all, 0 to 1."""
        return Decimal(self.on_time) / self.deliveries if self.deliveries else Decimal(0)

    @property
    def delivered_share(self) -> Decimal:
        """Delivered of what was sold, 0 to 1."""
        if not self.sold_unit_hours:
            return Decimal(0)
        return self.delivered_unit_hours / self.sold_unit_hours

    @property
    def shortfall_unit_hours(self) -> Decimal:
        """Sold and not delivered."""
        return self.sold_unit_hours - self.delivered_unit_hours


def delivery_records(
    *, now: datetime, seller_id: int | None = None, product_id: int | None = None
) -> list[DeliveryRecord]:
    """Return the records of the last 90 days of market time, one for a seller and product."""
    values = {
        "since": now - timedelta(days=RECORD_DAYS),
        "seller": seller_id,
        "product": product_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        return [DeliveryRecord(*row) for row in cursor.fetchall()]
