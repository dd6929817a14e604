"""What surveillance looks at, and the cases it has opened."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum

from marketplace.models import Hub, Product
from orders.domain.concentration import Concentration, concentration_of
from orders.models import Allocation, Auction, SurveillanceAlert

_COURSE = """
SELECT p.product_id, p.hub_id, p.run_id = %(run)s AS is_own,
       sum(p.price * p.supplied) / sum(p.supplied) AS price
  FROM orders_clearingprice p
 WHERE p.run_id = ANY(%(runs)s) AND NOT p.is_delivered AND p.carbon_class_g IS NULL
   AND p.supplied > 0
 GROUP BY p.product_id, p.hub_id, p.run_id
"""
_ENTERED = """
SELECT o.organisation_id, o.product_id, o.side,
       sum(o.quantity * (o.last_period - o.first_period + 1))
         FILTER (WHERE o.submitted_at >= %(late)s AND o.state NOT IN ('cancelled', 'quarantined')),
       sum(o.quantity * (o.last_period - o.first_period + 1))
         FILTER (WHERE o.state NOT IN ('cancelled', 'quarantined')),
       sum(o.quantity * (o.last_period - o.first_period + 1))
         FILTER (WHERE (o.reason_code = 'cancelled_by_member' AND o.closed_at >= %(shortly)s)
                    OR (o.state = 'quarantined' AND o.reason_code = 'listing_not_active'))
  FROM orders_order o
 WHERE o.auction_id = %(auction)s
 GROUP BY o.organisation_id, o.product_id, o.side
"""


@dataclass(frozen=True)
class Entered:
    """Unit-periods of a member on one side of a product in an auction."""

    organisation_id: int
    product_id: int
    side: str
    late: Decimal
    standing: Decimal
    withdrawn: Decimal


@dataclass(frozen=True)
class ConcentrationRow:
    """Concentration of what was sold of a product, at a hub or (None) everywhere."""

    product: Product
    hub: Hub | None
    figures: Concentration


def alerts() -> QuerySet[SurveillanceAlert]:
    """Return all cases, newest first, with what a list shows."""
    related = ("auction__calendar", "organisation", "counterparty", "product", "hub", "closed_by")
    return SurveillanceAlert.objects.select_related(*related).order_by("-id")


def entered_in(auction: Auction, *, shortly_before: datetime) -> list[Entered]:
    """Return what each member entered and withdrew, in one query."""
    values: dict[str, Any] = {
        "auction": auction.pk,
        "late": auction.no_cancel_from,
        "shortly": shortly_before,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENTERED, values)
        return [
            Entered(*row[:3], *(figure or Decimal(0) for figure in row[3:]))
            for row in cursor.fetchall()
        ]


def price_courses(
    *, run_id: int, earlier: list[int]
) -> dict[tuple[int, int], tuple[Decimal, list[Decimal]]]:
    """Return by (product, hub) the average supply price of a run and those of earlier runs."""
    own: dict[tuple[int, int], Decimal] = {}
    course: dict[tuple[int, int], list[Decimal]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_COURSE, {"run": run_id, "runs": [run_id, *earlier]})
        for product_id, hub_id, is_own, price in cursor.fetchall():
            if is_own:
                own[product_id, hub_id] = price
            else:
                course[product_id, hub_id].append(price)
    return {cell: (price, course[cell]) for cell, price in own.items()}


def concentration_since(*, since: datetime, until: datetime) -> list[ConcentrationRow]:
    """Return the concentration of sales delivered in a span, by product and by hub of supply.

    Volumes are unit-hours by seller. The sum over all hubs comes first. Three queries.
    """
    rows = Allocation.objects.filter(starts_at__gte=since, starts_at__lt=until)
    sums = rows.values_list("product_id", "supply_hub_id", "seller_id").annotate(
        volume=Sum("unit_hours")
    )
    by_hub: dict[tuple[int, int], list[Decimal]] = defaultdict(list)
    by_seller: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for product_id, hub_id, seller_id, volume in sums.order_by():
        by_hub[product_id, hub_id].append(volume)
        by_seller[product_id, seller_id] += volume
    found: list[tuple[Product, Hub | None, Concentration | None]] = []
    hubs = Hub.objects.in_bulk({hub_id for _, hub_id in by_hub})
    products = Product.objects.filter(pk__in={product_id for product_id, _ in by_hub})
    for product in products.order_by("sort_order", "code"):
        total = [volume for (key, _), volume in by_seller.items() if key == product.pk]
        found.append((product, None, concentration_of(total)))
        places = [hub_id for key, hub_id in by_hub if key == product.pk]
        for hub in sorted((hubs[key] for key in places), key=lambda hub: hub.code):
            found.append((product, hub, concentration_of(by_hub[product.pk, hub.pk])))
    return [ConcentrationRow(p, h, figures) for p, h, figures in found if figures is not None]
