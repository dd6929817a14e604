"""Each trigger of the books is run into on purpose by the serving role.

The functions behind the triggers are read from the catalogue: one that is added later fails here
until it is named with the row, or the test, that breaks it.
"""

from pathlib import Path

import pytest
from django.db import connection

from tests.integration.settlement.breaking import RowMaker, read_table, refused_by
from tests.integration.settlement.test_every_constraint import GIVEN

pytestmark = pytest.mark.runtime_role
HERE = Path(__file__).parent
MADE_UP = "900000001"

_FUNCTIONS = """
SELECT p.proname, array_agg(DISTINCT c.relname::text) FROM pg_trigger g
  JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid
 WHERE NOT g.tgisinternal AND c.relname LIKE 'settlement\\_%'
   AND p.proname <> 'refuse_rewrite' GROUP BY 1 ORDER BY 1
"""
# Function -> a row it refuses: table, values, state, and the constraint trigger asked at once.
ROWS = {
    "case_moves_as_listed": ("dispute", {"state": "ruled"}, "23L21", ""),
    "factor_value_while_proposed": ("factorvalue", {}, "23001", ""),
    "ledger_apply_hold_event": ("holdevent", {}, "23L07", ""),
    "ledger_guard_period": ("bookperiod", {"state": "soft_closed"}, "23L05", ""),
    "ledger_open_hold": ("hold", {"placed": "2", "remaining": "1"}, "23L07", ""),
    "netting_takes_obligation": ("obligation", {}, "23L10", ""),
    "recognition_count_cap": ("recognitionevent", {"version_id": MADE_UP}, "23L09", ""),
    "reading_revises_interval": ("meterreading", {"revision": "2"}, "23L08", ""),
    "registry_apply_line": ("unitmovementline", {}, "23R01", ""),
    "registry_check_allocation": ("claimallocation", {}, "23R08", ""),
    "registry_check_cover": ("unitbatch", {}, "23R06", "batch_covered"),
    "registry_check_retirement": ("retirement", {}, "23R07", "retirement_matches"),
    "statement_continues_last": ("emissionstatement", {"version": "2"}, "23L11", ""),
}
# Rows that must be there before a row is refused for what they say.
BEFORE = {"recognitionevent": "agreementversion"}
# Functions that keep what was written: a made-up row is neither deleted nor written anew.
KEEPERS = {
    "adjustment_keeps_content": "adjustment",
    "agreement_version_keeps_terms": "agreementversion",
    "counter_reset_keeps_content": "counterreset",
    "document_keeps_content": "contract",
    "factor_set_decided_once": "factorset",
    "invoice_keeps_content": "invoice",
    "meter_key_keeps_content": "meterkey",
    "netting_carried_out_once": "deliveryinstruction",
    "netting_cycle_goes_on": "nettingcycle",
}
# Function -> the test that runs into it with rows of a real market.
ELSEWHERE = {
    "bank_line_not_exceeded": "banking/test_bank.py",
    "ledger_apply_postings": "test_every_guard.py",
    "ledger_check_entries": "test_every_guard.py",
    "ledger_check_reversal": "test_ledger_guards.py",
    "ledger_keep_account": "test_every_guard.py",
    "ledger_snapshot_period": "test_every_guard.py",
    "ledger_stamp_entry": "test_ledger_guards.py",
    "registry_check_bundle": "test_granular.py",
    "registry_check_granular": "test_granular.py",
    "registry_guard_range": "test_registry_end_states.py",
    "slices_within_batch": "carbon/test_certificates.py",
}


def _functions() -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(_FUNCTIONS)
        return dict(cursor.fetchall())


def _maker(table: str, changes: dict[str, str]) -> RowMaker:
    name = f"settlement_{table}"
    return RowMaker(read_table(name), {**GIVEN.get(name, {}), **changes})


def test_every_function_behind_a_trigger_is_named_here() -> None:
    known = {**ROWS, **KEEPERS, **ELSEWHERE}

    assert set(_functions()) == set(known)
    assert [file for file in ELSEWHERE.values() if not (HERE / file).exists()] == []


def test_each_trigger_refuses_the_row_made_up_for_it() -> None:
    wrong = {}
    for function, (table, changes, state, at_once) in ROWS.items():
        maker = _maker(table, changes)
        asked = [f'SET CONSTRAINTS "{at_once}" IMMEDIATE'] if at_once else []
        parent = _maker(BEFORE[table], {}) if table in BEFORE else None
        before = [parent.insert(parent.row)] if parent else []
        answer = refused_by(*before, maker.insert(maker.row), *asked)
        if answer[0] != state:
            wrong[function] = answer

    assert wrong == {}


def test_what_was_written_is_kept() -> None:
    """Every table with a keeper is asked, not one for each function."""
    wrong = {}
    functions = _functions()
    for function in KEEPERS:
        for table in functions[function]:
            maker = RowMaker(read_table(table), GIVEN.get(table))
            insert = maker.insert(maker.row)
            names = {column.name for column in maker.table.columns.values()}
            changed = "public_id = gen_random_uuid()" if "public_id" in names else "id = id + 1"
            for attempt in (
                f"DELETE FROM {table} WHERE id = {MADE_UP}",
                f"UPDATE {table} SET {changed} WHERE id = {MADE_UP}",
            ):
                answer = refused_by(insert, attempt)
                if answer[0] not in ("23001", "42501") and not answer[0].startswith("23L"):
                    wrong[f"{table}: {attempt[:6]}"] = answer

    assert wrong == {}
