"""Listings from a CSV file: template, upload, and every wrong row with its reason."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.domain.tables import ImportRefused
from marketplace.models import ResourcePool
from marketplace.selectors.clock import market_now
from marketplace.selectors.organisations import pools_of
from marketplace.services.checks import plain
from marketplace.services.listing_import import (
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    import_listings,
)
from marketplace.web.access import acting_organisation, current_actor, require_supplier
from marketplace.web.csv_answers import csv_answer
from marketplace.web.uploads import SHOWN_ERRORS, RefusedRow, UploadForm, refused_rows

EXAMPLE_DAYS = 7
MOST_EXAMPLES = 20


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def import_capacity(request: HttpRequest) -> HttpResponse:
    """Take in a file of listings, or show what is wrong with it."""
    form = UploadForm(request.POST or None, request.FILES or None)
    refused: list[RefusedRow] = []
    if request.method == "POST" and form.is_valid():
        try:
            listings = import_listings(actor=current_actor(request), data=form.read())
        except ImportRefused as error:
            refused = refused_rows(error)
            form.add_error("file", _headline(len(error.rows)))
        else:
            text = ngettext(
                "%(count)s listing imported.", "%(count)s listings imported.", len(listings)
            )
            messages.success(request, text % {"count": len(listings)})
            return redirect("capacity")
    context = {
        "form": form,
        "refused": refused,
        "most_shown": SHOWN_ERRORS,
        "submit_label": gettext("Import the listings"),
        "cancel_url": reverse("capacity"),
        "crumbs": [(gettext("My capacity"), reverse("capacity"))],
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/capacity_import.html", context, status=status)


def _headline(count: int) -> str:
    text = ngettext(
        "%(count)s error was found; nothing was imported.",
        "%(count)s errors were found; nothing was imported.",
        count,
    )
    return text % {"count": count}


@require_supplier
@require_safe
def import_template(request: HttpRequest) -> HttpResponse:
    """Answer a CSV with the columns and one example row for each pool of the supplier."""
    pools = pools_of(acting_organisation(request))[:MOST_EXAMPLES]
    head = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    now = market_now()
    return csv_answer("listings-template.csv", head, [_example(pool, now) for pool in pools])


def _example(pool: ResourcePool, now: datetime) -> list[object]:
    lot = pool.product.quantity_lot
    quantity = plain(max(lot, pool.unit_count // 2 // lot * lot))
    today = timezone.localtime(now, MARKET_TIME_ZONE).replace(tzinfo=None)
    start = today.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    end = start + timedelta(days=EXAMPLE_DAYS)
    window = f"{start:%Y-%m-%dT%H:%M}/{end:%Y-%m-%dT%H:%M}*{quantity}"
    price = plain(pool.product.reference_price.amount)
    return [pool.identifier, pool.name, quantity, f"{quantity}@{price}", window, "1", "yes", ""]
