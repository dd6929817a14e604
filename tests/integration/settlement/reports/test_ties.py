"""Every report is withheld when a row was slipped past the guards: each tie finds its own kind."""

import pytest
from django.db import connection

from settlement.exports.producing import asked_report, kind_for
from settlement.exports.report import ReportDoesNotTie
from tests.integration.settlement.test_invariants import _tamper, _without_guards
from tests.web.desks import Desk

pytestmark = pytest.mark.django_db

# A posting that nobody balanced, on the account of a purpose.
_POSTING = """
INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)
SELECT (SELECT max(p.entry_id) FROM settlement_posting p JOIN settlement_account b
          ON b.id = p.account_id AND b.purpose = %(purpose)s), 99, a.id, 'CNY', 0.01, ''
  FROM settlement_account a WHERE a.purpose = %(purpose)s ORDER BY a.id LIMIT 1
"""
_CASES = [
    ("statement", "settlement_invoice", "vat = vat + 1, gross = gross + 1", "documents"),
    ("bill-register", "settlement_invoiceline", "net_cny = net_cny + 1", "documents"),
    ("bill-lines", "settlement_invoice", "net = net + 1, gross = gross + 1", "documents"),
    ("tax-summary", "settlement_invoiceline", "vat_cny = vat_cny + 1", "output"),
    ("ageing", "settlement_invoice", "net = net + 1, gross = gross + 1", "documents"),
    ("platform-revenue", "settlement_invoiceline", "net_cny = net_cny + 1", "fees_receivable"),
    ("collateral", "settlement_accountbalance", "credit = credit + 1", "deposit"),
    ("focus", "settlement_invoiceline", "net_cny = net_cny + 1", "receivable"),
]


def _refusal(desk: Desk, code: str, **given: str) -> str:
    finance = desk.people["finance"]
    if code in {"statement", "focus"}:
        given = {"member": desk.buying.code, **given}
    with (
        pytest.raises(ReportDoesNotTie) as refused,
        asked_report(finance, kind_for(finance, code), given),
    ):
        pass
    return str(refused.value.params["name"])


@pytest.mark.parametrize(("code", "table", "change", "tie"), _CASES)
def test_a_changed_row_withholds_the_report(code: str, table: str, change: str, tie: str) -> None:
    desk = Desk().settled()
    _tamper(table, change)

    assert _refusal(desk, code) == tie


@pytest.mark.parametrize(
    ("code", "purpose", "tie"),
    [
        ("trial-balance", "bank", "debit_credit:CNY"),
        ("journal", "bank", "debit_credit:CNY"),
        ("statement", "member_funds", "documents"),
        ("bill-register", "vat_output", "input_tax"),
        ("tax-summary", "vat_output", "output"),
        ("platform-revenue", "fee_income", "fee_income"),
        ("ageing", "supplier_payable", "ledger"),
        ("collateral", "member_funds", "deposit"),
    ],
)
def test_an_inserted_posting_withholds_the_report(code: str, purpose: str, tie: str) -> None:
    desk = Desk().settled()
    with _without_guards("settlement_posting"), connection.cursor() as cursor:
        cursor.execute(_POSTING, {"purpose": purpose})

    assert _refusal(desk, code).startswith(tie.split(":")[0])


def test_a_missing_number_withholds_the_register() -> None:
    desk = Desk().settled()
    _tamper(
        "settlement_invoice",
        "number = CASE direction WHEN 'payable' THEN left(number, 11) || '000007' ELSE number END",
    )

    assert _refusal(desk, "bill-register").startswith("numbers:")


def test_a_changed_entry_withholds_the_audit_trail() -> None:
    desk = Desk().settled()
    with _without_guards("settlement_ledgerblock"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO settlement_ledgerblock (number, first_entry_id, last_entry_id,"
            " entry_count, sums, previous_hash, block_hash, algorithm, format_version, recorded_at)"
            " SELECT 1, min(id), max(id), count(*), '{}', repeat('0', 64), repeat('1', 64),"
            " 'sha256', 1, now() FROM settlement_journalentry"
        )

    assert _refusal(desk, "audit-trail") == "chain"
