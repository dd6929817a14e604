"""Posting many entries in one call: what a settlement run does.

The guarantees are those of `post_entry`, because they stand in the database; only the round trips
are saved.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, connection

from marketplace.models import User
from settlement.services.ledger import (
    IdempotencyConflict,
    PostingLine,
    fingerprint,
    named_refusal,
    savepoint_if_nested,
)

_POST_MANY = "SELECT entry_key, entry_id FROM ledger_post_many(%s, %s::jsonb)"


@dataclass(frozen=True)
class EntryDraft:
    """An entry to be posted; the fields are those of `post_entry`."""

    kind: str
    effective_on: date
    source_type: str
    source_id: str
    idempotency_key: str
    postings: Sequence[PostingLine]
    reason: str = ""
    actor: User | None = None


def post_entries(*, entries: Sequence[EntryDraft], book: str = "main") -> list[int]:
    """Post balanced entries once each, all or none; return their ids in the order given.

    An entry whose key was used before for the same content keeps the id it has. Locks the stored
    balances of all accounts in id order before any of them changes (see `locks`).

    Raises:
        EntryNotBalanced: the lines of an entry do not sum to zero.
        IdempotencyConflict: a key stands for other content, or is given twice.
        PeriodClosed: the month of an entry takes no entries.
        InsufficientFunds: a limited account would be overdrawn.
    """
    if not entries:
        return []
    if len({entry.idempotency_key for entry in entries}) < len(entries):
        raise IdempotencyConflict
    rows = json.dumps([_row(entry, book) for entry in entries])
    try:
        with savepoint_if_nested(), connection.cursor() as cursor:
            cursor.execute(_POST_MANY, [book, rows])
            ids = dict(cursor.fetchall())
    except IntegrityError as error:
        refusal = named_refusal(error)
        if refusal is None:
            raise
        raise refusal from error
    return [ids[entry.idempotency_key] for entry in entries]


def _row(entry: EntryDraft, book: str) -> dict[str, object]:
    # Whether it balances the database asks of the whole batch at once.
    lines = [line for line in entry.postings if line.amount]
    content: dict[str, object] = {
        "book": book,
        "kind": entry.kind,
        "effective_on": entry.effective_on.isoformat(),
        "source_type": entry.source_type,
        "source_id": str(entry.source_id),
        "reverses": None,
    }
    return {
        **content,
        "key": entry.idempotency_key,
        "fingerprint": fingerprint(content, lines),
        "reason": entry.reason,
        "actor": entry.actor.pk if entry.actor else None,
        "lines": [[line.account_id, f"{line.amount:f}", line.memo[:120]] for line in lines],
    }
