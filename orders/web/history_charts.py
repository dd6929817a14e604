"""Charts over trading days or auctions: average prices, the index, volumes by hub."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext

from marketplace.domain.periods import market_date
from marketplace.models import Hub
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_places import shortname
from marketplace.templatetags.market_ui import figure, localname, unit_text
from marketplace.web.charts import Chart
from orders.selectors.price_index import (
    Sold,
    base_prices,
    hub_index,
    product_index,
    sold_by_auction,
    sold_by_day,
)
from orders.web.market_choice import MarketChoice
from orders.web.names import market_zone, unit_price_text

AUCTIONS_SHOWN = 48
LARGEST = 3
STACKED = 5
PLACES = 4
ZERO = Decimal(0)


@dataclass
class History:
    """What was sold of one product, bucket by bucket, and which hubs sold most of it."""

    choice: MarketChoice
    buckets: list[Sold]
    base_price: Decimal | None

    @property
    def labels(self) -> list[str]:
        """Return the time of each bucket."""
        return [label_of(bucket.label_at) for bucket in self.buckets]

    def largest_hubs(self, limit: int) -> list[Hub]:
        """Return the hub asked for, else the hubs with most volume, largest first."""
        if self.choice.hub:
            return [self.choice.hub]
        totals = {hub.pk: self.hours_at(hub) for hub in self.choice.hubs}
        sold = [hub for hub in self.choice.hubs if totals[hub.pk]]
        return sorted(sold, key=lambda hub: (-totals[hub.pk], hub.code))[:limit]

    def hours_at(self, hub: Hub) -> Decimal:
        """Return the unit-hours a hub sold over all buckets."""
        product = self.choice.product.pk
        return sum((b.at_hub(product, hub.pk).unit_hours for b in self.buckets), ZERO)

    def hub_price(self, hub: Hub) -> list[Decimal | None]:
        """Return a hub's average price, bucket by bucket."""
        product = self.choice.product.pk
        return [_rounded(b.at_hub(product, hub.pk).price) for b in self.buckets]

    def market_price(self) -> list[Decimal | None]:
        """Return the average price over all hubs, bucket by bucket."""
        product = self.choice.product.pk
        return [_rounded(b.of_product(product).price) for b in self.buckets]

    def market_index(self) -> list[Decimal | None]:
        """Return the product's index over all hubs, bucket by bucket."""
        return [product_index(b, self.choice.product.pk, self.base_price) for b in self.buckets]

    def indices_at(self, hub: Hub) -> list[Decimal | None]:
        """Return a hub's index, bucket by bucket."""
        product = self.choice.product.pk
        return [hub_index(b, product, hub.pk, self.base_price) for b in self.buckets]


def read_history(choice: MarketChoice) -> History:
    """Read the stretch of time asked for, in three queries at most."""
    if choice.days:
        today = market_date(market_now())
        since = today - timedelta(days=choice.days - 1)
        buckets = sold_by_day(since=since, until=today, product_id=choice.product.pk)
    else:
        buckets = sold_by_auction(product_id=choice.product.pk, limit=AUCTIONS_SHOWN)
    return History(choice, buckets, base_prices().get(choice.product.pk))


def label_of(moment: date | datetime) -> str:
    """Return a trading day as 2026-11-22, an auction as its time of publication."""
    if isinstance(moment, datetime):
        return f"{timezone.localtime(moment, market_zone()):%m-%d %H:%M}"
    return moment.isoformat()


def price_chart(history: History) -> Chart | None:
    """Draw average prices of the market and of the largest hubs."""
    unit = unit_price_text(history.choice.product)
    return _lines(
        history,
        chart_id="price-history",
        title=gettext("Price history: %(product)s")
        % {"product": localname(history.choice.product)},
        unit=unit,
        market=history.market_price(),
        at_hub=history.hub_price,
        places=PLACES,
        note=gettext("Average supply prices, weighted by volume, in %(unit)s, VAT excluded.")
        % {"unit": unit},
    )


def index_chart(history: History) -> Chart | None:
    """Draw the index of the product and of the largest hubs."""
    return _lines(
        history,
        chart_id="price-index",
        title=gettext("Spot price index: %(product)s")
        % {"product": localname(history.choice.product)},
        unit="",
        market=history.market_index(),
        at_hub=history.indices_at,
        places=2,
        note=gettext(
            "100 is the average price of all hubs on the product's first trading day; a hub's "
            "index uses the same base, so hubs can be compared."
        ),
    )


def _lines(
    history: History,
    *,
    chart_id: str,
    title: str,
    unit: str,
    market: list[Decimal | None],
    at_hub: Callable[[Hub], list[Decimal | None]],
    places: int,
    note: str,
) -> Chart | None:
    if not history.buckets:
        return None
    hubs = history.largest_hubs(LARGEST)
    lines = [(gettext("All hubs"), market), *((shortname(hub), at_hub(hub)) for hub in hubs)]
    return Chart(
        id=chart_id,
        kind="price_lines",
        title=title,
        summary=_describe(history, market, places, unit),
        data={
            "x": history.labels,
            "series": [
                {"name": name, "values": values, "step": not history.choice.days}
                for name, values in lines
            ],
            "unit": unit,
        },
        table_head=[_bucket_head(history), *(name for name, _values in lines)],
        table_rows=[
            [label, *(figure(values[index], places) for _name, values in lines)]
            for index, label in enumerate(history.labels)
        ],
        note=note,
        csv_url=history.choice.csv_url("history"),
    )


def _describe(history: History, market: list[Decimal | None], places: int, unit: str) -> str:
    known = [(value, label) for value, label in zip(market, history.labels, strict=True) if value]
    low, high = min(known), max(known)
    text = gettext("Last %(last)s; lowest %(low)s (%(low_at)s), highest %(high)s (%(high_at)s).")
    return text % {
        "last": f"{figure(known[-1][0], places)} {unit}".strip(),
        "low": f"{figure(low[0], places)} {unit}".strip(),
        "low_at": low[1],
        "high": f"{figure(high[0], places)} {unit}".strip(),
        "high_at": high[1],
    }


def volume_chart(history: History) -> Chart | None:
    """Draw unit-hours sold, the largest hubs by themselves and the others together."""
    if not history.buckets:
        return None
    unit = unit_text(history.choice.product)
    hubs = history.largest_hubs(STACKED)
    product = history.choice.product.pk
    stacks = [
        (shortname(hub), [b.at_hub(product, hub.pk).unit_hours for b in history.buckets])
        for hub in hubs
    ]
    totals = [bucket.of_product(product).unit_hours for bucket in history.buckets]
    rest = [
        total - sum((values[index] for _name, values in stacks), ZERO)
        for index, total in enumerate(totals)
    ]
    if any(rest):
        stacks.append((gettext("Other hubs"), rest))
    return Chart(
        id="volumes",
        kind="stacked_bars",
        title=gettext("Volume: %(product)s") % {"product": localname(history.choice.product)},
        summary=gettext("%(total)s %(unit)s in all, %(count)s hubs sold.")
        % {
            "total": figure(sum(totals, ZERO), 0),
            "unit": unit,
            "count": sum(1 for hub in history.choice.hubs if history.hours_at(hub)),
        },
        data={
            "x": history.labels,
            "series": [{"name": name, "values": values} for name, values in stacks],
            "unit": unit,
        },
        table_head=[_bucket_head(history), *(name for name, _ in stacks), gettext("Total")],
        table_rows=[
            [label, *(figure(values[i], 0) for _, values in stacks), figure(totals[i], 0)]
            for i, label in enumerate(history.labels)
        ],
        csv_url=history.choice.csv_url("history"),
    )


def _bucket_head(history: History) -> str:
    return gettext("Trading day") if history.choice.days else gettext("Published")


def _rounded(price: Decimal | None) -> Decimal | None:
    return None if price is None else round(price, 6)
