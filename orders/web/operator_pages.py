"""Auction control: where every auction stands, what is wrong with it, and the operator's acts.

While the gate is open the book is sealed for the operator too: not even its size is shown.
"""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.context_processors import clock_of
from marketplace.domain.errors import RuleBroken
from marketplace.models import Heartbeat, TwoPersonRequest
from marketplace.templatetags.market_ui import market_time
from marketplace.web.access import current_actor, require_operator
from marketplace.web.form_fields import add_refusal
from orders.models import (
    Auction,
    AuctionState,
    AuctionTransition,
    Order,
    OrderState,
    RunCheck,
)
from orders.selectors.auctions import is_sealed
from orders.selectors.runs import runs_with_parts
from orders.web.acts import ACTS, Act
from orders.web.auction_list import AuctionFilter, narrow
from orders.web.auction_pages import way_of
from orders.web.names import auction_name
from orders.web.request_pages import describe_request
from orders.web.strip import next_event

PAGE_SIZE = 25
ATTENTION = (AuctionState.HALTED, AuctionState.PARKED)


@require_operator
@require_safe
def list_control(request: HttpRequest) -> HttpResponse:
    """Show the auctions with size of book, attempts and lease, those in trouble first."""
    form = AuctionFilter(request.GET or None)
    page = Paginator(narrow(form), PAGE_SIZE).get_page(request.GET.get("page"))
    auctions = list(page.object_list)
    sizes = _book_sizes(auctions)
    now = clock_of(request).now
    troubled = Auction.objects.filter(state__in=ATTENTION).select_related("calendar")
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": [_row(auction, sizes, now) for auction in auctions],
        "troubled": [
            _row(auction, {}, now) for auction in troubled.order_by("gate_closes_at")[:10]
        ],
        "heartbeats": Heartbeat.objects.order_by("name"),
        "result_text": gettext("%(count)s auctions") % {"count": page.paginator.count},
    }
    return render(request, "orders/operator_auctions.html", context)


def _book_sizes(auctions: list[Auction]) -> dict[int, int]:
    waiting = [
        auction.pk
        for auction in auctions
        if auction.book_order_count is None and not is_sealed(auction)
    ]
    rows = Order.objects.filter(auction_id__in=waiting, state=OrderState.ACTIVE)
    return dict(rows.values_list("auction_id").annotate(n=Count("id")).order_by())


def _row(auction: Auction, sizes: dict[int, int], now: datetime | None = None) -> dict[str, Any]:
    label, moment = next_event(auction, now=now)
    size = auction.book_order_count
    return {
        "auction": auction,
        "name": auction_name(auction),
        "event_label": label,
        "event_at": moment,
        "is_sealed": is_sealed(auction),
        "size": _size_text(auction, sizes.get(auction.pk, 0) if size is None else size),
        "is_leased": bool(auction.lease_until and auction.lease_until > timezone.now()),
    }


def _size_text(auction: Auction, size: int) -> str:
    return pgettext("order book", "sealed") if is_sealed(auction) else str(size)


@require_operator
@require_safe
def show_control(request: HttpRequest, code: str) -> HttpResponse:
    """Show one auction's machine: steps, counts, attempts, lease, runs, history."""
    auction = get_object_or_404(Auction.objects.select_related("calendar"), code=code)
    found = Order.objects.none() if is_sealed(auction) else Order.objects.filter(auction=auction)
    counts = found.values_list("side", "state")
    history = auction.transitions.select_related("actor").order_by("-id")
    context = {
        **_row(auction, _book_sizes([auction])),
        "steps": way_of(auction),
        "counts": _count_table(counts.annotate(n=Count("id")).order_by()),
        "runs": runs_with_parts(auction),
        "checks": RunCheck.objects.filter(run__auction=auction)
        .select_related("run", "asked_by")
        .order_by("-id")[:10],
        "history": [_passage(row) for row in history[:50]],
        "extensions": auction.extensions.select_related("asked_by", "approved_by").order_by("id"),
        "requests": [describe_request(row) for row in _requests(auction)],
        "acts": [
            {"act": act, "name": name, "url": reverse(f"auction-{name}", args=[auction.code])}
            for name, act in ACTS.items()
            if auction.state in act.from_states
        ],
        "crumbs": [(gettext("Auction control"), reverse("auction-control"))],
    }
    return render(request, "orders/operator_auction.html", context)


def _requests(auction: Auction) -> Any:
    rows = TwoPersonRequest.objects.filter(object_type="orders.Auction", object_id=str(auction.pk))
    return rows.select_related("requested_by", "decided_by").order_by("-id")[:10]


def _passage(row: AuctionTransition) -> dict[str, Any]:
    return {
        "row": row,
        "before": AuctionState(row.from_state).label if row.from_state else "–",
        "after": AuctionState(row.to_state).label,
    }


def _count_table(counts: Any) -> list[dict[str, Any]]:
    """Return one row for each state that occurs, with bids and asks."""
    found: dict[str, dict[str, int]] = {}
    for side, state, number in counts:
        found.setdefault(state, {})[side] = number
    return [
        {
            "state": state,
            "label": state.label,
            "bids": found[state].get("buy", 0),
            "asks": found[state].get("sell", 0),
        }
        for state in OrderState
        if state in found
    ]


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def act_on_auction(request: HttpRequest, code: str, act: str) -> HttpResponse:
    """Ask for the reason, then halt or resume at once, or ask for a second operator."""
    auction = get_object_or_404(Auction.objects.select_related("calendar"), code=code)
    chosen = ACTS[act]
    form = chosen.form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            chosen.service(actor=current_actor(request), auction_id=auction.pk, **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, str(chosen.done))
            return redirect("auction-control-detail", code=auction.code)
    context = _question(auction, chosen, form)
    return render(request, "generic/confirm.html", context, status=422 if form.errors else 200)


def _question(auction: Auction, chosen: Act, form: Any) -> dict[str, Any]:
    row = _row(auction, _book_sizes([auction]))
    return {
        "question": gettext(chosen.question) % {"name": row["name"]},
        "text": chosen.text,
        "confirm_label": chosen.confirm_label,
        "danger": chosen.danger,
        "form": form,
        "cancel_url": reverse("auction-control-detail", args=[auction.code]),
        "lines": [
            (gettext("Auction"), auction.code),
            (gettext("State"), auction.get_state_display()),
            (gettext("Gate closes"), market_time(auction.gate_closes_at)),
            (gettext("Orders in the book"), row["size"]),
        ],
    }
