"""Driving an auction through its phases, whatever dies meanwhile."""

from collections.abc import Callable

import structlog

from orders.models import Auction, AuctionState, ClearingRun, RunState
from orders.services.clearing import compute_run, verify_run
from orders.services.freezing import LIVE_RUNS, freeze_book
from orders.services.gates import close_gate, open_auction
from orders.services.leases import (
    kept_lease,
    record_failure,
    release_lease,
    renew_lease,
    take_lease,
)
from orders.services.publication import publish_run

logger = structlog.get_logger(__name__)

Phase = Callable[..., bool]


def advance_auction(*, auction_id: int) -> str:
    """Run every phase of an auction that is due now, and return the state it ends in.

    Safe to call at any time and from any number of workers: one holds the lease, and each phase
    happens once. An error is recorded and the auction tried again; after three failed attempts it
    is parked with the reason.

    Raises:
        Exception: whatever a phase raised, after it was recorded.
    """
    owner = take_lease(auction_id=auction_id)
    if owner is None:
        return _state(auction_id)
    try:
        with kept_lease(auction_id=auction_id, owner=owner):
            while True:
                phase = _next_phase(auction_id)
                if phase is None or not phase(auction_id=auction_id):
                    break
                renew_lease(auction_id=auction_id, owner=owner)
    except Exception as error:
        record_failure(auction_id=auction_id, owner=owner, error=error)
        logger.exception("auction_phase_failed", auction_id=auction_id)
        raise
    release_lease(auction_id=auction_id, owner=owner)
    return _state(auction_id)


def _next_phase(auction_id: int) -> Phase | None:
    state = _state(auction_id)
    if state == AuctionState.CLOSED:
        runs = ClearingRun.objects.filter(auction_id=auction_id, state__in=LIVE_RUNS)
        return compute_run if runs.filter(state=RunState.FROZEN).exists() else freeze_book
    phases: dict[str, Phase] = {
        AuctionState.SCHEDULED: open_auction,
        AuctionState.OPEN: close_gate,
        AuctionState.CLEARED: verify_run,
        AuctionState.VERIFIED: publish_run,
    }
    return phases.get(state)


def _state(auction_id: int) -> str:
    return str(Auction.objects.values_list("state", flat=True).get(pk=auction_id))
