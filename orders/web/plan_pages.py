"""Three plans for a need, side by side: the cheapest, the soonest, the greenest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.domain.decimals import multiply_exactly, on_lot
from marketplace.models import Hub, Product, WorkloadScenario
from marketplace.selectors.clock import market_now
from marketplace.selectors.hubs import consumption_hubs
from marketplace.templatetags.market_ui import localname
from marketplace.web.form_fields import MarketTimeField, PlainDecimalField
from marketplace.web.market_filter import cities_first
from orders.domain.buying_plans import Plan, PlanKind, choose_plans
from orders.domain.latency_classes import snapped_class
from orders.models import Auction
from orders.ports.collateral import WorstCase, collateral_port
from orders.selectors.buying_plans import Need, plan_candidates
from orders.selectors.listing_carbon import class_served
from orders.selectors.price_samples import recent_runs
from orders.web.names import auction_name

MOST_HOURS = 24 * 31

TITLES: dict[PlanKind, Promise] = {
    PlanKind.CHEAPEST: pgettext_lazy("plan", "Cheapest"),
    PlanKind.FASTEST: pgettext_lazy("plan", "Soonest"),
    PlanKind.GREENEST: pgettext_lazy("plan", "Greenest"),
}
ICONS = {PlanKind.CHEAPEST: "coin", PlanKind.FASTEST: "clock", PlanKind.GREENEST: "leaf"}


class PlanForm(forms.Form):
    """What the work needs; the market looks for where and when."""

    scenario = forms.ChoiceField(label=_("What the work is"), required=False)
    product = forms.ChoiceField(label=_("Product"))
    hub = forms.ChoiceField(label=_("Where it is used"))
    quantity = PlainDecimalField(label=_("Units at a time"), places=3, max_digits=9)
    hours = forms.IntegerField(
        label=_("Hours in a row"),
        min_value=1,
        max_value=MOST_HOURS,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    finish_by = MarketTimeField(label=_("Finished by"), required=False)
    max_rtt_ms = PlainDecimalField(
        label=_("Round trip at most, ms"), places=3, max_digits=5, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        products = Product.objects.filter(active=True).order_by("sort_order", "code")
        self.products = {product.code: product for product in products}
        self.hubs = {hub.code: hub for hub in cities_first(list(consumption_hubs()))}
        scenarios = WorkloadScenario.objects.order_by("sort_order", "code")
        self.scenarios = {row.code: row for row in scenarios}
        self._offer("scenario", [("", gettext("No special need")), *_named(self.scenarios)])
        self._offer("product", _named(self.products))
        self._offer("hub", _named(self.hubs))

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Check units against the product's lot, and snap the latency to a class of the product."""
        cleaned = super().clean() or {}
        product, quantity = self.products.get(cleaned.get("product", "")), cleaned.get("quantity")
        if quantity is not None and quantity <= 0:
            self.add_error("quantity", gettext("Enter a number above zero."))
        elif product and quantity is not None and not on_lot(quantity, product.quantity_lot):
            lot = {"lot": f"{product.quantity_lot.normalize():f}"}
            self.add_error("quantity", gettext("Enter a multiple of %(lot)s units.") % lot)
        if product and not self.errors:
            self._snap(cleaned, product)
        return cleaned

    def _snap(self, cleaned: dict[str, Any], product: Product) -> None:
        limit = cleaned.get("max_rtt_ms")
        scenario = self.scenarios.get(cleaned.get("scenario", ""))
        if limit is None and scenario is not None:
            limit = scenario.max_rtt_ms
        is_known, cleaned["latency_class"] = snapped_class(limit, product.rtt_classes_ms)
        if not is_known:
            strictest = {"limit": f"{min(product.rtt_classes_ms).normalize():f}"}
            self.add_error(
                "max_rtt_ms",
                gettext("The strictest latency class of this product is %(limit)s ms.") % strictest,
            )

    def need(self) -> Need:
        """Return what a valid form asks for."""
        given = self.cleaned_data
        return Need(
            product=self.products[given["product"]],
            hub=self.hubs[given["hub"]],
            max_rtt_ms=given["latency_class"],
            quantity=given["quantity"],
            hours=given["hours"],
            finish_by=given["finish_by"],
        )


@dataclass(frozen=True, slots=True)
class PlanCard:
    """A plan with its sums, CNY; prices are per unit and hour."""

    plan: Plan
    title: Promise
    icon: str
    auction: Auction
    auction_name: str
    hub: Hub
    starts_at: datetime
    ends_at: datetime
    expected: WorstCase
    at_limit: WorstCase
    grams: Decimal | None
    url: str

    @property
    def kilograms(self) -> Decimal | None:
        """Declared carbon of the whole work, kg."""
        return None if self.grams is None else self.grams / 1000

    @property
    def seen(self) -> int:
        """How many recent auctions the chance is counted from."""
        return len(self.plan.candidate.samples)

    @property
    def reached(self) -> int:
        """In how many of them the price was within the limit."""
        return sum(price <= self.plan.limit_price for price in self.plan.candidate.samples)


@require_safe
def show_plans(request: HttpRequest) -> HttpResponse:
    """Ask what is needed and show the three plans, each one press from a filled-in bid."""
    form = PlanForm(request.GET if request.GET.get("quantity") is not None else None)
    if not form.is_bound:
        form = PlanForm(initial=_initial(request))
    context: dict[str, Any] = {"form": form, "cards": None}
    if form.is_bound and form.is_valid():
        need = form.need()
        cards = plan_cards(need, form.cleaned_data)
        has_prices = bool(cards) or bool(recent_runs(product=need.product, now=market_now()))
        context |= {"need": need, "cards": cards, "has_prices": has_prices}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "orders/bid_plans.html", context, status=status)


def _initial(request: HttpRequest) -> dict[str, str]:
    names = ("scenario", "product", "hub", "hours", "max_rtt_ms")
    return {name: request.GET[name] for name in names if request.GET.get(name)}


def plan_cards(need: Need, given: dict[str, Any]) -> list[PlanCard]:
    """Return the plans for a need with their costs, in the order of `PlanKind`."""
    product = need.product
    plans = choose_plans(
        plan_candidates(need=need, now=market_now()),
        tick=product.price_tick,
        price_min=product.price_min,
        price_max=product.price_max,
    )
    if not plans:
        return []
    hours = multiply_exactly(need.quantity, need.hours)
    nets = [
        (product.pk, multiply_exactly(price, hours))
        for plan in plans
        for price in (plan.candidate.expected_price, plan.limit_price)
    ]
    costs = collateral_port().worst_cases(nets)
    codes = {plan.candidate.auction for plan in plans}
    rows = Auction.objects.filter(code__in=codes).select_related("calendar")
    auctions = {row.code: row for row in rows}
    hubs = {row.code: row for row in Hub.objects.filter(has_supply=True)}
    return [
        _card(plan, need, given, auctions[plan.candidate.auction], hubs, costs[2 * index :])
        for index, plan in enumerate(plans)
    ]


def _card(
    plan: Plan,
    need: Need,
    given: dict[str, Any],
    auction: Auction,
    hubs: dict[str, Hub],
    costs: list[WorstCase],
) -> PlanCard:
    chosen = plan.candidate
    count = chosen.last_period - chosen.first_period + 1
    hours = multiply_exactly(need.quantity, need.hours)
    return PlanCard(
        plan=plan,
        title=TITLES[plan.kind],
        icon=ICONS[plan.kind],
        auction=auction,
        auction_name=auction_name(auction),
        hub=hubs[chosen.hub],
        starts_at=chosen.starts_at,
        ends_at=chosen.starts_at + count * timedelta(minutes=auction.period_minutes),
        expected=costs[0],
        at_limit=costs[1],
        grams=None if chosen.grams is None else multiply_exactly(chosen.grams, hours),
        url=_bid_url(plan, need, given),
    )


def _bid_url(plan: Plan, need: Need, given: dict[str, Any]) -> str:
    chosen = plan.candidate
    query = {
        "product": need.product.code,
        "hub": need.hub.code,
        "scenario": given["scenario"],
        "kind": "block",
        "first_period": chosen.first_period,
        "last_period": chosen.last_period,
        "price": f"{plan.limit_price.normalize():f}",
        "quantity": f"{need.quantity.normalize():f}",
    }
    if given["max_rtt_ms"] is not None:
        query["max_rtt_ms"] = f"{given['max_rtt_ms'].normalize():f}"
    if plan.kind is PlanKind.GREENEST:
        served = class_served(chosen.class_grams, need.product.carbon_classes_g)
        if served is not None:
            query["max_carbon_g"] = f"{served.normalize():f}"
    return f"{reverse('auction-bid', args=[chosen.auction])}?{urlencode(query)}"


def _named(rows: dict[str, Any]) -> list[tuple[str, str]]:
    return [(code, localname(row)) for code, row in rows.items()]
