"""Auction control: where every auction stands, what is wrong with it, and the operator's acts."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import Heartbeat
from marketplace.web.access import current_actor, require_operator
from marketplace.web.form_fields import add_refusal
from orders.models import (
    Auction,
    AuctionState,
    AuctionTransition,
    ClearingRun,
    Order,
    OrderState,
)
from orders.services.interventions import cancel_auction, halt_auction, resume_auction
from orders.web.auction_list import AuctionFilter, narrow
from orders.web.auction_pages import way_of
from orders.web.names import auction_name
from orders.web.strip import next_event

PAGE_SIZE = 25
ATTENTION = (AuctionState.HALTED, AuctionState.PARKED)
RUNNING = {
    AuctionState.SCHEDULED,
    AuctionState.OPEN,
    AuctionState.CLOSED,
    AuctionState.CLEARED,
    AuctionState.VERIFIED,
}
ACTS: dict[str, dict[str, Any]] = {
    "halt": {
        "service": halt_auction,
        "from": RUNNING,
        "question": gettext_noop("Halt the auction %(name)s?"),
        "text": _("It takes no orders and no next step until it is resumed or cancelled."),
        "label": _("Halt"),
        "done": _("The auction is halted."),
        "icon": "player-pause",
        "danger": True,
    },
    "resume": {
        "service": resume_auction,
        "from": set(ATTENTION),
        "question": gettext_noop("Resume the auction %(name)s?"),
        "text": _("It goes on where it was; a parked auction is frozen and cleared again."),
        "label": _("Resume"),
        "done": _("The auction goes on."),
        "icon": "player-play",
        "danger": False,
    },
    "cancel": {
        "service": cancel_auction,
        "from": RUNNING | set(ATTENTION),
        "question": gettext_noop("Cancel the auction %(name)s for good?"),
        "text": _("Every order in it ends, every hold is released, and no result is published."),
        "label": _("Cancel the auction"),
        "done": _("The auction is cancelled; every hold is released."),
        "icon": "ban",
        "danger": True,
    },
}


class ReasonForm(forms.Form):
    """Why the operator steps in; members read it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Members with orders in this auction read it."),
    )


@require_operator
@require_safe
def list_control(request: HttpRequest) -> HttpResponse:
    """Show the auctions with size of book, attempts and lease, those in trouble first."""
    form = AuctionFilter(request.GET or None)
    page = Paginator(narrow(form), PAGE_SIZE).get_page(request.GET.get("page"))
    auctions = list(page.object_list)
    sizes = _book_sizes(auctions)
    troubled = Auction.objects.filter(state__in=ATTENTION).select_related("calendar")
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": [_row(auction, sizes) for auction in auctions],
        "troubled": [_row(auction, {}) for auction in troubled.order_by("gate_closes_at")[:10]],
        "heartbeats": Heartbeat.objects.order_by("name"),
        "result_text": gettext("%(count)s auctions") % {"count": page.paginator.count},
    }
    return render(request, "orders/operator_auctions.html", context)


def _book_sizes(auctions: list[Auction]) -> dict[int, int]:
    waiting = [auction.pk for auction in auctions if auction.book_order_count is None]
    rows = Order.objects.filter(auction_id__in=waiting, state=OrderState.ACTIVE)
    return dict(rows.values_list("auction_id").annotate(n=Count("id")).order_by())


def _row(auction: Auction, sizes: dict[int, int]) -> dict[str, Any]:
    label, moment = next_event(auction)
    size = auction.book_order_count
    return {
        "auction": auction,
        "name": auction_name(auction),
        "event_label": label,
        "event_at": moment,
        "size": sizes.get(auction.pk, 0) if size is None else size,
        "is_leased": bool(auction.lease_until and auction.lease_until > timezone.now()),
    }


@require_operator
@require_safe
def show_control(request: HttpRequest, code: str) -> HttpResponse:
    """Show one auction's machine: steps, counts, attempts, lease, runs, history."""
    auction = get_object_or_404(Auction.objects.select_related("calendar"), code=code)
    counts = Order.objects.filter(auction=auction).values_list("side", "state")
    history = auction.transitions.select_related("actor").order_by("-id")
    context = {
        **_row(auction, _book_sizes([auction])),
        "steps": way_of(auction),
        "counts": _count_table(counts.annotate(n=Count("id")).order_by()),
        "runs": ClearingRun.objects.filter(auction=auction).order_by("-version"),
        "history": [_passage(row) for row in history[:50]],
        "acts": [
            {**act, "name": name, "url": reverse(f"auction-{name}", args=[auction.code])}
            for name, act in ACTS.items()
            if auction.state in act["from"]
        ],
        "crumbs": [(gettext("Auction control"), reverse("auction-control"))],
    }
    return render(request, "orders/operator_auction.html", context)


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
    """Ask for the reason, then halt, resume or cancel."""
    auction = get_object_or_404(Auction.objects.select_related("calendar"), code=code)
    chosen = ACTS[act]
    question: str = chosen["question"]
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            chosen["service"](
                actor=current_actor(request),
                auction_id=auction.pk,
                reason=form.cleaned_data["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, chosen["done"])
            return redirect("auction-control-detail", code=auction.code)
    row = _row(auction, _book_sizes([auction]))
    context = {
        "question": gettext(question) % {"name": row["name"]},
        "text": chosen["text"],
        "confirm_label": chosen["label"],
        "danger": chosen["danger"],
        "form": form,
        "cancel_url": reverse("auction-control-detail", args=[auction.code]),
        "lines": [
            (gettext("Auction"), auction.code),
            (gettext("State"), auction.get_state_display()),
            (gettext("Orders in the book"), row["size"]),
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)
