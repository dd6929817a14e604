"""Every check, unique key, exclusion and foreign key of the books is broken by the serving role.

The rules are read from the database's catalogue, so one that is added later is broken as well; what
nothing here can break must be named below with the test that does.
"""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.integration.settlement.breaking import RowMaker, Table, read_table, refused_by

pytestmark = pytest.mark.runtime_role

# Values that the triggers of a table ask of a new row.
GIVEN = {
    "settlement_bookperiod": {"state": "open", "days": "[2030-01-01,2030-02-01)"},
    "settlement_defaultcase": {"state": "entered"},
    "settlement_dispute": {"state": "opened"},
    "settlement_disputeruling": {"state": "entered"},
    "settlement_emissionstatement": {"version": "1"},
    "settlement_factorvalue": {"factor_set_id": "900000001"},
    "settlement_journalentry": {"period_id": "900000001", "effective_on": "2030-01-15"},
    "settlement_obligation": {"cycle_id": "900000001"},
    "settlement_retirementline": {"serials": "[1,5)", "units": "4"},
    "settlement_securitydeposit": {"state": "entered"},
    "settlement_voucher": {"state": "entered"},
    "settlement_voucherprogramme": {"state": "entered"},
    "settlement_factorset": {"state": "proposed"},
    "settlement_nettingcycle": {"state": "open"},
}
# Rows that must be there before, made up as well; their ids are 900000001.
PARENTS = {
    "settlement_factorvalue": "settlement_factorset",
    "settlement_journalentry": "settlement_bookperiod",
    "settlement_obligation": "settlement_nettingcycle",
}
# Triggers that look into other tables stop a made-up row first, with this state; what they leave of
# the rules of these tables is broken in `test_every_guard` and `test_registry_guards`.
STOPPED_BEFORE = {
    "settlement_claimallocation": "23R08",
    "settlement_emissionstatement": "23L11",
    "settlement_hold": "23L07",
    "settlement_holdevent": "23L07",
    "settlement_journalentry": "23L01",
    "settlement_posting": "23503",
    "settlement_recognitionevent": "23502",
    "settlement_unitmovementline": "23R01",
}

# Rules that a made-up row does not reach, and the test that breaks them.
BROKEN_ELSEWHERE = {
    "hard_close_takes_two_persons": "test_every_guard.py",
    "readings_do_not_overlap": "test_metering.py",
    "voucher_used_up_is_empty": "cases/test_guards.py",
}

_TABLES = """
SELECT relname FROM pg_class
 WHERE relkind = 'r' AND relname LIKE 'settlement\\_%' ORDER BY relname
"""


def _tables() -> Iterator[Table]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        names = [row[0] for row in cursor.fetchall()]
    for name in names:
        yield read_table(name)


class Breaker:
    """Breaks the rules of one table, one after the other."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.maker = RowMaker(table, GIVEN.get(table.name))
        parent = PARENTS.get(table.name)
        self.before = []
        if parent:
            maker = RowMaker(read_table(parent), GIVEN[parent])
            self.before = [maker.insert(maker.row)]

    def results(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield each rule with what refused the row that breaks it."""
        for name in self.table.checks:
            rows = self.maker.breaking(name)
            answers = [refused_by(*self.before, self.maker.insert(row)) for row in rows]
            by_name = [answer for answer in answers if answer == ("23514", name)]
            yield name, (by_name or answers or [("nothing breaks it", "")])[0]
        for name in self.table.keys:
            yield name, self.maker.break_key(name, self.before)
        for name, columns in self.table.foreign_keys.items():
            row = self.maker.with_values(columns)
            at_once = f'SET CONSTRAINTS "{name}" IMMEDIATE'
            yield name, refused_by(*self.before, self.maker.insert(row), at_once)

    def is_refused(self, name: str, answer: tuple[str, str]) -> bool:
        """Tell whether a refusal is the rule's, or comes before it for a good reason."""
        state, by = answer
        return (
            by == name
            or (state == "42501" and by.startswith("permission denied for table"))
            or state == STOPPED_BEFORE.get(self.table.name)
            or self.maker.covered(name, by)
            or (name in self.table.foreign_keys and bool(self.before))
        )


def test_each_rule_of_each_table_refuses_the_row_that_breaks_it() -> None:
    wrong: dict[str, tuple[str, str]] = {}
    rules = by_itself = 0
    for table in _tables():
        breaker = Breaker(table)
        for name, answer in breaker.results():
            rules += 1
            by_itself += answer[1] == name
            if name not in BROKEN_ELSEWHERE and not breaker.is_refused(name, answer):
                wrong[f"{table.name}.{name}"] = answer

    assert wrong == {}
    assert by_itself > 0.9 * rules
