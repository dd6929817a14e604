"""Posting to the double-entry ledger: the only door.

A posting is signed, debit above zero. The database functions of `settlement/migrations/sql` do the
work in one round trip and its triggers give the guarantees; here are the friendly names.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from marketplace.domain.decimals import add_exactly
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import User
from orders.ports.collateral import HoldChange
from settlement.models import HoldEvent, JournalEntry, Posting
from settlement.services.accounts import account_for

__all__ = [
    "EntryNotBalanced",
    "HoldNotOpen",
    "IdempotencyConflict",
    "InsufficientFunds",
    "PeriodClosed",
    "PostingLine",
    "account_for",
    "fingerprint",
    "named_refusal",
    "post_entry",
    "reverse_entry",
    "savepoint_if_nested",
]


class EntryNotBalanced(RuleBroken):
    """The postings of an entry do not sum to zero, or there are fewer than two."""

    code = "entry_not_balanced"
    message = gettext_noop("The entry is not balanced.")


class IdempotencyConflict(RuleBroken):
    """The key was used before, for something else."""

    code = "idempotency_conflict"
    message = gettext_noop("This key was already used for another entry.")
    status = 409


class PeriodClosed(RuleBroken):
    """The accounting month is closed."""

    code = "period_closed"
    message = gettext_noop("The accounting month is closed.")
    status = 409


class InsufficientFunds(RuleBroken):
    """The entry would take more from a member's funds than is free."""

    code = "insufficient_funds"
    message = gettext_noop("The free funds do not cover this.")
    status = 409


class HoldNotOpen(RuleBroken):
    """The hold has ended, or less of it is left than asked for."""

    code = "hold_not_open"
    message = gettext_noop("The hold has ended or has too little left.")
    status = 409


@dataclass(frozen=True)
class PostingLine:
    """One line of an entry.

    Attributes:
        account_id: the account; its asset is the line's.
        amount: debit above zero, credit below, on the scale of the asset (CNY: fen).
        memo: what a reader of the account should see.
    """

    account_id: int
    amount: Decimal
    memo: str = ""


# Made once: batches write thousands of fingerprints.
_CANONICAL = json.JSONEncoder(sort_keys=True)
_LEDGER_POST = """
SELECT entry_id FROM ledger_post(
    %s::jsonb, %s::bigint[], %s::numeric[], %s::text[], %s::uuid[], %s::numeric[], %s::text[])
"""
_BY_SQLSTATE: dict[str, type[RuleBroken]] = {
    "23L01": EntryNotBalanced,
    "23L04": IdempotencyConflict,
    "23L05": PeriodClosed,
    "23L07": HoldNotOpen,
}


def named_refusal(error: IntegrityError) -> RuleBroken | None:
    """Return the named rule behind a refusal of the database, or None for any other fault."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if getattr(diagnosis, "constraint_name", None) == "available_not_negative":
        return InsufficientFunds()
    refusal = _BY_SQLSTATE.get(getattr(diagnosis, "sqlstate", None) or "")
    return refusal() if refusal else None


def post_entry(
    *,
    kind: str,
    effective_on: date,
    source_type: str,
    source_id: str,
    idempotency_key: str,
    postings: Sequence[PostingLine],
    reason: str = "",
    actor: User | None = None,
    reverses: JournalEntry | None = None,
    captures: Sequence[HoldChange] = (),
    book: str = "main",
) -> JournalEntry:
    """Post a balanced entry once and return it; a repeated call returns the first entry.

    Locks the stored balances of the accounts in id order before it writes (see `locks`).

    Args:
        kind: what happened, such as `deposit` or `buyer_bill`.
        effective_on: accounting date, in an open month of the book.
        source_type: kind of business object behind the entry.
        source_id: its id.
        idempotency_key: unique within the book; names the business event.
        postings: the lines, at least two, summing to zero per asset; lines of zero are left out.
        reason: why, for entries made by a person.
        actor: that person.
        reverses: the entry that this one takes back.
        captures: holds that this entry uses, each brought down to what is kept of it.
        book: the set of books.

    Raises:
        EntryNotBalanced: the lines do not sum to zero.
        IdempotencyConflict: the key stands for an entry with other content.
        PeriodClosed: the month of `effective_on` takes no entries.
        InsufficientFunds: a limited account would be overdrawn.
        HoldNotOpen: a hold to capture is unknown or named twice, or has ended.
    """
    lines = [line for line in postings if line.amount]
    if len(lines) < 2 or add_exactly(line.amount for line in lines):
        raise EntryNotBalanced()
    content: dict[str, object] = {
        "book": book,
        "kind": kind,
        "effective_on": effective_on.isoformat(),
        "source_type": source_type,
        "source_id": str(source_id),
        "reverses": reverses.pk if reverses else None,
    }
    header: dict[str, object] = {
        **content,
        "key": idempotency_key,
        "fingerprint": fingerprint(content, lines),
        "public_id": str(uuid.uuid4()),
        "reason": reason,
        "actor": actor.pk if actor else None,
    }
    return JournalEntry.objects.get(pk=_post(header, lines, captures))


def reverse_entry(
    *, entry: JournalEntry, effective_on: date, reason: str, actor: User | None = None
) -> JournalEntry:
    """Take an entry back by its exact negation; it can be taken back once.

    Raises:
        PeriodClosed: the month of `effective_on` takes no entries.
        InsufficientFunds: a limited account would be overdrawn.
    """
    lines = [
        PostingLine(p.account_id, -p.amount, p.memo)
        for p in Posting.objects.filter(entry=entry).order_by("line")
    ]
    return post_entry(
        kind="reversal",
        effective_on=effective_on,
        source_type=entry.source_type,
        source_id=entry.source_id,
        idempotency_key=f"reverse:{entry.public_id}",
        postings=lines,
        reason=reason,
        actor=actor,
        reverses=entry,
        book=entry.book,
    )


def _post(
    header: dict[str, object], lines: Sequence[PostingLine], captures: Sequence[HoldChange]
) -> int:
    arguments: list[Any] = [
        json.dumps(header),
        [line.account_id for line in lines],
        [line.amount for line in lines],
        [line.memo[:120] for line in lines],
        [str(hold.reference) for hold in captures],
        [hold.keep_cny for hold in captures],
        [hold.event_key for hold in captures],
    ]
    try:
        with savepoint_if_nested(needed=bool(captures)), connection.cursor() as cursor:
            cursor.execute(_LEDGER_POST, arguments)
            entry_id = int(cursor.fetchone()[0])
            _require_captured(captures)
            return entry_id
    except IntegrityError as error:
        refusal = named_refusal(error)
        if refusal is None:
            raise
        raise refusal from error


def _require_captured(captures: Sequence[HoldChange]) -> None:
    """Refuse an entry whose holds had ended: the function frees nothing then and says nothing."""
    keys = {change.event_key for change in captures}
    if keys and HoldEvent.objects.filter(event_key__in=keys, kind="capture").count() < len(keys):
        raise HoldNotOpen


def savepoint_if_nested(*, needed: bool = False) -> AbstractContextManager[object]:
    """Alone, one statement is its own transaction; within one, a refusal must not spoil it."""
    return transaction.atomic() if needed or connection.in_atomic_block else nullcontext()


def fingerprint(content: dict[str, object], lines: Sequence[PostingLine]) -> str:
    """Return what an entry's content is recognised by when its key comes again."""
    # The numbers of the lines need no escaping: batches write thousands of them.
    amounts = ", ".join([f'[{line.account_id}, "{line.amount.normalize():f}"]' for line in lines])
    canonical = f"[{_CANONICAL.encode(content)}, [{amounts}]]"
    return hashlib.sha256(canonical.encode()).hexdigest()
