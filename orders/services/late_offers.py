"""Standing listings that are offered while gates are open join the books that take orders."""

from collections.abc import Callable
from typing import Any

import structlog
from django.db.models import Q

from marketplace.models import Listing, OutboxEvent
from marketplace.selectors.clock import market_now
from marketplace.services.outbox import (
    LISTINGS_OFFERED,
    ORGANISATION_REINSTATED,
    apply_once,
    pending_events,
)
from orders.models import Auction, AuctionState
from orders.services.locks import share_gate
from orders.services.standing import copy_standing_offers

logger = structlog.get_logger(__name__)

CONSUMER = "orders"


def join_open_auctions(limit: int = 20) -> int:
    """Put listings that were offered lately into every open auction; return how many events.

    Nothing is done while a gate is about to open: its auction may have copied the listings before
    the one of an event was stored, and the event waits until that auction can be seen open.
    """
    events = pending_events(consumer=CONSUMER, topics=sorted(_OFFERED), limit=limit)
    if not events or _opening_now():
        return 0
    return sum(apply_once(consumer=CONSUMER, event=event, apply=_join) for event in events)


def have_all_joined() -> bool:
    """Tell whether everything that was offered is in the books that were open then."""
    return not pending_events(consumer=CONSUMER, topics=sorted(_OFFERED), limit=1)


def _join(event: OutboxEvent) -> None:
    """Copy the listings of an event, few statements for many.

    All gates come before the listings' rows. A halted auction's gate is waited for as well: who
    resumes it copies every standing listing and holds the gate alone meanwhile.
    """
    waiting = Auction.objects.filter(state__in=(AuctionState.OPEN, AuctionState.HALTED))
    auction_ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    for auction_id in auction_ids:
        share_gate(auction_id)
    listing_ids = _OFFERED[event.topic](event.payload)
    locked = _locked(listing_ids)
    open_now = Auction.objects.filter(
        pk__in=auction_ids, state=AuctionState.OPEN, gate_closes_at__gt=market_now()
    )
    for auction in open_now.order_by("pk"):
        copied = copy_standing_offers(auction_id=auction.pk, only=locked)
        logger.info("standing_offers_joined", auction=auction.code, standing_offers=copied)


def _locked(listing_ids: list[int]) -> list[int]:
    """Lock listings as an ask of one does: who comes second sees the asks of the first."""
    rows = Listing.objects.select_for_update(no_key=True).filter(pk__in=listing_ids)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _opening_now() -> bool:
    due = Q(state=AuctionState.SCHEDULED, gate_opens_at__lte=market_now())
    return Auction.objects.filter(due).exists()


def _listings_named(payload: dict[str, Any]) -> list[int]:
    return list(payload["listing_ids"])


def _listings_of_member(payload: dict[str, Any]) -> list[int]:
    own = Listing.objects.filter(organisation_id=payload["organisation_id"], is_standing=True)
    return list(own.values_list("pk", flat=True))


_OFFERED: dict[str, Callable[[dict[str, Any]], list[int]]] = {
    LISTINGS_OFFERED: _listings_named,
    ORGANISATION_REINSTATED: _listings_of_member,
}
