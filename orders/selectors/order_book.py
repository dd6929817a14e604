"""Aggregated curves of a published auction: how much at which price, never whose."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from marketplace.models import Hub, Product
from orders.models import ClearingRun, RunState

# With fewer members on a side, a curve would show somebody's costs.
FEWEST_MEMBERS = 3

_CURVES = """
SELECT o.side, c.price, sum(c.quantity) AS quantity, array_agg(DISTINCT o.organisation_id)
  FROM orders_order o
  JOIN orders_curvestep c ON c.order_id = o.id
 WHERE o.auction_id = %(auction)s AND o.product_id = %(product)s
   AND o.state NOT IN ('active', 'cancelled', 'quarantined')
   AND %(period)s BETWEEN c.first_period AND c.last_period
   AND (%(hub)s IS NULL OR o.hub_id = %(hub)s)
 GROUP BY o.side, c.price
UNION ALL
SELECT o.side, b.limit_price, sum(g.quantity), array_agg(DISTINCT o.organisation_id)
  FROM orders_order o
  JOIN orders_blockoption b ON b.order_id = o.id
  JOIN orders_blockleg g ON g.option_id = b.id
 WHERE o.auction_id = %(auction)s AND g.product_id = %(product)s
   AND o.state NOT IN ('active', 'cancelled', 'quarantined')
   AND %(period)s BETWEEN g.first_period AND g.last_period
   AND (%(hub)s IS NULL OR g.hub_id = %(hub)s)
 GROUP BY o.side, b.limit_price
"""


@dataclass(frozen=True)
class CurvePoint:
    """Units at a price, and all units up to it in merit order."""

    price: Decimal
    quantity: Decimal
    cumulative: Decimal


@dataclass(frozen=True)
class MeritOrder:
    """Supply from the cheapest, demand from the dearest; a side is empty when `is_hidden`."""

    supply: list[CurvePoint]
    demand: list[CurvePoint]
    is_hidden: bool


def merit_order(
    *, run: ClearingRun, product: Product, period: int, hub: Hub | None = None
) -> MeritOrder:
    """Return both curves of a period, over all hubs or at one, in one query.

    Nothing before publication, and no side on which fewer than three members stand.
    """
    if run.state != RunState.PUBLISHED:
        return MeritOrder([], [], is_hidden=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _CURVES,
            {
                "auction": run.auction_id,
                "product": product.pk,
                "period": period,
                "hub": hub.pk if hub else None,
            },
        )
        rows = cursor.fetchall()
    sides: dict[str, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
    members: dict[str, set[int]] = {"buy": set(), "sell": set()}
    for side, price, quantity, organisations in rows:
        sides[side][price] = sides[side].get(price, Decimal(0)) + quantity
        members[side].update(organisations)
    hidden = {side for side, found in members.items() if 0 < len(found) < FEWEST_MEMBERS}
    return MeritOrder(
        supply=[] if "sell" in hidden else _points(sides["sell"], dearest_first=False),
        demand=[] if "buy" in hidden else _points(sides["buy"], dearest_first=True),
        is_hidden=bool(hidden),
    )


def _points(steps: dict[Decimal, Decimal], *, dearest_first: bool) -> list[CurvePoint]:
    points, total = [], Decimal(0)
    for price in sorted(steps, reverse=dearest_first):
        total += steps[price]
        points.append(CurvePoint(price, steps[price], total))
    return points
