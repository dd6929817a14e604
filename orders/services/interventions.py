"""The operator steps in: halt, resume, extend, cancel, clear again; with a reason, and audited.

Halting and resuming take one person, because waiting for a second one does harm. Extending,
cancelling and clearing again change what members rely on: the edges ask for them through
`orders.services.control`, and another operator approves.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from marketplace.domain.errors import NotPermitted, RuleBroken, StateForbids, gettext_noop
from marketplace.models import User
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.background import enqueue_on_commit
from marketplace.services.outbox import emit_event
from orders.models import (
    Auction,
    AuctionState,
    ClearingPart,
    ClearingRun,
    GateExtension,
    Order,
    OrderState,
    RunState,
)
from orders.services.locks import close_gate_lock, wait_phase
from orders.services.order_outcomes import OrderEnd, end_orders
from orders.services.refusals import GateClosed
from orders.services.standing import copy_standing_offers
from orders.services.transitions import lock_auction, move_auction

logger = structlog.get_logger(__name__)

RERUN_FROM = (
    AuctionState.CLOSED,
    AuctionState.CLEARED,
    AuctionState.VERIFIED,
    AuctionState.PARKED,
)
_UNPUBLISHED = (RunState.FROZEN, RunState.CLEARED, RunState.VERIFIED, RunState.INVALID)


LONGEST_EXTENSION_MINUTES = 24 * 60


class ExtensionTooLong(RuleBroken):
    """The gate would close after the delivery begins, or the extension is no sensible one."""

    code = "extension_too_long"
    message = gettext_noop(
        "The gate may close at most %(minutes)s minutes later: not after the delivery begins."
    )


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
        if target == AuctionState.OPEN:  # listings offered meanwhile found no open book
            copy_standing_offers(auction_id=auction.pk)
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


def extend_gate(
    *, actor: Actor, auction_id: int, minutes: int, reason: str, asked_by: User | None = None
) -> Auction:
    """Put the gate closure of an open auction off; the book stays sealed meanwhile.

    Takes the gate's lock, so that orders under way and a closer at work come before or after, never
    between. The last phase moves along unless it has begun: who relied on it keeps it.

    Args:
        actor: who approved.
        auction_id: an auction that is open, or halted while it was.
        minutes: how much later, in market time.
        reason: why.
        asked_by: who asked for it.

    Raises:
        NotPermitted, ReasonRequired, ExtensionTooLong: nothing was changed.
        GateClosed: the time of the closure has come already.
    """
    with transaction.atomic():
        auction = _step_in(actor, auction_id, reason)
        now = market_now()
        check_extension(auction, minutes, now)
        before = auction.gate_closes_at
        auction.gate_closes_at = before + timedelta(minutes=minutes)
        if auction.no_cancel_from > now:
            auction.no_cancel_from += timedelta(minutes=minutes)
        auction.save(update_fields=["gate_closes_at", "no_cancel_from"])
        GateExtension.objects.create(
            auction=auction,
            closes_before=before,
            closes_after=auction.gate_closes_at,
            market_at=now,
            asked_by=asked_by,
            approved_by=actor.user,
            reason=reason[:300],
        )
        _audit(
            actor,
            auction,
            "auction.extended",
            reason,
            {"gate_closes_at": before.isoformat()},
            {"gate_closes_at": auction.gate_closes_at.isoformat()},
        )
    return auction


def check_extension(auction: Auction, minutes: int, now: datetime) -> None:
    """Check that a gate can be extended; raises GateClosed or ExtensionTooLong."""
    is_open = AuctionState.OPEN in (auction.state, auction.halted_from)
    if not is_open or auction.gate_closes_at <= now:
        raise GateClosed(auction=auction.code)
    room = auction.delivery_starts_at - auction.gate_closes_at
    most = min(int(room.total_seconds() // 60), LONGEST_EXTENSION_MINUTES)
    if not 1 <= minutes <= most:
        raise ExtensionTooLong(field="minutes", minutes=most)


def rerun_auction(*, actor: Actor, auction_id: int, reason: str) -> Auction:
    """Drop the unpublished run of an auction and clear its closed book again, as a new version.

    The book is the one that was closed: its count and hash stay. Published results are not touched;
    `orders.services.run_checks` clears those again for comparison.

    Raises:
        NotPermitted, ReasonRequired, StateForbids: nothing was changed.
    """
    with transaction.atomic():
        auction = _step_in(actor, auction_id, reason)
        if auction.state not in RERUN_FROM:
            raise StateForbids(state=auction.state)
        auction.attempts, auction.last_error = 0, ""
        _drop_runs(auction)
        if auction.state == AuctionState.CLOSED:
            _audit(actor, auction, "auction.rerun", reason, {}, {"state": auction.state})
        else:
            _move(actor, auction, to=AuctionState.CLOSED, reason=reason, action="auction.rerun")
        enqueue_on_commit("orders.tasks.advance_auction", auction_id=auction.pk)
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
    _audit(actor, auction, action, reason, {"state": before}, {"state": auction.state})


def _audit(
    actor: Actor,
    auction: Auction,
    action: str,
    reason: str,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    record_audit(
        action=action,
        subject=auction,
        actor=actor.user,
        organisation=actor.organisation,
        before=before,
        after=after,
        reason=reason,
    )
    logger.warning(action, auction=auction.code, before=before, after=after, reason=reason)


def _drop_runs(auction: Auction) -> None:
    own = ClearingRun.objects.filter(auction=auction, state__in=_UNPUBLISHED)
    runs = list(own.values_list("pk", flat=True))
    # The run's row first: whoever stores an answer holds it while he writes to the part.
    ClearingRun.objects.filter(pk__in=runs).update(state=RunState.CANCELLED)
    ClearingPart.objects.filter(run__in=runs).update(answer=None)
