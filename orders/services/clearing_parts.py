"""Parts of a frozen book: rows that any worker takes, clears and answers.

A message only says that there are some. Claims run in real time and only say who should try; that
an answer is stored once follows from the run's locked row and the state of the part.
"""

import hashlib
import io
import time
from datetime import timedelta
from functools import cached_property, partial

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from marketplace.services.background import enqueue_on_commit
from orders import clearing
from orders.models import ClearingPart, ClearingRun, PartState, RunArchive, RunState
from orders.services.failpoints import pass_failpoint
from orders.services.leases import LEASE_S, MOST_ATTEMPTS, is_dead, kept, owner_name

logger = structlog.get_logger(__name__)

_LOOK_S = 0.05
_CLAIM = """
UPDATE orders_clearingpart
   SET state = 'claimed', attempts = attempts + 1, claimed_by = %s,
       claimed_until = clock_timestamp() + %s * interval '1 second'
 WHERE id = (
       SELECT part.id
         FROM orders_clearingpart part
         JOIN orders_clearingrun run ON run.id = part.run_id
         JOIN orders_auction auction ON auction.id = run.auction_id
        WHERE part.run_id = %s AND part.state <> 'cleared' AND part.attempts < %s
          AND (part.claimed_until IS NULL OR part.claimed_until < clock_timestamp())
          AND run.state = 'frozen' AND auction.state = 'closed'
        ORDER BY part.number LIMIT 1 FOR UPDATE OF part SKIP LOCKED)
RETURNING id
"""


class FrozenBook:
    """The book of a run, read and opened when somebody first needs it."""

    def __init__(self, run: ClearingRun) -> None:
        """Take the run; its archive is not read before it is needed."""
        self.run = run
        self.seconds_to_read = 0.0

    @cached_property
    def auction(self) -> clearing.Auction:
        """Read the bundle."""
        begun = time.monotonic()
        bundle = RunArchive.objects.values_list("bundle", flat=True).get(run=self.run)
        found = clearing.read_bundle(io.BytesIO(bytes(bundle)))
        self.seconds_to_read = time.monotonic() - begun
        return found

    @cached_property
    def clearer(self) -> clearing.PartClearer:
        """Open the book for parts of it."""
        return clearing.PartClearer(self.auction, self.run.bundle_sha256)


def cut_into_parts(*, run: ClearingRun, bundle: clearing.Auction) -> int:
    """Make the parts of a book that was just frozen, announce each, and return how many.

    A small book has none: one worker clears it sooner than a second one has read it.
    """
    count = min(_size(bundle) // settings.CLEARING_PART_SIZE, settings.CLEARING_MOST_PARTS)
    parts = clearing.split(bundle, count) if count > 1 else ()
    if len(parts) < 2:
        return 0
    ClearingPart.objects.bulk_create(
        ClearingPart(
            run=run, number=number, first_period=periods[0] + 1, last_period=periods[-1] + 1
        )
        for number, periods in enumerate(parts, start=1)
    )
    for _ in parts:
        enqueue_on_commit("orders.tasks.clear_part", run_id=run.pk)
    return len(parts)


def _size(bundle: clearing.Auction) -> int:
    """Return curve rows × places: about what the programmes of all periods cost to solve."""
    return len(bundle.curves) * len(bundle.hubs) * len(bundle.products)


def clear_part_of(*, run_id: int) -> None:
    """Clear what parts of a run nobody is at; a repeated or late message does nothing.

    Raises:
        Exception: whatever the engine raised, after it was recorded.
    """
    clear_parts(FrozenBook(ClearingRun.objects.get(pk=run_id)))


def clear_parts(book: FrozenBook) -> None:
    """Take one part after the other until there is none to be had; hold no transaction meanwhile.

    Who finishes the last one wakes the auction.

    Raises:
        Exception: whatever the engine raised, after it was recorded.
    """
    _end_claims_of_the_dead(book.run)
    owner = owner_name()
    while (part := _claim(book.run, owner)) is not None:
        with kept(partial(_renew, part.pk, owner)):
            try:
                answer = book.clearer.clear(range(part.first_period - 1, part.last_period))
            except Exception as error:
                _give_back(part, owner, error)
                raise
        pass_failpoint("part.before_store")
        _store(part, owner, answer)


def wait_for_others(book: FrozenBook) -> bool:
    """Wait for the parts that others are at, and say whether all are cleared.

    No longer than it took to read the book, which whoever is woken by the last part has to do
    again; and never within a transaction.
    """
    until = time.monotonic() + book.seconds_to_read
    while not is_cleared(book.run):
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_S)
    return True


def is_cleared(run: ClearingRun) -> bool:
    """Tell whether every part of a run has its answer; a run without parts has."""
    return not run.parts.exclude(state=PartState.CLEARED).exists()


def given_up(run: ClearingRun) -> str:
    """Return why a part will not be cleared any more; empty while there is hope."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=timezone.now())
    failed = run.parts.exclude(state=PartState.CLEARED).filter(free, attempts__gte=MOST_ATTEMPTS)
    part = failed.defer("answer").order_by("number").first()
    if part is None:
        return ""
    reason = part.last_error or "the process died"
    count = run.parts.count()
    return f"part {part.number} of {count}: {part.attempts} failed attempts: {reason}"


def answers_of(run: ClearingRun) -> list[bytes]:
    """Return the answers of all parts as they were stored.

    Raises:
        PartRefused: one is not what its worker stored.
    """
    found = []
    for part in run.parts.order_by("number"):
        answer = bytes(part.answer or b"")
        if hashlib.sha256(answer).hexdigest() != part.sha256:
            raise clearing.PartRefused(f"part {part.number}: not the answer that was stored")
        found.append(answer)
    return found


def ask_again(run: ClearingRun) -> bool:
    """Have all parts of a run cleared anew; False when the run has its result meanwhile."""
    with transaction.atomic():
        if _locked(run.pk).state != RunState.FROZEN:
            return False
        run.parts.update(
            state=PartState.WAITING,
            answer=None,
            sha256="",
            finished_at=None,
            claimed_by="",
            claimed_until=None,
            attempts=0,
        )
    logger.error("clearing_parts_refused", run=run.pk)
    return True


def forget_answers(run: ClearingRun) -> None:
    """Let the bytes of the parts go; that they were cleared, and their hashes, stay."""
    run.parts.update(answer=None)


def _end_claims_of_the_dead(run: ClearingRun) -> None:
    """End the claims of processes of this machine that do not run any more."""
    held = run.parts.filter(state=PartState.CLAIMED).values_list("pk", "claimed_by")
    dead = [key for key, owner in held if is_dead(owner)]
    if dead:
        run.parts.filter(pk__in=dead, state=PartState.CLAIMED).update(claimed_until=None)


def _claim(run: ClearingRun, owner: str) -> ClearingPart | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [owner, LEASE_S, run.pk, MOST_ATTEMPTS])
        found = cursor.fetchone()
    return ClearingPart.objects.defer("answer").get(pk=found[0]) if found else None


def _renew(key: int, owner: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_clearingpart"
            " SET claimed_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE id = %s AND state = 'claimed' AND claimed_by = %s",
            [LEASE_S, key, owner],
        )


def _give_back(part: ClearingPart, owner: str, error: Exception) -> None:
    """Let others try a part a little later."""
    own = ClearingPart.objects.filter(pk=part.pk, state=PartState.CLAIMED, claimed_by=owner)
    own.update(
        state=PartState.WAITING,
        claimed_by="",
        claimed_until=timezone.now() + timedelta(seconds=2 * part.attempts),
        last_error=f"{type(error).__name__}: {error}"[:2000],
    )
    logger.warning("clearing_part_failed", run=part.run_id, part=part.number, error=str(error))


def _store(part: ClearingPart, owner: str, answer: bytes) -> None:
    """Store an answer once; the last one wakes the auction.

    The run's row is locked: of two that finish at once the later one sees that it is the last.
    """
    sha256 = hashlib.sha256(answer).hexdigest()
    with transaction.atomic():
        run = _locked(part.run_id)
        if run.state != RunState.FROZEN:
            return
        row = run.parts.defer("answer").get(pk=part.pk)
        if row.state == PartState.CLEARED:
            if row.sha256 != sha256:
                logger.error("clearing_part_differs", run=run.pk, part=part.number)
            return
        row.state, row.answer, row.sha256 = PartState.CLEARED, answer, sha256
        row.claimed_by, row.claimed_until, row.finished_at = owner, None, timezone.now()
        row.save(
            update_fields=[
                "state",
                "answer",
                "sha256",
                "claimed_by",
                "claimed_until",
                "finished_at",
            ]
        )
        if is_cleared(run):
            enqueue_on_commit("orders.tasks.advance_auction", auction_id=run.auction_id)
    logger.info("clearing_part_cleared", run=run.pk, part=part.number)


def _locked(run_id: int) -> ClearingRun:
    return ClearingRun.objects.select_for_update(no_key=True).get(pk=run_id)
