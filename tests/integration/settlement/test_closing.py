"""Closing a month: softly by one person, for good by two, and what the books show afterwards."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import DatabaseError, IntegrityError, connection

from marketplace.domain.errors import NotPermitted, StateForbids
from marketplace.models import AuditEvent
from marketplace.services.checks import Missing
from settlement.models import (
    BalanceSnapshot,
    BookPeriod,
    EntryCorrection,
    JournalEntry,
    PeriodChange,
    PeriodState,
)
from settlement.selectors.balances import balance_of
from settlement.selectors.closing import checklist, failed_items, period_rows
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.accounts import account_for
from settlement.services.closing import (
    ChangeWaits,
    ChecklistOpen,
    EarlierMonthOpen,
    MonthNotOver,
    hard_close_period,
    post_correction,
    reject_period_change,
    reopen_period,
    request_period_change,
    soft_close_period,
    take_back_entry,
)
from settlement.services.funds_requests import SamePerson
from settlement.services.invariants import broken_invariants, sweep_ledger
from settlement.services.ledger import PeriodClosed, PostingLine, post_entry
from tests.factories.closing import (
    NOVEMBER,
    OCTOBER,
    bookkeepers,
    close_for_good,
    month_of,
    post_on,
    set_day,
)
from tests.factories.ledger import make_member

# What seals and closes for good needs real commits; those tests run as the role that serves.
committed = pytest.mark.runtime_role
SEPTEMBER = date(2026, 9, 15)


@pytest.fixture
def books(db):
    """Two members' money in September, October and November; today is 30 November."""
    set_day(date(2026, 11, 30))
    first, second = make_member(), make_member()
    post_on(SEPTEMBER, "100.00", "september", owner=first)
    post_on(OCTOBER.replace(day=31), "50.00", "october", owner=first)
    post_on(OCTOBER, "7.50", "october-second", owner=second)
    post_on(NOVEMBER, "20.00", "november", owner=first)
    return first, second


def test_a_month_is_closed_softly_by_one_person_and_takes_only_adjustments_then(books) -> None:
    maker, _checker = bookkeepers()

    period = soft_close_period(period_id=month_of(OCTOBER).pk, actor=maker)

    assert (period.state, period.closed_by) == (PeriodState.SOFT_CLOSED, maker.user)
    with pytest.raises(PeriodClosed):
        post_on(OCTOBER, "1.00", "late", owner=books[0])
    funds = account_for("member_funds", organisation=books[0]).pk
    rounding = account_for("rounding").pk
    entry = post_entry(
        kind="adjustment",
        effective_on=OCTOBER,
        source_type="test",
        source_id="1",
        idempotency_key="adjustment",
        postings=[PostingLine(rounding, Decimal("0.01")), PostingLine(funds, Decimal("-0.01"))],
        reason="rounding",
        actor=maker.user,
    )
    assert entry.period_id == period.pk
    assert broken_invariants() == []


def test_a_month_that_runs_or_is_asked_for_by_a_stranger_stays_open(books) -> None:
    maker, _checker = bookkeepers()
    period = month_of(NOVEMBER)

    with pytest.raises(MonthNotOver):
        soft_close_period(period_id=period.pk, actor=maker)
    with pytest.raises(NotPermitted):
        soft_close_period(period_id=period.pk, actor=_operator(maker))

    assert BookPeriod.objects.get(pk=period.pk).state == PeriodState.OPEN


def _operator(actor):
    return type(actor)(actor.user, actor.organisation, frozenset({"operator"}))


def test_opening_again_takes_two_persons_and_a_reason(books) -> None:
    """S-24: one person alone does not open a closed month."""
    maker, checker = bookkeepers()
    period = soft_close_period(period_id=month_of(OCTOBER).pk, actor=maker)

    with pytest.raises(Missing):
        request_period_change(period_id=period.pk, kind="reopen", actor=maker)
    change = request_period_change(
        period_id=period.pk, kind="reopen", actor=maker, reason="a bill is missing"
    )
    with pytest.raises(ChangeWaits):
        request_period_change(period_id=period.pk, kind="reopen", actor=checker, reason="me too")
    with pytest.raises(SamePerson):
        reopen_period(change_id=change.public_id, actor=maker)
    reopen_period(change_id=change.public_id, actor=checker)

    assert month_of(OCTOBER).state == PeriodState.OPEN
    post_on(OCTOBER, "1.00", "after reopening", owner=books[0])
    actions = AuditEvent.objects.filter(action__startswith="period.").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "period.soft_closed",
        "period.reopen_requested",
        "period.open",
    ]


def test_a_request_that_is_refused_leaves_the_month_as_it_is(books) -> None:
    maker, checker = bookkeepers()
    period = soft_close_period(period_id=month_of(OCTOBER).pk, actor=maker)
    change = request_period_change(
        period_id=period.pk, kind="reopen", actor=maker, reason="a bill is missing"
    )

    with pytest.raises(Missing):
        reject_period_change(change_id=change.public_id, actor=checker, reason=" ")
    reject_period_change(change_id=change.public_id, actor=checker, reason="it is there")

    assert month_of(OCTOBER).state == PeriodState.SOFT_CLOSED
    with pytest.raises(StateForbids):
        reopen_period(change_id=change.public_id, actor=checker)
    assert PeriodChange.objects.get().decision_reason == "it is there"


@committed
def test_a_month_is_closed_for_good_by_another_person_and_in_order(books) -> None:
    maker, checker = bookkeepers()
    october = soft_close_period(period_id=month_of(OCTOBER).pk, actor=maker)
    with pytest.raises(EarlierMonthOpen):
        request_period_change(period_id=october.pk, kind="hard_close", actor=maker)
    close_for_good(SEPTEMBER, maker, checker)

    # The sweep was before the month was closed softly.
    BookPeriod.objects.filter(pk=october.pk).update(closed_at="2030-01-01T00:00:00Z")
    with pytest.raises(ChecklistOpen):
        request_period_change(period_id=october.pk, kind="hard_close", actor=maker)
    BookPeriod.objects.filter(pk=october.pk).update(closed_at=october.closed_at)
    sweep_ledger()
    change = request_period_change(period_id=october.pk, kind="hard_close", actor=maker)
    with pytest.raises(SamePerson):
        hard_close_period(change_id=change.public_id, actor=maker)
    closed = hard_close_period(change_id=change.public_id, actor=checker)

    assert (closed.closed_by, closed.approved_by) == (maker.user, checker.user)
    assert closed.closing_block.block_hash
    with pytest.raises(StateForbids):
        request_period_change(period_id=closed.pk, kind="reopen", actor=maker, reason="no")
    with pytest.raises(PeriodClosed):
        post_on(OCTOBER, "1.00", "too late", owner=books[0])
    assert broken_invariants() == []


@committed
def test_the_next_month_opens_with_what_the_closed_one_ends_with(books) -> None:
    maker, checker = bookkeepers()
    spans = [(date(2026, m, 1), date(2026, m, d)) for m, d in ((9, 30), (10, 31), (11, 30))]
    before = [trial_balance(*span) for span in spans]

    close_for_good(SEPTEMBER, maker, checker)
    close_for_good(OCTOBER, maker, checker)

    funds = account_for("member_funds", organisation=books[0])
    assert BalanceSnapshot.objects.filter(period=month_of(OCTOBER)).count() == 3
    snapshot = BalanceSnapshot.objects.get(period=month_of(OCTOBER), account=funds)
    assert (snapshot.debit, snapshot.credit) == (0, 150)
    after = [trial_balance(*span) for span in spans]
    assert after == before
    for month, following in pairwise(after):
        assert [row.closing for row in month] == [row.opening for row in following]
        assert not any(differences_by_asset(month).values())
    days = [date(2026, 9, 30), date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 1)]
    assert [balance_of(funds, on=day) for day in days] == [-100, -100, -150, -170]


@committed
def test_a_correction_of_a_closed_month_goes_to_the_next_one_and_names_the_entry(books) -> None:
    maker, checker = bookkeepers()
    close_for_good(SEPTEMBER, maker, checker)
    wrong = JournalEntry.objects.get(idempotency_key="september")
    funds = account_for("member_funds", organisation=books[0]).pk
    lines = [
        PostingLine(funds, Decimal("1.00")),
        PostingLine(account_for("bank").pk, Decimal("-1.00")),
    ]

    entries = [
        post_correction(
            corrects=wrong, postings=lines, idempotency_key="c", reason="one less", actor=maker
        )
        for _ in range(2)
    ]
    back = take_back_entry(entry=wrong, reason="was not ours", actor=maker)

    assert entries[0] == entries[1]
    assert {entry.effective_on for entry in (*entries, back)} == {OCTOBER}
    corrections = EntryCorrection.objects.order_by("id")
    assert [(c.corrects, c.belongs_on) for c in corrections] == [(wrong, SEPTEMBER)] * 2
    assert back.reverses == wrong
    assert broken_invariants() == []
    _assert_shut(month_of(SEPTEMBER), books[0])


def _assert_shut(closed, owner) -> None:
    """A closed month and those before it are never touched again."""
    for change in ({"state": PeriodState.OPEN}, {"closed_at": None}, {"approved_by": None}):
        with pytest.raises(IntegrityError):
            BookPeriod.objects.filter(pk=closed.pk).update(**change)
    with pytest.raises(PeriodClosed):
        post_on(date(2026, 8, 31), "1.00", "before", owner=owner)
    assert not BookPeriod.objects.filter(days__contains=date(2026, 8, 31)).exists()


def test_the_checklist_names_each_point_and_what_is_left(books) -> None:
    maker, _checker = bookkeepers()
    period = month_of(SEPTEMBER)

    items = {item.code: item for item in checklist(period)}
    assert {"settled", "parked", "bank_matched", "statements_confirmed", "sweep", "chain"} < set(
        items
    )
    assert {item.code for item in failed_items(period)} == {"chain", "sweep"}
    assert items["trial_balance"].passed
    assert [row.is_over for row in period_rows()] == [False, True, True]
    soft_close_period(period_id=period.pk, actor=maker)
    with pytest.raises(ChecklistOpen) as caught:
        request_period_change(period_id=period.pk, kind="hard_close", actor=maker)
    assert str(items["sweep"].label) in str(caught.value.params["items"])


PAST_THE_SERVICES = (
    (
        "UPDATE settlement_bookperiod SET state = 'soft_closed' WHERE id = %s;"
        " UPDATE settlement_bookperiod SET state = 'hard_closed' WHERE days @> '2026-09-01'::date",
        "23514",
    ),
    (
        "UPDATE settlement_bookperiod SET state = 'hard_closed', closed_at = now(),"
        " closed_by_id = 1, approved_by_id = 1 WHERE id = %s",
        "23L30",
    ),
    (
        "UPDATE settlement_bookperiod SET days = '[2026-01-01,2026-02-01)' WHERE id = %s",
        "42501",
    ),
    ("DELETE FROM settlement_bookperiod WHERE id = %s", "42501"),
    ("TRUNCATE settlement_bookperiod, settlement_journalentry", "42501"),
    (
        "INSERT INTO settlement_bookperiod (book, days, state)"
        " VALUES ('main', '[2027-02-01,2027-03-01)', 'soft_closed')",
        "23L05",
    ),
    (
        "INSERT INTO settlement_bookperiod (book, days, state)"
        " VALUES ('main', '[2026-09-20,2026-10-20)', 'open')",
        "23P01",
    ),
    (
        "INSERT INTO settlement_balancesnapshot (period_id, account_id, debit, credit)"
        " VALUES (%s, 1, 0, 0)",
        "42501",
    ),
)


@committed
def test_a_month_is_not_moved_past_the_services(books) -> None:
    period = month_of(SEPTEMBER)

    for statement, sqlstate in PAST_THE_SERVICES:
        with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
            cursor.execute(statement, [period.pk] if "%s" in statement else [])
        assert caught.value.__cause__.diag.sqlstate == sqlstate
