"""Races on the ledger, with real commits as the runtime role.

The negative control of the holds stands in `test_ledger_race_control.py`, because only the owner of
the tables can take the guards away.
"""

from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction

from orders.ports.collateral import InsufficientCollateral
from settlement.domain.numbering import DocumentSeries, parse_number
from settlement.models import (
    AccountBalance,
    Hold,
    Invoice,
    JournalEntry,
    NumberSeries,
    SettlementRun,
)
from settlement.services.accounts import account_for
from settlement.services.collateral import LedgerCollateral
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.invariants import broken_invariants
from settlement.services.ledger import IdempotencyConflict, PostingLine, post_entry
from settlement.services.numbering import take_numbers
from settlement.services.settling import settle_auction
from tests.concurrency.settlement.threads import run_at_once
from tests.factories.ledger import TODAY, deposit, make_member
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    deliver,
    funded,
    move_clock,
    published_auction,
)

pytestmark = pytest.mark.runtime_role
CALLS = 100


def test_of_a_hundred_holds_on_money_for_seven_exactly_seven_are_placed() -> None:
    member = make_member(funds="79.99")

    results = run_at_once(
        lambda n: LedgerCollateral().place_hold(
            organisation_id=member.pk,
            amount_cny=Decimal(10),
            source_type="order",
            source_id=str(n),
        ),
        CALLS,
    )

    refused = [r for r in results if isinstance(r, InsufficientCollateral)]
    balance = AccountBalance.objects.get()
    assert (len(refused), Hold.objects.count(), balance.pending) == (93, 7, 70)
    assert broken_invariants() == []


def test_the_database_refuses_what_a_program_without_lock_would_hold() -> None:
    account = account_for("member_funds", organisation=make_member(funds="79.99"))

    results = run_at_once(
        lambda n: Hold.objects.create(
            account=account, placed=10, remaining=10, source_type="order", source_id=str(n)
        ),
        CALLS,
    )

    assert sum(isinstance(r, Hold) for r in results) == 7
    assert all("available_not_negative" in str(r) for r in results if not isinstance(r, Hold))


def test_one_source_gets_one_hold_however_many_ask_at_once() -> None:
    member = make_member(funds="1000")

    references = run_at_once(
        lambda _: LedgerCollateral().place_hold(
            organisation_id=member.pk, amount_cny=Decimal(10), source_type="order", source_id="1"
        ),
        20,
    )

    assert len(set(references)) == 1
    assert AccountBalance.objects.get().pending == 10


def test_one_key_makes_one_entry_however_many_post_at_once() -> None:
    member = make_member()

    entries = run_at_once(lambda _: deposit(member, "5", key="same"), 20)

    assert len({entry.pk for entry in entries}) == 1
    assert JournalEntry.objects.count() == 1
    assert AccountBalance.objects.get().credit == 5


def test_one_key_with_two_contents_is_refused_for_all_but_the_first() -> None:
    member = make_member()

    results = run_at_once(lambda n: deposit(member, str(n + 1), key="same"), 10)

    assert sum(isinstance(r, IdempotencyConflict) for r in results) == 9
    assert JournalEntry.objects.count() == 1


def test_entries_over_the_same_accounts_in_any_order_never_deadlock() -> None:
    members = [make_member(funds="1000") for _ in range(4)]
    accounts = [account_for("member_funds", organisation=member).pk for member in members]

    def transfer(number: int) -> JournalEntry:
        ring = accounts[number % 4 :] + accounts[: number % 4]
        ring = ring[::-1] if number % 2 else ring
        return post_entry(
            kind="test",
            effective_on=TODAY,
            source_type="test",
            source_id=str(number),
            idempotency_key=f"ring:{number}",
            postings=[
                PostingLine(account, Decimal(sign))
                for account, sign in zip(ring, (1, -1, 1, -1), strict=True)
            ],
        )

    results = run_at_once(transfer, CALLS)

    assert all(isinstance(r, JournalEntry) for r in results)
    assert broken_invariants() == []


def test_numbers_leave_no_gap_under_parallel_issue_and_roll_back() -> None:
    """S-25: 50 at once, 5 of them rolled back: no gap, no duplicate."""
    day = date(2026, 11, 23)

    def issue(number: int) -> str:
        with transaction.atomic():
            taken = take_numbers(series=DocumentSeries.INVOICE, day=day)[0]
            if number % 10 == 9:
                transaction.set_rollback(True)
                return ""
        return taken

    numbers = sorted(n for n in run_at_once(issue, 50) if n)

    assert [parse_number(number).running for number in numbers] == list(range(1, 46))
    assert NumberSeries.objects.get().next_value == 46


def test_an_auction_settled_by_many_at_once_is_settled_once() -> None:
    """S-23: a run started by many is one run."""
    auction = published_auction(
        Market(), [Trade(funded("100"), funded(), ["2", "3"], "5.4321", "5", "0.1", hold="40")]
    )
    deliver(auction)
    later = DELIVERY_STARTS.replace(day=24)
    move_clock(later)
    complete_due_deliveries(later)

    runs = run_at_once(lambda _: settle_auction(auction_id=auction.pk), 6, workers=6)

    assert {run.pk for run in runs} == {SettlementRun.objects.get().pk}
    assert Invoice.objects.count() == 2
    assert JournalEntry.objects.exclude(kind="deposit").count() == 3
    assert broken_invariants() == []
