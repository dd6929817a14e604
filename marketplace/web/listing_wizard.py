"""Writing a listing: the form in parts, drawn while it is typed, a question before it counts."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.context_processors import provided
from marketplace.domain.errors import RuleBroken
from marketplace.domain.promises import Promise, promise_of
from marketplace.models import ListingState, ResourcePool
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at
from marketplace.web.access import require_supplier
from marketplace.web.curve_chart import curve_chart
from marketplace.web.listing_editor import ListingEditor, own_listing

# What was typed of a new listing, kept in the session until it is stored or thrown away.
DRAFT_KEY = "listing_draft"
DRAFT_BYTES = 60_000
NOT_KEPT = {"csrfmiddlewaretoken", "save", "draft", "confirmed", "more", "draw", "repeat"}


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def edit_listing(request: HttpRequest, public_id: UUID | None = None) -> HttpResponse:
    """Write a new listing or change one; only a confirmed one is stored."""
    listing = own_listing(request, public_id) if public_id else None
    if listing is not None and listing.state == ListingState.WITHDRAWN:
        messages.info(request, gettext("A withdrawn listing cannot be changed."))
        return redirect("my-listing", public_id=listing.public_id)
    kept = None if listing or request.method == "POST" else _kept(request)
    editor = ListingEditor(request, listing, kept)
    if request.method == "POST" and listing is None:
        _keep(request)
    if editor.data is not None:
        answer = _answer(request, editor)
        if answer is not None:
            return answer
    status = 422 if editor.data is not None else 200
    context = {**_context(editor), "is_kept": kept is not None}
    return render(request, "marketplace/listing_form.html", context, status=status)


@require_supplier
@require_POST
def preview_listing(request: HttpRequest, public_id: UUID | None = None) -> HttpResponse:
    """Answer curve, recent prices and promise of what is typed now; a new one is kept as draft."""
    listing = own_listing(request, public_id) if public_id else None
    if listing is None:
        _keep(request)
    sent = request.POST.copy()
    sent["draw"] = "1"
    request.POST = sent  # type: ignore[assignment]
    context = _context(ListingEditor(request, listing))
    return render(request, "marketplace/parts/listing_aside.html", context)


@require_supplier
@require_POST
def drop_listing_draft(request: HttpRequest) -> HttpResponse:
    """Throw away what was typed of a new listing."""
    request.session.pop(DRAFT_KEY, None)
    return redirect("listing-new")


def _answer(request: HttpRequest, editor: ListingEditor) -> HttpResponse | None:
    """Store what is confirmed or only a draft, else ask; None when something is refused."""
    if not editor.is_valid():
        return None
    try:
        if "save" in request.POST and "confirmed" not in request.POST:
            editor.check()
            return _ask(request, editor)
        return _stored(request, editor)
    except RuleBroken as error:
        editor.refuse(error)
        return None


def _stored(request: HttpRequest, editor: ListingEditor) -> HttpResponseRedirect:
    listing = editor.store()
    request.session.pop(DRAFT_KEY, None)
    messages.success(request, gettext("The listing is saved."))
    return redirect("my-listing", public_id=listing.public_id)


def _ask(request: HttpRequest, editor: ListingEditor) -> HttpResponse:
    """Show what the listing promises before it is stored."""
    values = editor.values()
    pool = editor.listing.pool if editor.listing else values["pool"]
    context = {
        "listing": editor.listing,
        "values": values,
        "pool": pool,
        "product": pool.product,
        "hidden": _hidden(request.POST),
        "own_url": request.get_full_path(),
        **_promise(editor),
    }
    return render(request, "marketplace/listing_review.html", context)


def _hidden(sent: QueryDict) -> list[tuple[str, str]]:
    return [
        (name, str(value))
        for name, values in sent.lists()
        if name not in NOT_KEPT
        for value in values
    ]


def _context(editor: ListingEditor) -> dict[str, Any]:
    pool = editor.chosen_pool()
    prices = provided("recent_prices", editor.request, {})
    last = prices.get((pool.hub_id, pool.product_id)) if pool else None
    steps = editor.drawn_steps()
    listing = editor.listing
    own_page = reverse("my-listing", args=[listing.public_id]) if listing else reverse("capacity")
    return {
        "editor": editor,
        "form": editor.form,
        "listing": listing,
        "pool": pool,
        "product": pool.product if pool else None,
        "last": last,
        "range": _range(editor, pool),
        "chart": curve_chart(steps, product=pool.product if pool else None, last=last),
        "preview_url": reverse("listing-edit-preview", args=[listing.public_id])
        if listing
        else reverse("listing-preview"),
        "cancel_url": own_page,
        "no_pools": listing is None and not editor.has_pools(),
        "crumbs": [(gettext("My capacity"), reverse("capacity"))],
        **_promise(editor),
    }


def _range(editor: ListingEditor, pool: ResourcePool | None) -> list[dict[str, Any]]:
    """Return recent prices of the pool's hub, and how much of the curve each would have sold."""
    find = provided("price_ranges", editor.request, None)
    found = find(pool.hub_id, pool.product_id) if find and pool else None
    if found is None:
        return []
    steps = editor.drawn_steps()
    named = [
        (gettext("Lowest"), found.lowest),
        (gettext("Middle"), found.middle),
        (gettext("Highest"), found.highest),
    ]
    return [
        {
            "label": label,
            "price": price,
            "units": sum((units for units, asked in steps if asked <= price), start=Decimal(0)),
            "auctions": found.auctions,
        }
        for label, price in named
    ]


def _promise(editor: ListingEditor) -> dict[str, Any]:
    promise: Promise | None = promise_of(editor.drawn_windows(), editor.drawn_steps())
    rate = rules_at(market_now()).seller_fee_rate
    return {"promise": promise, "fee_rate": rate}


def _kept(request: HttpRequest) -> QueryDict | None:
    text = request.session.get(DRAFT_KEY, "") if "pool" not in request.GET else ""
    return QueryDict(text) if text else None


def _keep(request: HttpRequest) -> None:
    sent = request.POST.copy()
    for name in NOT_KEPT:
        sent.pop(name, None)
    text = sent.urlencode()
    if any(sent.get(name) for name in ("name", "quantity", "note", "steps-0-price")):
        request.session[DRAFT_KEY] = text if len(text) <= DRAFT_BYTES else ""
