"""The published results of one auction: figures, charts, and the choice of what they show."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Avg
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import round_quotient
from marketplace.models import Product
from marketplace.templatetags.market_ui import figure, is_chinese, localname
from marketplace.web.charts import Chart
from orders.models import Auction, ClearingPrice, ClearingRun
from orders.web.bundle_access import public_from
from orders.web.flow_charts import (
    FlowShare,
    flow_shares,
    network_chart,
    read_link_loads,
    sankey_chart,
)
from orders.web.merit_chart import merit_chart
from orders.web.names import PeriodName, periods_of
from orders.web.price_grid import PLACES, PriceGrid, heat_map, read_price_grid


class ResultChoice(forms.Form):
    """Which product, hub and period the charts show; anything unknown falls back."""

    product = forms.ChoiceField(label=_("Product"), required=False)
    hub = forms.ChoiceField(label=_("Hub"), required=False)
    period = forms.ChoiceField(label=_("Period"), required=False)

    def __init__(
        self,
        *,
        products: list[Product],
        grid: PriceGrid,
        periods: list[PeriodName],
        chosen: dict[str, str],
    ) -> None:
        super().__init__(data=chosen)
        self.fields["product"].choices = [(p.code, localname(p)) for p in products]  # type: ignore[attr-defined]
        places = [("", gettext("All hubs")), *((h.code, localname(h)) for h in grid.hubs)]
        self.fields["hub"].choices = places  # type: ignore[attr-defined]
        self.fields["period"].choices = [(str(p.number), p.label) for p in periods]  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class GreenPremium:
    """What a carbon class cost above the price without a limit, CNY per unit and hour.

    Means of the delivered prices over periods and places; `grams` is the class, g per unit-hour.
    """

    grams: Decimal
    price: Decimal
    plain: Decimal

    @property
    def premium(self) -> Decimal:
        """The difference; never below zero, for strict supply serves looser bids too."""
        return self.price - self.plain


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that the results part of the auction page shows."""

    product: Product
    tabs: list[dict[str, Any]]
    form: ResultChoice
    prices: Chart | None
    merit: Chart | None
    network: Chart
    served: Chart | None
    shares: list[FlowShare]
    delivered: dict[str, Any]
    premiums: list[GreenPremium]
    volume: Decimal
    bundle_public_from: Any


def describe_results(request: HttpRequest, auction: Auction, run: ClearingRun) -> Results | None:
    """Return the results of a published run for the product, hub and period asked for."""
    products = list(auction.products.order_by("sort_order", "code"))
    if not products:
        return None
    periods = periods_of(auction)
    product = _choose_product(request.GET.get("product"), products, run)
    grid = read_price_grid(run, product)
    hub_code, period = _choose_cell(request, grid, periods)
    chosen = {"product": product.code, "hub": hub_code, "period": str(period)}
    hub = next((h for h in grid.hubs if h.code == hub_code), None)
    means = _delivered_means(run, product)
    return Results(
        product=product,
        tabs=_tabs(auction, products, product),
        form=ResultChoice(products=products, grid=grid, periods=periods, chosen=chosen),
        prices=heat_map(grid, periods) if grid.hubs else None,
        merit=merit_chart(run, grid, hub, periods[period - 1]),
        network=network_chart(read_link_loads(run, period), at=periods[period - 1].label),
        served=sankey_chart(run, product),
        shares=flow_shares(run),
        delivered=_delivered([row for row in means if row["carbon_class_g"] is None]),
        premiums=_premiums([row for row in means if row["max_rtt_ms"] is None]),
        volume=grid.supplied() * auction.period_minutes / 60,
        bundle_public_from=public_from(run),
    )


def _choose_product(code: str | None, products: list[Product], run: ClearingRun) -> Product:
    asked = next((p for p in products if p.code == code), None)
    if asked is not None:
        return asked
    traded = set(
        ClearingPrice.objects.filter(run=run, supplied__gt=0)
        .values_list("product_id", flat=True)
        .distinct()
        .order_by()
    )
    return next((p for p in products if p.pk in traded), products[0])


def _choose_cell(
    request: HttpRequest, grid: PriceGrid, periods: list[PeriodName]
) -> tuple[str, int]:
    """Return the hub asked for (none: the whole market) and the period, busiest by default."""
    busiest = grid.busiest()
    hub = request.GET.get("hub", "")
    if hub not in {place.code for place in grid.hubs}:
        hub = ""
    asked = request.GET.get("period", "")
    period = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 0
    if not 1 <= period <= len(periods):
        period = busiest[1] if busiest else 1
    return hub, period


def _tabs(auction: Auction, products: list[Product], active: Product) -> list[dict[str, Any]]:
    url = reverse("auction", args=[auction.code])
    return [
        {
            "label": localname(product),
            "url": f"{url}?product={product.code}",
            "active": product.pk == active.pk,
        }
        for product in products
    ]


def _delivered_means(run: ClearingRun, product: Product) -> list[dict[str, Any]]:
    """Return mean delivered prices by place of consumption, latency class and carbon class."""
    prices = ClearingPrice.objects.filter(
        run=run, product=product, is_delivered=True, price__isnull=False
    )
    return list(
        prices.values("hub__code", "hub__short_zh", "hub__short_en", "max_rtt_ms", "carbon_class_g")
        .annotate(mean=Avg("price"))
        .order_by("hub__side", "hub__code", "max_rtt_ms", "carbon_class_g")
    )


def _premiums(rows: list[dict[str, Any]]) -> list[GreenPremium]:
    """Return the premium of each carbon class somebody asked for, the strictest first."""
    plain = {row["hub__code"]: row["mean"] for row in rows if row["carbon_class_g"] is None}
    pairs: dict[Decimal, list[tuple[Decimal, Decimal]]] = {}
    for row in rows:
        if row["carbon_class_g"] is not None and row["hub__code"] in plain:
            pair = (row["mean"], plain[row["hub__code"]])
            pairs.setdefault(row["carbon_class_g"], []).append(pair)
    return [
        GreenPremium(
            grams,
            price=round_quotient(add_exactly(one for one, _ in found), len(found), PLACES),
            plain=round_quotient(add_exactly(one for _, one in found), len(found), PLACES),
        )
        for grams, found in sorted(pairs.items())
    ]


def _delivered(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return mean delivered prices without a carbon limit by place and latency class, a table."""
    limits = sorted({row["max_rtt_ms"] for row in rows}, key=lambda ms: (ms is None, ms or 0))
    places: dict[str, dict[Any, Decimal]] = {}
    names: dict[str, str] = {}
    for row in rows:
        places.setdefault(row["hub__code"], {})[row["max_rtt_ms"]] = row["mean"]
        names[row["hub__code"]] = row["hub__short_zh" if is_chinese() else "hub__short_en"]
    return {
        "head": [gettext("Place of consumption"), *(latency_text(limit) for limit in limits)],
        "rows": [
            [names[code], *(figure(means.get(limit), PLACES) for limit in limits)]
            for code, means in places.items()
        ],
    }


ANY_LATENCY = pgettext_lazy("latency", "no limit")


def latency_text(limit: Decimal | None) -> str:
    """Return a latency limit as text: ≤ 20 ms, or no limit."""
    return str(ANY_LATENCY) if limit is None else f"≤ {limit.normalize():f} ms"
