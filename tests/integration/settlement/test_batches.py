"""Many entries in one call keep every rule of single ones."""

from dataclasses import replace
from decimal import Decimal

import pytest

from settlement.models import AccountBalance, JournalEntry, Posting
from settlement.services.accounts import account_for
from settlement.services.invariants import broken_invariants
from settlement.services.ledger import (
    EntryNotBalanced,
    IdempotencyConflict,
    InsufficientFunds,
    PostingLine,
)
from settlement.services.ledger_batches import EntryDraft, post_entries
from tests.factories.ledger import TODAY, deposit, make_member

pytestmark = pytest.mark.django_db


def _draft(key: str, amount: str, funds: int) -> EntryDraft:
    return EntryDraft(
        kind="test",
        effective_on=TODAY,
        source_type="test",
        source_id=key,
        idempotency_key=key,
        postings=[
            PostingLine(funds, Decimal(amount), "line"),
            PostingLine(account_for("bank").pk, -Decimal(amount)),
        ],
    )


def test_a_batch_posts_each_entry_once_and_moves_the_balances() -> None:
    funds = account_for("member_funds", organisation=make_member(funds="100")).pk
    drafts = [_draft(f"key {n}", "1.25", funds) for n in range(50)]

    first = post_entries(entries=drafts[:30])
    again = post_entries(entries=drafts)

    assert again[:30] == first
    assert JournalEntry.objects.filter(kind="test").count() == 50
    assert Posting.objects.filter(entry_id__in=again).count() == 100
    assert JournalEntry.objects.get(pk=again[7]).idempotency_key == "key 7"
    assert AccountBalance.objects.get().debit == Decimal("62.50")
    assert post_entries(entries=[]) == []
    assert broken_invariants() == []


def test_of_a_batch_all_is_posted_or_nothing() -> None:
    funds = account_for("member_funds", organisation=make_member(funds="100")).pk
    good = _draft("good", "60.00", funds)

    with pytest.raises(InsufficientFunds):
        post_entries(entries=[good, _draft("too much", "40.01", funds)])
    with pytest.raises(IdempotencyConflict):
        post_entries(entries=[good, good])
    with pytest.raises(EntryNotBalanced):
        post_entries(entries=[good, replace(good, idempotency_key="x", postings=[])])
    post_entries(entries=[good])
    with pytest.raises(IdempotencyConflict):
        post_entries(entries=[_draft("good", "1.00", funds), _draft("new", "1.00", funds)])

    assert JournalEntry.objects.filter(kind="test").count() == 1


def test_a_single_entry_and_a_batch_know_each_other() -> None:
    member = make_member(funds="100")
    entry = deposit(member, "5", key="shared")
    funds = account_for("member_funds", organisation=member).pk
    lines = [PostingLine(p.account_id, p.amount) for p in entry.postings.order_by("line")]
    draft = replace(
        _draft("shared", "5", funds), kind="deposit", source_id=str(member.pk), postings=lines
    )

    assert post_entries(entries=[draft]) == [entry.pk]
