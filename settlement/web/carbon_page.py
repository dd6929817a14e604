"""Carbon figures for everybody: what an hour of compute emits at each hub."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from marketplace.models import Product
from marketplace.selectors.reference import traded_products
from marketplace.templatetags.market_places import shortname
from marketplace.templatetags.market_ui import figure, localname, percent
from marketplace.web.charts import Chart
from marketplace.web.csv_answers import csv_answer
from orders.web.market_data import view_tabs
from settlement.selectors.hub_carbon import HubCarbon, hub_carbon

HEAD = (
    *("hub", "grid_province", "factor_year", "factor_kg_per_kwh", "pue", "green_share"),
    *("product", "gco2_per_unit_hour"),
)


@require_safe
def show_carbon(request: HttpRequest) -> HttpResponse:
    """Show factor, PUE, green share and grams by hub and product."""
    hubs = hub_carbon()
    products = [p for p in traded_products() if any(hub.grams_of(p) for hub in hubs)]
    context: dict[str, Any] = {
        "views": view_tabs("carbon"),
        "chart": _chart(hubs) if hubs else None,
        "products": products,
        "rows": [_row(hub, products) for hub in hubs],
    }
    return render(request, "settlement/carbon.html", context)


@require_safe
def download_carbon(request: HttpRequest) -> HttpResponse:
    """Answer the same figures as CSV."""
    products = list(traded_products())
    rows = [
        [
            *(entry.hub.code, entry.hub.grid_province, entry.factor.year if entry.factor else ""),
            *(entry.factor.kg_per_kwh if entry.factor else "", _round(entry.pue, 4)),
            *(_round(entry.green_share, 4), product.code, _round(entry.grams_of(product), 4)),
        ]
        for entry in hub_carbon()
        for product in products
        if entry.grams_of(product) is not None
    ]
    return csv_answer("carbon.csv", HEAD, rows)


def _row(entry: HubCarbon, products: list[Product]) -> dict[str, Any]:
    return {"entry": entry, "grams": [entry.grams_of(product) for product in products]}


def _chart(hubs: list[HubCarbon]) -> Chart:
    cleanest, dirtiest = hubs[0], hubs[-1]
    return Chart(
        id="carbon",
        kind="stacked_bars",
        title=gettext("Emissions of a kilowatt-hour of computing"),
        summary=gettext("From %(low)s g at %(low_hub)s to %(high)s g at %(high_hub)s.")
        % {
            "low": figure(cleanest.grams_per_it_kwh, 0),
            "low_hub": localname(cleanest.hub),
            "high": figure(dirtiest.grams_per_it_kwh, 0),
            "high_hub": localname(dirtiest.hub),
        },
        data={
            "x": [shortname(entry.hub) for entry in hubs],
            "series": [
                {
                    "name": gettext("Grid factor × PUE"),
                    "values": [_round(entry.grams_per_it_kwh, 1) for entry in hubs],
                }
            ],
            "unit": "gCO₂/kWh",
            "horizontal": True,
        },
        table_head=[gettext("Hub"), "gCO₂/kWh", gettext("PUE"), gettext("Green share")],
        table_rows=[
            [
                localname(entry.hub),
                figure(entry.grams_per_it_kwh, 0),
                figure(entry.pue, 2),
                percent(entry.green_share),
            ]
            for entry in hubs
        ],
        note=gettext(
            "Location-based: the province's published yearly average times the PUE of the pools "
            "on offer. Green certificates never change it; the green share is stated beside it."
        ),
        csv_url=reverse("market-carbon-file"),
    )


def _round(value: Any, places: int) -> Any:
    return "" if value is None else round(value, places)
