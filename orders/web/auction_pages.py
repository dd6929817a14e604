"""One auction: its way, the time left, and after publication everything that is public of it."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from marketplace.permissions import Actor
from marketplace.templatetags.market_ui import market_time
from marketplace.web.access import current_actor, trades
from marketplace.web.csv_answers import csv_answer
from marketplace.web.polling import fingerprint, polled, unchanged
from orders.models import (
    Auction,
    AuctionState,
    ClearingPrice,
    Order,
)
from orders.selectors.auctions import is_sealed, published_run
from orders.selectors.dividend import dividend_of
from orders.web.auction_results import describe_results
from orders.web.bundle_access import may_download_bundle
from orders.web.indicative_card import describe_indicative
from orders.web.names import auction_name
from orders.web.order_rows import order_rows
from orders.web.strip import next_event

PRICE_HEAD = (
    "auction",
    "product",
    "hub",
    "kind",
    "max_rtt_ms",
    "period",
    "starts_at",
    "price_cny_per_unit_hour_excl_vat",
    "supplied_units",
    "consumed_units",
    "max_carbon_g_per_unit_hour",
)
WAY = (
    AuctionState.SCHEDULED,
    AuctionState.OPEN,
    AuctionState.CLOSED,
    AuctionState.CLEARED,
    AuctionState.VERIFIED,
    AuctionState.PUBLISHED,
    AuctionState.SETTLING,
)
OWN_SHOWN = 5
FINISHED = (AuctionState.PUBLISHED, AuctionState.SETTLING, AuctionState.CANCELLED)


def find_auction(code: str) -> Auction:
    """Return the auction of this code, or answer 404."""
    return get_object_or_404(Auction.objects.select_related("calendar"), code=code)


@require_safe
def show_auction(request: HttpRequest, code: str) -> HttpResponse:
    """Show an auction in whatever state it is."""
    auction = find_auction(code)
    actor = current_actor(request)
    run = published_run(auction)
    context = {
        "auction": auction,
        "name": auction_name(auction),
        "steps": way_of(auction),
        "live": describe_live(auction, actor),
        "run": run,
        "indicative": describe_indicative(auction),
        "results": describe_results(request, auction, run) if run else None,
        "my_orders": own_orders(auction, actor),
        "can_bid": auction.state == AuctionState.OPEN,
        "bundle_allowed": run is not None and may_download_bundle(actor, run),
        "products": list(auction.products.order_by("sort_order", "code")),
        "dividend": dividend_of(run) if run else None,
    }
    return render(request, "orders/auction_detail.html", context)


def way_of(auction: Auction) -> list[dict[str, Any]]:
    """Return the steps of an auction's life with the market time at which each was reached."""
    reached = {row.to_state: row.market_at for row in auction.transitions.order_by("id")}
    planned = {
        AuctionState.OPEN: auction.gate_opens_at,
        AuctionState.CLOSED: auction.gate_closes_at,
    }
    reference = auction.halted_from or auction.state
    position = WAY.index(reference) if reference in WAY else len(WAY)
    return [
        {
            "label": AuctionState(state).label,
            "state": _step_state(auction, position, index),
            "note": market_time(reached.get(state) or planned.get(state), "short"),
        }
        for index, state in enumerate(WAY)
    ]


def _step_state(auction: Auction, position: int, index: int) -> str:
    if auction.state == AuctionState.SETTLING or index < position:
        return "done"
    return "now" if index == position else "todo"


@dataclass(frozen=True, slots=True)
class LivePart:
    """What changes by itself while an auction runs; of the book it tells the size alone."""

    state: str
    state_label: str
    event_label: str
    event_at: Any
    order_text: str
    own_count: int
    reason: str
    over: bool
    poll_url: str


def describe_live(auction: Auction, actor: Actor) -> LivePart:
    """Return the polled part: state, next event, size of the book, number of own orders."""
    label, moment = next_event(auction)
    own = _own_count(auction, actor)
    size = _size_text(auction)
    state = fingerprint(auction.state, auction.gate_closes_at, auction.state_reason, size, own)
    return LivePart(
        state=auction.state,
        state_label=str(auction.get_state_display()),
        event_label=label,
        event_at=moment,
        order_text=size,
        own_count=own,
        reason=auction.state_reason,
        over=auction.state in FINISHED,
        poll_url=f"{reverse('auction-live', args=[auction.code])}?seen={state}",
    )


def _size_text(auction: Auction) -> str:
    """Return how many orders the book holds; while it is sealed not even that is told."""
    if is_sealed(auction):
        return pgettext("order book", "sealed")
    return str(auction.book_order_count or 0)


def _own_count(auction: Auction, actor: Actor) -> int:
    if not trades(actor):
        return 0
    return Order.objects.filter(auction=auction, organisation=actor.organisation).count()


@require_safe
def show_live(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the live part alone; reloads the page once results are there."""
    auction = find_auction(code)
    live = describe_live(auction, current_actor(request))
    state = live.poll_url.rsplit("=", 1)[1]
    answer = unchanged(request, state)
    if answer is not None:
        return answer
    context = {"auction": auction, "live": live}
    response = render(request, "orders/auction_detail.html#live", context)
    if live.over and "HX-Request" in request.headers:
        response.headers["HX-Refresh"] = "true"
    return polled(response, state=state, over=live.over)


def own_orders(auction: Auction, actor: Actor) -> dict[str, Any] | None:
    """Return the newest own orders in an auction, and how many there are by outcome."""
    if not trades(actor):
        return None
    orders = Order.objects.filter(auction=auction, organisation=actor.organisation)
    counts = dict(orders.values_list("state").annotate(n=Count("id")).order_by())
    return {
        "rows": order_rows(orders.order_by("-id")[:OWN_SHOWN]),
        "total": sum(counts.values()),
        "list_url": f"{reverse('orders')}?auction={auction.code}",
        "csv_url": f"{reverse('orders-csv')}?auction={auction.code}",
    }


@require_safe
def export_prices(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the published prices of an auction as CSV with machine names."""
    auction = find_auction(code)
    run = published_run(auction)
    if run is None:
        raise Http404
    rows = ClearingPrice.objects.filter(run=run).order_by(
        "product__code", "is_delivered", "hub__code", "max_rtt_ms", "carbon_class_g", "period"
    )
    columns = (
        "product__code",
        "hub__code",
        "is_delivered",
        "max_rtt_ms",
        "period",
        "starts_at",
        "price",
        "supplied",
        "consumed",
        "carbon_class_g",
    )
    return csv_answer(
        f"prices-{auction.code}.csv",
        PRICE_HEAD,
        [_price_row(auction, *row) for row in rows.values_list(*columns)],
    )


def _price_row(auction: Auction, product: str, hub: str, delivered: bool, *rest: Any) -> list[Any]:
    max_rtt_ms, period, starts_at, price, supplied, consumed, grams = rest
    return [
        auction.code,
        product,
        hub,
        "delivered" if delivered else "supply",
        "" if max_rtt_ms is None else max_rtt_ms,
        period,
        starts_at.isoformat(),
        price,
        supplied,
        consumed,
        "" if grams is None else grams,
    ]


@require_safe
def download_bundle(request: HttpRequest, code: str, part: str) -> HttpResponse:
    """Answer the sealed input or the result of a published run, to those who may have it now."""
    auction = find_auction(code)
    run = published_run(auction)
    if run is None or not hasattr(run, "archive"):
        raise Http404
    if not may_download_bundle(current_actor(request), run):
        raise PermissionDenied
    content = run.archive.bundle if part == "bundle" else run.archive.result
    if not content:
        raise Http404
    response = HttpResponse(bytes(content), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{part}-{auction.code}.zip"'
    return response
