"""One trading day of the market in figures: what the bulletin and the home page show. CNY, 不含税.

A trading day is the market's date of publication. Prices by product and hub are those of the spot
auctions (day-ahead, intraday); auctions, flows and the green share take in every kind.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Count, F, Max, Min, Sum

from marketplace.domain.periods import market_date
from marketplace.models import Hub, Product
from orders.domain.price_index import NOTHING, Traded, index_of
from orders.models import Allocation, ClearingRun, PriceSummary
from orders.selectors.market_runs import runs_of_day, traded_runs
from orders.selectors.price_index import (
    SPOT_KINDS,
    CompositeDay,
    base_prices,
    composite_days,
    published_state,
    sold_by_day,
)

_CACHE_SECONDS = 3600
_LOOK_BACK = timedelta(days=60)
_ZERO = Decimal(0)


@dataclass(frozen=True)
class ProductDay:
    """Spot prices and volume of a product on a trading day, against the day it sold before."""

    product: Product
    traded: Traded
    lowest_price: Decimal
    highest_price: Decimal
    hubs: int
    index: Decimal | None
    change_percent: Decimal | None


@dataclass(frozen=True)
class MarketDay:
    """Everything that was published on one trading day."""

    day: date
    runs: list[ClearingRun]
    composite: CompositeDay | None
    products: list[ProductDay]
    hubs: list[Hub]
    cells: dict[tuple[int, int], Traded]
    flow_values_cny: dict[str, Decimal]
    green_share: Decimal | None

    @property
    def value_cny(self) -> Decimal:
        """Return what buyers owe for everything that was sold, VAT excluded."""
        return sum((run.buyer_payments_cny or _ZERO for run in self.runs), _ZERO)

    @property
    def welfare_cny(self) -> Decimal:
        """Return the welfare of all auctions of the day."""
        return sum((run.welfare_cny or _ZERO for run in self.runs), _ZERO)

    @property
    def congestion_rent_cny(self) -> Decimal:
        """Return the congestion rents of all auctions of the day."""
        return sum((run.congestion_rent_cny or _ZERO for run in self.runs), _ZERO)

    @property
    def order_count(self) -> int:
        """Return how many orders the day's books held."""
        return sum(run.order_count for run in self.runs)

    def at(self, product: Product, hub: Hub) -> Traded:
        """Return what a hub sold of a product in the spot auctions of the day."""
        return self.cells.get((product.pk, hub.pk), NOTHING)


def trading_days(*, today: date) -> list[date]:
    """Return the trading days on which something was sold, newest first."""
    key = f"trading-days:{published_state()}:{today.isoformat()}"
    found: list[date] | None = cache.get(key)
    if found is None:
        published = traded_runs().values_list("published_at", flat=True)
        found = sorted({market_date(at) for at in published if at}, reverse=True)
        cache.set(key, found, _CACHE_SECONDS)
    return found


def market_day(day: date) -> MarketDay | None:
    """Return a trading day, None when nothing was published on it; kept until more is published."""
    key = f"market-day:{published_state()}:{day.isoformat()}"
    found: MarketDay | None = cache.get(key)
    if found is None:
        found = _read(day)
        if found is not None:
            cache.set(key, found, _CACHE_SECONDS)
    return found


def _read(day: date) -> MarketDay | None:
    runs = list(runs_of_day(day))
    if not runs:
        return None
    sold = {entry.label_at: entry for entry in sold_by_day(since=day - _LOOK_BACK, until=day)}
    today = sold.pop(day, None)
    cells = today.cells if today else {}
    before: dict[int, Traded] = {}
    for entry in sold.values():
        before.update(entry.by_product())
    composite = next((row for row in composite_days(today=day) if row.day == day), None)
    hubs = Hub.objects.filter(pk__in={hub for _product, hub in cells}).order_by("side", "code")
    return MarketDay(
        day=day,
        runs=runs,
        composite=composite,
        products=_product_days(runs, before),
        hubs=list(hubs),
        cells=cells,
        flow_values_cny=flow_values(runs),
        green_share=green_share(runs),
    )


def _product_days(runs: list[ClearingRun], before: dict[int, Traded]) -> list[ProductDay]:
    spot = [run.pk for run in runs if run.auction.calendar.kind in SPOT_KINDS]
    rows = (
        PriceSummary.objects.filter(run_id__in=spot)
        .values("product_id")
        .annotate(
            hours=Sum("unit_hours"),
            value=Sum("value_cny"),
            low=Min("lowest_price"),
            high=Max("highest_price"),
            hubs=Count("hub", distinct=True),
        )
        .order_by()
    )
    found = {row["product_id"]: row for row in rows}
    bases = base_prices()
    products = Product.objects.filter(pk__in=found).order_by("sort_order", "code")
    return [_product_day(p, found[p.pk], bases, before.get(p.pk, NOTHING)) for p in products]


def _product_day(
    product: Product, row: dict[str, object], bases: dict[int, Decimal], before: Traded
) -> ProductDay:
    traded = Traded(row["hours"], row["value"])  # type: ignore[arg-type]
    price, earlier = traded.price, before.price
    change = (price / earlier - 1) * 100 if price and earlier else None
    return ProductDay(
        product=product,
        traded=traded,
        lowest_price=row["low"],  # type: ignore[arg-type]
        highest_price=row["high"],  # type: ignore[arg-type]
        hubs=row["hubs"],  # type: ignore[arg-type]
        index=index_of(price, bases.get(product.pk)),
        change_percent=change,
    )


def flow_values(runs: list[ClearingRun]) -> dict[str, Decimal]:
    """Return the value of what was bought by flow type, all products."""
    rows = Allocation.objects.filter(run__in=[run.pk for run in runs]).values_list("flow_type")
    return dict(rows.annotate(value=Sum("buyer_net_cny")).order_by())


def green_share(runs: list[ClearingRun]) -> Decimal | None:
    """Return the share of green power in what the runs sold; None when they sold nothing.

    The pools' declared shares, weighted by the energy of the cards or cores that were sold.
    """
    energy = F("unit_hours") * F("listing__pool__power_w_per_unit")
    sums = Allocation.objects.filter(run__in=[run.pk for run in runs]).aggregate(
        all=Sum(energy), green=Sum(energy * F("listing__pool__green_share"))
    )
    if not sums["all"]:
        return None
    return (Decimal(sums["green"]) / Decimal(sums["all"])).quantize(Decimal("0.0001"))
