"""Each guarantee of the ledger, broken on purpose, with real commits as the role that serves."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.utils import timezone

from settlement.models import (
    Account,
    AccountBalance,
    BookPeriod,
    Hold,
    HoldEvent,
    JournalEntry,
    PeriodState,
    Posting,
)
from settlement.services.accounts import account_for
from tests.factories.ledger import TODAY, deposit, make_member

pytestmark = pytest.mark.runtime_role


_ENTRY = """
WITH entry AS (
    INSERT INTO settlement_journalentry (
        public_id, book, kind, effective_on, period_id, recorded_at, source_type, source_id,
        idempotency_key, fingerprint, reason, reverses_id, transaction_number
    ) SELECT gen_random_uuid(), 'main', 'test', %(day)s, p.id, '2000-01-01Z', 'test', '1',
             %(key)s, 'f', '', %(reverses)s, 4711
        FROM settlement_bookperiod p WHERE p.days @> %(month_of)s::date
    RETURNING id
)
INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)
SELECT entry.id, l.line, l.account, l.asset, l.amount, ''
  FROM entry, unnest(%(accounts)s::bigint[], %(assets)s::text[], %(amounts)s::numeric[])
       WITH ORDINALITY AS l (account, asset, amount, line)
"""


def _commit_entry(
    key: str,
    lines: list[tuple[Account, str]],
    *,
    day: date = TODAY,
    reverses: JournalEntry | None = None,
) -> None:
    """Write an entry and its postings, past the service and the functions."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ENTRY,
            {
                "day": day,
                "month_of": TODAY,
                "key": key,
                "reverses": reverses and reverses.pk,
                "accounts": [account.pk for account, _amount in lines],
                "assets": [account.asset_id for account, _amount in lines],
                "amounts": [amount for _account, amount in lines],
            },
        )


def _sqlstate(caught: pytest.ExceptionInfo[DatabaseError]) -> str:
    return caught.value.__cause__.diag.sqlstate


def test_an_unbalanced_entry_is_refused() -> None:
    member = make_member(funds="100")
    funds = account_for("member_funds", organisation=member)

    with pytest.raises(IntegrityError) as caught:
        _commit_entry("unbalanced", [(account_for("bank"), "5"), (funds, "-4.99")])

    assert _sqlstate(caught) == "23L01"
    assert not JournalEntry.objects.filter(idempotency_key="unbalanced").exists()
    assert AccountBalance.objects.get(account=funds).credit == 100


@pytest.mark.parametrize("amounts", [[], ["1"]])
def test_an_entry_with_fewer_than_two_postings_is_refused(amounts: list[str]) -> None:
    make_member(funds="1")

    with pytest.raises(IntegrityError) as caught:
        _commit_entry("thin", [(account_for("bank"), amount) for amount in amounts])

    assert _sqlstate(caught) == "23L01"


def test_an_entry_is_stamped_by_the_database_whatever_it_says() -> None:
    make_member(funds="1")
    before = timezone.now()

    _commit_entry("stamped", [(account_for("bank"), "1"), (account_for("rounding"), "-1")])

    entry = JournalEntry.objects.get(idempotency_key="stamped")
    assert abs(entry.recorded_at - before) < timedelta(minutes=1)
    assert entry.transaction_number != 4711


def test_a_committed_entry_takes_no_more_postings() -> None:
    entry = deposit(make_member(), "100")

    bank, rounding = account_for("bank"), account_for("rounding")

    with pytest.raises(IntegrityError) as caught:
        Posting.objects.bulk_create(
            [
                Posting(entry=entry, line=3, account=bank, asset_id="CNY", amount=1),
                Posting(entry=entry, line=4, account=rounding, asset_id="CNY", amount=-1),
            ]
        )

    assert _sqlstate(caught) == "23L02"
    assert entry.postings.count() == 2


@pytest.mark.parametrize("amount", ["NaN", "1000000000000", "-1000000000000", "0"])
def test_an_amount_outside_the_bounds_is_refused(amount: str) -> None:
    make_member(funds="1")

    with pytest.raises(IntegrityError, match="posting_amount_sane"):
        _commit_entry("insane", [(account_for("bank"), amount)])


def test_an_infinite_amount_does_not_fit_the_column() -> None:
    make_member(funds="1")

    with pytest.raises(DatabaseError) as caught:
        _commit_entry("infinite", [(account_for("bank"), "Infinity")])

    assert _sqlstate(caught) == "22003"  # numeric_value_out_of_range


def test_an_amount_finer_than_its_asset_is_refused() -> None:
    make_member(funds="1")

    with pytest.raises(IntegrityError) as caught:
        _commit_entry("fine", [(account_for("bank"), "0.001")])

    assert _sqlstate(caught) == "23L03"


def test_a_posting_in_another_asset_than_its_accounts_is_refused() -> None:
    make_member(funds="1")

    stranger = account_for("bank")
    stranger.asset_id = "WH"

    with pytest.raises(IntegrityError, match="posting_account_asset"):
        _commit_entry("asset", [(stranger, "1"), (stranger, "-1")])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement_journalentry SET reason = 'x'",
        "DELETE FROM settlement_journalentry",
        "UPDATE settlement_posting SET amount = 1",
        "DELETE FROM settlement_posting",
        "TRUNCATE settlement_posting",
        "UPDATE settlement_holdevent SET amount = 1",
        "DELETE FROM settlement_holdevent",
        "UPDATE settlement_hold SET remaining = 1",
        "DELETE FROM settlement_hold",
        "UPDATE settlement_accountbalance SET credit = 1000000",
        "UPDATE settlement_accountbalance SET pending = 0",
        "DELETE FROM settlement_accountbalance",
        "UPDATE settlement_ratedline SET buyer_net_cny = 0",
        "UPDATE settlement_meterreading SET quantity = 0",
        "DELETE FROM settlement_invoiceline",
        "UPDATE settlement_invoice SET number = 'x'",
        "DELETE FROM settlement_invoice",
        "DELETE FROM settlement_emissionrecord",
        "DELETE FROM settlement_ledgerblock",
    ],
)
def test_the_runtime_role_has_no_right_to_rewrite(statement: str) -> None:
    make_member(funds="100")

    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute(statement)

    assert _sqlstate(caught) == "42501"  # insufficient_privilege


def test_an_entry_outside_its_period_or_in_a_closed_one_is_refused() -> None:
    make_member(funds="100")
    period = BookPeriod.objects.get(days__contains=TODAY)

    lines = [(account_for("bank"), "1"), (account_for("rounding"), "-1")]

    with pytest.raises(IntegrityError) as outside:
        _commit_entry("outside", lines, day=TODAY.replace(month=12))
    BookPeriod.objects.filter(pk=period.pk).update(state=PeriodState.SOFT_CLOSED)
    with pytest.raises(IntegrityError) as closed:
        _commit_entry("closed", lines)

    assert _sqlstate(outside) == "23L05"
    assert _sqlstate(closed) == "23L05"


def test_a_reversal_that_is_not_the_negation_fails_at_commit() -> None:
    entry = deposit(make_member(), "100")

    lines = [(account_for("rounding"), "99"), (account_for("bank"), "-99")]

    with pytest.raises(IntegrityError) as caught:
        _commit_entry("wrong-reversal", lines, reverses=entry)

    assert _sqlstate(caught) == "23L06"


def test_a_balance_below_what_is_free_is_refused() -> None:
    member = make_member(funds="10")
    funds = account_for("member_funds", organisation=member)

    with pytest.raises(IntegrityError, match="available_not_negative"):
        _commit_entry("overdraw", [(funds, "10.01"), (account_for("bank"), "-10.01")])


def _open_hold(amount: str) -> Hold:
    funds = account_for("member_funds", organisation=make_member(funds="100"))
    return Hold.objects.create(
        account=funds, placed=amount, remaining=amount, source_type="test", source_id=str(funds.pk)
    )


def test_a_hold_writes_its_first_event_and_the_pending_balance() -> None:
    hold = _open_hold("40")

    assert [(e.kind, e.amount) for e in hold.events.all()] == [("place", 40)]
    assert AccountBalance.objects.get(account=hold.account_id).pending == 40


def test_a_hold_moves_down_and_ends_once() -> None:
    hold = _open_hold("40")

    HoldEvent.objects.create(hold=hold, kind="release", amount="15", event_key="a")
    hold.refresh_from_db()
    assert (hold.remaining, hold.state) == (25, "open")
    HoldEvent.objects.create(hold=hold, kind="capture", amount="25", event_key="b")
    hold.refresh_from_db()
    assert (hold.remaining, hold.state) == (0, "captured")
    with pytest.raises(IntegrityError) as caught:
        HoldEvent.objects.create(hold=hold, kind="release", amount="1", event_key="c")

    assert _sqlstate(caught) == "23L07"
    assert AccountBalance.objects.get(account=hold.account_id).pending == 0


def _event(hold: Hold, kind: str, amount: str, key: str) -> HoldEvent:
    return HoldEvent(hold=hold, kind=kind, amount=amount, event_key=key)


def test_events_of_many_holds_in_one_statement_are_all_carried() -> None:
    twice, once, other = _open_hold("40"), _open_hold("30"), _open_hold("20")
    versions = [AccountBalance.objects.get(account=h.account_id).version for h in (twice, once)]

    HoldEvent.objects.bulk_create(
        [
            _event(twice, "release", "15", "a"),
            _event(once, "expire", "30", "b"),
            _event(twice, "capture", "25", "c"),
            _event(other, "release", "5", "d"),
        ]
    )

    held = Hold.objects.in_bulk([twice.pk, once.pk, other.pk])
    assert [(h.remaining, h.state) for h in map(held.get, (twice.pk, once.pk, other.pk))] == [
        (0, "captured"),
        (0, "expired"),
        (15, "open"),
    ]
    found = [AccountBalance.objects.get(account=h.account_id) for h in (twice, once, other)]
    assert [balance.pending for balance in found] == [0, 0, 15]
    assert [found[0].version - versions[0], found[1].version - versions[1]] == [2, 1]


def test_one_event_too_many_refuses_the_whole_statement() -> None:
    good, bad = _open_hold("40"), _open_hold("30")
    wrong = [
        [_event(good, "release", "40", "a"), _event(bad, "release", "30.01", "b")],
        [_event(good, "release", "30", "a"), _event(good, "release", "11", "b")],
        [_event(bad, "release", "30", "a"), _event(bad, "capture", "1", "b")],
        [_event(good, "release", "1", "a"), HoldEvent(hold_id=0, kind="expire", amount=1)],
    ]
    for events in wrong:
        with pytest.raises(IntegrityError) as caught:
            HoldEvent.objects.bulk_create(events)
        assert _sqlstate(caught) == "23L07"

    for hold, left in ((good, 40), (bad, 30)):
        hold.refresh_from_db()
        assert (hold.remaining, hold.state) == (left, "open")
        assert AccountBalance.objects.get(account=hold.account_id).pending == left


@pytest.mark.parametrize(
    ("kind", "amount"), [("capture", "40.01"), ("release", "41"), ("place", "40")]
)
def test_a_hold_event_beyond_what_remains_or_a_second_placing_is_refused(
    kind: str, amount: str
) -> None:
    hold = _open_hold("40")

    with pytest.raises(IntegrityError):
        HoldEvent.objects.create(hold=hold, kind=kind, amount=amount, event_key="x")

    hold.refresh_from_db()
    assert (hold.remaining, hold.state) == (40, "open")
    assert AccountBalance.objects.get(account=hold.account_id).pending == 40


def test_a_hold_that_begins_ended_or_cut_is_refused() -> None:
    funds = account_for("member_funds", organisation=make_member(funds="100"))

    with pytest.raises(IntegrityError) as caught:
        Hold.objects.create(
            account=funds, placed=5, remaining=4, source_type="test", source_id="cut"
        )

    assert _sqlstate(caught) == "23L07"


def test_more_than_the_free_funds_cannot_be_held() -> None:
    funds = account_for("member_funds", organisation=make_member(funds="100"))

    with pytest.raises(IntegrityError, match="available_not_negative"):
        Hold.objects.create(
            account=funds, placed="100.01", remaining="100.01", source_type="test", source_id="big"
        )
