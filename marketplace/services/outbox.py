"""The outbox: events for the layers above, written in the sender's transaction."""

from collections.abc import Callable, Iterable

from django.db import IntegrityError, transaction

from marketplace.models import InboxReceipt, OutboxEvent

LISTINGS_OFFERED = "listing.offered"
ORGANISATION_REINSTATED = "organisation.reinstated"
_AT_ONCE = 500


def emit_event(*, topic: str, aggregate: str, payload: dict[str, object]) -> OutboxEvent:
    """Record that something happened; the caller's transaction decides whether it did."""
    return OutboxEvent.objects.create(topic=topic, aggregate=aggregate, payload=payload)


def announce_offers(listing_ids: Iterable[int]) -> None:
    """Record that standing listings are offered, or offered otherwise than before.

    Auctions that are open already learn of them by it: few events for many listings, each of a size
    that holds a gate for a moment only.
    """
    offered = sorted(listing_ids)
    parts = [offered[start : start + _AT_ONCE] for start in range(0, len(offered), _AT_ONCE)]
    OutboxEvent.objects.bulk_create(
        OutboxEvent(
            topic=LISTINGS_OFFERED,
            aggregate=f"listing:{part[0]}",
            payload={"listing_ids": part},
        )
        for part in parts
    )


def pending_events(*, consumer: str, topics: list[str], limit: int = 100) -> list[OutboxEvent]:
    """Return events a consumer has not applied yet, oldest first."""
    return list(
        OutboxEvent.objects.filter(topic__in=topics)
        .exclude(receipts__consumer=consumer)
        .order_by("id")[:limit]
    )


def apply_once(
    *, consumer: str, event: OutboxEvent, apply: Callable[[OutboxEvent], object]
) -> bool:
    """Apply an event in one transaction with its receipt; return False when it already was.

    The unique receipt is written first, so a second consumer waits for it and then does nothing.
    """
    with transaction.atomic():
        try:
            with transaction.atomic():
                InboxReceipt.objects.create(consumer=consumer, event=event)
        except IntegrityError:
            return False
        apply(event)
    return True
