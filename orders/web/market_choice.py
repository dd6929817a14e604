"""What a reader of the market data looks at: product, hub, stretch of time, auction, period."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from marketplace.models import Hub, Product, ResourceClass
from marketplace.selectors.hubs import supply_hubs
from marketplace.selectors.reference import traded_products
from marketplace.templatetags.market_ui import localname
from orders.models import ClearingRun, PriceSummary
from orders.selectors.market_runs import traded_runs
from orders.web.names import PeriodName, auction_name, periods_of

BY_AUCTION = "auctions"
DAYS = ("7", "30", "90", "365")
AUCTIONS_LISTED = 40


@dataclass
class MarketChoice:
    """The choice of a request; whatever is unknown falls back to what was traded last."""

    products: list[Product]
    product: Product
    hubs: list[Hub]
    hub: Hub | None
    runs: list[ClearingRun]
    run: ClearingRun | None
    span: str
    asked_period: int = 0

    @property
    def days(self) -> int:
        """How many days the history goes back; 0 for the newest auctions one by one."""
        return 0 if self.span == BY_AUCTION else int(self.span)

    def periods(self) -> list[PeriodName]:
        """Return the periods of the chosen auction."""
        return periods_of(self.run.auction) if self.run else []

    def query(self, **changes: str) -> str:
        """Return the choice as a query string, with changes."""
        values = {
            "product": self.product.code,
            "hub": self.hub.code if self.hub else "",
            "span": self.span,
            "auction": self.run.auction.code if self.run else "",
            "period": str(self.asked_period or ""),
            **changes,
        }
        return "&".join(f"{name}={value}" for name, value in values.items() if value)

    def csv_url(self, dataset: str) -> str:
        """Return where the figures of a chart are to be had as a file."""
        return f"{reverse('market-data-file', args=[dataset])}?{self.query()}"

    def class_tabs(self, url: str) -> list[dict[str, Any]]:
        """Return a tab for each class of compute that has a product."""
        first: dict[str, Product] = {}
        for product in self.products:
            first.setdefault(product.resource_class, product)
        return [
            {
                "label": ResourceClass(code).label,
                "url": f"{url}?{self.query(product=product.code, auction='')}",
                "active": code == self.product.resource_class,
            }
            for code, product in first.items()
        ]


class MarketChoiceForm(forms.Form):
    """The choice as fields; those that a page does not use are left out."""

    product = forms.ChoiceField(label=_("Product"), required=False)
    hub = forms.ChoiceField(label=_("Hub"), required=False)
    span = forms.ChoiceField(label=_("Stretch of time"), required=False)
    auction = forms.ChoiceField(label=_("Auction"), required=False)
    period = forms.ChoiceField(label=_("Period"), required=False)

    def __init__(self, choice: MarketChoice, *, period: int, without: tuple[str, ...] = ()) -> None:
        super().__init__(
            data={
                "product": choice.product.code,
                "hub": choice.hub.code if choice.hub else "",
                "span": choice.span,
                "auction": choice.run.auction.code if choice.run else "",
                "period": str(period),
            }
        )
        self._offer("product", [(p.code, localname(p)) for p in choice.products])
        places = [(hub.code, localname(hub)) for hub in choice.hubs]
        self._offer("hub", [("", gettext("All hubs")), *places])
        self._offer("span", spans())
        auctions = [(run.auction.code, auction_name(run.auction)) for run in choice.runs]
        self._offer("auction", auctions)
        self._offer("period", [(str(p.number), p.label) for p in choice.periods()])
        for name in without:
            del self.fields[name]

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


def spans() -> list[tuple[str, str]]:
    """Return the stretches of time with their words."""
    days = [(n, ngettext("%(n)s day", "%(n)s days", int(n)) % {"n": n}) for n in DAYS]
    return [(BY_AUCTION, gettext("The newest auctions")), *days]


def read_choice(request: HttpRequest) -> MarketChoice | None:
    """Return what the request asks for, in a fixed number of queries; None without products."""
    products = list(traded_products())
    if not products:
        return None
    code = request.GET.get("product", "")
    product = next((p for p in products if p.code == code), None) or _last_traded(products)
    runs = list(traded_runs(product=product)[:AUCTIONS_LISTED])
    hubs = list(supply_hubs())
    span = request.GET.get("span", "")
    return MarketChoice(
        products=products,
        product=product,
        hubs=hubs,
        hub=next((hub for hub in hubs if hub.code == request.GET.get("hub")), None),
        runs=runs,
        run=_choose_run(request.GET.get("auction", ""), runs),
        span=span if span in (BY_AUCTION, *DAYS) else BY_AUCTION,
        asked_period=_number(request.GET.get("period", "")),
    )


def _choose_run(code: str, runs: list[ClearingRun]) -> ClearingRun | None:
    """Return the auction asked for, else the newest day-ahead one, else the newest."""
    asked = next((run for run in runs if run.auction.code == code), None)
    day_ahead = (run for run in runs if run.auction.calendar.kind == "day_ahead")
    return asked or next(day_ahead, None) or next(iter(runs), None)


def _last_traded(products: list[Product]) -> Product:
    """Return the product with the largest value in the newest auction that sold any."""
    run = traded_runs().first()
    if run is None:
        return products[0]
    summaries = PriceSummary.objects.filter(run=run).order_by("-value_cny")
    biggest = summaries.values_list("product_id", flat=True).first()
    return next((p for p in products if p.pk == biggest), products[0])


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
