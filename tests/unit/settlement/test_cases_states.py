"""The database lets states of cases move exactly as their tables say."""

import re
from pathlib import Path

import pytest

from settlement.models import (
    DEFAULT_TRANSITIONS,
    DISPUTE_TRANSITIONS,
    REQUEST_TRANSITIONS,
    SECURITY_DEPOSIT_TRANSITIONS,
    VOUCHER_PROGRAMME_TRANSITIONS,
    VOUCHER_TRANSITIONS,
)

SQL = Path(__file__).parents[3] / "settlement" / "migrations" / "sql" / "cases.sql"
TABLES = {
    "settlement_dispute": DISPUTE_TRANSITIONS,
    "settlement_disputeruling": REQUEST_TRANSITIONS,
    "settlement_voucherprogramme": VOUCHER_PROGRAMME_TRANSITIONS,
    "settlement_voucher": VOUCHER_TRANSITIONS,
    "settlement_defaultcase": DEFAULT_TRANSITIONS,
    "settlement_securitydeposit": SECURITY_DEPOSIT_TRANSITIONS,
}


def _listed(table: str) -> set[str]:
    text = SQL.read_text(encoding="utf-8")
    match = re.search(rf"ON {table}\s.*?case_moves_as_listed\((.*?)\)", text, re.DOTALL)
    assert match
    return {step for step in re.findall(r"'([^']+)'", match[1]) if ">" in step}


@pytest.mark.parametrize("table", TABLES)
def test_the_trigger_lists_the_table(table: str) -> None:
    transitions = TABLES[table]
    steps = {
        f"{source.value}>{target.value}"
        for source in transitions.enum
        for target in transitions.targets(source)
    }

    assert _listed(table) == steps
