"""The one place where an auction changes its state."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from marketplace.domain.errors import NotFound, StateForbids
from marketplace.models import User
from orders.models import AUCTION_TRANSITIONS, Auction, AuctionState, AuctionTransition
from orders.services.failpoints import pass_failpoint
from orders.services.locks import close_gate_lock, try_phase


def lock_auction(auction_id: int) -> Auction:
    """Return the auction's row, locked until the transaction ends.

    The weaker row lock lets orders refer to the auction meanwhile: what keeps them out is the lock
    of the gate, which is always taken before the row.

    Raises:
        NotFound: there is no such auction.
    """
    auction = Auction.objects.select_for_update(no_key=True).filter(pk=auction_id).first()
    if auction is None:
        raise NotFound(field="auction")
    return auction


def move_auction(
    auction: Auction,
    *,
    to: AuctionState,
    market_at: datetime,
    actor: User | None = None,
    reason: str = "",
) -> None:
    """Change the state of a locked auction and write its history.

    A change is a success: the attempts of the worker that is at it count from one again.

    Raises:
        StateForbids: the table of transitions does not have this one.
    """
    before = auction.state
    if not AUCTION_TRANSITIONS.is_allowed(before, to):
        raise StateForbids(state=before)
    auction.state = to
    auction.state_reason = reason[:300]
    auction.attempts = min(auction.attempts, 1)
    auction.save()
    AuctionTransition.objects.create(
        auction=auction,
        from_state=before,
        to_state=to,
        market_at=market_at,
        actor=actor,
        reason=reason[:300],
    )


@contextmanager
def auction_phase(
    name: str, auction_id: int, expected: AuctionState, *, shut: bool = False
) -> Iterator[Auction | None]:
    """Run one phase in its own transaction, under the phase lock and with the row locked.

    Yields None, and nothing is to be done, when another worker is at it or did it already.
    With ``shut``, waits first until no order is under way and keeps new ones out; the gate's lock
    comes before the row's, because an order under way refers to the row.
    """
    with transaction.atomic():
        auction: Auction | None = None
        if shut:
            close_gate_lock(auction_id)
        if try_phase(auction_id):
            pass_failpoint(f"{name}.after_lock")
            auction = lock_auction(auction_id)
            if auction.state != expected:
                auction = None
        yield auction
        if auction is not None:
            pass_failpoint(f"{name}.before_commit")
    if auction is not None:
        pass_failpoint(f"{name}.after_commit")
