"""A supplier's own listing: what is offered, what is sold, and how to pause or end it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.context_processors import provided
from marketplace.domain.errors import RuleBroken
from marketplace.models import Listing, ListingState
from marketplace.selectors.clock import market_now
from marketplace.services.error_texts import error_text
from marketplace.services.listings import (
    add_maintenance,
    pause_listing,
    remove_maintenance,
    resume_listing,
    withdraw_listing,
)
from marketplace.templatetags.market_ui import group_digits, localname
from marketplace.web.access import current_actor, require_supplier
from marketplace.web.curve_chart import curve_chart
from marketplace.web.form_fields import add_refusal
from marketplace.web.listing_editor import own_listing
from marketplace.web.listing_forms import MaintenanceForm

MOVES: dict[str, dict[str, Any]] = {
    "pause": {
        "service": pause_listing,
        "from": {ListingState.ACTIVE},
        "question": _("Pause this listing?"),
        "text": _("Coming auctions get no copy of it. What is sold is still delivered."),
        "label": _("Pause"),
        "done": _("The listing is paused."),
        "danger": False,
    },
    "resume": {
        "service": resume_listing,
        "from": {ListingState.PAUSED, ListingState.DRAFT},
        "question": _("Offer this listing?"),
        "text": _("Every auction that takes orders from now on gets a copy of it."),
        "label": _("Offer it"),
        "done": _("The listing is on offer."),
        "danger": False,
    },
    "withdraw": {
        "service": withdraw_listing,
        "from": {ListingState.ACTIVE, ListingState.PAUSED, ListingState.DRAFT},
        "question": _("Withdraw this listing for good?"),
        "text": _("It cannot be offered again. What is sold is still delivered."),
        "label": _("Withdraw the listing"),
        "done": _("The listing is withdrawn."),
        "danger": True,
    },
}


@require_supplier
@require_safe
def show_my_listing(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a listing with its curve, calendar and maintenance."""
    return _page(request, own_listing(request, public_id), MaintenanceForm())


def _page(
    request: HttpRequest, listing: Listing, form: MaintenanceForm, status: int = 200
) -> HttpResponse:
    steps = [(step.quantity, step.price.amount) for step in listing.price_steps.all()]
    prices = provided("recent_prices", request, {})
    last = prices.get((listing.pool.hub_id, listing.pool.product_id))
    now = market_now()
    context = {
        "listing": listing,
        "pool": listing.pool,
        "sales": provided("listing_sales", request, {}).get(listing.pk),
        "chart": curve_chart(steps, product=listing.pool.product, last=last),
        "last": last,
        "windows": sorted(
            (row for row in listing.availability.all() if row.ends_at > now),
            key=lambda row: row.starts_at,
        ),
        "maintenance": listing.maintenance.filter(ends_at__gt=now).order_by("starts_at"),
        "form": form,
        "moves": [name for name, move in MOVES.items() if listing.state in move["from"]],
        "can_edit": listing.state != ListingState.WITHDRAWN,
        "crumbs": [(gettext("My capacity"), reverse("capacity"))],
    }
    return render(request, "marketplace/capacity_listing.html", context, status=status)


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def move_listing(request: HttpRequest, public_id: UUID, move: str) -> HttpResponse:
    """Ask, then pause, resume or withdraw."""
    listing = own_listing(request, public_id)
    chosen = MOVES[move]
    own_page = reverse("my-listing", args=[listing.public_id])
    if request.method == "POST":
        try:
            chosen["service"](actor=current_actor(request), public_id=public_id)
        except RuleBroken as error:
            messages.error(request, error_text(error))
        else:
            messages.success(request, chosen["done"])
        return redirect(own_page)
    context = {
        "question": chosen["question"],
        "text": chosen["text"],
        "confirm_label": chosen["label"],
        "danger": chosen["danger"],
        "cancel_url": own_page,
        "lines": _facts(request, listing),
    }
    return render(request, "generic/confirm.html", context)


def _facts(request: HttpRequest, listing: Listing) -> list[tuple[str, str]]:
    sales = provided("listing_sales", request, {}).get(listing.pk)
    sold = group_digits(sales.sold, 0, 2) if sales else "0"
    return [
        (gettext("Listing"), localname(listing)),
        (gettext("Units offered"), group_digits(listing.quantity, 0, 3)),
        (gettext("Unit-hours sold, next 24 h"), sold),
    ]


@require_supplier
@require_POST
def plan_maintenance(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keep a time free of sales."""
    listing = own_listing(request, public_id)
    form = MaintenanceForm(request.POST)
    if form.is_valid():
        try:
            add_maintenance(actor=current_actor(request), public_id=public_id, **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Nothing will be sold in this time."))
            return redirect("my-listing", public_id=public_id)
    return _page(request, listing, form, status=422)


@require_supplier
@require_POST
def drop_maintenance(request: HttpRequest, public_id: UUID, maintenance_id: int) -> HttpResponse:
    """Offer a time again that was kept free."""
    listing = own_listing(request, public_id)
    try:
        remove_maintenance(
            actor=current_actor(request),
            public_id=listing.public_id,
            maintenance_id=maintenance_id,
        )
    except RuleBroken as error:
        messages.error(request, error_text(error))
    else:
        messages.success(request, gettext("The time is on offer again."))
    return redirect("my-listing", public_id=public_id)
