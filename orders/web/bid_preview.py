"""The live side of the bid form: cost, hold, prospects, carbon, what stands in the way, hubs."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from marketplace.domain.errors import RuleBroken
from marketplace.domain.money import with_vat
from marketplace.domain.periods import market_date
from marketplace.models import Hub, Product
from marketplace.selectors.clock import market_now
from marketplace.selectors.hubs import hubs_within
from marketplace.selectors.rules import rules_at, vat_rates
from marketplace.templatetags.market_ui import lead_in
from marketplace.web.access import current_actor
from marketplace.web.form_fields import add_refusal
from orders.services.buying_rules import approval_threshold
from orders.services.order_profile import WINDOWED
from orders.services.pretrade import OrderStudy, study_order
from orders.services.submission import OrderPreview, preview_order
from orders.web.bid_form import FIELD_NAMES, BidForm
from orders.web.bid_request import order_request
from orders.web.green_hours import GreenHub, green_hubs
from orders.web.pretrade_texts import finding_texts

PRICE_PLACES = 4
# The drawing: left edge and width of the bars, height of a row, in units of the picture.
LEFT, WIDTH, ROW = 118, 132, 20


@dataclass(frozen=True, slots=True)
class Studied:
    """What the market says to a form: money, and prospects."""

    preview: OrderPreview
    study: OrderStudy


@dataclass(frozen=True, slots=True)
class PricedStep:
    """A limit with its price with VAT beside it, CNY per unit and hour."""

    product: Product
    price: Decimal
    gross: Decimal | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class ReachBar:
    """One hub in the drawing of the hubs by round trip; lengths are units of the picture."""

    hub: Hub
    rtt_ms: Decimal
    is_reached: bool
    y: int
    length: str


def study_form(request: HttpRequest, form: BidForm) -> Studied | None:
    """Return what the market says to the form; what it refuses is put beside the field."""
    if not form.is_valid():
        return None
    actor, asked = current_actor(request), order_request(form)
    try:
        return Studied(
            preview_order(actor=actor, request=asked), study_order(actor=actor, request=asked)
        )
    except RuleBroken as refusal:
        add_refusal(form, refusal, names=FIELD_NAMES)
    return None


def preview_context(request: HttpRequest, form: BidForm, studied: Studied | None) -> dict[str, Any]:
    """Return what the preview shows: all of it, or the first thing that stands in its way."""
    context: dict[str, Any] = {"form": form, "preview": None, "auction": form.auction}
    if studied is None:
        context["first_error"] = first_error(form)
        return context
    preview, study = studied.preview, studied.study
    product = form.products[form.cleaned_data["product"]]
    now = market_now()
    rates = vat_rates(market_date(now))
    owner = current_actor(request).organisation
    threshold = approval_threshold(owner) if owner else None
    worst = preview.worst_case
    outlook = study.best
    return {
        **context,
        "preview": preview,
        "study": study,
        "outlook": outlook,
        "reached_auctions": _reached(outlook.chance, outlook.seen),
        "findings": finding_texts(study.findings),
        "product": product,
        "vat_rate": rates.get(product.pk),
        "fee_rate": rules_at(now).buyer_fee_rate,
        "steps": priced_steps(form, rates),
        "threshold": threshold,
        "needs_approval": (
            threshold is not None and worst is not None and worst.total_cny > threshold
        ),
        "green_hubs": _green_hubs(form, preview),
        **_reach(form, preview),
    }


def priced_steps(form: BidForm, rates: dict[int, Decimal]) -> list[PricedStep]:
    """Return the limits of a valid form, those of its substitutes included, with VAT beside."""
    product = form.products[form.cleaned_data["product"]]
    steps = form.steps()
    rows = [(product, step.price, step.quantity) for step in steps]
    rows += [
        (form.products[row.product], row.price, row.quantity or steps[0].quantity)
        for row in form.substitutes()
    ]
    return [
        PricedStep(bought, price, _gross(price, rates.get(bought.pk)), quantity)
        for bought, price, quantity in rows
    ]


def first_error(form: BidForm) -> str:
    """Return what stands in the way of a preview, once something was typed."""
    if not form.is_bound or not form["price_1"].value():
        return ""
    for name, errors in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        return f"{lead_in(label)}{errors[0]}" if label else str(errors[0])
    return ""


def _gross(price: Decimal, rate: Decimal | None) -> Decimal | None:
    return with_vat(price, rate, PRICE_PLACES) if rate is not None else None


def _green_hubs(form: BidForm, preview: OrderPreview) -> list[GreenHub]:
    """Return where a bid that may move in time would meet green surplus; none for other kinds."""
    if form.cleaned_data["kind"] not in WINDOWED:
        return []
    return green_hubs(form.auction, [hub for hub, _ in preview.hubs])


def _reached(chance: Decimal | None, seen: int) -> int | None:
    return None if chance is None else round(chance * seen)


def _reach(form: BidForm, preview: OrderPreview) -> dict[str, Any]:
    """Return the drawing: every hub that sells, nearest first, those out of reach marked."""
    place = form.hubs[form.cleaned_data["hub"]]
    rows = hubs_within(place, None)
    widest = max((rtt for _, rtt in rows), default=Decimal(1)) or Decimal(1)
    reached = {hub.pk for hub, _ in preview.hubs}
    bars = [
        ReachBar(
            hub=hub,
            rtt_ms=rtt,
            is_reached=hub.pk in reached,
            y=index * ROW,
            length=f"{max(rtt / widest * WIDTH, Decimal(2)):.1f}",
        )
        for index, (hub, rtt) in enumerate(rows)
    ]
    limit = preview.max_rtt_ms
    is_inside = limit is not None and limit <= widest
    return {
        "bars": bars,
        "bars_height": max(len(bars), 1) * ROW,
        "reached_count": len(reached),
        "limit_x": f"{LEFT + limit / widest * WIDTH:.1f}" if limit and is_inside else "",
    }
