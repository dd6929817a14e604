"""The strip under the navigation: which auctions take orders now, and until when."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from marketplace.context_processors import clock_of
from marketplace.selectors.clock import ClockFace
from marketplace.web.polling import fingerprint, polled, unchanged
from orders.models import Auction, AuctionState
from orders.web.names import auction_name

SHOWN = 4
AT_WORK = (AuctionState.CLOSED, AuctionState.CLEARED, AuctionState.VERIFIED, AuctionState.HALTED)


def current_auctions(limit: int = SHOWN) -> list[Auction]:
    """Return the open auctions by gate closure, then those in clearing, else the next ones."""
    rows = Auction.objects.select_related("calendar").order_by("gate_closes_at", "id")
    live = list(rows.filter(state__in=[AuctionState.OPEN, *AT_WORK])[: limit * 3])
    live.sort(key=lambda auction: auction.state != AuctionState.OPEN)
    return live[:limit] or list(rows.filter(state=AuctionState.SCHEDULED)[:2])


def next_event(auction: Auction, *, now: datetime | None = None) -> tuple[str, datetime | None]:
    """Return what happens next in an auction, and when; lists of past auctions say `now`."""
    if auction.state == AuctionState.SCHEDULED:
        return pgettext("auction event", "gate opens"), auction.gate_opens_at
    if auction.state == AuctionState.OPEN:
        return pgettext("auction event", "gate closes"), auction.gate_closes_at
    if auction.state in (AuctionState.PUBLISHED, AuctionState.SETTLING):
        if now is None or now < auction.delivery_starts_at:
            return pgettext("auction event", "delivery starts"), auction.delivery_starts_at
        if now < auction.delivery_ends_at:
            return pgettext("auction event", "delivery ends"), auction.delivery_ends_at
    return "", None


def auction_strip(request: HttpRequest) -> dict[str, Any]:
    """Return the context of templates/includes/auction_strip.html."""
    return describe_strip(current_auctions(), clock_of(request))


def describe_strip(auctions: list[Auction], clock: ClockFace) -> dict[str, Any]:
    """Return the strip of these auctions, with the address that tells its next state.

    A clock that was set anew is another state: countdowns go on from the clock of the strip.
    """
    shown = ((a.pk, a.state, a.gate_opens_at, a.gate_closes_at) for a in auctions)
    state = fingerprint(clock.setting, *shown)
    return {
        "state": state,
        "poll_url": f"{reverse('auction-strip')}?seen={state}",
        "auctions": [_describe(auction) for auction in auctions],
    }


def _describe(auction: Auction) -> dict[str, Any]:
    label, moment = next_event(auction)
    return {
        "name": auction_name(auction),
        "url": reverse("auction", args=[auction.code]),
        "state": auction.state,
        "state_label": auction.get_state_display(),
        "event_label": label,
        "event_at": moment,
    }


@require_safe
def show_strip(request: HttpRequest) -> HttpResponse:
    """Answer the strip alone; 204 or 304 when the asker already shows it."""
    strip = describe_strip(current_auctions(), clock_of(request))
    answer = unchanged(request, strip["state"])
    if answer is not None:
        return answer
    response = render(request, "includes/auction_strip.html", {"auction_strip": strip})
    return polled(response, state=strip["state"])
