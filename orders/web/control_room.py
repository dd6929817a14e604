"""The control room: today's auctions step by step, workers and queues, and what waits."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import clock_face
from marketplace.services.background import queue_sizes
from marketplace.web.access import require_operator
from marketplace.web.polling import fingerprint, polled, unchanged
from orders.models import Auction
from orders.selectors.control_room import auctions_of_day, backlog, passages_of, worker_signs
from orders.web.names import auction_name
from orders.web.strip import next_event

PAGE_SIZE = 30
QUEUE_NAMES = {
    "clearing": _("Clearing"),
    "settlement": _("Settlement"),
    "exports": _("Exports"),
    "messages": _("Messages"),
    "default": _("Everything else"),
}


@require_operator
@require_safe
def show_control_room(request: HttpRequest) -> HttpResponse:
    """Show the day; market times are planned and reached, real times are said to be real."""
    return render(request, "orders/control_room.html", _context(request))


@require_operator
@require_safe
def show_live(request: HttpRequest) -> HttpResponse:
    """Answer the moving part alone; 204 or 304 when the asker shows it already."""
    context = _context(request)
    answer = unchanged(request, context["state"])
    if answer is not None:
        return answer
    response = render(request, "orders/control_room.html#live", context)
    return polled(response, state=context["state"])


def _context(request: HttpRequest) -> dict[str, Any]:
    face = clock_face()
    day = market_date(face.now)
    page = Paginator(auctions_of_day(day), PAGE_SIZE).get_page(request.GET.get("page"))
    auctions = list(page.object_list)
    passages = passages_of(auctions)
    waiting = backlog(face.now)
    signs = worker_signs()
    sizes = queue_sizes()
    state = fingerprint(
        day,
        *((auction.pk, auction.state, auction.gate_closes_at) for auction in auctions),
        *((sign.name, sign.is_alive) for sign in signs),
        waiting,
        sorted((sizes or {}).items()),
    )
    return {
        "day": day,
        "face": face,
        "page_obj": page,
        "rows": [_row(auction, passages[auction.pk]) for auction in auctions],
        "workers": signs,
        "queues": None if sizes is None else _queues(sizes),
        "waiting": waiting,
        "state": state,
        "poll_url": f"{reverse('control-room-live')}?page={page.number}&seen={state}",
        "result_text": gettext("%(count)s auctions") % {"count": page.paginator.count},
    }


def _queues(sizes: dict[str, int]) -> list[tuple[Any, int]]:
    return [(QUEUE_NAMES.get(name, name), size) for name, size in sizes.items()]


def _row(auction: Auction, passages: list[Any]) -> dict[str, Any]:
    label, moment = next_event(auction)
    return {
        "auction": auction,
        "name": auction_name(auction),
        "passages": passages,
        "event_label": label,
        "event_at": moment,
        "url": reverse("auction-control-detail", args=[auction.code]),
    }
