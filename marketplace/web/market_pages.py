"""Market search and the page of one listing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from marketplace.context_processors import provided
from marketplace.domain.money import with_vat
from marketplace.domain.periods import market_date
from marketplace.models import Hub, HubKind, Listing, ListingAvailability
from marketplace.selectors.catalogue import listing_detail
from marketplace.selectors.clock import market_now
from marketplace.selectors.hubs import pairings_of, routes_from
from marketplace.selectors.rules import vat_rates
from marketplace.web.curve_chart import curve_chart
from marketplace.web.market_filter import MarketFilter, Search, search

PAGE_SIZE = 20
PRICE_PLACES = 4


@require_safe
def search_market(request: HttpRequest) -> HttpResponse:
    """Show the capacity on offer that meets the filters."""
    form = MarketFilter(request.GET)
    on = market_date(market_now())
    found = search(form, on=on, sort=request.GET.get("sort", ""))
    page = Paginator(found.rows, PAGE_SIZE).get_page(request.GET.get("page"))
    rates = vat_rates(on)
    prices = provided("recent_prices", request, {})
    green = provided("green_hours", request, {})
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": [
            {**_row(listing, found, rates, prices, form), "green": green.get(listing.pool.hub_id)}
            for listing in page.object_list
        ],
        "city": found.city,
        "limit": form.latency_limit() if form.is_valid() else None,
        "result_text": gettext("%(count)s offers found") % {"count": page.paginator.count},
    }
    return render(request, "marketplace/market.html", context)


def _row(
    listing: Listing,
    found: Search,
    rates: dict[int, Decimal],
    prices: dict[tuple[int, int], Any],
    form: MarketFilter,
) -> dict[str, Any]:
    pool = listing.pool
    price = as_amount(getattr(listing, "best_price", None))
    rate = rates.get(pool.product_id)
    return {
        "listing": listing,
        "pool": pool,
        "price": price,
        "price_with_vat": gross_price(price, rate),
        "last": prices.get((pool.hub_id, pool.product_id)),
        "rtt": found.rtt_by_hub.get(pool.hub.code),
        "bid_url": bid_url(listing, **_carried(form)),
    }


def _carried(form: MarketFilter) -> dict[str, str]:
    """Return what the bid form should take over from the search."""
    given = form.cleaned_data if form.is_valid() else {}
    names = {"city": "hub", "scenario": "scenario"}
    return {target: given[name] for name, target in names.items() if given.get(name)}


def as_amount(price: Any) -> Decimal | None:
    """Return a bare amount of what may be Money."""
    return getattr(price, "amount", price)


def gross_price(price: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """Return a unit price with VAT, to four decimals; None when either is missing."""
    if price is None or rate is None:
        return None
    return with_vat(price, rate, PRICE_PLACES)


def bid_url(listing: Listing, **carried: str) -> str:
    """Return the address of the bid form prefilled for a listing; empty when there is none."""
    try:
        url = reverse("bid")
    except NoReverseMatch:
        return ""
    query = {"product": listing.pool.product.code, "listing": str(listing.public_id), **carried}
    return f"{url}?{urlencode(query)}"


@require_safe
def show_listing(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one listing with its price curve, calendar, and what is known of the machines."""
    listing = listing_detail(public_id)
    if listing is None:
        raise Http404
    pool = listing.pool
    on = market_date(market_now())
    rate = vat_rates(on).get(pool.product_id)
    now = market_now()
    steps = sorted(listing.price_steps.all(), key=lambda step: step.step)
    last = provided("recent_prices", request, {}).get((pool.hub_id, pool.product_id))
    context = {
        "listing": listing,
        "pool": pool,
        "steps": [{"step": step, "gross": gross_price(step.price.amount, rate)} for step in steps],
        "vat_rate": rate,
        "chart": curve_chart(
            [(step.quantity, step.price.amount) for step in steps],
            product=pool.product,
            last=last,
        ),
        "windows": joined_windows([w for w in listing.availability.all() if w.ends_at > now]),
        "maintenance": [w for w in listing.maintenance.all() if w.ends_at > now],
        "green_windows": provided("green_hours", request, {}).get(pool.hub_id),
        "pairings": list(pairings_of(pool.hub)),
        "reach": nearest_places(pool.hub.code),
        "last": last,
        "record": _record(request, listing),
        "bid_url": bid_url(listing),
    }
    return render(request, "marketplace/listing.html", context)


def _record(request: HttpRequest, listing: Listing) -> Any:
    """Return how reliably the supplier delivers this product, None without a record."""
    find = provided("delivery_record", request, None)
    return find(listing.organisation_id, listing.pool.product_id) if find else None


@dataclass
class Window:
    """A stretch of time with the same number of units on offer."""

    starts_at: datetime
    ends_at: datetime
    quantity: Decimal


def joined_windows(windows: list[ListingAvailability]) -> list[Window]:
    """Return the windows in order, neighbours with the same quantity as one."""
    joined: list[Window] = []
    for window in sorted(windows, key=lambda window: window.starts_at):
        last = joined[-1] if joined else None
        if last and last.ends_at == window.starts_at and last.quantity == window.quantity:
            last.ends_at = window.ends_at
        else:
            joined.append(Window(window.starts_at, window.ends_at, window.quantity))
    return joined


def nearest_places(hub_code: str, limit: int = 8) -> list[dict[str, Any]]:
    """Return the demand cities nearest to a hub by the market's routes, with the RTT in ms."""
    routes = routes_from(hub_code)
    cities = [h for h in Hub.objects.filter(kind=HubKind.CITY, trades=True) if h.code in routes]
    cities.sort(key=lambda hub: (routes[hub.code].rtt_ms, hub.code))
    return [{"hub": hub, "rtt": routes[hub.code].rtt_ms} for hub in cities[:limit]]
