"""Bids that repeat themselves: list, one with its copies, pause, resume, end."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.services.error_texts import error_text
from marketplace.web.access import acting_organisation, current_actor, require_buyer
from orders.models import Auction, CalendarKind, Order, StandingBid, StandingBidCopy
from orders.selectors.projects import Commitment, commitment_of
from orders.services import standing_bids
from orders.web.names import auction_name
from orders.web.request_rows import refusal_text, request_row

PAGE_SIZE = 25
MINUTES_PER_HOUR = 60

ENDINGS: dict[str, Promise] = {
    "date_reached": _("Its last day is over."),
    "budget_used": _("Its budget is used up."),
    "ended_by_member": _("Ended by your organisation."),
}
ACTIONS = {
    "pause": standing_bids.pause_standing_bid,
    "resume": standing_bids.resume_standing_bid,
    "end": standing_bids.end_standing_bid,
}


@require_buyer
@require_safe
def list_standing_bids(request: HttpRequest) -> HttpResponse:
    """Show the organisation's standing bids, newest first."""
    page = Paginator(_own(request).order_by("-id"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": [standing_row(standing) for standing in page.object_list],
        "result_text": gettext("%(count)s standing bids") % {"count": page.paginator.count},
    }
    return render(request, "orders/standing_list.html", context)


@require_buyer
@require_safe
def show_standing_bid(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one standing bid with what became of it in each auction."""
    standing = _find(request, public_id)
    copies = (
        StandingBidCopy.objects.filter(standing_bid=standing)
        .select_related("auction__calendar", "order")
        .order_by("-id")
    )
    page = Paginator(copies, PAGE_SIZE).get_page(request.GET.get("page"))
    bought = Order.objects.filter(
        pk__in=copies.order_by().filter(order__isnull=False).values("order_id")
    )
    commitment: Commitment = commitment_of(bought)
    context = {
        "row": standing_row(standing),
        "standing": standing,
        "commitment": commitment,
        "page_obj": page,
        "copies": [_copy_row(copy) for copy in page.object_list],
    }
    return render(request, "orders/standing_detail.html", context)


@require_buyer
@require_http_methods(["GET", "HEAD", "POST"])
def change_state(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Pause or resume at once; ending asks first."""
    standing = _find(request, public_id)
    action = request.POST.get("action") or request.GET.get("action") or ""
    if action not in ACTIONS:
        raise Http404
    is_sure = action != "end" or request.POST.get("confirmed") == "yes"
    if request.method != "POST" or not is_sure:
        return render(request, "orders/standing_end.html", _question(standing))
    try:
        ACTIONS[action](actor=current_actor(request), public_id=public_id)
    except RuleBroken as refusal:
        messages.error(request, error_text(refusal))
    else:
        done = {
            "pause": gettext("The standing bid is paused; orders in a book stay there."),
            "resume": gettext("The standing bid goes into the coming auctions again."),
            "end": gettext("The standing bid has ended; orders in a book stay there."),
        }
        messages.success(request, done[action])
    return redirect("standing-bid", public_id=public_id)


def _question(standing: StandingBid) -> dict[str, Any]:
    return {
        "row": standing_row(standing),
        "standing": standing,
        "question": gettext("End this standing bid?"),
        "confirm_label": gettext("End it"),
        "danger": True,
        "cancel_url": reverse("standing-bid", args=[standing.public_id]),
        "action_name": "end",
    }


def standing_row(standing: StandingBid) -> dict[str, Any]:
    """Return a standing bid as a reader sees it."""
    bid = request_row(standing, None)
    return {
        "standing": standing,
        "bid": bid,
        "window": _window(standing, bid.request.first_period, bid.request.last_period),
        "ending": ENDINGS.get(standing.ended_reason, ""),
    }


def _window(standing: StandingBid, first: int, last: int) -> str:
    if standing.calendar.kind == CalendarKind.INTRADAY:
        return f"{_clock(standing.from_minute)}–{_clock(standing.until_minute)}"
    if standing.calendar.kind == CalendarKind.DAY_AHEAD:
        step = standing.calendar.period_minutes
        return f"{_clock((first - 1) * step)}–{_clock(last * step)}"
    return gettext("periods %(first)s to %(last)s") % {"first": first, "last": last}


def _clock(minutes: int) -> str:
    return f"{minutes // MINUTES_PER_HOUR:02d}:{minutes % MINUTES_PER_HOUR:02d}"


def _copy_row(copy: StandingBidCopy) -> dict[str, Any]:
    auction: Auction = copy.auction
    return {
        "copy": copy,
        "auction_name": auction_name(auction),
        "refusal": refusal_text(copy.refusal_code, copy.refusal_params),
    }


def _own(request: HttpRequest) -> Any:
    own = StandingBid.objects.filter(organisation=acting_organisation(request))
    return own.select_related("calendar", "product", "hub", "project", "created_by")


def _find(request: HttpRequest, public_id: UUID) -> StandingBid:
    standing = _own(request).filter(public_id=public_id).first()
    if standing is None:
        raise Http404
    return standing
