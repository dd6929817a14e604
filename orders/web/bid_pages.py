"""Placing a bid: form with a live preview, a page that asks once more, and the order itself."""

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.templatetags.market_ui import figure
from marketplace.web.access import acting_organisation, current_actor, require_buyer
from marketplace.web.form_fields import add_refusal
from orders.models import Auction, AuctionState, OrderKind
from orders.ports.collateral import InsufficientCollateral
from orders.services.approvals import request_approval
from orders.services.buying_rules import ApprovalRequired
from orders.services.order_profile import WINDOWED
from orders.services.standing_bids import place_standing_bid
from orders.services.submission import submit_order
from orders.web.auction_pages import find_auction
from orders.web.bid_form import FIELD_NAMES, BidForm
from orders.web.bid_preview import Studied, preview_context, study_form
from orders.web.bid_request import order_request
from orders.web.names import auction_name, window_text

OTHER_AUCTIONS = 3
CONFIRM_KEY = "bid_to_confirm"
# Names in an address that fill in the form, and the fields they fill in.
PREFILLED = {
    **{name: name for name in ("product", "hub", "scenario", "kind", "first_period")},
    **{name: name for name in ("last_period", "max_rtt_ms", "max_carbon_g")},
    **{name: name for name in ("duration", "project")},
    "price": "price_1",
    "quantity": "quantity_1",
}


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
    owner = acting_organisation(request)
    if request.method != "POST":
        form = BidForm(auction=auction, owner=owner, initial=_initial(request))
        return _show_form(request, auction, form)
    form = BidForm(request.POST, auction=auction, owner=owner)
    if "edit" in request.POST:
        return _show_form(request, auction, form)
    studied = study_form(request, form)
    if studied is None:
        return _show_form(request, auction, form, status=422)
    if request.POST.get("confirmed") == "yes":
        return _submit(request, auction, form, studied)
    if "review" in request.POST:
        return _ask(request, auction, form, studied)
    return _show_form(request, auction, form, studied=studied)


@require_buyer
@require_POST
def preview_bid(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the preview alone, for the form as it stands; nothing is refused here."""
    auction = find_auction(code)
    form = BidForm(request.POST, auction=auction, owner=acting_organisation(request))
    studied = study_form(request, form)
    return render(request, "orders/bid.html#preview", preview_context(request, form, studied))


def _initial(request: HttpRequest) -> dict[str, Any]:
    return {field: request.GET[name] for name, field in PREFILLED.items() if request.GET.get(name)}


def _show_form(
    request: HttpRequest,
    auction: Auction,
    form: BidForm,
    *,
    studied: Studied | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "auction": auction,
        "name": auction_name(auction),
        "is_open": auction.state == AuctionState.OPEN,
        "other_auctions": _other_auctions(auction),
        **preview_context(request, form, studied),
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


def _ask(request: HttpRequest, auction: Auction, form: BidForm, studied: Studied) -> HttpResponse:
    """Show sums, price and window once more; the order is placed from there, once."""
    preview = studied.preview
    context = preview_context(request, form, studied)
    if context["needs_approval"] and form.cleaned_data["repeat"]:
        form.add_error("repeat", gettext("A bid that needs approval cannot repeat itself."))
    elif preview.missing_cny > 0 and not context["needs_approval"]:
        form.add_error(None, _missing_text(preview.missing_cny))
    if form.errors:
        return _show_form(request, auction, form, studied=studied, status=422)
    token = secrets.token_urlsafe(16)
    request.session[CONFIRM_KEY] = token
    given = form.cleaned_data
    context |= {
        "name": auction_name(auction),
        "window": window_text(auction, given["first_period"], given["last_period"]),
        "token": token,
        "hidden": _resent(request),
        "hub": form.hubs[given["hub"]],
        "cleaned": given,
        "kind_label": dict(OrderKind.choices)[given["kind"]],
        "minimum_share": form.minimum_share(),
        "has_share": given["kind"] != OrderKind.CURVE,
        "is_windowed": given["kind"] in WINDOWED,
        "parts": _parts(auction, form),
        "project_name": dict(form.fields["project"].choices).get(given["project"], ""),  # type: ignore[attr-defined]
        "parent_name": dict(form.fields["parent_order"].choices).get(given["parent_order"], ""),  # type: ignore[attr-defined]
    }
    return render(request, "orders/bid_confirm.html", context)


def _parts(auction: Auction, form: BidForm) -> list[dict[str, Any]]:
    return [
        {
            "window": window_text(auction, leg.first_period, leg.last_period),
            "quantity": leg.quantity,
        }
        for leg in form.legs()
    ]


def _resent(request: HttpRequest) -> list[tuple[str, str]]:
    skipped = {"csrfmiddlewaretoken", "review", "preview", "edit", "confirmed", "token"}
    return [(name, str(value)) for name, value in request.POST.items() if name not in skipped]


def _submit(
    request: HttpRequest, auction: Auction, form: BidForm, studied: Studied
) -> HttpResponse:
    token = request.session.pop(CONFIRM_KEY, None)
    if not token or token != request.POST.get("token"):
        messages.warning(request, gettext("This bid was already sent; here are your orders."))
        return redirect("orders")
    try:
        return _place(request, form)
    except InsufficientCollateral as shortage:
        form.add_error(None, _missing_text(shortage.missing_cny))
    except RuleBroken as refusal:
        add_refusal(form, refusal, names=FIELD_NAMES)
    return _show_form(request, auction, form, studied=studied, status=422)


def _place(request: HttpRequest, form: BidForm) -> HttpResponse:
    """Put the bid into the book, repeat it if asked to, or put it before a second person."""
    actor, asked, given = current_actor(request), order_request(form), form.cleaned_data
    try:
        if given["repeat"]:
            order = place_standing_bid(
                actor=actor, request=asked, ends_on=given["ends_on"], budget_cny=given["budget"]
            )
        else:
            order = submit_order(actor=actor, request=asked)
    except ApprovalRequired:
        approval = request_approval(actor=actor, request=asked)
        messages.info(
            request,
            gettext("The bid waits for a second person of your organisation. Nothing is on hold."),
        )
        return redirect("approval", public_id=approval.public_id)
    messages.success(
        request,
        gettext("Your bid is in the book. %(sum)s CNY is on hold until the result is published.")
        % {"sum": figure(order.worst_case_cny, 2)},
    )
    return redirect("order", public_id=order.public_id)


def _missing_text(missing: Any) -> str:
    return gettext(
        "Your free funds do not cover this bid at its limit: %(missing)s CNY is missing."
    ) % {"missing": figure(missing, 2)}
