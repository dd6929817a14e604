"""Last clearing prices by hub and product, for pages below this layer and for the bid form."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from orders.models import CalendarKind, ClearingPrice, ClearingRun
from orders.selectors.market_runs import latest_traded_run

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RecentPrice:
    """Volume-weighted supply price of a hub and product in the newest published auction.

    Without volume it is the plain mean; CNY per unit and hour, VAT excluded.
    """

    price: Decimal
    supplied: Decimal
    published_at: datetime | None


def latest_run(kind: str = CalendarKind.DAY_AHEAD.value) -> ClearingRun | None:
    """Return the newest published run of a kind that sold something, else the newest of any."""
    return latest_traded_run(kind)


def recent_prices(request: HttpRequest | None = None) -> dict[Cell, RecentPrice]:
    """Return the last price of every (hub id, product id) that has one."""
    run = latest_run()
    return prices_of_run(run) if run else {}


def prices_of_run(run: ClearingRun) -> dict[Cell, RecentPrice]:
    """Return one price for every hub and product of a run."""
    rows = ClearingPrice.objects.filter(run=run, is_delivered=False, carbon_class_g__isnull=True)
    sums: dict[Cell, list[Decimal]] = {}
    for hub, product, price, supplied in rows.values_list(
        "hub_id", "product_id", "price", "supplied"
    ):
        if price is None:
            continue
        entry = sums.setdefault((hub, product), [Decimal(0)] * 4)
        entry[0] += price * supplied
        entry[1] += supplied
        entry[2] += price
        entry[3] += 1
    return {
        cell: RecentPrice(
            price=value / volume if volume else plain / count,
            supplied=volume,
            published_at=run.published_at,
        )
        for cell, (value, volume, plain, count) in sums.items()
    }


def volumes_of_run(run: ClearingRun) -> dict[int, Decimal]:
    """Return units × periods supplied by product id."""
    rows = (
        ClearingPrice.objects.filter(run=run, is_delivered=False, carbon_class_g__isnull=True)
        .values("product_id")
        .annotate(total=Coalesce(Sum("supplied"), Decimal(0)))
        .order_by()
    )
    return {row["product_id"]: row["total"] for row in rows}
