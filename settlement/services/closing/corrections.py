"""Putting right what was posted: by new entries that name the old one, never by a change."""

from collections.abc import Sequence
from datetime import date

from django.db import connection, transaction

from marketplace.permissions import Actor
from marketplace.services.checks import check_text
from settlement.models import BookPeriod, EntryCorrection, JournalEntry, PeriodState, Posting
from settlement.services.funds_requests import require_bookkeeper
from settlement.services.ledger import PostingLine, post_entry


def correction_day(*, belongs_on: date, book: str = "main") -> date:
    """Return the day to post a correction on: its own, or the next month's first that is not shut.

    Months that are closed softly still take corrections of finance.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_period(%s, %s)", [book, belongs_on])
        period = BookPeriod.objects.get(pk=cursor.fetchone()[0])
        while period.state == PeriodState.HARD_CLOSED:
            cursor.execute("SELECT ledger_period(%s, %s)", [book, period.days.upper])
            period = BookPeriod.objects.get(pk=cursor.fetchone()[0])
    return max(belongs_on, period.days.lower)


@transaction.atomic
def post_correction(
    *,
    corrects: JournalEntry,
    postings: Sequence[PostingLine],
    idempotency_key: str,
    reason: str,
    actor: Actor,
) -> JournalEntry:
    """Post what puts an earlier entry right, on its day or in the next month that takes it.

    The new entry keeps the business source of the old one and names it.

    Raises:
        NotPermitted: the actor does not keep the market's books.
        Missing, TextTooLong: of the reason.
        EntryNotBalanced, InsufficientFunds, PeriodClosed, IdempotencyConflict: see `post_entry`.
    """
    return _post(corrects, postings, idempotency_key, reason, actor, reverses=None)


@transaction.atomic
def take_back_entry(*, entry: JournalEntry, reason: str, actor: Actor) -> JournalEntry:
    """Take an entry back by its exact negation, also when its month is closed for good.

    Raises:
        NotPermitted: the actor does not keep the market's books.
        Missing, TextTooLong: of the reason.
        InsufficientFunds, PeriodClosed: see `post_entry`.
    """
    lines = [
        PostingLine(p.account_id, -p.amount, p.memo)
        for p in Posting.objects.filter(entry=entry).order_by("line")
    ]
    return _post(entry, lines, f"reverse:{entry.public_id}", reason, actor, reverses=entry)


def _post(
    corrects: JournalEntry,
    postings: Sequence[PostingLine],
    key: str,
    reason: str,
    actor: Actor,
    *,
    reverses: JournalEntry | None,
) -> JournalEntry:
    require_bookkeeper(actor)
    known = JournalEntry.objects.filter(book=corrects.book, idempotency_key=key).first()
    belongs_on = corrects.effective_on
    entry = post_entry(
        kind="adjustment",
        # A repeated call finds the entry where the first one put it, whatever has closed since.
        effective_on=known.effective_on
        if known
        else correction_day(belongs_on=belongs_on, book=corrects.book),
        source_type=corrects.source_type,
        source_id=corrects.source_id,
        idempotency_key=key,
        postings=postings,
        reason=check_text(reason, field="reason", max_length=200, required=True),
        actor=actor.user,
        reverses=reverses,
        book=corrects.book,
    )
    EntryCorrection.objects.get_or_create(
        entry=entry, defaults={"corrects": corrects, "belongs_on": belongs_on}
    )
    return entry
