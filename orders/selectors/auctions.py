"""Auctions: which are on, which comes next, what happened to one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from marketplace.models import Product
from orders.models import Auction, AuctionState, AuctionTransition, ClearingRun, RunState

# Before these states a book is sealed, and not even its size is told.
SEALED = (AuctionState.SCHEDULED, AuctionState.OPEN)
_LIVE = (
    *(AuctionState.SCHEDULED, AuctionState.OPEN, AuctionState.CLOSED, AuctionState.CLEARED),
    *(AuctionState.VERIFIED, AuctionState.HALTED, AuctionState.PARKED),
)


@dataclass(frozen=True)
class AuctionDetail:
    """An auction with its products, its published run (if any) and its timeline."""

    auction: Auction
    products: list[Product]
    run: ClearingRun | None
    timeline: list[AuctionTransition]


def current_auctions() -> QuerySet[Auction]:
    """Return auctions that are not over, the next gate closure first."""
    auctions = Auction.objects.filter(state__in=_LIVE).select_related("calendar")
    return auctions.order_by("gate_closes_at", "id")


def open_auctions(*, now: datetime) -> QuerySet[Auction]:
    """Return auctions that take orders at a market time."""
    return current_auctions().filter(state=AuctionState.OPEN, gate_closes_at__gt=now)


def recent_auctions() -> QuerySet[Auction]:
    """Return all auctions, the latest gate first, each with its published run in `published`."""
    runs = ClearingRun.objects.filter(state=RunState.PUBLISHED)
    return (
        Auction.objects.select_related("calendar")
        .prefetch_related(Prefetch("runs", queryset=runs, to_attr="published"))
        .order_by("-gate_closes_at", "-id")
    )


def next_gate(*, now: datetime) -> Auction | None:
    """Return the auction whose gate closes next, of those that take or will take orders."""
    states = (AuctionState.SCHEDULED, AuctionState.OPEN)
    return current_auctions().filter(state__in=states, gate_closes_at__gt=now).first()


def auction_detail(*, public_id: UUID) -> AuctionDetail | None:
    """Return one auction in four queries, or None."""
    auction = Auction.objects.select_related("calendar").filter(public_id=public_id).first()
    if auction is None:
        return None
    return AuctionDetail(
        auction=auction,
        products=list(auction.products.order_by("sort_order", "code")),
        run=published_run(auction),
        timeline=list(auction.transitions.select_related("actor").order_by("id")),
    )


def published_run(auction: Auction) -> ClearingRun | None:
    """Return the run whose result stands."""
    return auction.runs.filter(state=RunState.PUBLISHED).first()


def is_sealed(auction: Auction) -> bool:
    """Tell whether the book of an auction is still nobody's business."""
    return auction.state in SEALED or (
        auction.state == AuctionState.HALTED and auction.halted_from in SEALED
    )
