"""Who is at which auction: leases on the due rows, attempts, parking.

Leases run in real time, and only say who should try; that a phase happens once follows from its
lock and the state of the row.
"""

import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psutil
import structlog
from django.db import connection, connections, transaction

from marketplace.selectors.clock import market_now
from orders.models import Auction, AuctionState
from orders.services.transitions import lock_auction, move_auction

logger = structlog.get_logger(__name__)

LEASE_S = 30
RENEW_S = 8
QUEUED_S = 20
MOST_ATTEMPTS = 3
QUEUED = "queued"
# After an error: nobody takes it before the pause is over.
PAUSED = "paused"

_DUE = """
SELECT id FROM orders_auction
 WHERE ((state = 'scheduled' AND gate_opens_at <= market_now())
     OR (state = 'open' AND gate_closes_at <= market_now())
     OR state IN ('closed', 'cleared', 'verified'))
   AND (lease_until IS NULL OR lease_until < clock_timestamp())
 ORDER BY gate_closes_at, id
 LIMIT %s
   FOR UPDATE SKIP LOCKED
"""


def claim_due_auctions(*, limit: int = 50) -> list[int]:
    """Mark auctions with something to do as queued and return their ids, oldest gate first.

    A claim that no worker follows up (a lost message) ends by itself after `QUEUED_S` seconds, the
    lease of a worker after `LEASE_S`, or at once when the worker is known to be dead.
    """
    _forget_dead_owners()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DUE, [limit])
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "UPDATE orders_auction SET lease_owner = %s,"
            " lease_until = clock_timestamp() + %s * interval '1 second' WHERE id = ANY(%s)",
            [QUEUED, QUEUED_S, found],
        )
    return found


def _forget_dead_owners() -> None:
    """End the leases of processes of this machine that do not run any more."""
    held = Auction.objects.filter(lease_owner__startswith=f"{socket.gethostname()}:")
    for auction_id, owner in held.values_list("id", "lease_owner"):
        if is_dead(owner):
            Auction.objects.filter(pk=auction_id, lease_owner=owner).update(lease_until=None)


def take_lease(*, auction_id: int) -> str | None:
    """Take the auction for this process and count the attempt; None when it is not to be had.

    The lease of a dead process of this machine is taken over at once. After `MOST_ATTEMPTS`
    attempts without success the auction is parked instead.
    """
    with transaction.atomic():
        auction = lock_auction(auction_id)
        if not _is_free(auction):
            return None
        if auction.attempts >= MOST_ATTEMPTS:
            _park(auction)
            return None
        auction.attempts += 1
        auction.lease_owner = owner_name()
        auction.save(update_fields=["attempts", "lease_owner"])
        _extend(auction_id, auction.lease_owner)
        return auction.lease_owner


def release_lease(*, auction_id: int, owner: str) -> None:
    """Give the auction back after success; attempts start from zero."""
    Auction.objects.filter(pk=auction_id, lease_owner=owner).update(
        lease_owner="", lease_until=None, attempts=0, last_error=""
    )


def record_failure(*, auction_id: int, owner: str, error: Exception) -> None:
    """Give the auction back after an error, to be tried again a little later."""
    with transaction.atomic():
        auction = lock_auction(auction_id)
        if auction.lease_owner != owner:
            return
        auction.last_error = f"{type(error).__name__}: {error}"[:2000]
        auction.save(update_fields=["last_error"])
        _extend(auction_id, owner, seconds=2 * auction.attempts, new_owner=PAUSED)


def renew_lease(*, auction_id: int, owner: str) -> None:
    """Begin the time of a lease anew: between two phases, whose first may have held the row."""
    _extend(auction_id, owner)


def kept_lease(*, auction_id: int, owner: str) -> AbstractContextManager[None]:
    """Renew the lease from a thread for as long as the work takes; it ends with the process."""
    return kept(lambda: _extend(auction_id, owner))


@contextmanager
def kept(renew: Callable[[], None]) -> Iterator[None]:
    """Call something from a thread every few seconds for as long as the work takes."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(renew, done), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join(timeout=5)


def _keep(renew: Callable[[], None], done: threading.Event) -> None:
    try:
        while not done.wait(RENEW_S):
            renew()
    finally:
        connections.close_all()


def owner_name() -> str:
    """Return a name for this process and piece of work, by which others see whether it lives."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"[:120]


def _is_free(auction: Auction) -> bool:
    if auction.lease_owner in ("", QUEUED):
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(%s::timestamptz < clock_timestamp(), true)", [auction.lease_until]
        )
        if cursor.fetchone()[0]:
            return True
    return is_dead(auction.lease_owner)


def is_dead(owner: str) -> bool:
    """Tell whether a lease's owner was a process of this machine that does not run any more."""
    host, _, rest = owner.partition(":")
    process_id = rest.partition(":")[0]
    if host != socket.gethostname() or not process_id.isdigit():
        return False
    try:
        # A killed worker stays a zombie until its parent takes note of it.
        return psutil.Process(int(process_id)).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _extend(
    auction_id: int, owner: str, *, seconds: int = LEASE_S, new_owner: str | None = None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_auction SET lease_owner = %s,"
            " lease_until = clock_timestamp() + %s * interval '1 second'"
            # A phase holds the row for as long as it writes: whoever waited for it here would give
            # up after the lock's time, and the lease would run out under a worker at its work.
            " WHERE id = (SELECT id FROM orders_auction WHERE id = %s AND lease_owner = %s"
            "              FOR NO KEY UPDATE SKIP LOCKED)",
            [new_owner or owner, seconds, auction_id, owner],
        )


def _park(auction: Auction) -> None:
    """Take an auction that fails again and again out of the way of the others."""
    before = auction.state
    reason = f"{auction.attempts} failed attempts: {auction.last_error or 'the process died'}"
    auction.lease_owner, auction.lease_until = "", None
    auction.attempts = 0
    if before in (AuctionState.SCHEDULED, AuctionState.OPEN):
        auction.halted_from = before
        move_auction(auction, to=AuctionState.HALTED, market_at=market_now(), reason=reason)
    elif before in (AuctionState.CLOSED, AuctionState.CLEARED, AuctionState.VERIFIED):
        move_auction(auction, to=AuctionState.PARKED, market_at=market_now(), reason=reason)
    else:
        auction.save()
        return
    logger.error("auction_parked", auction=auction.code, state=before, reason=reason)
