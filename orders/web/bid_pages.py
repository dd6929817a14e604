"""Placing a bid: form with a live preview, a page that asks once more, and the order itself."""

import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.money import with_vat
from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at, vat_rates
from marketplace.templatetags.market_ui import figure
from marketplace.web.access import current_actor, require_buyer
from marketplace.web.form_fields import add_refusal
from orders.models import Auction, AuctionState, OrderKind, OrderSide, Placement
from orders.ports.collateral import InsufficientCollateral
from orders.services.submission import (
    OrderPreview,
    OrderRequest,
    Step,
    preview_order,
    submit_order,
)
from orders.web.auction_pages import find_auction
from orders.web.bid_form import FIELD_NAMES, BidForm
from orders.web.names import auction_name, window_text

PRICE_PLACES = 4
NEAREST_HUBS = 10
OTHER_AUCTIONS = 3
CONFIRM_KEY = "bid_to_confirm"


@require_safe
def choose_auction(request: HttpRequest) -> HttpResponse:
    """Lead to the form of the open auction that trades the product and closes next."""
    auctions = Auction.objects.filter(state=AuctionState.OPEN).order_by("gate_closes_at", "id")
    product = request.GET.get("product")
    if product:
        auctions = auctions.filter(products__code=product)
    auction = auctions.first()
    if auction is None:
        messages.info(request, gettext("No auction takes orders for this now. See the next ones."))
        return redirect("auctions")
    query = request.GET.urlencode()
    url = reverse("auction-bid", args=[auction.code])
    return redirect(f"{url}?{query}" if query else url)


@require_buyer
@require_http_methods(["GET", "HEAD", "POST"])
def place_bid(request: HttpRequest, code: str) -> HttpResponse:
    """Show the form; on POST preview it, ask once more, or put the order into the book."""
    auction = find_auction(code)
    if request.method != "POST":
        form = BidForm(auction=auction, initial=_initial(request))
        return _show_form(request, auction, form)
    form = BidForm(request.POST, auction=auction)
    if "edit" in request.POST:
        return _show_form(request, auction, form)
    preview = _try_preview(request, form)
    if preview is None:
        return _show_form(request, auction, form, status=422)
    if request.POST.get("confirmed") == "yes":
        return _submit(request, auction, form, preview)
    if "review" in request.POST:
        return _ask(request, auction, form, preview)
    return _show_form(request, auction, form, preview=preview)


@require_buyer
@require_POST
def preview_bid(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the preview alone, for the form as it stands; nothing is refused here."""
    auction = find_auction(code)
    form = BidForm(request.POST, auction=auction)
    preview = _try_preview(request, form)
    return render(request, "orders/bid.html#preview", _preview_context(form, preview))


def _initial(request: HttpRequest) -> dict[str, Any]:
    names = ("product", "hub", "scenario", "kind", "first_period", "last_period", "max_rtt_ms")
    given = {name: request.GET[name] for name in names if request.GET.get(name)}
    for query, field in (("price", "price_1"), ("quantity", "quantity_1")):
        if request.GET.get(query):
            given[field] = request.GET[query]
    return given


def _try_preview(request: HttpRequest, form: BidForm) -> OrderPreview | None:
    """Return what the market says to the form; what it refuses is put beside the field."""
    if not form.is_valid():
        return None
    try:
        return preview_order(actor=current_actor(request), request=order_request(form))
    except RuleBroken as refusal:
        add_refusal(form, refusal, names=FIELD_NAMES)
    return None


def order_request(form: BidForm) -> OrderRequest:
    """Return what a valid form asks of the market."""
    given = form.cleaned_data
    steps = form.steps()
    is_block = given["kind"] == OrderKind.BLOCK
    single = is_block and given["placement"] == Placement.SINGLE
    return OrderRequest(
        auction=form.auction.public_id,
        side=OrderSide.BUY,
        kind=given["kind"],
        product=given["product"],
        hub=given["hub"],
        first_period=given["first_period"],
        last_period=given["last_period"],
        steps=() if is_block else tuple(Step(step.price, step.quantity) for step in steps),
        quantity=steps[0].quantity if is_block else None,
        limit_price=steps[0].price if is_block else None,
        min_acceptance=form.minimum_share() if is_block else Decimal(1),
        placement=given["placement"] if is_block else Placement.ANY,
        max_rtt_ms=given["max_rtt_ms"],
        scenario=given["scenario"] or None,
        min_dengbao_level=given["min_dengbao_level"] if single else 0,
        requires_xinchuang=given["requires_xinchuang"] if single else False,
        min_trust_level=given["min_trust_level"] if single else 0,
        note=given["note"],
    )


def _show_form(
    request: HttpRequest,
    auction: Auction,
    form: BidForm,
    *,
    preview: OrderPreview | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "auction": auction,
        "name": auction_name(auction),
        "is_open": auction.state == AuctionState.OPEN,
        "other_auctions": _other_auctions(auction),
        **_preview_context(form, preview),
    }
    return render(request, "orders/bid.html", context, status=status)


def _other_auctions(auction: Auction) -> list[dict[str, Any]]:
    others = Auction.objects.filter(state=AuctionState.OPEN).exclude(pk=auction.pk)
    nearest = others.select_related("calendar").order_by("gate_closes_at", "id")
    return [
        {
            "label": auction_name(row),
            "url": reverse("auction-bid", args=[row.code]),
            "active": row.pk == auction.pk,
        }
        for row in [auction, *nearest[:OTHER_AUCTIONS]]
    ]


@dataclass(frozen=True, slots=True)
class PricedStep:
    """A limit with its price with VAT beside it, CNY per unit and hour."""

    price: Decimal
    gross: Decimal | None
    quantity: Decimal


def _preview_context(form: BidForm, preview: OrderPreview | None) -> dict[str, Any]:
    context: dict[str, Any] = {"form": form, "preview": preview, "auction": form.auction}
    if preview is None:
        context["first_error"] = _first_error(form)
        return context
    product = form.products[form.cleaned_data["product"]]
    now = market_now()
    rate = vat_rates(market_date(now)).get(product.pk)
    best = max(step.price for step in form.steps())
    return {
        **context,
        "product": product,
        "vat_rate": rate,
        "fee_rate": rules_at(now).buyer_fee_rate,
        "steps": [
            PricedStep(
                step.price,
                with_vat(step.price, rate, PRICE_PLACES) if rate is not None else None,
                step.quantity,
            )
            for step in form.steps()
        ],
        "above_expected": preview.expected_price is not None and best >= preview.expected_price,
        "nearest": preview.hubs[:NEAREST_HUBS],
        "more_hubs": max(0, len(preview.hubs) - NEAREST_HUBS),
    }


def _first_error(form: BidForm) -> str:
    """Return what stands in the way of a preview, once something was typed."""
    if not form.is_bound or not (form["price_1"].value() and form["quantity_1"].value()):
        return ""
    for name, errors in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        return f"{label}: {errors[0]}" if label else str(errors[0])
    return ""


def _ask(
    request: HttpRequest, auction: Auction, form: BidForm, preview: OrderPreview
) -> HttpResponse:
    """Show sums, price and window once more; the order is placed from there, once."""
    if preview.missing_cny > 0:
        form.add_error(None, _missing_text(preview.missing_cny))
        return _show_form(request, auction, form, preview=preview, status=422)
    token = secrets.token_urlsafe(16)
    request.session[CONFIRM_KEY] = token
    context = {
        **_preview_context(form, preview),
        "name": auction_name(auction),
        "window": _window(form),
        "token": token,
        "hidden": _resent(request),
        "hub": form.hubs[form.cleaned_data["hub"]],
        "cleaned": form.cleaned_data,
        "minimum_share": form.minimum_share(),
        "is_block": form.cleaned_data["kind"] == OrderKind.BLOCK,
    }
    return render(request, "orders/bid_confirm.html", context)


def _resent(request: HttpRequest) -> list[tuple[str, str]]:
    skipped = {"csrfmiddlewaretoken", "review", "preview", "edit", "confirmed", "token"}
    return [(name, str(value)) for name, value in request.POST.items() if name not in skipped]


def _window(form: BidForm) -> str:
    given = form.cleaned_data
    return window_text(form.auction, given["first_period"], given["last_period"])


def _submit(
    request: HttpRequest, auction: Auction, form: BidForm, preview: OrderPreview
) -> HttpResponse:
    token = request.session.pop(CONFIRM_KEY, None)
    if not token or token != request.POST.get("token"):
        messages.warning(request, gettext("This bid was already sent; here are your orders."))
        return redirect("orders")
    try:
        order = submit_order(actor=current_actor(request), request=order_request(form))
    except InsufficientCollateral as shortage:
        form.add_error(None, _missing_text(shortage.missing_cny))
        return _show_form(request, auction, form, preview=preview, status=422)
    except RuleBroken as refusal:
        add_refusal(form, refusal, names=FIELD_NAMES)
        return _show_form(request, auction, form, preview=preview, status=422)
    messages.success(
        request,
        gettext("Your bid is in the book. %(sum)s CNY is on hold until the result is published.")
        % {"sum": figure(order.worst_case_cny, 2)},
    )
    return redirect("order", public_id=order.public_id)


def _missing_text(missing: Decimal) -> str:
    return gettext(
        "Your free funds do not cover this bid at its limit: %(missing)s CNY is missing."
    ) % {"missing": figure(missing, 2)}
