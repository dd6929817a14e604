"""A supplier's capacity: listings with what is sold of them, and the pools behind them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.context_processors import provided
from marketplace.domain.errors import NotFound
from marketplace.domain.periods import market_date
from marketplace.models import Hub, Listing, ListingState, Organisation, Product, ResourcePool
from marketplace.selectors.clock import market_now
from marketplace.selectors.evidence import (
    documents_of,
    evidence_in_need,
    evidence_of_pool,
    history_of_pool,
)
from marketplace.selectors.organisations import listings_of, pool_of, pools_of
from marketplace.services.checks import plain
from marketplace.templatetags.market_ui import localname
from marketplace.web.access import acting_organisation, require_supplier
from marketplace.web.csv_answers import csv_answer
from marketplace.web.pool_words import (
    benchmark_rows,
    evidence_texts,
    history_rows,
    identifier_parts,
    trust_ladder,
)

PAGE_SIZE = 20
CSV_HEAD = (
    "listing",
    "pool",
    "hub",
    "product",
    "name",
    "state",
    "quantity",
    "price_curve_cny_per_unit_hour_excl_vat",
    "windows",
    "min_run_hours",
    "standing",
    "offered_unit_hours_next_24h",
    "sold_unit_hours_next_24h",
)


class ListingFilter(forms.Form):
    """Narrows the list of listings; hubs and products are those of the supplier's pools."""

    q = forms.CharField(label=_("Name or identifier"), required=False, max_length=60)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *ListingState.choices],
    )
    hub = forms.ChoiceField(label=_("Hub"), required=False)
    product = forms.ChoiceField(label=_("Product"), required=False)

    def __init__(self, data: Any, *, owner: Organisation) -> None:
        super().__init__(data)
        pools = ResourcePool.objects.filter(organisation=owner)
        everything = [("", pgettext("filter", "All"))]
        for name, model in (("hub", Hub), ("product", Product)):
            things = model.objects.filter(pk__in=pools.values(name)).order_by("code")
            choices = [(thing.code, localname(thing)) for thing in things]
            self.fields[name].choices = everything + choices  # type: ignore[attr-defined]

    def narrow(self, listings: QuerySet[Listing]) -> QuerySet[Listing]:
        """Return the listings asked for; wrong values narrow nothing."""
        if not self.is_valid():
            return listings
        asked = self.cleaned_data
        if asked["q"]:
            text = asked["q"]
            listings = listings.filter(
                Q(name__icontains=text) | Q(pool__identifier__icontains=text)
            )
        if asked["state"]:
            listings = listings.filter(state=asked["state"])
        if asked["hub"]:
            listings = listings.filter(pool__hub__code=asked["hub"])
        if asked["product"]:
            listings = listings.filter(pool__product__code=asked["product"])
        return listings


def capacity_tabs(active: str) -> list[dict[str, Any]]:
    """Return the parts of a supplier's capacity as tabs."""
    return [
        {"label": _("Listings"), "url": reverse("capacity"), "active": active == "listings"},
        {"label": _("Resource pools"), "url": reverse("pools"), "active": active == "pools"},
        {
            "label": pgettext_lazy("capacity", "Calendar"),
            "url": reverse("capacity-calendar"),
            "active": active == "calendar",
        },
        {"label": _("Documents"), "url": reverse("documents"), "active": active == "documents"},
    ]


@require_supplier
@require_safe
def list_capacity(request: HttpRequest) -> HttpResponse:
    """Show the listings with state, price and what is sold in the next 24 hours."""
    owner = acting_organisation(request)
    form = ListingFilter(request.GET, owner=owner)
    page = Paginator(form.narrow(listings_of(owner)), PAGE_SIZE).get_page(request.GET.get("page"))
    sales = provided("listing_sales", request, {})
    count = page.paginator.count
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": [_row(listing, sales) for listing in page.object_list],
        "tabs": capacity_tabs("listings"),
        "totals": _totals(sales),
        "has_pools": ResourcePool.objects.filter(organisation=owner).exists(),
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        "result_text": ngettext("%(count)s listing", "%(count)s listings", count)
        % {"count": count},
    }
    return render(request, "marketplace/capacity.html", context)


def _row(listing: Listing, sales: dict[int, Any]) -> dict[str, Any]:
    steps = list(listing.price_steps.all())
    prices = [step.price.amount for step in steps]
    return {
        "listing": listing,
        "pool": listing.pool,
        "low": min(prices, default=None),
        "high": max(prices, default=None),
        "sales": sales.get(listing.pk),
    }


def _totals(sales: dict[int, Any]) -> dict[str, Decimal]:
    offered = sum((one.offered for one in sales.values()), Decimal(0))
    sold = sum((one.sold for one in sales.values()), Decimal(0))
    share = sold / offered if offered else Decimal(0)
    return {
        "offered": offered,
        "sold": sold,
        "idle": max(offered - sold, Decimal(0)),
        "share": share,
    }


@require_supplier
@require_safe
def export_capacity(request: HttpRequest) -> HttpResponse:
    """Answer the filtered listings as CSV."""
    owner = acting_organisation(request)
    listings = ListingFilter(request.GET, owner=owner).narrow(listings_of(owner))
    sales = provided("listing_sales", request, {})
    return csv_answer("capacity.csv", CSV_HEAD, _csv_rows(listings, sales))


def _csv_rows(listings: Iterable[Listing], sales: dict[int, Any]) -> Iterable[list[object]]:
    for listing in listings:
        steps = sorted(listing.price_steps.all(), key=lambda step: step.step)
        windows = sorted(listing.availability.all(), key=lambda row: row.starts_at)
        sold = sales.get(listing.pk)
        yield [
            listing.public_id,
            listing.pool.identifier,
            listing.pool.hub.code,
            listing.pool.product.code,
            listing.name,
            listing.state,
            plain(listing.quantity),
            ";".join(f"{plain(s.quantity)}@{plain(s.price.amount)}" for s in steps),
            ";".join(
                f"{w.starts_at.isoformat()}/{w.ends_at.isoformat()}*{plain(w.quantity)}"
                for w in windows
            ),
            listing.min_run_hours,
            "yes" if listing.is_standing else "no",
            plain(sold.offered) if sold else "0",
            plain(sold.sold) if sold else "0",
        ]


@require_supplier
@require_safe
def list_pools(request: HttpRequest) -> HttpResponse:
    """Show the pools with identifier, trust marks and how much of each is listed."""
    owner = acting_organisation(request)
    pools = pools_of(owner).annotate(
        active_listings=Count("listings", filter=Q(listings__state=ListingState.ACTIVE))
    )
    page = Paginator(pools, PAGE_SIZE).get_page(request.GET.get("page"))
    marks = evidence_in_need(owner, page.object_list, on=market_date(market_now()))
    context = {
        "page_obj": page,
        "warnings": evidence_texts(marks),
        "tabs": capacity_tabs("pools"),
        "result_text": gettext("%(count)s pools") % {"count": page.paginator.count},
    }
    return render(request, "marketplace/capacity_pools.html", context)


@require_supplier
@require_safe
def show_pool(request: HttpRequest, identifier: str) -> HttpResponse:
    """Show one pool: its machines, marks, benchmarks, documents, history and listings."""
    pool = own_pool(request, identifier)
    sales = provided("listing_sales", request, {})
    listings = listings_of(pool.organisation).filter(pool=pool)
    marks = evidence_of_pool(pool, on=market_date(market_now()))
    context = {
        "pool": pool,
        "warnings": evidence_texts(marks),
        "identifier_parts": identifier_parts(pool),
        "ladder": trust_ladder(pool),
        "benchmarks": benchmark_rows(pool.benchmarks.order_by("-measured_on", "-id")[:PAGE_SIZE]),
        "documents": documents_of(pool.organisation).filter(pool=pool)[:PAGE_SIZE],
        "history": history_rows(history_of_pool(pool, limit=PAGE_SIZE)),
        "rows": [_row(listing, sales) for listing in listings[:PAGE_SIZE]],
        "crumbs": [
            (_("My capacity"), reverse("capacity")),
            (_("Resource pools"), reverse("pools")),
        ],
    }
    return render(request, "marketplace/capacity_pool.html", context)


def own_pool(request: HttpRequest, identifier: str) -> ResourcePool:
    """Return a pool of the acting organisation, or answer 404."""
    try:
        return pool_of(acting_organisation(request), identifier)
    except NotFound:
        raise Http404 from None
