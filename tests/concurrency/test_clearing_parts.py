"""Parts of a book under way in several processes: each once, none lost, the same bytes."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from marketplace.models import OutboxEvent
from orders import clearing
from orders.models import Auction, AuctionState, ClearingPart, ClearingRun, PartState
from orders.services import clearing_parts
from orders.services.auctions import advance_auction
from orders.services.clearing import result_sha256, zipped_result
from orders.services.clearing_parts import FrozenBook, clear_part_of
from orders.services.submission import submit_order
from tests.concurrency.processes import Processes, eventually
from tests.concurrency.racing import Checkpoint, in_background, in_parallel
from tests.factories.orders import (
    bid,
    block_request,
    frozen,
    open_auction_now,
    pass_gate,
    stop_clock,
)
from tests.factories.trading import buyer, two_hub_market

pytestmark = pytest.mark.runtime_role

KILLED = -9
PERIODS = 24
OVER = (AuctionState.PUBLISHED, AuctionState.SETTLING)


def _book(*, periods: int) -> Auction:
    """Return an open auction with curve and block bids in every period."""
    stop_clock()
    market = two_hub_market(gbps="3")
    auction = open_auction_now(calendar__is_active=False, periods=periods)
    actor = buyer("10000000")
    for number in range(12):
        bid(actor, auction, market.product, market.city, (6 + number % 5, 4 + number))
    for limit, quantity in ((12, 30), (8, 40), (9, 25)):
        request = block_request(
            auction, market.product, market.city, quantity=quantity, limit=limit
        )
        submit_order(actor=actor, request=request)
    return auction


@pytest.fixture
def run(settings: Any, monkeypatch: pytest.MonkeyPatch) -> ClearingRun:
    """A frozen book of four periods in four parts that no message tells of."""
    settings.CLEARING_PART_SIZE = 1
    monkeypatch.setattr(clearing_parts, "enqueue_on_commit", lambda task, **_: None)
    auction = frozen(_book(periods=4))
    return ClearingRun.objects.select_related("archive").get(auction=auction)


def _alone(run: ClearingRun) -> str:
    """Return the hash of the result that one process gives."""
    bundle = clearing.read_bundle(io.BytesIO(bytes(run.archive.bundle)))
    return result_sha256(zipped_result(clearing.clear(bundle)))


def test_many_workers_at_once_clear_each_part_once(run: ClearingRun) -> None:
    work: list[Callable[[], Any]] = [lambda: clear_part_of(run_id=run.pk)] * 3
    work.append(lambda: advance_auction(auction_id=run.auction_id))

    found = in_parallel(work, workers=4)

    assert [outcome for outcome in found if isinstance(outcome, Exception)] == []
    assert list(run.parts.values_list("attempts", flat=True)) == [1, 1, 1, 1]
    advance_auction(auction_id=run.auction_id)
    run.refresh_from_db()
    assert run.result_sha256 == _alone(run)
    assert OutboxEvent.objects.filter(topic="auction.published").count() == 1


def test_two_workers_never_take_the_same_part(run: ClearingRun) -> None:
    assert _claim_beside_a_claim(run) == [1, 2]


def test_without_row_locks_both_take_the_same_part(
    run: ClearingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = clearing_parts._CLAIM.replace("FOR UPDATE OF part SKIP LOCKED", "")
    monkeypatch.setattr(clearing_parts, "_CLAIM", unlocked)

    assert _claim_beside_a_claim(run) == [1, 1]


def _claim_beside_a_claim(run: ClearingRun) -> list[int]:
    """Claim a part while another claim is not committed yet, and return both numbers."""
    checkpoint = Checkpoint()

    def claim_and_wait() -> Any:
        with transaction.atomic():
            part = clearing_parts._claim(run, "first")
            checkpoint.reach()
        return part

    with in_background(claim_and_wait) as first:
        checkpoint.wait_until_reached()
        with in_background(lambda: clearing_parts._claim(run, "second")) as second:
            time.sleep(0.5)
            checkpoint.let_on()
            return [first.result().number, second.result().number]


def test_of_the_last_two_at_once_one_wakes_the_auction(
    run: ClearingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _finish_the_last_two(run, monkeypatch) == ["orders.tasks.advance_auction"]


def test_without_the_lock_of_the_run_neither_does(
    run: ClearingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing_parts, "_locked", lambda key: ClearingRun.objects.get(pk=key))

    assert _finish_the_last_two(run, monkeypatch) == []


def _finish_the_last_two(run: ClearingRun, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Store the last two answers, the second while the first is not committed; return messages."""
    book, sent = FrozenBook(run), []
    run.parts.filter(number__lte=2).update(
        state=PartState.CLEARED, sha256="x", finished_at=run.created_at
    )
    checkpoint, look = Checkpoint(), clearing_parts.is_cleared

    def look_and_wait(run: ClearingRun) -> bool:
        found = look(run)
        if not checkpoint.was_reached:
            checkpoint.reach()
        return found

    monkeypatch.setattr(clearing_parts, "is_cleared", look_and_wait)
    monkeypatch.setattr(clearing_parts, "enqueue_on_commit", lambda task, **_: sent.append(task))
    claims = [clearing_parts._claim(run, owner) for owner in ("first", "second")]
    answers = [book.clearer.clear([period]) for period in (2, 3)]

    def store(number: int) -> None:
        part = claims[number]
        assert part is not None
        clearing_parts._store(part, part.claimed_by, answers[number])

    with in_background(lambda: store(0)) as first:
        checkpoint.wait_until_reached()
        with in_background(lambda: store(1)) as second:
            time.sleep(0.5)
            checkpoint.let_on()
            second.result()
        first.result()
    assert look(run)
    return sent


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """A broker; every book is large enough to be cleared in parts of one period."""
    monkeypatch.setenv("CLEARING_PART_SIZE", "1")
    monkeypatch.setenv("CLEARING_MOST_PARTS", str(PERIODS))
    found = Processes(tmp_path)
    yield found
    found.end_all()


@pytest.mark.processes
@pytest.mark.parametrize("failpoint", ["", "part.before_store"], ids=["both live", "one is killed"])
def test_two_processes_share_a_book(processes: Processes, failpoint: str) -> None:
    auction = _book(periods=PERIODS)
    other = processes.start_worker("other", failpoint=failpoint)
    processes.start_worker("healthy")
    eventually(lambda: processes.listening() == 2, "the start of both")
    pass_gate(auction)
    processes.start_beat()

    eventually(lambda: _state(auction) in OVER, "the publication")

    run = ClearingRun.objects.select_related("archive").get(auction=auction)
    parts = list(ClearingPart.objects.filter(run=run).order_by("number"))
    assert len(parts) == PERIODS
    assert {part.state for part in parts} == {PartState.CLEARED}
    assert run.result_sha256 == _alone(run)
    assert OutboxEvent.objects.filter(topic="auction.published").count() == 1
    cleared_by = {int(part.claimed_by.split(":")[1]) for part in parts}
    taken_over = [part.number for part in parts if part.attempts > 1]
    if failpoint:
        eventually(lambda: other.poll() is not None, "the death in the middle of a part")
        assert other.returncode == KILLED, processes.log_of("other")
        assert other.pid not in cleared_by
        assert len(taken_over) == 1
    else:
        assert other.pid in cleared_by
        assert len(cleared_by) == 2
        assert taken_over == []


def _state(auction: Auction) -> str:
    return str(Auction.objects.values_list("state", flat=True).get(pk=auction.pk))
