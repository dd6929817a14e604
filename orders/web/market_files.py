"""The figures behind the charts of the market data as CSV with machine names."""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from marketplace.web.csv_answers import csv_answer
from orders.models import ClearingRun
from orders.selectors.order_book import merit_order
from orders.selectors.price_index import hub_index, product_index
from orders.selectors.prices import clearing_prices
from orders.web.flow_charts import edges_of_run, served_by_hub
from orders.web.history_charts import read_history
from orders.web.market_choice import MarketChoice, read_choice
from orders.web.market_data import period_of
from orders.web.names import market_zone
from orders.web.price_grid import read_price_grid

Rows = Iterator[list[object]]
ALL_HUBS = "ALL"


def _history(choice: MarketChoice, run: ClearingRun) -> Rows:
    history = read_history(choice)
    product = choice.product
    for bucket in history.buckets:
        at = bucket.label_at
        when = timezone.localtime(at, market_zone()) if isinstance(at, datetime) else at
        totals = bucket.of_product(product.pk)
        yield [
            *(when.isoformat(), product.code, ALL_HUBS, totals.unit_hours, totals.value_cny),
            *(_rounded(totals.price), product_index(bucket, product.pk, history.base_price)),
        ]
        for hub in choice.hubs:
            sums = bucket.at_hub(product.pk, hub.pk)
            if sums.unit_hours:
                yield [
                    *(when.isoformat(), product.code, hub.code, sums.unit_hours, sums.value_cny),
                    _rounded(sums.price),
                    hub_index(bucket, product.pk, hub.pk, history.base_price),
                ]


def _heat_map(choice: MarketChoice, run: ClearingRun) -> Rows:
    for row in clearing_prices(run=run, product=choice.product):
        yield [
            *(run.auction.code, choice.product.code, row["hub__code"], row["period"]),
            *(_instant(row["starts_at"]), row["price"], row["supplied"], row["consumed"]),
        ]


def _links(choice: MarketChoice, run: ClearingRun) -> Rows:
    for edge in edges_of_run(run):
        yield [
            *(run.auction.code, edge["source"], edge["target"], edge["flow"], edge["capacity"]),
            int(edge["full"]),
        ]


def _flows(choice: MarketChoice, run: ClearingRun) -> Rows:
    for supply, consumption, unit_hours in served_by_hub(run, choice.product):
        yield [run.auction.code, choice.product.code, supply, consumption, unit_hours]


def _depth(choice: MarketChoice, run: ClearingRun) -> Rows:
    period = period_of(choice, read_price_grid(run, choice.product))
    curves = merit_order(run=run, product=choice.product, period=period, hub=choice.hub)
    place = choice.hub.code if choice.hub else ALL_HUBS
    for side, points in (("sell", curves.supply), ("buy", curves.demand)):
        for point in points:
            yield [
                *(run.auction.code, choice.product.code, place, period, side),
                *(point.price, point.quantity, point.cumulative),
            ]


PRICE = "price_cny_per_unit_hour_excl_vat"
FILES: dict[str, tuple[Callable[[MarketChoice, ClearingRun], Rows], tuple[str, ...]]] = {
    "history": (
        _history,
        ("at", "product", "hub", "unit_hours", "value_cny_excl_vat", PRICE, "index"),
    ),
    "heat-map": (
        _heat_map,
        ("auction", "product", "hub", "period", "starts_at", PRICE, "supplied", "consumed"),
    ),
    "links": (
        _links,
        ("auction", "from_hub", "to_hub", "peak_load_gbps", "capacity_gbps", "is_full"),
    ),
    "flows": (_flows, ("auction", "product", "supply_hub", "hub", "unit_hours")),
    "depth": (
        _depth,
        ("auction", "product", "hub", "period", "side", PRICE, "units", "cumulative_units"),
    ),
}


@require_safe
def download_figures(request: HttpRequest, dataset: str) -> HttpResponse:
    """Answer the figures of one chart; 404 for an unknown one, or before anything was sold."""
    choice = read_choice(request)
    if dataset not in FILES or choice is None or choice.run is None:
        raise Http404
    rows, head = FILES[dataset]
    name = f"{dataset}-{choice.product.code}-{choice.run.auction.code}.csv"
    return csv_answer(name, head, rows(choice, choice.run))


def _instant(moment: object) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else ""


def _rounded(price: object) -> object:
    return "" if price is None else round(price, 8)  # type: ignore[call-overload]
