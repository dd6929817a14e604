"""The operator's day at a glance: every auction's steps, planned and real, and who is at work."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from marketplace.domain.periods import local_instant
from marketplace.models import Heartbeat, OutboxEvent, RequestState, TwoPersonRequest
from orders.models import (
    AlertState,
    Auction,
    AuctionState,
    AuctionTransition,
    GateExtension,
    SurveillanceAlert,
)

STEPS = (
    AuctionState.OPEN,
    AuctionState.CLOSED,
    AuctionState.CLEARED,
    AuctionState.PUBLISHED,
    AuctionState.SETTLING,
)
SILENT_AFTER = timedelta(seconds=30)


@dataclass(frozen=True)
class Passage:
    """One step of one auction: planned and reached in market time, recorded in real time."""

    state: AuctionState
    planned_at: datetime | None
    reached_at: datetime | None
    recorded_at: datetime | None
    was_put_off: bool


@dataclass(frozen=True)
class WorkerSign:
    """When a kind of process was last seen (real time)."""

    name: str
    seen_at: datetime
    is_alive: bool


@dataclass(frozen=True)
class Backlog:
    """What waits: events nobody took yet, requests, cases, auctions in trouble, overdue steps."""

    events: int
    requests: int
    cases: int
    troubled: int
    overdue: int


def auctions_of_day(day: date) -> QuerySet[Auction]:
    """Return the auctions of which something happens on a market day, by gate closure."""
    start, end = local_instant(day, time()), local_instant(day + timedelta(days=1), time())
    inside = Q()
    for field in ("gate_opens_at", "gate_closes_at"):
        inside |= Q(**{f"{field}__gte": start, f"{field}__lt": end})
    auctions = Auction.objects.select_related("calendar").filter(inside)
    return auctions.order_by("gate_closes_at", "id")


def passages_of(auctions: list[Auction]) -> dict[int, list[Passage]]:
    """Return the steps of auctions, in two queries for all of them."""
    keys = [auction.pk for auction in auctions]
    reached: dict[tuple[int, str], AuctionTransition] = {}
    for row in AuctionTransition.objects.filter(auction__in=keys).order_by("id"):
        reached[row.auction_id, row.to_state] = row
    first_closure: dict[int, datetime] = {}
    for extension in GateExtension.objects.filter(auction__in=keys).order_by("-id"):
        first_closure[extension.auction_id] = extension.closes_before
    return {
        auction.pk: [
            _passage(auction, state, reached.get((auction.pk, state)), first_closure)
            for state in STEPS
        ]
        for auction in auctions
    }


def _passage(
    auction: Auction,
    state: AuctionState,
    row: AuctionTransition | None,
    first_closure: dict[int, datetime],
) -> Passage:
    planned = {
        AuctionState.OPEN: auction.gate_opens_at,
        AuctionState.CLOSED: first_closure.get(auction.pk, auction.gate_closes_at),
    }.get(state)
    return Passage(
        state=state,
        planned_at=planned,
        reached_at=row.market_at if row else None,
        recorded_at=row.recorded_at if row else None,
        was_put_off=state == AuctionState.CLOSED and auction.pk in first_closure,
    )


def worker_signs() -> list[WorkerSign]:
    """Return the processes that report, and whether they did lately."""
    now = timezone.now()
    return [
        WorkerSign(beat.name, beat.seen_at, now - beat.seen_at <= SILENT_AFTER)
        for beat in Heartbeat.objects.order_by("name")
    ]


def backlog(now: datetime) -> Backlog:
    """Return what waits for people and workers.

    Args:
        now: market time; a step that is a minute late is overdue.
    """
    late = now - timedelta(minutes=1)
    overdue = Q(state=AuctionState.SCHEDULED, gate_opens_at__lt=late) | Q(
        state=AuctionState.OPEN, gate_closes_at__lt=late
    )
    troubled = Q(state__in=(AuctionState.HALTED, AuctionState.PARKED))
    # Only the latest events: every one of them has a receipt within seconds.
    untaken = OutboxEvent.objects.filter(
        topic__in=("auction.published", "organisation.approved"), receipts__isnull=True
    )
    return Backlog(
        events=untaken.count(),
        requests=TwoPersonRequest.objects.filter(state=RequestState.PENDING).count(),
        cases=SurveillanceAlert.objects.exclude(state=AlertState.CLOSED).count(),
        troubled=Auction.objects.filter(troubled).count(),
        overdue=Auction.objects.filter(overdue).count(),
    )
