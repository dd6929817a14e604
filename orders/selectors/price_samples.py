"""Prices that recent auctions published, hour of the day by hour: what a limit may be held to.

CNY per unit and hour, 不含税. Only published runs count, so nothing here depends on a sealed order.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Avg, F, QuerySet
from django.db.models.functions import ExtractHour

from marketplace.models import Hub, Product
from orders.domain.price_chance import HOURS_OF_DAY, RecentAuction
from orders.models import ClearingPrice, ClearingRun, RunState

RECENT_DAYS = 7
# Intraday auctions are many; the newest tell more than those of last week.
MOST_RUNS = 40
_DAY_MINUTES = 24 * 60


def recent_runs(*, product: Product, now: datetime) -> list[int]:
    """Return the newest published runs of the last seven market days that traded a product."""
    runs = ClearingRun.objects.filter(
        state=RunState.PUBLISHED,
        published_at__gt=now - timedelta(days=RECENT_DAYS),
        auction__products=product,
    )
    return list(runs.order_by("-published_at", "-id").values_list("id", flat=True)[:MOST_RUNS])


def delivered_samples(
    *,
    product: Product,
    hub: Hub,
    max_rtt_ms: Decimal | None,
    runs: Iterable[int],
    max_carbon_g: Decimal | None = None,
) -> list[RecentAuction]:
    """Return delivered prices at a place within both classes, one entry a run, oldest first."""
    rows = ClearingPrice.objects.filter(
        run__in=list(runs),
        product=product,
        hub=hub,
        is_delivered=True,
        max_rtt_ms=max_rtt_ms,
        carbon_class_g=max_carbon_g,
    )
    return _by_hub(rows).get(hub.pk, [])


def supply_samples(
    *,
    product: Product,
    hubs: Iterable[int],
    runs: Iterable[int],
    max_carbon_g: Decimal | None = None,
) -> dict[int, list[RecentAuction]]:
    """Return supply prices by hub, one entry a run, oldest first, in a query or two.

    A carbon class has a price only in runs in which somebody asked for it; the others stand at
    the price without a limit.
    """
    rows = ClearingPrice.objects.filter(
        run__in=list(runs),
        product=product,
        hub__in=list(hubs),
        is_delivered=False,
    )
    found = _by_hub(rows.filter(carbon_class_g=None))
    if max_carbon_g is not None:
        for hub_id, classed in _by_hub(rows.filter(carbon_class_g=max_carbon_g)).items():
            by_run = {one.run: one for one in (*found.get(hub_id, ()), *classed)}
            found[hub_id] = [by_run[run] for run in sorted(by_run)]
    return found


def prices_here(
    *,
    delivered: Iterable[RecentAuction],
    supply: Mapping[int, Iterable[RecentAuction]],
    transport: Mapping[int, Decimal],
) -> list[RecentAuction]:
    """Return what each recent auction would have charged at a place within a latency class.

    A run publishes delivered prices of the classes that somebody asked for. For the others the
    price is the cheapest supply within reach with the tariff of its way.

    Args:
        delivered: published delivered prices of the class.
        supply: supply prices by hub.
        transport: tariff of the way to each hub within reach, CNY per unit and hour.
    """
    found: dict[int, dict[int, Decimal]] = {}
    for hub_id, auctions in supply.items():
        for auction in auctions:
            prices = found.setdefault(auction.run, {})
            for hour, price in auction.prices.items():
                brought = price + transport[hub_id]
                prices[hour] = min(brought, prices.get(hour, brought))
    found |= {auction.run: dict(auction.prices) for auction in delivered}
    return [RecentAuction(run, prices) for run, prices in sorted(found.items())]


def _by_hub(rows: QuerySet[ClearingPrice]) -> dict[int, list[RecentAuction]]:
    zone = ZoneInfo(settings.MARKET_TIME_ZONE)
    cells = (
        rows.filter(price__isnull=False)
        .annotate(hour=ExtractHour("starts_at", tzinfo=zone))
        .values("hub_id", "run_id", "hour", minutes=F("run__auction__period_minutes"))
        .annotate(mean=Avg("price"))
        .order_by("hub_id", "run_id", "hour")
    )
    found: dict[int, dict[int, dict[int, Decimal]]] = {}
    for cell in cells:
        prices = found.setdefault(cell["hub_id"], {}).setdefault(cell["run_id"], {})
        if cell["minutes"] >= _DAY_MINUTES:  # a price of a day is that of all its hours
            prices.update(dict.fromkeys(range(HOURS_OF_DAY), cell["mean"]))
        else:
            prices[cell["hour"]] = cell["mean"]
    return {
        hub: [RecentAuction(run, prices) for run, prices in sorted(by_run.items())]
        for hub, by_run in found.items()
    }
