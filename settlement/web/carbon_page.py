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
from settlement.selectors.carbon.scores import GreenFigures, hub_figures, latest_month
from settlement.selectors.carbon.statements import hub_footprint, market_footprint
from settlement.selectors.hub_carbon import HubCarbon, hub_carbon

HEAD = (
    *("hub", "grid_province", "factor_year", "factor_kg_per_kwh", "pue", "green_share"),
    *("product", "gco2_per_unit_hour"),
)
FOOTPRINT_HEAD = (
    *("month", "buyers", "facility_wh", "matched_wh", "location_based_t", "market_based_t"),
)
SUPPLY_HEAD = (
    *("hub", "span", "until_month", "facility_wh", "certificates_wh", "direct_wh", "own_wh"),
    *("green_share", "target", "gap_wh", "gap_certificates", "hourly_score", "volume_share"),
    *("grid_share", "grid_source"),
)


@require_safe
def show_carbon(request: HttpRequest) -> HttpResponse:
    """Show factor, PUE, green share and grams by hub and product."""
    hubs = hub_carbon()
    products = [p for p in traded_products() if any(hub.grams_of(p) for hub in hubs)]
    months = market_footprint()
    supply_month = latest_month()
    context: dict[str, Any] = {
        "views": view_tabs("carbon"),
        "months": months,
        "delivered": hub_footprint(months[0].month) if months else [],
        "supply_month": supply_month,
        "supply": hub_figures(supply_month) if supply_month else [],
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


@require_safe
def download_footprint(request: HttpRequest) -> HttpResponse:
    """Answer the market's months as CSV."""
    rows = [
        [
            *(f"{row.month:%Y-%m}", row.buyers, row.facility_wh, row.matched_wh),
            *(row.location_based_t, row.market_based_t),
        ]
        for row in market_footprint()
    ]
    return csv_answer("carbon-footprint.csv", FOOTPRINT_HEAD, rows)


@require_safe
def download_supply(request: HttpRequest) -> HttpResponse:
    """Answer the green shares of the hubs as CSV: newest month, and the year up to it.

    Energy is left out where too few suppliers stated it; see `GreenFigures.may_show_energy`.
    """
    month = latest_month()
    rows = [
        [
            *(row.hub.code, span, f"{month:%Y-%m}", *_energy(figures)),
            *(_cell(figures.gap.share), figures.target.share, *_gap(figures)),
            *(_cell(figures.score), _cell(figures.volume), _cell(figures.grid_share)),
            figures.grid_source,
        ]
        for row in (hub_figures(month) if month else [])
        for span, figures in (("month", row.month), ("year_to_date", row.year))
    ]
    return csv_answer("carbon-green-supply.csv", SUPPLY_HEAD, rows)


def _energy(figures: GreenFigures) -> tuple[object, ...]:
    if not figures.may_show_energy:
        return ("",) * 4
    return figures.facility_wh, figures.certified_wh, figures.direct_wh, figures.own_wh


def _gap(figures: GreenFigures) -> tuple[object, ...]:
    if not figures.may_show_energy:
        return ("",) * 2
    return figures.gap.gap_wh, figures.gap.certificates


def _cell(value: Any) -> Any:
    return "" if value is None else value


def _row(entry: HubCarbon, products: list[Product]) -> dict[str, Any]:
    return {"entry": entry, "grams": [entry.grams_of(product) for product in products]}


def _chart(hubs: list[HubCarbon]) -> Chart:
    cleanest, dirtiest = hubs[0], hubs[-1]
    return Chart(
        id="carbon",
        kind="stacked_bars",
        title=gettext("Emissions of a kilowatt-hour of computing"),
        summary=gettext("From %(low)s g/kWh at %(low_hub)s to %(high)s g/kWh at %(high_hub)s.")
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
