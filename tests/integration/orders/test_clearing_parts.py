"""A book in parts: cleared by whoever comes, merged once, the same bytes as by one process."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from orders import clearing
from orders.models import Auction, AuctionState, ClearingPart, ClearingRun, PartState, RunState
from orders.services import clearing_parts
from orders.services.auctions import advance_auction, cancel_auction, halt_auction, resume_auction
from orders.services.clearing import compute_run, result_sha256, zipped_result
from orders.services.clearing_parts import FrozenBook, clear_part_of, clear_parts
from orders.services.leases import owner_name
from orders.services.submission import submit_order
from tests.factories.marketplace import operator
from tests.factories.orders import bid, block_request, frozen, open_auction_now, stop_clock
from tests.factories.trading import buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def auction(settings: Any) -> Auction:
    """A frozen book of four periods in four parts, with curve and block bids."""
    settings.CLEARING_PART_SIZE = 1
    return _frozen_book()


def _frozen_book() -> Auction:
    stop_clock()
    market = two_hub_market(gbps="3")
    auction = open_auction_now()
    actor = buyer("1000000")
    for number in range(6):
        bid(actor, auction, market.product, market.city, (6 + number % 5, 4 + number))
    for limit, quantity in ((12, 30), (8, 40)):
        request = block_request(
            auction, market.product, market.city, quantity=quantity, limit=limit
        )
        submit_order(actor=actor, request=request)
    return frozen(auction)


def _run(auction: Auction) -> ClearingRun:
    return ClearingRun.objects.select_related("archive").latest("pk")


def _alone(run: ClearingRun) -> str:
    """Return the hash of the result that one process gives."""
    bundle = clearing.read_bundle(io.BytesIO(bytes(run.archive.bundle)))
    return result_sha256(zipped_result(clearing.clear(bundle)))


def test_a_book_in_parts_has_the_result_of_one_process(auction: Auction) -> None:
    run = _run(auction)
    assert [(part.first_period, part.last_period) for part in run.parts.order_by("number")] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
    ]

    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED

    run.refresh_from_db()
    assert run.result_sha256 == _alone(run)
    parts = list(run.parts.all())
    assert {part.state for part in parts} == {PartState.CLEARED}
    assert all(part.answer is None and part.sha256 and part.attempts == 1 for part in parts)
    assert all(part.claimed_by.count(":") == 2 for part in parts)


def test_a_small_book_has_no_parts() -> None:
    auction = _frozen_book()

    assert not ClearingPart.objects.exists()
    assert compute_run(auction_id=auction.pk)


def test_a_single_part_is_none(settings: Any) -> None:
    settings.CLEARING_PART_SIZE, settings.CLEARING_MOST_PARTS = 1, 1

    _frozen_book()

    assert not ClearingPart.objects.exists()


def test_every_part_is_announced_and_the_last_one_wakes_the_auction(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CLEARING_PART_SIZE = 1
    sent: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(
        clearing_parts, "enqueue_on_commit", lambda task, **what: sent.append((task, what))
    )
    auction = _frozen_book()
    run = _run(auction)
    assert sent == [("orders.tasks.clear_part", {"run_id": run.pk})] * 4
    sent.clear()

    clear_part_of(run_id=run.pk)
    clear_part_of(run_id=run.pk)

    assert sent == [("orders.tasks.advance_auction", {"auction_id": auction.pk})]
    assert clearing_parts.is_cleared(run)
    auction.refresh_from_db()
    assert auction.state == AuctionState.CLOSED


def _hold(run: ClearingRun, number: int, owner: str, *, seconds: int = 60) -> None:
    """Let somebody be at a part."""
    run.parts.filter(number=number).update(
        state=PartState.CLAIMED,
        claimed_by=owner,
        claimed_until=timezone.now() + timedelta(seconds=seconds),
        attempts=1,
    )


def test_a_part_that_another_worker_is_at_is_waited_for_by_nobody(auction: Auction) -> None:
    run = _run(auction)
    _hold(run, 2, "elsewhere:1:x")

    assert advance_auction(auction_id=auction.pk) == AuctionState.CLOSED

    assert list(run.parts.exclude(state="cleared").values_list("number", flat=True)) == [2]
    auction.refresh_from_db()
    assert (auction.lease_owner, auction.attempts) == ("", 0)  # free for whoever comes next
    run.refresh_from_db()
    assert run.state == RunState.FROZEN


def test_a_claim_that_ran_out_is_taken_over(auction: Auction) -> None:
    run = _run(auction)
    _hold(run, 2, "elsewhere:1:x", seconds=-1)

    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED

    assert run.parts.get(number=2).attempts == 2


def test_a_dead_process_of_this_machine_has_no_claim(auction: Auction) -> None:
    run = _run(auction)
    host = owner_name().partition(":")[0]
    _hold(run, 3, f"{host}:{2**22 + 1}:x")

    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED


def test_the_second_answer_to_a_part_changes_nothing(
    auction: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run(auction)
    late = clearing_parts._claim(run, "late")
    assert late is not None
    answer = FrozenBook(run).clearer.clear([0])
    _hold(run, 1, "late", seconds=-1)
    clear_parts(FrozenBook(run))
    before = ClearingPart.objects.filter(run=run).order_by("number").values()
    seen = list(before)
    said: list[str] = []
    monkeypatch.setattr(clearing_parts.logger, "error", lambda event, **_: said.append(event))

    clearing_parts._store(late, "late", answer)
    assert said == []
    clearing_parts._store(late, "late", answer + b"x")

    assert list(before.all()) == seen
    assert said == ["clearing_part_differs"]


def test_an_answer_that_was_damaged_is_asked_for_again(auction: Auction) -> None:
    run = _run(auction)
    clear_part_of(run_id=run.pk)
    run.parts.filter(number=3).update(answer=b"something else")

    with pytest.raises(clearing.PartRefused, match="part 3"):
        compute_run(auction_id=auction.pk)

    assert set(run.parts.values_list("state", flat=True)) == {PartState.WAITING}
    assert compute_run(auction_id=auction.pk)
    run.refresh_from_db()
    assert run.result_sha256 == _alone(run)


def test_an_answer_of_an_engine_of_before_is_asked_for_again(
    auction: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run(auction)
    with monkeypatch.context() as before:
        before.setattr(clearing.parts, "ENGINE_VERSION", "0.0.9")
        clear_part_of(run_id=run.pk)

    with pytest.raises(clearing.PartRefused, match="engine"):
        compute_run(auction_id=auction.pk)

    assert compute_run(auction_id=auction.pk)
    run.refresh_from_db()
    assert run.result_sha256 == _alone(run)


def test_a_late_merger_takes_no_part_back(auction: Auction) -> None:
    run = _run(auction)
    assert compute_run(auction_id=auction.pk)

    assert not clearing_parts.ask_again(run)

    assert clearing_parts.is_cleared(run)


def _fail(*_: object) -> bytes:
    raise ValueError("no such luck")


def test_a_part_that_fails_rests_and_then_parks_the_auction(
    auction: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run(auction)
    monkeypatch.setattr(clearing.PartClearer, "clear", _fail)
    for attempt in (1, 2, 3):
        with pytest.raises(ValueError, match="luck"):
            clear_part_of(run_id=run.pk)
        first = run.parts.get(number=1)
        assert (first.state, first.attempts) == (PartState.WAITING, attempt)
        assert first.claimed_until is not None
        assert first.claimed_until > timezone.now()
        run.parts.update(claimed_until=None)
    monkeypatch.undo()

    assert advance_auction(auction_id=auction.pk) == AuctionState.PARKED

    auction.refresh_from_db()
    expected = "part 1 of 4: 3 failed attempts: ValueError: no such luck"
    assert auction.state_reason == expected
    assert resume_auction(actor=operator(), auction_id=auction.pk, reason="mended")
    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED
    assert [own.parts.count() for own in auction.runs.order_by("version")] == [4, 4]


def test_a_part_that_rests_is_left_alone(auction: Auction, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _run(auction)
    with monkeypatch.context() as broken:
        broken.setattr(clearing.PartClearer, "clear", _fail)
        with pytest.raises(ValueError, match="luck"):
            clear_part_of(run_id=run.pk)

    assert advance_auction(auction_id=auction.pk) == AuctionState.CLOSED
    assert list(run.parts.exclude(state="cleared").values_list("number", flat=True)) == [1]
    run.parts.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED


def test_parts_of_a_halted_auction_wait(auction: Auction) -> None:
    run = _run(auction)
    halt_auction(actor=operator(), auction_id=auction.pk, reason="a look first")

    clear_part_of(run_id=run.pk)
    assert set(run.parts.values_list("state", "attempts")) == {(PartState.WAITING, 0)}

    resume_auction(actor=operator(), auction_id=auction.pk, reason="all is well")
    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED


def test_parts_of_a_cancelled_auction_do_nothing(auction: Auction) -> None:
    run = _run(auction)
    late = clearing_parts._claim(run, "late")
    assert late is not None
    halt_auction(actor=operator(), auction_id=auction.pk, reason="a look first")
    cancel_auction(actor=operator(), auction_id=auction.pk, reason="called off")

    clearing_parts._store(late, "late", b"too late")
    clear_part_of(run_id=run.pk)

    assert not run.parts.filter(state=PartState.CLEARED).exists()
    assert not run.parts.exclude(answer=None).exists()


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("number = 1", "part_number_unique"),
        ("first_period = 0", "part_periods_in_order"),
        ("last_period = first_period - 1", "part_periods_in_order"),
        ("state = 'cleared'", "part_cleared_has_answer"),
    ],
)
def test_the_database_holds_the_rules_of_parts(
    auction: Auction, change: str, constraint: str
) -> None:
    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE orders_clearingpart SET {change} WHERE number = 2")
