"""The operator steps in: halt, resume, cancel, clear again; with a reason, and audited."""

import structlog
from django.db import transaction

from marketplace.domain.errors import NotPermitted, RuleBroken, gettext_noop
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.background import enqueue_on_commit
from marketplace.services.outbox import emit_event
from orders.models import Auction, AuctionState, ClearingRun, Order, OrderState, RunState
from orders.services.locks import close_gate_lock, wait_phase
from orders.services.order_outcomes import OrderEnd, end_orders
from orders.services.transitions import lock_auction, move_auction

logger = structlog.get_logger(__name__)

_UNPUBLISHED = (RunState.FROZEN, RunState.CLEARED, RunState.VERIFIED, RunState.INVALID)


class ReasonRequired(RuleBroken):
    """An intervention needs a reason."""

    code = "reason_required"
    message = gettext_noop("Please give a reason.")


def halt_auction(*, actor: Actor, auction_id: int, reason: str) -> Auction:
    """Stop an auction where it is: no orders, no next phase, until it is resumed or cancelled.

    Waits for orders and for a phase under way.

    Raises:
        NotPermitted, ReasonRequired, StateForbids: nothing was changed.
    """
    with transaction.atomic():
        auction = _step_in(actor, auction_id, reason)
        before = auction.state
        if before != AuctionState.HALTED:
            auction.halted_from = before
        _move(actor, auction, to=AuctionState.HALTED, reason=reason, action="auction.halted")
    return auction


def resume_auction(*, actor: Actor, auction_id: int, reason: str) -> Auction:
    """Let a halted auction go on where it was, or freeze and clear a parked one again.

    A parked auction's unpublished run is cancelled, which frees its capacity; the next run has the
    next version and the same book.

    Raises:
        NotPermitted, ReasonRequired, StateForbids: nothing was changed.
    """
    with transaction.atomic():
        auction = _step_in(actor, auction_id, reason)
        auction.attempts, auction.last_error = 0, ""
        target = AuctionState.CLOSED
        if auction.state == AuctionState.PARKED:
            _drop_runs(auction)
        elif auction.state == AuctionState.HALTED:
            target, auction.halted_from = AuctionState(auction.halted_from), ""
        _move(actor, auction, to=target, reason=reason, action="auction.resumed")
        enqueue_on_commit("orders.tasks.advance_auction", auction_id=auction.pk)
    return auction


def cancel_auction(*, actor: Actor, auction_id: int, reason: str) -> Auction:
    """Call an auction off: holds are released, capacity is free again, nothing is published.

    Raises:
        NotPermitted, ReasonRequired, StateForbids: nothing was changed.
    """
    with transaction.atomic():
        auction = _step_in(actor, auction_id, reason)
        _move(actor, auction, to=AuctionState.CANCELLED, reason=reason, action="auction.cancelled")
        _drop_runs(auction)
        ends = [
            OrderEnd(key, hold, OrderState.CANCELLED, "auction_cancelled", {"reason": reason})
            for key, hold in Order.objects.filter(auction=auction, state=OrderState.ACTIVE)
            .order_by("id")
            .values_list("id", "hold_reference")
        ]
        end_orders(ends, now=market_now(), event="auction_cancelled")
        emit_event(
            topic="auction.cancelled",
            aggregate=f"auction:{auction.pk}",
            payload={"auction_id": auction.pk, "reason": reason[:300]},
        )
    return auction


def _step_in(actor: Actor, auction_id: int, reason: str) -> Auction:
    """Check the right and the reason, then lock gate, phase and row, in this order."""
    if not actor.is_operator:
        raise NotPermitted
    if not reason.strip():
        raise ReasonRequired(field="reason")
    close_gate_lock(auction_id)
    wait_phase(auction_id)
    return lock_auction(auction_id)


def _move(actor: Actor, auction: Auction, *, to: AuctionState, reason: str, action: str) -> None:
    before = auction.state
    auction.lease_owner, auction.lease_until = "", None
    move_auction(auction, to=to, market_at=market_now(), actor=actor.user, reason=reason)
    record_audit(
        action=action,
        subject=auction,
        actor=actor.user,
        organisation=actor.organisation,
        before={"state": before},
        after={"state": auction.state},
        reason=reason,
    )
    logger.warning(action, auction=auction.code, before=before, reason=reason)


def _drop_runs(auction: Auction) -> None:
    runs = ClearingRun.objects.filter(auction=auction, state__in=_UNPUBLISHED)
    runs.update(state=RunState.CANCELLED)
