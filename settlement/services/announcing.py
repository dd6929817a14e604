"""Telling members what happened: each event of the outbox becomes notifications, once."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from marketplace.domain.periods import MARKET_TIME_ZONE
from marketplace.models import Notice, NoticeAudience, Organisation, OutboxEvent, Role
from marketplace.selectors.clock import market_now
from marketplace.services.notifications import Announcement, announce
from marketplace.services.outbox import apply_once, pending_events
from orders.models import Auction, CalendarKind, Order, OrderState
from settlement.models import Delivery, Invoice, InvoiceDirection, RatedLine
from settlement.services.cases.announcing import HANDLERS as CASE_HANDLERS

CONSUMER = "notifications"
TRADED = (OrderState.FILLED, OrderState.PARTLY_FILLED)
NOT_TRADED = (
    OrderState.REJECTED,
    OrderState.PARADOXICALLY_REJECTED,
    OrderState.QUARANTINED,
)
BUYING = frozenset({Role.BUYER.value})
SELLING = frozenset({Role.SUPPLIER.value})


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


def auction_params(auction: Auction) -> dict[str, Any]:
    """Return the parameters that name an auction in both languages."""
    start = timezone.localtime(auction.delivery_starts_at, MARKET_TIME_ZONE)
    is_short = auction.calendar.kind == CalendarKind.INTRADAY
    window = f"{start:%m-%d %H:%M}" if is_short else f"{start:%m-%d}"
    return {
        "auction_code": auction.code,
        "auction_zh": f"{auction.calendar.name_zh} {window}",
        "auction_en": f"{auction.calendar.name_en} {window}",
    }


def _moved(event: OutboxEvent, topic: str, *, tells_seller: bool) -> Iterator[Announcement]:
    for delivery in _deliveries(pk__in=event.payload["delivery_ids"]):
        allocation = delivery.allocation
        parties = [(allocation.buyer_id, BUYING)]
        parties += [(allocation.seller_id, SELLING)] if tells_seller else []
        for organisation_id, roles in parties:
            yield delivery_announcement(
                delivery, organisation_id=organisation_id, topic=topic, roles=roles
            )


def _handed_over(event: OutboxEvent) -> Iterator[Announcement]:
    return _moved(event, "delivery.handed_over", tells_seller=False)


def _failed(event: OutboxEvent) -> Iterator[Announcement]:
    return _moved(event, "delivery.failed", tells_seller=True)


def delivery_announcement(
    delivery: Delivery,
    *,
    organisation_id: int,
    topic: str,
    roles: frozenset[str],
    **params: Any,
) -> Announcement:
    """Return what one party of a delivery is told; its allocation must be loaded."""
    allocation = delivery.allocation
    return Announcement(
        organisation_id=organisation_id,
        topic=topic,
        # One company may buy from itself by two hands: each side is told as such.
        key=f"{delivery.public_id}:{min(roles)}",
        market_at=market_now(),
        roles=roles,
        path=reverse("delivery", args=[delivery.public_id]),
        params={
            "delivery": str(delivery.public_id),
            "number": allocation.number,
            "unit_hours": plain_quantity(allocation.unit_hours),
            "unit_zh": allocation.product.unit_zh,
            "unit_en": allocation.product.unit_en,
            "product_zh": allocation.product.name_zh,
            "product_en": allocation.product.name_en,
            "hub_zh": allocation.supply_hub.name_zh,
            "hub_en": allocation.supply_hub.name_en,
            "starts_at": delivery.starts_at.isoformat(),
            "ends_at": delivery.ends_at.isoformat(),
            **params,
        },
    )


def plain_quantity(value: Decimal) -> str:
    """Return a quantity without trailing zeros or exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _deliveries(**wanted: Any) -> QuerySet[Delivery]:
    rows = Delivery.objects.select_related("allocation__product", "allocation__supply_hub")
    return rows.filter(**wanted).order_by("pk")


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
        allocation = delivery.allocation
        for organisation_id, roles in (
            (allocation.buyer_id, BUYING),
            (allocation.seller_id, SELLING),
        ):
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
