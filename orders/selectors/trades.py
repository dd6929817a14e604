"""The latest trades for everybody: how much, from where to where, at which price, never whose."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Sum

from marketplace.models import Hub, Product
from orders.models import Allocation
from orders.selectors.market_runs import traded_runs
from orders.selectors.price_index import published_state

_RUNS = 4
_CACHE_SECONDS = 3600


@dataclass(frozen=True)
class Trade:
    """What was bought of a product at one place and served from another in an auction, summed up.

    The price is what buyers pay on average, CNY per unit and hour, VAT excluded.
    """

    published_at: datetime
    product: Product
    supply_hub: Hub
    hub: Hub
    unit_hours: Decimal
    price: Decimal


def latest_trades(*, limit: int) -> list[Trade]:
    """Return the largest trades of the newest auctions; kept until more is published."""
    key = f"latest-trades:{limit}:{published_state()}"
    found: list[Trade] | None = cache.get(key)
    if found is None:
        found = _read(limit)
        cache.set(key, found, _CACHE_SECONDS)
    return found


def _read(limit: int) -> list[Trade]:
    runs = {run.pk: run for run in traded_runs()[:_RUNS]}
    rows = list(
        Allocation.objects.filter(run__in=runs)
        .values("run_id", "product_id", "supply_hub_id", "hub_id")
        .annotate(hours=Sum("unit_hours"), value=Sum("buyer_net_cny"))
        .order_by("-run__published_at", "-value")[:limit]
    )
    products = Product.objects.in_bulk({row["product_id"] for row in rows})
    places = {row["supply_hub_id"] for row in rows} | {row["hub_id"] for row in rows}
    hubs = Hub.objects.in_bulk(places)
    return [
        Trade(
            published_at=at,
            product=products[row["product_id"]],
            supply_hub=hubs[row["supply_hub_id"]],
            hub=hubs[row["hub_id"]],
            unit_hours=row["hours"],
            price=row["value"] / row["hours"],
        )
        for row in rows
        if (at := runs[row["run_id"]].published_at) is not None
    ]
