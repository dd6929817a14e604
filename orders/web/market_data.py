"""Public market data: prices, index, volumes, flows and depth of published auctions."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import localname
from marketplace.web.charts import Chart
from orders.selectors.price_index import CompositeDay, composite_days
from orders.web.flow_charts import flow_shares, network_chart, read_link_loads, sankey_chart
from orders.web.history_charts import History, index_chart, price_chart, read_history, volume_chart
from orders.web.market_choice import MarketChoice, MarketChoiceForm, read_choice
from orders.web.merit_chart import merit_chart
from orders.web.names import auction_name
from orders.web.price_grid import PriceGrid, heat_map, read_price_grid


def newest_composite() -> CompositeDay | None:
    """Return the index over all products on the last trading day."""
    days = composite_days(today=market_date(market_now()))
    return days[-1] if days else None


@require_safe
def show_prices(request: HttpRequest) -> HttpResponse:
    """Show the heat map of an auction, the price history and the index of a product."""
    choice = read_choice(request)
    if choice is None or choice.run is None:
        return _nothing_yet(request, choice, "prices")
    grid = read_price_grid(choice.run, choice.product)
    history = read_history(choice)
    prices = heat_map(grid, choice.periods()) if grid.hubs else None
    charts = [
        _named(prices, choice, gettext("Hour by hub: %(auction)s"), "heat-map"),
        price_chart(history),
        index_chart(history),
    ]
    return _answer(
        request,
        choice,
        "prices",
        charts=[chart for chart in charts if chart],
        figures=_figures(history),
        without=("period",),
    )


@require_safe
def show_volumes(request: HttpRequest) -> HttpResponse:
    """Show how much was sold where, and which way the work went."""
    choice = read_choice(request)
    if choice is None or choice.run is None:
        return _nothing_yet(request, choice, "volumes")
    history = read_history(choice)
    network = network_chart(read_link_loads(choice.run))
    served = sankey_chart(choice.run, choice.product)
    return _answer(
        request,
        choice,
        "volumes",
        charts=[chart for chart in [volume_chart(history)] if chart],
        network=replace(network, csv_url=choice.csv_url("links")),
        served=replace(served, csv_url=choice.csv_url("flows")) if served else None,
        shares=flow_shares(choice.run),
        without=("period",),
    )


@require_safe
def show_depth(request: HttpRequest) -> HttpResponse:
    """Show the curves of one period of a published auction with the point where they cleared."""
    choice = read_choice(request)
    if choice is None or choice.run is None:
        return _nothing_yet(request, choice, "depth")
    grid = read_price_grid(choice.run, choice.product)
    period = period_of(choice, grid)
    curves = merit_chart(choice.run, grid, choice.hub, choice.periods()[period - 1])
    charts = [replace(curves, csv_url=choice.csv_url("depth"), height="lg")] if curves else []
    return _answer(
        request,
        choice,
        "depth",
        charts=charts,
        network=network_chart(
            read_link_loads(choice.run, period), at=choice.periods()[period - 1].label
        ),
        without=("span",),
        period=period,
    )


def period_of(choice: MarketChoice, grid: PriceGrid) -> int:
    """Return the period asked for, else the busiest of the auction."""
    if 1 <= choice.asked_period <= len(choice.periods()):
        return choice.asked_period
    busiest = grid.busiest()
    return busiest[1] if busiest else 1


def _named(chart: Chart | None, choice: MarketChoice, title: str, dataset: str) -> Chart | None:
    if chart is None or choice.run is None:
        return None
    name = f"{localname(choice.product)} · {auction_name(choice.run.auction)}"
    return replace(chart, title=title % {"auction": name}, csv_url=choice.csv_url(dataset))


def _figures(history: History) -> dict[str, Any]:
    """Return the newest price, index and volume of the product with their changes."""
    prices, indices = history.market_price(), history.market_index()
    totals = [b.of_product(history.choice.product.pk).unit_hours for b in history.buckets]
    return {
        "composite": newest_composite(),
        "product": history.choice.product,
        "at": history.labels[-1] if history.labels else "",
        "price": prices[-1] if prices else None,
        "change_percent": _change(prices),
        "index": indices[-1] if indices else None,
        "unit_hours": sum(totals, Decimal(0)),
        "buckets": len(totals),
    }


def _change(prices: list[Decimal | None]) -> Decimal | None:
    known = [price for price in prices if price]
    return (known[-1] / known[-2] - 1) * 100 if len(known) > 1 else None


def _answer(
    request: HttpRequest,
    choice: MarketChoice,
    view: str,
    *,
    without: tuple[str, ...],
    period: int = 0,
    **parts: Any,
) -> HttpResponse:
    context = {
        "view": view,
        "choice": choice,
        "views": view_tabs(view, choice),
        "classes": choice.class_tabs(request.path),
        "form": MarketChoiceForm(choice, period=period, without=without),
        "run_name": auction_name(choice.run.auction) if choice.run else "",
        **parts,
    }
    return render(request, "orders/market_data.html", context)


def _nothing_yet(request: HttpRequest, choice: MarketChoice | None, view: str) -> HttpResponse:
    """Show which product has no results yet, or that the market has none at all."""
    context = {
        "view": view,
        "views": view_tabs(view, choice),
        "choice": choice,
        "classes": choice.class_tabs(request.path) if choice else [],
    }
    return render(request, "orders/market_data.html", context)


def view_tabs(active: str, choice: MarketChoice | None = None) -> list[dict[str, Any]]:
    """Return the tabs of the market data, with the reader's choice kept."""
    query = f"?{choice.query()}" if choice else ""
    names = (
        ("prices", "market-data", pgettext("market data", "Prices and index")),
        ("volumes", "market-volumes", pgettext("market data", "Volumes and flows")),
        ("depth", "market-depth", pgettext("market data", "Depth")),
    )
    tabs = [
        {"label": label, "url": reverse(name) + query, "active": view == active}
        for view, name, label in names
    ]
    # The carbon figures belong to a higher layer, which shows the same tabs.
    carbon = pgettext("market data", "Carbon")
    return [*tabs, {"label": carbon, "url": reverse("market-carbon"), "active": active == "carbon"}]
