"""Each table of money refuses, as the role that serves, what its constraints and rights forbid.

The rights are read from the database, so that a table added later is broken on purpose as well; the
constraints are broken one by one with a statement of their own.
"""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.factories.ledger import TODAY, deposit, make_member

pytestmark = pytest.mark.runtime_role

# Tables that keep history, by their triggers; none may be rewritten or emptied.
_HISTORY = """
SELECT c.relname, a.attname FROM pg_trigger g
  JOIN pg_class c ON c.oid = g.tgrelid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 2
 WHERE g.tgname = c.relname || '_keeps_rows' ORDER BY 1
"""
# Functions in which a table of the session's own could come before one of the books.
_PATHLESS = """
SELECT f.proname, f.prosrc FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang
 WHERE f.pronamespace = 'public'::regnamespace AND l.lanname IN ('plpgsql', 'sql')
   AND NOT 'search_path=public, pg_temp' = ANY (coalesce(f.proconfig, '{}'))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                      AND d.objid = f.oid AND d.deptype = 'e')
"""
# Columns of amounts: each needs a bound, which NaN does not pass.
_AMOUNTS = """
SELECT c.relname, a.attname FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
 WHERE c.relname = ANY (%s) AND a.atttypid = 'numeric'::regtype ORDER BY 1, 2
"""
_BOUNDED = (
    "settlement_posting",
    "settlement_hold",
    "settlement_holdevent",
    "settlement_accountbalance",
)

# An entry and its lines are one statement.
ENTRY = (
    "WITH e AS (INSERT INTO settlement_journalentry (public_id, book, kind, effective_on,"
    " period_id, recorded_at, source_type, source_id, idempotency_key, fingerprint, reason,"
    " actor_id, reverses_id, transaction_number) VALUES ({public_id}, 'main', 'test', '{day}',"
    " {period}, now(), 'test', '1', '{key}', 'f', '', {actor}, {reverses}, 0) RETURNING id)"
)
PERIOD = f"(SELECT id FROM settlement_bookperiod WHERE days @> '{TODAY}'::date)"
LINE = (
    "INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)"
    " SELECT max(e.id), {line}, {account}, '{asset}', {amount}, '' FROM {entries} e"
)
BANK = "(SELECT id FROM settlement_account WHERE purpose = 'bank')"
FUNDS = "(SELECT min(id) FROM settlement_account WHERE purpose = 'member_funds')"
METER = (
    "INSERT INTO settlement_account (code, name_zh, name_en, kind, purpose, asset_id, opened_at)"
    " VALUES ('meter', 'x', 'x', 'memo', 'meter', 'WH', now())"
)
IN_WH = {"account": "(SELECT id FROM settlement_account WHERE code = 'meter')", "asset": "WH"}
SMALL = "(SELECT id FROM settlement_journalentry WHERE idempotency_key = 'small')"
TAKEN_BACK = (("1", {"account": FUNDS}), "-1")
HOLD = (
    "INSERT INTO settlement_hold (reference, account_id, placed, remaining, state, source_type,"
    " source_id, recorded_at) VALUES (gen_random_uuid(), {account}, {placed}, {remaining},"
    " '{state}', 'test', '{source}', now())"
)
EVENT = (
    "INSERT INTO settlement_holdevent (hold_id, kind, amount, event_key, recorded_at)"
    " SELECT id, '{kind}', {amount}, '{key}', now() FROM settlement_hold"
)


def _entry(
    *amounts: str | tuple[str, dict[str, str]],
    key: str = "k",
    day: object = TODAY,
    period: str = PERIOD,
    public_id: str = "gen_random_uuid()",
    actor: str = "NULL",
    reverses: str = "NULL",
) -> str:
    header = ENTRY.format(
        key=key,
        day=day,
        period=period,
        public_id=public_id,
        actor=actor,
        reverses=reverses,
    )
    parts = [header]
    for number, given in enumerate(amounts, 1):
        amount, changes = (given, {}) if isinstance(given, str) else given
        line = _line(amount, **{"line": number, **changes}, entries="e")
        parts.append(f"l{number} AS ({line})")
    return f"{', '.join(parts)} SELECT FROM e"


def _line(
    amount: str,
    *,
    line: object = 1,
    account: str = BANK,
    asset: str = "CNY",
    entries: str = "settlement_journalentry",
) -> str:
    return LINE.format(line=line, account=account, asset=asset, amount=amount, entries=entries)


def _hold(
    placed: str, remaining: str, *, state: str = "open", source: str = "s", account: str = FUNDS
) -> str:
    return HOLD.format(
        placed=placed, remaining=remaining, state=state, source=source, account=account
    )


def _event(kind: str, amount: str, key: str = "e") -> str:
    return EVENT.format(kind=kind, amount=amount, key=key)


# Tables of the session's own, which come before those of the books in its search path.
OWN_POSTINGS = (
    "CREATE TEMP TABLE settlement_posting AS SELECT e.id + n AS id, e.id + n AS entry_id"
    " FROM (SELECT max(id) AS id FROM settlement_journalentry) e, generate_series(0, 999) n"
)
OWN_MONTHS = (
    "UPDATE settlement_bookperiod SET state = 'soft_closed';"
    " CREATE TEMP TABLE settlement_bookperiod AS SELECT * FROM public.settlement_bookperiod;"
    " UPDATE pg_temp.settlement_bookperiod SET state = 'open'"
)
DECEMBER = "days @> '2026-12-15'::date"
BY_TWO = "state = 'hard_closed', closed_by_id = 1, approved_by_id = 2, closed_at = now()"


def _closed(how: str, month: str = f"days @> '{TODAY}'::date") -> str:
    softly = f"UPDATE settlement_bookperiod SET state = 'soft_closed' WHERE {month}"
    return f"{softly}; UPDATE settlement_bookperiod SET {how} WHERE {month}"


# (what is broken, the statement, SQLSTATE or the name of the constraint)
GUARDS = [
    ("entry without postings", _entry(), "23L01"),
    ("entry with one posting", _entry("1"), "23L01"),
    ("entry that is off", _entry("1", "-0.99"), "23L01"),
    ("entry balanced over two assets", f"{METER}; {_entry('1', ('-1', IN_WH))}", "23L01"),
    ("lines into an entry of this transaction that do not balance",
     f"{_entry('1', '-1')}; {_line('1', line=3)}", "23L01"),
    ("entry without postings beside a table that says it has some", f"{OWN_POSTINGS}; {_entry()}",
     "23L01"),
    ("entry of a closed month beside a table that says it is open",
     f"{OWN_MONTHS}; {_entry('1', '-1')}", "23L05"),
    ("public id twice",
     _entry("1", "-1", public_id="(SELECT public_id FROM settlement_journalentry LIMIT 1)"),
     "public_id"),
    ("entry of nobody that is known", _entry("1", "-1", actor="0"), "23503"),
    ("entry that takes back what is not", _entry("1", "-1", reverses="0"), "23503"),
    ("entry taken back twice",
     f"{_entry(*TAKEN_BACK, reverses=SMALL)}; {_entry(*TAKEN_BACK, key='l', reverses=SMALL)}",
     "entry_taken_back_once"),
    ("posting into an old entry", _line("1", line=9), "23L02"),
    ("amount below a fen", _entry("0.001", "-0.001"), "23L03"),
    ("amount NaN", _entry("'NaN'"), "posting_amount_sane"),
    ("amount zero", _entry("0"), "posting_amount_sane"),
    ("amount too large", _entry("1000000000000"), "posting_amount_sane"),
    ("amount infinite", _entry("'Infinity'"), "22003"),
    ("asset of another account",
     _entry(("1", {"asset": "WH"}), ("-1", {"asset": "WH"})), "posting_account_asset"),
    ("account that is not", _entry(("1", {"account": "0"}), "-1"), "posting_account_asset"),
    ("posting without an entry",
     "INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)"
     f" VALUES (0, 1, {BANK}, 'CNY', 1, '')", "posting_entry"),
    ("account taken away", f"DELETE FROM settlement_account WHERE id = {FUNDS}", "23001"),
    ("asset of an account", "UPDATE settlement_account SET asset_id = 'WH'", "23001"),
    ("number of an account", "UPDATE settlement_account SET id = id + 1000000", "23001"),
    ("a line twice", _entry("1", ("-1", {"line": "1"})), "posting_line_unique"),
    ("key twice", _entry("1", "-1", key="first"), "entry_once"),
    ("day outside of the month", _entry(day="2026-12-24"), "23L05"),
    ("month that is not", _entry(period="0"), "23503"),
    ("more than is free", _entry(("100.01", {"account": FUNDS}), "-100.01"),
     "available_not_negative"),
    ("hold beyond the funds", _hold("100.01", "100.01"), "available_not_negative"),
    ("hold that begins cut", _hold("5", "4"), "23L07"),
    ("hold that begins ended", _hold("5", "0", state="released"), "23L07"),
    ("hold of NaN", _hold("'NaN'", "'NaN'"), "hold_sane"),
    ("hold of nothing", _hold("0", "0"), "hold_"),
    ("hold open with nothing left", _hold("5", "0"), "hold_ends_when_nothing_remains"),
    ("second hold of a source", _hold("5", "5", source="open"), "one_hold_per_source"),
    ("capture above the hold", _event("capture", "10.01"), "23L07"),
    ("release after the end", f"{_event('release', '10')}; {_event('release', '1', 'f')}", "23L07"),
    ("second placing", _event("place", "10"), "hold_placed_once"),
    ("event of NaN", _event("release", "'NaN'"), "hold_event_sane"),
    ("event below zero", _event("release", "-1"), "hold_event_sane"),
    ("event key twice", f"{_event('release', '1')}; {_event('release', '1')}", "event_key"),
    ("credit limit of NaN", "UPDATE settlement_accountbalance SET credit_limit = 'NaN'", "23514"),
    ("credit limit below zero", "UPDATE settlement_accountbalance SET credit_limit = -1",
     "balance_figures_sane"),
    ("second account of a purpose",
     "INSERT INTO settlement_account (code, name_zh, name_en, kind, purpose, asset_id, opened_at)"
     " VALUES ('x', 'x', 'x', 'asset', 'bank', 'CNY', now())", "account_purpose_unique"),
    ("overlapping months",
     "INSERT INTO settlement_bookperiod (book, days, state)"
     " VALUES ('main', '[2026-11-15,2026-12-15)', 'open')", "book_periods_do_not_overlap"),
    ("month closed for good at once", f"UPDATE settlement_bookperiod SET {BY_TWO}", "23L30"),
    ("month closed for good by nobody", _closed("state = 'hard_closed'"),
     "hard_close_takes_two_persons"),
    ("month closed before the one before it",
     "INSERT INTO settlement_bookperiod (book, days, state)"
     f" VALUES ('main', '[2026-12-01,2027-01-01)', 'open'); {_closed(BY_TWO, DECEMBER)}", "23L31"),
    ("month closed on an old picture",
     f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {_closed(BY_TWO)}", "23L32"),
    ("balances by hand", "UPDATE settlement_accountbalance SET credit = 1000", "42501"),
    ("holds by hand", "UPDATE settlement_hold SET remaining = 1", "42501"),
    ("snapshots by hand",
     "INSERT INTO settlement_balancesnapshot (period_id, account_id, debit, credit)"
     " VALUES (1, 1, 0, 0)", "42501"),
    ("triggers switched off", "ALTER TABLE settlement_posting DISABLE TRIGGER ALL", "42501"),
    ("functions replaced",
     "CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql AS"
     " $$ BEGIN RETURN NULL; END $$", "42501"),
    ("triggers skipped", "SET session_replication_role = replica", "42501"),
]  # fmt: skip


def _refusal(statement: str) -> str:
    """Return by what a statement is refused, its deferred rules included."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except DatabaseError as error:
        diagnosis = error.__cause__.diag
        return f"{diagnosis.sqlstate} {diagnosis.constraint_name or ''}"
    return "taken"


@pytest.fixture
def books() -> None:
    """A member with 101.00, 10.00 of it held."""
    member = make_member()
    deposit(member, "100", key="first")
    deposit(member, "1", key="small")
    with connection.cursor() as cursor:
        cursor.execute(_hold("10", "10", source="open"))


@pytest.mark.usefixtures("books")
def test_each_guard_is_broken_on_purpose_and_refuses() -> None:
    """S-16: NaN and all else that SQL can try is refused by the database."""
    wrong = {what: got for what, statement, by in GUARDS if by not in (got := _refusal(statement))}

    assert wrong == {}


@pytest.mark.usefixtures("books")
def test_no_history_is_rewritten_deleted_or_emptied() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY)
        tables = cursor.fetchall()

    taken = [
        statement
        for table, column in tables
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        )
        if not _refusal(statement).startswith("42501")
    ]

    assert len(tables) > 20
    assert taken == []


def test_every_function_that_asks_a_table_names_its_path() -> None:
    """A function made anew loses its path; this finds it, whichever migration made it."""
    with connection.cursor() as cursor:
        cursor.execute(_PATHLESS)
        pathless = dict(cursor.fetchall())

    assert set(pathless) == {"ledger_stamp_entry"}
    assert "settlement_" not in pathless["ledger_stamp_entry"]


@pytest.mark.usefixtures("books")
def test_every_amount_of_the_ledger_has_a_bound_that_refuses_nan() -> None:
    """Rows that are there already would break the check, were the column NaN."""
    with connection.cursor() as cursor:
        cursor.execute(_AMOUNTS, [list(_BOUNDED)])
        columns = cursor.fetchall()
        unbounded = []
        for table, column in columns:
            cursor.execute(
                "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint"
                " WHERE conrelid = %s::regclass AND contype = 'c'",
                [table],
            )
            rules = cursor.fetchone()[0]
            if f"{column} < " not in rules and f"{column} <= " not in rules:
                unbounded.append((table, column))

    assert len(columns) == 8
    assert unbounded == []
