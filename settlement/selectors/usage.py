"""What a buyer bought, what was delivered of it and what it cost: by product, project or month.

Volumes are unit-hours of one product each, so every row is of one product; sums are CNY with fee
and VAT (含税), as they were billed. Days are those on which delivery began, in market time.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.db import connection

from marketplace.models import Organisation, Product


class UsageBy(StrEnum):
    """What the rows are grouped by, besides the product."""

    PRODUCT = "product"
    PROJECT = "project"
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True)
class UsageRow:
    """One product within one group; `name` is a project's name, a month or a day, or empty."""

    name: str
    product: Product
    bought_unit_hours: Decimal
    settled_unit_hours: Decimal
    delivered_unit_hours: Decimal
    spent_cny: Decimal

    @property
    def share_delivered(self) -> Decimal | None:
        """Delivered share of what is settled; None before anything is."""
        if not self.settled_unit_hours:
            return None
        return self.delivered_unit_hours / self.settled_unit_hours


_NAMES = {
    UsageBy.PRODUCT: "''",
    UsageBy.PROJECT: "coalesce(p.name, '')",
    UsageBy.MONTH: "to_char(f.day, 'YYYY-MM')",
    UsageBy.DAY: "to_char(f.day, 'YYYY-MM-DD')",
}
_USAGE = """
WITH facts AS (
    SELECT d.id, (d.starts_at AT TIME ZONE %(zone)s)::date AS day, al.product_id, o.project_id,
           al.unit_hours
      FROM settlement_delivery d
      JOIN orders_allocation al ON al.id = d.allocation_id
      JOIN orders_order o ON o.id = al.buy_order_id
     WHERE al.buyer_id = %(buyer)s),
rated AS (
    SELECT l.delivery_id, sum(l.billed_unit_hours) AS delivered
      FROM settlement_ratedline l JOIN settlement_settlementrun r ON r.id = l.run_id
     WHERE r.state = 'posted' AND l.delivery_id IN (SELECT id FROM facts)
     GROUP BY l.delivery_id),
billed AS (
    SELECT il.delivery_id, sum(il.net_cny + il.vat_cny) AS spent
      FROM settlement_invoiceline il JOIN settlement_invoice i ON i.id = il.invoice_id
     WHERE i.direction = 'receivable' AND il.delivery_id IN (SELECT id FROM facts)
     GROUP BY il.delivery_id)
SELECT {name} AS name, f.product_id, sum(f.unit_hours),
       coalesce(sum(f.unit_hours) FILTER (WHERE rated.delivered IS NOT NULL), 0),
       coalesce(sum(rated.delivered), 0), coalesce(sum(billed.spent), 0)
  FROM facts f
  LEFT JOIN rated ON rated.delivery_id = f.id
  LEFT JOIN billed ON billed.delivery_id = f.id
  LEFT JOIN orders_project p ON p.id = f.project_id
  JOIN marketplace_product g ON g.id = f.product_id
 WHERE f.day BETWEEN %(starts)s AND %(ends)s
 GROUP BY 1, 2, g.sort_order, g.code ORDER BY 1, g.sort_order, g.code
"""


def usage_of(
    *, organisation: Organisation, starts_on: date, ends_on: date, by: UsageBy
) -> list[UsageRow]:
    """Return a buyer's usage between two days, both included, in two queries."""
    values: dict[str, str | int | date] = {
        "zone": settings.MARKET_TIME_ZONE,
        "buyer": organisation.pk,
        "starts": starts_on,
        "ends": ends_on,
    }
    with connection.cursor() as cursor:
        cursor.execute(_USAGE.format(name=_NAMES[by]), values)
        rows = cursor.fetchall()
    products = Product.objects.in_bulk({row[1] for row in rows})
    return [UsageRow(name, products[product], *sums) for name, product, *sums in rows]
