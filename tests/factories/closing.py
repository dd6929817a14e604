"""Months of the books to close, and the persons who close them."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db.models import Q, QuerySet

from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.services.clock import set_clock
from settlement.models import BookPeriod, JournalEntry, LedgerBlock, PeriodChangeKind
from settlement.services.accounts import account_for
from settlement.services.chain import seal_blocks
from settlement.services.closing import (
    hard_close_period,
    request_period_change,
    soft_close_period,
)
from settlement.services.invariants import sweep_ledger
from settlement.services.ledger import PostingLine, post_entry
from tests.factories.marketplace import OrganisationFactory, member

OCTOBER = date(2026, 10, 1)
NOVEMBER = date(2026, 11, 1)


def set_day(day: date) -> None:
    """Let the market's clock stand at noon of a day in Shanghai."""
    noon = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    set_clock(market_at=noon, speed=Decimal(0), is_demo=True)


def bookkeepers() -> tuple[Actor, Actor]:
    """Return two persons of the platform's finance."""
    platform = Organisation.objects.filter(is_platform=True).first()
    platform = platform or OrganisationFactory(is_platform=True)
    return member(platform, Role.FINANCE), member(platform, Role.FINANCE)


def post_on(day: date, amount: str, key: str, *, owner: Organisation) -> JournalEntry:
    """Post a deposit on a day."""
    return post_entry(
        kind="deposit",
        effective_on=day,
        source_type="test",
        source_id=key,
        idempotency_key=key,
        postings=[
            PostingLine(account_for("bank").pk, Decimal(amount)),
            PostingLine(account_for("member_funds", organisation=owner).pk, -Decimal(amount)),
        ],
    )


def month_of(day: date) -> BookPeriod:
    """Return the accounting month that holds a day."""
    return BookPeriod.objects.get(book="main", days__contains=day)


def seal_everything(patience_s: float = 60) -> int:
    """Seal every entry that was committed; return how many blocks that made.

    A transaction of any database of the server may hold that up, the server's own care for its
    statistics among them.
    """
    deadline, made = time.monotonic() + patience_s, seal_blocks()
    while _unsealed().exists():
        assert time.monotonic() < deadline, "an old transaction keeps entries from being sealed"
        time.sleep(0.1)
        made += seal_blocks()
    return made


def _unsealed() -> QuerySet[JournalEntry]:
    last = LedgerBlock.objects.select_related("last_entry").order_by("-number").first()
    if last is None:
        return JournalEntry.objects.all()
    number, pk = last.last_entry.transaction_number, last.last_entry_id
    return JournalEntry.objects.filter(
        Q(transaction_number__gt=number) | Q(transaction_number=number, pk__gt=pk)
    )


def close_for_good(day: date, maker: Actor, checker: Actor) -> BookPeriod:
    """Close the month of a day softly, sweep, and close it for good by two persons."""
    period = month_of(day)
    soft_close_period(period_id=period.pk, actor=maker)
    seal_everything()
    sweep_ledger()
    change = request_period_change(
        period_id=period.pk, kind=PeriodChangeKind.HARD_CLOSE, actor=maker, reason="month end"
    )
    return hard_close_period(change_id=change.public_id, actor=checker)
