"""The outbox: events for the layers above, written in the sender's transaction."""

from collections.abc import Callable

from django.db import IntegrityError, transaction

from marketplace.models import InboxReceipt, OutboxEvent


def emit_event(*, topic: str, aggregate: str, payload: dict[str, object]) -> OutboxEvent:
    """Record that something happened; the caller's transaction decides whether it did."""
    return OutboxEvent.objects.create(topic=topic, aggregate=aggregate, payload=payload)


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
