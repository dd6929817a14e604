"""Closing a month while entries are under way, both ways round, as the role that serves."""

import time
from concurrent.futures import Future
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from settlement.models import BookPeriod, JournalEntry, PeriodState
from settlement.services.closing import soft_close_period
from settlement.services.invariants import broken_invariants
from settlement.services.ledger import PeriodClosed
from tests.concurrency.racing import Checkpoint, in_background, in_parallel
from tests.factories.closing import (
    OCTOBER,
    bookkeepers,
    close_for_good,
    month_of,
    post_on,
    set_day,
)
from tests.factories.ledger import make_member

pytestmark = pytest.mark.runtime_role
_LATE = OCTOBER.replace(day=31)


def _waits_for_a_lock(future: "Future[Any]") -> bool:
    """Tell whether the thread's statement stands in the queue of a row lock."""
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return not future.done()
        time.sleep(0.05)
    return False


def test_a_close_waits_for_an_entry_under_way_and_ends_with_it() -> None:
    """S-24: no entry under way slips past the lock."""
    set_day(OCTOBER.replace(month=12))
    owner, (maker, checker) = make_member(), bookkeepers()
    post_on(OCTOBER, "10.00", "first", owner=owner)
    place = Checkpoint()

    def post_slowly() -> JournalEntry:
        with transaction.atomic():
            entry = post_on(_LATE, "5.00", "under way", owner=owner)
            place.reach()
        return entry

    with in_background(post_slowly) as posting:
        place.wait_until_reached()
        with in_background(lambda: close_for_good(OCTOBER, maker, checker)) as closing:
            assert _waits_for_a_lock(closing)
            place.let_on()
            period = closing.result()
        entry = posting.result()

    assert entry.period_id == period.pk
    assert period.closed_at > entry.recorded_at
    snapshot = period_snapshot(period)
    assert snapshot == Decimal("15.00")
    assert broken_invariants() == []


def period_snapshot(period: BookPeriod) -> Decimal:
    """Return what the bank account ended the month with."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.debit - s.credit FROM settlement_balancesnapshot s"
            " JOIN settlement_account a ON a.id = s.account_id AND a.purpose = 'bank'"
            " WHERE s.period_id = %s",
            [period.pk],
        )
        return cursor.fetchone()[0]


def test_an_entry_that_comes_while_the_month_is_closed_is_refused() -> None:
    """S-24: an entry into a month being closed is refused."""
    set_day(OCTOBER.replace(month=12))
    owner, (maker, _checker) = make_member(), bookkeepers()
    post_on(OCTOBER, "10.00", "first", owner=owner)
    place = Checkpoint()

    def close_slowly() -> None:
        with transaction.atomic():
            soft_close_period(period_id=month_of(OCTOBER).pk, actor=maker)
            place.reach()

    with in_background(close_slowly) as closing:
        place.wait_until_reached()
        with in_background(lambda: post_on(_LATE, "5.00", "too late", owner=owner)) as posting:
            assert _waits_for_a_lock(posting)
            place.let_on()
            with pytest.raises(PeriodClosed):
                posting.result()
        closing.result()

    assert JournalEntry.objects.count() == 1


def test_of_many_entries_across_the_close_each_is_in_the_month_or_refused() -> None:
    """S-24: each entry is inside the month or refused."""
    set_day(OCTOBER.replace(month=12))
    owner, (maker, _checker) = make_member(), bookkeepers()
    post_on(OCTOBER, "10.00", "first", owner=owner)
    period_id = month_of(OCTOBER).pk

    def post(number: int) -> Any:
        return lambda: post_on(_LATE, "1.00", f"entry {number}", owner=owner)

    tasks = [post(number) for number in range(60)]
    tasks.insert(20, lambda: soft_close_period(period_id=period_id, actor=maker))
    results = in_parallel(tasks, workers=8)

    period = BookPeriod.objects.get(pk=period_id)
    posted = [r for r in results if isinstance(r, JournalEntry)]
    refused = [r for r in results if isinstance(r, PeriodClosed)]
    assert period.state == PeriodState.SOFT_CLOSED
    assert len(posted) + len(refused) == 60
    assert JournalEntry.objects.filter(period=period).count() == len(posted) + 1
    assert all(entry.recorded_at < period.closed_at for entry in posted)
    assert broken_invariants() == []
