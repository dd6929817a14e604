"""The hash chain over journal entries: sealed behind the writers, never in their way.

Entries are chained in the order of (transaction number, id). A block takes only entries of
transactions older than the oldest one running, so nothing can appear before its end later on.
"""

import hashlib
from collections.abc import Iterator

from django.db import connection, transaction

from settlement.models import LedgerBlock
from settlement.services.locks import lock_chain

FORMAT_VERSION = 1
GENESIS = "0" * 64
BLOCK_SIZE = 10_000

# Text of fixed form, so that every program that reads the tables writes the same bytes.
_ENTRIES = """
SELECT e.id, e.transaction_number,
       array_to_string(ARRAY[
           e.id::text, e.public_id::text, e.book, e.kind, e.effective_on::text, e.period_id::text,
           to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           e.source_type, e.source_id, e.idempotency_key, e.fingerprint,
           coalesce(e.reverses_id::text, ''), coalesce(e.actor_id::text, ''), e.reason
       ], chr(31)),
       (SELECT string_agg(array_to_string(ARRAY[
                   p.line::text, p.account_id::text, p.asset_id, p.amount::text, p.memo], chr(31)),
                   chr(30) ORDER BY p.line)
          FROM settlement_posting p WHERE p.entry_id = e.id)
  FROM settlement_journalentry e
 WHERE (e.transaction_number, e.id) > (%s, %s) AND (e.transaction_number, e.id) <= (%s, %s)
 ORDER BY e.transaction_number, e.id
"""
_LAST_FINISHED = """
SELECT transaction_number, id FROM (
    SELECT transaction_number, id FROM settlement_journalentry
     WHERE (transaction_number, id) > (%s, %s)
       AND transaction_number < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
     ORDER BY transaction_number, id LIMIT %s) AS finished
 ORDER BY transaction_number DESC, id DESC LIMIT 1
"""
_SUMS = """
SELECT p.asset_id, sum(p.amount) FILTER (WHERE p.amount > 0)
  FROM settlement_posting p JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE (e.transaction_number, e.id) > (%s, %s) AND (e.transaction_number, e.id) <= (%s, %s)
 GROUP BY 1 ORDER BY 1
"""


@transaction.atomic
def seal_blocks() -> int:
    """Seal every finished entry that is in no block yet; return how many blocks that made."""
    lock_chain()
    made = 0
    while _seal_one():
        made += 1
    return made


def broken_blocks() -> list[dict[str, object]]:
    """Return the first block whose entries or link are not what was sealed, or nothing."""
    start, previous = (0, 0), GENESIS
    blocks = LedgerBlock.objects.select_related("last_entry").order_by("number")
    for number, block in enumerate(blocks, 1):
        end = (block.last_entry.transaction_number, block.last_entry_id)
        digest, count, _ = _digest(previous, start, end)
        stored = (block.number, block.previous_hash, block.block_hash, block.entry_count)
        if stored != (number, previous, digest, count):
            return [
                {
                    "code": "I-23",
                    "promise": "A block is the hash of the block before and of its entries.",
                    "count": 1,
                    "sample": [str(number)],
                }
            ]
        start, previous = end, digest
    return []


def _seal_one() -> bool:
    last = LedgerBlock.objects.select_related("last_entry").order_by("-number").first()
    start = (last.last_entry.transaction_number, last.last_entry_id) if last else (0, 0)
    with connection.cursor() as cursor:
        cursor.execute(_LAST_FINISHED, [*start, BLOCK_SIZE])
        end = cursor.fetchone()
        if end is None:
            return False
        cursor.execute(_SUMS, [*start, *end])
        sums = {asset: format(total, "f") for asset, total in cursor.fetchall()}
    previous = last.block_hash if last else GENESIS
    digest, count, first_id = _digest(previous, start, end)
    LedgerBlock.objects.create(
        number=last.number + 1 if last else 1,
        first_entry_id=first_id,
        last_entry_id=end[1],
        entry_count=count,
        sums=sums,
        previous_hash=previous,
        block_hash=digest,
        format_version=FORMAT_VERSION,
    )
    return True


def _digest(previous: str, start: tuple[int, int], end: tuple[int, int]) -> tuple[str, int, int]:
    """Return the hash of a range of entries, how many they are and the first one's id."""
    digest = hashlib.sha256(previous.encode())
    count, first_id = 0, 0
    for entry_id, text in _canonical(start, end):
        digest.update(len(text).to_bytes(8, "big"))
        digest.update(text)
        count += 1
        first_id = first_id or entry_id
    return digest.hexdigest(), count, first_id


def _canonical(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [*start, *end])
        for entry_id, _, header, lines in cursor:
            yield entry_id, f"{header}\x1d{lines}".encode()
