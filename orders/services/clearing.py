"""Frozen book in, verified result out: the engine runs outside every transaction."""

import hashlib
import io
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

import structlog

from marketplace.selectors.clock import market_now
from orders import clearing
from orders.models import Auction, AuctionState, ClearingRun, RunArchive, RunState
from orders.services import clearing_parts
from orders.services.clearing_parts import FrozenBook
from orders.services.failpoints import pass_failpoint
from orders.services.transitions import auction_phase, move_auction

logger = structlog.get_logger(__name__)

# Seconds by stage differ from run to run; everything else is the same bytes for the same bundle.
NOT_COMPARED = "timing.json"


def compute_run(*, auction_id: int) -> bool:
    """Clear the frozen book of a closed auction and store the result; say whether this call did.

    Of a book in parts it clears those that nobody is at; where others are at theirs for longer, it
    leaves the rest to whoever is woken by the last one. Two workers may compute at once; the result
    is the same, and it is stored once.

    Raises:
        PartRefused: the answer of a part was not fit for use; all parts are cleared anew.
    """
    run = _run_in(auction_id, RunState.FROZEN)
    if run is None:
        return False
    book = FrozenBook(run)
    clearing_parts.clear_parts(book)
    if not clearing_parts.wait_for_others(book):
        _park_if_given_up(auction_id, run)
        return False
    try:
        result = clearing.clear(book.auction, parts=clearing_parts.answers_of(run))
    except clearing.PartRefused:
        if clearing_parts.ask_again(run):
            raise
        return False
    pass_failpoint("clear.after_compute")
    archive = zipped_result(result)
    with auction_phase("clear", auction_id, AuctionState.CLOSED) as auction:
        if auction is None:
            return False
        run = ClearingRun.objects.select_for_update().get(pk=run.pk)
        if run.state != RunState.FROZEN:
            return False
        _store(run, result, archive)
        move_auction(auction, to=AuctionState.CLEARED, market_at=market_now())
        logger.info("auction_cleared", auction=auction.code, sha256=run.result_sha256)
    return True


def verify_run(*, auction_id: int) -> bool:
    """Check a result with the independent verifier; what fails is parked and never published."""
    run = _run_in(auction_id, RunState.CLEARED)
    if run is None:
        return False
    bundle, result = archived(run)
    violations = clearing.verify(bundle, result)
    with auction_phase("verify", auction_id, AuctionState.CLEARED) as auction:
        if auction is None:
            return False
        run = ClearingRun.objects.select_for_update().get(pk=run.pk)
        if run.state != RunState.CLEARED:
            return False
        run.violations = [list(map(str, violation)) for violation in violations][:1000]
        run.state = RunState.INVALID if violations else RunState.VERIFIED
        run.save(update_fields=["violations", "state"])
        if violations:
            _park(auction, _refusal(run))
        else:
            move_auction(auction, to=AuctionState.VERIFIED, market_at=market_now())
    return True


def archived(run: ClearingRun) -> tuple[clearing.Auction, clearing.Result]:
    """Return the bundle and the result of a run that has been cleared."""
    archive = RunArchive.objects.get(run=run)
    return (
        clearing.read_bundle(io.BytesIO(bytes(archive.bundle))),
        clearing.read_result(io.BytesIO(bytes(archive.result or b""))),
    )


def zipped_result(result: clearing.Result) -> bytes:
    """Return the result folder as a zip."""
    with tempfile.TemporaryDirectory(prefix="hengsuan-") as folder:
        path = Path(folder) / "result.zip"
        clearing.write_result(result, path)
        return path.read_bytes()


def result_sha256(archive: bytes) -> str:
    """Return the hash of a zipped result: every file but the timing, by name."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        for name in sorted(files.namelist()):
            if name != NOT_COMPARED:
                content = files.read(name)
                digest.update(f"{name}\n{len(content)}\n".encode())
                digest.update(content)
    return digest.hexdigest()


def _run_in(auction_id: int, state: RunState) -> ClearingRun | None:
    return (
        ClearingRun.objects.select_related("auction")
        .filter(auction_id=auction_id, state=state)
        .exclude(auction__state__in=[AuctionState.HALTED, AuctionState.CANCELLED])
        .first()
    )


def _store(run: ClearingRun, result: clearing.Result, archive: bytes) -> None:
    summary = result.summary
    statuses = Counter(row.status for row in result.block_results)
    run.engine_version = summary.engine_version
    run.status = summary.status
    run.result_sha256 = result_sha256(archive)
    run.welfare_cny = summary.welfare
    run.upper_bound_cny = summary.upper_bound
    run.gap = summary.gap
    run.share_of_block_gain = summary.share_of_block_gain
    run.buyer_payments_cny = summary.buyer_payments
    run.seller_receipts_cny = summary.seller_receipts
    run.congestion_rent_cny = summary.congestion_rent
    run.tariffs_cny = summary.tariffs
    run.blocks_accepted = statuses["accepted"] + statuses["partly_accepted"]
    run.blocks_paradoxically_rejected = summary.paradoxically_rejected
    run.timings = {stage: round(seconds, 3) for stage, seconds in result.timing.items()}
    run.state = RunState.CLEARED
    run.save()
    RunArchive.objects.filter(run=run).update(result=archive)
    clearing_parts.forget_answers(run)


def _park_if_given_up(auction_id: int, run: ClearingRun) -> None:
    """Park an auction of which a part failed again and again."""
    if not clearing_parts.given_up(run):
        return
    with auction_phase("clear", auction_id, AuctionState.CLOSED) as auction:
        run = ClearingRun.objects.get(pk=run.pk)
        reason = clearing_parts.given_up(run)
        if auction is not None and run.state == RunState.FROZEN and reason:
            _park(auction, reason)


def _refusal(run: ClearingRun) -> str:
    first = " · ".join(run.violations[0])
    found = f"the verifier refused run {run.version}: {len(run.violations)} violations"
    return f"{found}, first: {first}"


def _park(auction: Auction, reason: str) -> None:
    reason = reason[:300]
    move_auction(auction, to=AuctionState.PARKED, market_at=market_now(), reason=reason)
    logger.error("auction_parked", auction=auction.code, reason=reason)
