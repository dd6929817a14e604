"""Surveillance after publication: each finding once, as a case that a person closes.

The definitions and thresholds stand in `docs/reference/surveillance.md`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from marketplace.domain.errors import NotFound
from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.models import Hub, Listing, ListingState, Membership, OutboxEvent, Product
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition, plain, require_operator
from marketplace.services.outbox import apply_once, pending_events
from orders.domain.concentration import is_outlier
from orders.models import (
    ALERT_TRANSITIONS,
    AlertComment,
    AlertKind,
    AlertState,
    Allocation,
    Auction,
    ClearingRun,
    RunState,
    SurveillanceAlert,
)
from orders.selectors.surveillance import (
    concentration_since,
    entered_in,
    price_courses,
)

logger = structlog.get_logger(__name__)

CONSUMER = "surveillance"
SHORTLY_BEFORE = timedelta(minutes=15)
LATE_SHARE = Decimal("0.25")
FEWEST_ON_A_SIDE = 3
WITHDRAWN_SHARE = Decimal("0.10")
HIGH_HHI = Decimal("0.25")
LARGEST_SHARE = Decimal("0.60")
COURSE_RUNS = 20


@dataclass(frozen=True)
class Finding:
    """Something to look at; `key` is the same whenever it is found again."""

    kind: AlertKind
    key: str
    figures: dict[str, str]
    auction_id: int | None = None
    organisation_id: int | None = None
    counterparty_id: int | None = None
    product_id: int | None = None
    hub_id: int | None = None


def watch_published() -> int:
    """Look at every auction published since the last time; return how many."""
    events = pending_events(consumer=CONSUMER, topics=["auction.published"])
    return sum(apply_once(consumer=CONSUMER, event=event, apply=_look) for event in events)


def _look(event: OutboxEvent) -> None:
    surveil_auction(auction_id=int(event.payload["auction_id"]))  # type: ignore[arg-type]


def surveil_auction(*, auction_id: int) -> int:
    """Write a case for everything suspicious about a published auction; return how many are new.

    A repeated call finds the same keys, and adds nothing.
    """
    auction = Auction.objects.select_related("calendar").get(pk=auction_id)
    run = auction.runs.filter(state=RunState.PUBLISHED).first()
    if run is None:
        return 0
    now = market_now()
    findings = [
        *_trades_among_one(auction, run),
        *_last_phase(auction),
        *_concentration(auction),
        *_outliers(auction, run),
    ]
    rows = [SurveillanceAlert(**vars(finding), found_at=now) for finding in findings]
    with transaction.atomic():
        before = SurveillanceAlert.objects.count()
        SurveillanceAlert.objects.bulk_create(rows, ignore_conflicts=True)
        new = SurveillanceAlert.objects.count() - before
    if new:
        logger.warning("surveillance_alerts", auction=auction.code, alerts=new)
    return new


@transaction.atomic
def comment_on_alert(
    *, actor: Actor, public_id: UUID, text: str, to_state: str = ""
) -> SurveillanceAlert:
    """Write on a case, and move it when a state is named; closing it needs the comment too.

    Raises:
        NotPermitted, NotFound, Missing, StateForbids: nothing was changed.
    """
    require_operator(actor)
    words = check_text(text, field="text", max_length=1000, required=True)
    alert = SurveillanceAlert.objects.select_for_update(of=("self",)).filter(public_id=public_id)
    case = alert.first()
    if case is None:
        raise NotFound
    before = case.state
    if to_state:
        case.state = check_transition(ALERT_TRANSITIONS, before, to_state)
        is_closed = case.state == AlertState.CLOSED
        case.closed_at = timezone.now() if is_closed else None
        case.closed_by = actor.user if is_closed else None
        case.save(update_fields=["state", "closed_at", "closed_by"])
    AlertComment.objects.create(alert=case, author=actor.user, text=words, to_state=to_state)
    record_audit(
        action="surveillance.commented",
        subject=case,
        actor=actor.user,
        organisation=actor.organisation,
        before={"state": before},
        after={"state": case.state},
        reason=words,
    )
    return case


def _trades_among_one(auction: Auction, run: ClearingRun) -> Iterator[Finding]:
    """Yield trades of an organisation with itself or with one that has people in common."""
    pairs = list(
        Allocation.objects.filter(run=run)
        .values("buyer_id", "seller_id", buyer_code=F("buyer__code"), seller_code=F("seller__code"))
        .annotate(hours=Sum("unit_hours"), value=Sum("buyer_net_cny"))
        .order_by("buyer_id", "seller_id")
    )
    people = _people({key for pair in pairs for key in (pair["buyer_id"], pair["seller_id"])})
    for pair in pairs:
        buyer, seller = pair["buyer_id"], pair["seller_id"]
        shared = people[buyer] & people[seller]
        if buyer != seller and not shared:
            continue
        figures = {"unit_hours": plain(pair["hours"]), "net_cny": plain(pair["value"])}
        yield Finding(
            kind=AlertKind.SELF_TRADE if buyer == seller else AlertKind.LINKED_TRADE,
            key=f"{auction.code}:{pair['buyer_code']}:{pair['seller_code']}",
            figures=figures if buyer == seller else {**figures, "people": str(len(shared))},
            auction_id=auction.pk,
            organisation_id=buyer,
            counterparty_id=seller,
        )


def _people(organisations: set[int]) -> dict[int, set[int]]:
    people: dict[int, set[int]] = defaultdict(set)
    rows = Membership.objects.filter(organisation__in=organisations)
    for organisation_id, user_id in rows.values_list("organisation_id", "user_id"):
        people[organisation_id].add(user_id)
    return people


def _last_phase(auction: Auction) -> Iterator[Finding]:
    """Yield large entries in the last phase, and large retreats just before it."""
    if auction.no_cancel_from >= auction.gate_closes_at:
        return
    rows = entered_in(auction, shortly_before=auction.no_cancel_from - SHORTLY_BEFORE)
    sides: dict[tuple[int, str], list[Decimal]] = defaultdict(list)
    for row in rows:
        if row.standing > 0:
            sides[row.product_id, row.side].append(row.standing)
    for row in rows:
        side = sides[row.product_id, row.side]
        total = sum(side, Decimal(0))
        place: dict[str, Any] = {
            "key": f"{auction.code}:{row.organisation_id}:{row.product_id}:{row.side}",
            "auction_id": auction.pk,
            "organisation_id": row.organisation_id,
            "product_id": row.product_id,
        }
        if len(side) >= FEWEST_ON_A_SIDE and row.late >= LATE_SHARE * total:
            share = (row.late / total).quantize(Decimal("0.0001"))
            figures = {"side": row.side, "units": plain(row.late), "share": plain(share)}
            yield Finding(kind=AlertKind.LATE_VOLUME, figures=figures, **place)
        is_retreat = row.withdrawn > 2 * row.standing
        if is_retreat and row.withdrawn >= WITHDRAWN_SHARE * (total + row.withdrawn):
            figures = {
                "side": row.side,
                "units": plain(row.withdrawn),
                "left": plain(row.standing),
            }
            yield Finding(kind=AlertKind.LATE_WITHDRAWAL, figures=figures, **place)


def _concentration(auction: Auction) -> Iterator[Finding]:
    """Yield products and contested hubs whose sales of the month are in few hands."""
    since, until = _month_of(auction.delivery_starts_at)
    traded = set(auction.products.values_list("pk", flat=True))
    contested = _contested()
    for row in concentration_since(since=since, until=until):
        figures = row.figures
        if row.product.pk not in traded:
            continue
        is_high = (
            figures.hhi >= HIGH_HHI
            if row.hub is None
            else figures.largest_share >= LARGEST_SHARE
            and contested[row.hub.pk, row.product.pk] > 1
        )
        if is_high:
            yield _concentrated(row.product, row.hub, since, figures_text(figures))


def figures_text(figures: object) -> dict[str, str]:
    """Return the figures of a concentration as text, for a case."""
    return {
        name: plain(value) if isinstance(value, Decimal) else str(value)
        for name, value in vars(figures).items()
    }


def _concentrated(
    product: Product, hub: Hub | None, since: datetime, figures: dict[str, str]
) -> Finding:
    month = since.astimezone(MARKET_TIME_ZONE).strftime("%Y-%m")
    return Finding(
        kind=AlertKind.CONCENTRATION,
        key=f"{month}:{product.code}:{hub.code if hub else '*'}",
        figures={**figures, "month": month},
        product_id=product.pk,
        hub_id=hub.pk if hub else None,
    )


def _month_of(moment: datetime) -> tuple[datetime, datetime]:
    local = moment.astimezone(MARKET_TIME_ZONE)
    since = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return since, (since + timedelta(days=32)).replace(day=1)


def _contested() -> dict[tuple[int, int], int]:
    """Return how many members have active listings of a product at a hub."""
    rows = Listing.objects.filter(state=ListingState.ACTIVE)
    sellers: dict[tuple[int, int], set[int]] = defaultdict(set)
    for hub, product, seller in rows.values_list(
        "pool__hub_id", "pool__product_id", "organisation_id"
    ):
        sellers[hub, product].add(seller)
    return defaultdict(int, {cell: len(found) for cell, found in sellers.items()})


def _outliers(auction: Auction, run: ClearingRun) -> Iterator[Finding]:
    """Yield supply prices far from those of the latest auctions of the same calendar."""
    earlier = ClearingRun.objects.filter(
        state=RunState.PUBLISHED, auction__calendar=auction.calendar, pk__lt=run.pk
    ).order_by("-pk")
    courses = price_courses(
        run_id=run.pk, earlier=list(earlier.values_list("pk", flat=True)[:COURSE_RUNS])
    )
    for (product_id, hub_id), (price, course) in sorted(courses.items()):
        if is_outlier(price, course):
            mean = sum(course, Decimal(0)) / len(course)
            yield Finding(
                kind=AlertKind.PRICE_OUTLIER,
                key=f"{auction.code}:{product_id}:{hub_id}",
                figures={
                    "price": plain(price.quantize(Decimal("0.0001"))),
                    "mean": plain(mean.quantize(Decimal("0.0001"))),
                    "auctions": str(len(course)),
                },
                auction_id=auction.pk,
                product_id=product_id,
                hub_id=hub_id,
            )
