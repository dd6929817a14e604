"""Published prices: heat maps, history, averages. CNY per unit and hour, 不含税."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Avg, F, Sum

from marketplace.models import Hub, Product
from orders.models import ClearingPrice, ClearingRun, RunState

# An average over older auctions would not be a hint for the next one.
RECENT_RUNS = 20


@dataclass(frozen=True)
class HeatMap:
    """Supply prices of one product: a row a hub, a column a period; None where nothing trades."""

    hubs: list[Hub]
    periods: list[int]
    starts_at: list[datetime]
    prices: list[list[Decimal | None]]


def heat_map(*, run: ClearingRun, product: Product) -> HeatMap:
    """Return hub x period supply prices of a run in two queries; hubs with supply come first."""
    cells: dict[tuple[int, int], Decimal | None] = {}
    starts: dict[int, datetime] = {}
    rows = ClearingPrice.objects.filter(
        run=run, product=product, is_delivered=False, carbon_class_g__isnull=True
    )
    for hub_id, period, starts_at, price in rows.values_list(
        "hub_id", "period", "starts_at", "price"
    ):
        cells[hub_id, period] = price
        starts[period] = starts_at
    periods = sorted(starts)
    hubs = list(
        Hub.objects.filter(pk__in={hub_id for hub_id, _ in cells}).order_by("-has_supply", "id")
    )
    return HeatMap(
        hubs=hubs,
        periods=periods,
        starts_at=[starts[period] for period in periods],
        prices=[[cells.get((hub.pk, period)) for period in periods] for hub in hubs],
    )


def price_history(
    *, product: Product, hub: Hub, since: datetime, calendar_code: str = ""
) -> list[dict[str, Any]]:
    """Return published supply prices by delivery time: starts_at, price, supplied, auction code."""
    rows = ClearingPrice.objects.filter(
        run__state=RunState.PUBLISHED,
        product=product,
        hub=hub,
        is_delivered=False,
        carbon_class_g__isnull=True,
        starts_at__gte=since,
    )
    if calendar_code:
        rows = rows.filter(run__auction__calendar__code=calendar_code)
    columns = ("starts_at", "price", "supplied")
    found = rows.order_by("starts_at", "run_id").values(*columns, code=F("run__auction__code"))
    return [dict(row) for row in found]


def recent_average(
    *,
    product: Product,
    hub: Hub,
    is_delivered: bool,
    max_rtt_ms: Decimal | None = None,
    max_carbon_g: Decimal | None = None,
) -> Decimal | None:
    """Return the average price of a product at a place over the latest published runs, or None."""
    runs = ClearingRun.objects.filter(state=RunState.PUBLISHED).order_by("-published_at")
    rows = ClearingPrice.objects.filter(
        run__in=list(runs.values_list("id", flat=True)[:RECENT_RUNS]),
        product=product,
        hub=hub,
        is_delivered=is_delivered,
        carbon_class_g=max_carbon_g,
    )
    if is_delivered:
        rows = rows.filter(max_rtt_ms=max_rtt_ms)
    average = rows.aggregate(average=Avg("price"))["average"]
    return None if average is None else Decimal(average).quantize(Decimal("0.0001"))


_VOLUMES = """
SELECT p.product_id, sum(p.supplied * %(minutes)s / 60) AS unit_hours,
       sum(p.supplied * p.price) / nullif(sum(p.supplied), 0) AS average_price,
       count(DISTINCT p.hub_id) FILTER (WHERE p.supplied > 0) AS hubs
  FROM orders_clearingprice p
 WHERE p.run_id = %(run)s AND NOT p.is_delivered AND p.carbon_class_g IS NULL
 GROUP BY p.product_id
"""


@dataclass(frozen=True)
class ProductVolume:
    """Traded volume of a product in a run; the average price is weighted by volume."""

    product: Product
    unit_hours: Decimal
    average_price: Decimal | None
    hubs: int


def product_volumes(*, run: ClearingRun) -> list[ProductVolume]:
    """Return volume and average supply price by product of a run, in two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_VOLUMES, {"run": run.pk, "minutes": run.auction.period_minutes})
        rows = {product: rest for product, *rest in cursor.fetchall()}
    products = Product.objects.filter(pk__in=rows).order_by("sort_order", "code")
    return [ProductVolume(product, *rows[product.pk]) for product in products]


def flow_shares(*, run: ClearingRun) -> dict[str, Decimal]:
    """Return unit-hours by flow type (east_west, east_east, west_west, other) of a run."""
    rows = run.allocations.values_list("flow_type").annotate(volume=Sum("unit_hours"))
    return dict(rows.order_by("flow_type"))


def clearing_prices(
    *,
    run: ClearingRun,
    product: Product,
    hub: Hub | None = None,
    is_delivered: bool = False,
    carbon_class_g: Decimal | None = None,
) -> list[dict[str, object]]:
    """Return supply prices, or delivered prices by latency class, of a run in one query.

    They are those without a carbon limit, or those of a class in g per unit-hour: none where
    nobody asked for the class.
    """
    rows = ClearingPrice.objects.filter(
        run=run, product=product, is_delivered=is_delivered, carbon_class_g=carbon_class_g
    )
    if hub is not None:
        rows = rows.filter(hub=hub)
    return list(
        rows.order_by("hub_id", "max_rtt_ms", "period").values(
            *("hub__code", "period", "starts_at", "max_rtt_ms", "carbon_class_g"),
            *("price", "supplied", "consumed"),
        )
    )
