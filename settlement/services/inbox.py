"""Reacting to the layers below, each event once, in order."""

from collections.abc import Callable

from marketplace.models import Organisation, OutboxEvent
from marketplace.services.outbox import apply_once, pending_events
from orders.services.publication import hand_to_settlement
from settlement.services.accounts import open_member_accounts
from settlement.services.cases.redemption import redeem_for_run
from settlement.services.deliveries import create_deliveries

CONSUMER = "settlement"


def _open_accounts(event: OutboxEvent) -> None:
    open_member_accounts(Organisation.objects.get(pk=event.payload["organisation_id"]))


def _take_over(event: OutboxEvent) -> None:
    auction_id = event.payload["auction_id"]
    create_deliveries(auction_id)
    hand_to_settlement(auction_id=auction_id)


def _use_vouchers(event: OutboxEvent) -> None:
    redeem_for_run(event.payload["run_id"])


_HANDLERS: dict[str, Callable[[OutboxEvent], None]] = {
    "organisation.approved": _open_accounts,
    "auction.published": _take_over,
    "auction.settled": _use_vouchers,
    "auction.corrected": _use_vouchers,
}


def handled_topics() -> list[str]:
    """Return the topics that settlement waits for."""
    return sorted(_HANDLERS)


def consume_pending(limit: int = 100) -> int:
    """Apply events that settlement has not applied yet, oldest first; return how many were new."""
    events = pending_events(consumer=CONSUMER, topics=handled_topics(), limit=limit)
    return sum(
        apply_once(consumer=CONSUMER, event=event, apply=_HANDLERS[event.topic]) for event in events
    )
