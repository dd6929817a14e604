"""Telling members what happened: each event of the outbox becomes notifications, once."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from marketplace.models import Notice, NoticeAudience, Organisation, OutboxEvent, Role
from marketplace.selectors.clock import market_now
from marketplace.services.notifications import Announcement, announce
from marketplace.services.outbox import apply_once, pending_events
from orders.models import Auction, Order, OrderState
from settlement.models import Delivery, Invoice, InvoiceDirection, RatedLine
from settlement.services.cases.announcing import HANDLERS as CASE_HANDLERS
from settlement.services.hand_over_notices import handed_over_notices
from settlement.services.notice_params import (
    BUYING,
    SELLING,
    auction_params,
    delivery_announcement,
    named_deliveries,
    plain_quantity,
)

CONSUMER = "notifications"
TRADED = (OrderState.FILLED, OrderState.PARTLY_FILLED)
NOT_TRADED = (
    OrderState.REJECTED,
    OrderState.PARADOXICALLY_REJECTED,
    OrderState.QUARANTINED,
)


def announce_pending(limit: int = 50) -> int:
    """Announce events that were not announced yet, oldest first; return how many."""
    events = pending_events(consumer=CONSUMER, topics=sorted(_HANDLERS), limit=limit)
    return sum(
        apply_once(
            consumer=CONSUMER,
            event=event,
            apply=lambda each: announce(_HANDLERS[each.topic](each)),
        )
        for event in events
    )


def _admission(event: OutboxEvent) -> Iterator[Announcement]:
    organisation = Organisation.objects.get(pk=event.payload["organisation_id"])
    yield Announcement(
        organisation_id=organisation.pk,
        topic="organisation.approved",
        key=str(event.event_id),
        market_at=market_now(),
        params={"name_zh": organisation.name_zh, "name_en": organisation.name_en},
        path=reverse("sign-up-status"),
    )


def _results(event: OutboxEvent) -> Iterator[Announcement]:
    auction = Auction.objects.select_related("calendar").get(pk=event.payload["auction_id"])
    now = market_now()
    rows = (
        Order.objects.filter(auction=auction)
        .exclude(state=OrderState.CANCELLED)
        .values("organisation_id")
        .annotate(
            orders=Count("id"),
            accepted=Count("id", filter=Q(state__in=TRADED)),
            rejected=Count("id", filter=Q(state__in=NOT_TRADED)),
        )
        .order_by("organisation_id")
    )
    for row in rows:
        for outcome in ("accepted", "rejected"):
            if row[outcome]:
                yield Announcement(
                    organisation_id=row["organisation_id"],
                    topic=f"order.{outcome}",
                    key=f"{auction.code}:{event.payload['run_id']}",
                    market_at=now,
                    params={
                        **auction_params(auction),
                        "orders": row["orders"],
                        outcome: row[outcome],
                    },
                    path=f"{reverse('orders')}?auction={auction.code}",
                )


def _handed_over(event: OutboxEvent) -> Iterator[Announcement]:
    return handed_over_notices(list(_deliveries(pk__in=event.payload["delivery_ids"])))


def _failed(event: OutboxEvent) -> Iterator[Announcement]:
    for delivery in _deliveries(pk__in=event.payload["delivery_ids"]):
        for organisation_id, roles in _parties(delivery):
            yield delivery_announcement(
                delivery, organisation_id=organisation_id, topic="delivery.failed", roles=roles
            )


def _parties(delivery: Delivery) -> tuple[tuple[int, frozenset[str]], ...]:
    allocation = delivery.allocation
    return ((allocation.buyer_id, BUYING), (allocation.seller_id, SELLING))


def _deliveries(**wanted: Any) -> QuerySet[Delivery]:
    return named_deliveries().filter(**wanted).order_by("pk")


def _settled(event: OutboxEvent) -> Iterator[Announcement]:
    run_id = event.payload["run_id"]
    yield from _bills(run_id)
    yield from _shortfalls(run_id)


def _corrected(event: OutboxEvent) -> Iterator[Announcement]:
    return _bills(event.payload["run_id"])


def _bills(run_id: int) -> Iterator[Announcement]:
    for bill in Invoice.objects.filter(run_id=run_id).order_by("pk"):
        is_receivable = bill.direction == InvoiceDirection.RECEIVABLE
        side = BUYING if is_receivable else SELLING
        yield Announcement(
            organisation_id=bill.organisation_id,
            topic="bill.issued",
            key=bill.number,
            market_at=market_now(),
            roles=side | {Role.FINANCE.value},
            params={
                "number": bill.number,
                "direction": bill.direction,
                "kind": bill.kind,
                "gross_cny": str(bill.gross.amount),
                "due_on": bill.due_on.isoformat(),
            },
            path=reverse("bill", args=[bill.public_id]),
        )


def _shortfalls(run_id: int) -> Iterator[Announcement]:
    lines = RatedLine.objects.filter(run_id=run_id).exclude(delivery__state="failed")
    short: dict[int, RatedLine] = {
        line.delivery_id: line for line in lines if line.metered_unit_hours < line.sold_unit_hours
    }
    for delivery in _deliveries(pk__in=short):
        line = short[delivery.pk]
        for organisation_id, roles in _parties(delivery):
            yield delivery_announcement(
                delivery,
                organisation_id=organisation_id,
                topic="delivery.short",
                roles=roles,
                missing=plain_quantity(line.sold_unit_hours - line.metered_unit_hours),
                contracted=plain_quantity(line.sold_unit_hours),
            )


def _notice(event: OutboxEvent) -> Iterator[Announcement]:
    notice = Notice.objects.get(pk=event.payload["notice_id"])
    organisations = Organisation.objects.filter(state="approved", is_platform=False)
    if notice.audience == NoticeAudience.ORGANISATION:
        organisations = organisations.filter(pk=notice.organisation_id or 0)
    roles = frozenset({notice.role}) if notice.audience == NoticeAudience.ROLE else frozenset()
    for organisation_id in organisations.values_list("pk", flat=True).order_by("pk"):
        yield Announcement(
            organisation_id=organisation_id,
            topic="notice.published",
            key=str(notice.public_id),
            market_at=notice.published_at,
            roles=roles,
            params={"title_zh": notice.title_zh, "title_en": notice.title_en},
            path=reverse("notice", args=[notice.public_id]),
        )


_HANDLERS: dict[str, Callable[[OutboxEvent], Iterator[Announcement]]] = {
    "organisation.approved": _admission,
    "auction.published": _results,
    "auction.settled": _settled,
    "auction.corrected": _corrected,
    "delivery.handed_over": _handed_over,
    "delivery.failed": _failed,
    "notice.published": _notice,
    **CASE_HANDLERS,
}
