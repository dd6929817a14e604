"""The list of auctions: what is open, what has cleared, what comes."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from marketplace.context_processors import clock_of
from orders.models import Auction, AuctionState, CalendarKind, ClearingRun, RunState
from orders.web.names import auction_name
from orders.web.strip import next_event

PAGE_SIZE = 20

GROUPS: dict[str, tuple[str, ...]] = {
    "open": (AuctionState.OPEN,),
    "clearing": (
        AuctionState.CLOSED,
        AuctionState.CLEARED,
        AuctionState.VERIFIED,
        AuctionState.PARKED,
        AuctionState.HALTED,
    ),
    "published": (AuctionState.PUBLISHED, AuctionState.SETTLING),
    "coming": (AuctionState.SCHEDULED,),
    "cancelled": (AuctionState.CANCELLED,),
}
GROUP_NAMES = {
    "open": pgettext_lazy("auctions", "Open"),
    "clearing": pgettext_lazy("auctions", "In clearing"),
    "published": pgettext_lazy("auctions", "Published"),
    "coming": pgettext_lazy("auctions", "Coming"),
    "cancelled": pgettext_lazy("auctions", "Cancelled"),
}


class AuctionFilter(forms.Form):
    """Narrows the list; an unknown value narrows nothing."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *GROUP_NAMES.items()],
    )
    kind = forms.ChoiceField(
        label=_("Calendar"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *CalendarKind.choices],
    )


def narrow(form: AuctionFilter) -> QuerySet[Auction]:
    """Return the auctions that the filter asks for, open ones first, then the newest."""
    auctions = Auction.objects.select_related("calendar").prefetch_related(
        Prefetch(
            "runs",
            queryset=ClearingRun.objects.filter(state=RunState.PUBLISHED),
            to_attr="published_runs",
        )
    )
    chosen = form.cleaned_data if form.is_valid() else {}
    if chosen.get("state"):
        auctions = auctions.filter(state__in=GROUPS[chosen["state"]])
    if chosen.get("kind"):
        auctions = auctions.filter(calendar__kind=chosen["kind"])
    soonest = chosen.get("state") in ("open", "coming")
    return auctions.order_by("gate_closes_at" if soonest else "-gate_closes_at", "-id")


@require_safe
def list_auctions(request: HttpRequest) -> HttpResponse:
    """Show the auctions with their state and the figures of the published ones."""
    form = AuctionFilter(request.GET or None)
    page = Paginator(narrow(form), PAGE_SIZE).get_page(request.GET.get("page"))
    now = clock_of(request).now
    rows = [_row(auction, now) for auction in page.object_list]
    count = page.paginator.count
    context = {
        "filter_form": form,
        "page_obj": page,
        "rows": rows,
        "result_text": gettext("%(count)s auctions") % {"count": count},
    }
    return render(request, "orders/auction_list.html", context)


def _row(auction: Auction, now: datetime) -> dict[str, Any]:
    label, moment = next_event(auction, now=now)
    runs = getattr(auction, "published_runs", [])
    run = runs[0] if runs else None
    return {
        "auction": auction,
        "name": auction_name(auction),
        "event_label": label,
        "event_at": moment,
        "run": run,
        "periods": pgettext("auction", "%(count)s × %(minutes)s min")
        % {"count": auction.period_count, "minutes": auction.period_minutes},
    }
