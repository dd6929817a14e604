"""Payouts and bank reconciliation as reports, and ageing after a payout."""

from datetime import date
from decimal import Decimal

import pytest

from settlement.exports.producing import asked_report, kind_for
from settlement.exports.report import ReportDoesNotTie
from settlement.models import Invoice, InvoiceDirection
from settlement.services.banking.payout_outcomes import reject_payout
from settlement.services.banking.payouts import approve_payout_batch, make_payout_batch
from settlement.services.banking.statements import import_statement
from settlement.services.supplier_invoices import check_supplier_invoice, record_supplier_invoice
from settlement.web.bill_pages import compute_sums
from tests.factories.banking import Booking, bank_account, statement_csv
from tests.integration.settlement.test_invariants import _tamper
from tests.web.desks import Desk

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 23)
MONTH = {"since": "2026-11-01", "until": "2026-12-31"}


@pytest.fixture
def desk() -> Desk:
    """A settled day whose supplier is paid by an approved batch."""
    made = Desk()
    made.selling.bank_name, made.selling.bank_account = "示例银行银川分行", "6222000000009999"
    made.selling.save()
    bank_account(made.people["finance"])
    made.settled()
    statement = Invoice.objects.get(direction=InvoiceDirection.PAYABLE)
    sums = compute_sums(statement)
    tax_number = "26110000000000000001"
    record_supplier_invoice(
        actor=made.supplier,
        invoice_number=statement.number,
        tax_number=tax_number,
        issued_on=DAY,
        amount_cny=sums["amount"],
        vat_cny=sums["vat"],
    )
    check_supplier_invoice(actor=made.people["finance"], tax_number=tax_number, approve=True)
    batch = make_payout_batch(
        actor=made.people["finance"], pay_on=date(2026, 12, 31), profile_code="batch-transfer"
    )
    approve_payout_batch(actor=made.people["second"], batch_public_id=batch.public_id)
    made.payout = batch.payouts.get()
    return made


def rows_of(desk: Desk, code: str, **given: str) -> list[dict[str, object]]:
    """Return the rows of a report by the names of its columns."""
    finance = desk.people["finance"]
    with asked_report(finance, kind_for(finance, code), given) as asked:
        names = [column.name for column in asked.report.columns]
        return [dict(zip(names, row, strict=True)) for row in asked.report.rows]


def test_a_payout_is_listed_by_statement_and_ties_to_the_payables(desk: Desk) -> None:
    statement = Invoice.objects.get(direction=InvoiceDirection.PAYABLE)
    [row] = rows_of(desk, "payouts", **MONTH)

    assert (row["document"], row["paid_cny"]) == (statement.number, statement.gross.amount)
    assert row["compute_cny"] + row["fee_cny"] + row["vat_cny"] == row["gross_cny"]
    _tamper("settlement_payoutitem", "amount_cny = amount_cny + 1")
    with pytest.raises(ReportDoesNotTie):
        rows_of(desk, "payouts", **MONTH)


def test_what_is_paid_leaves_the_ageing_and_what_comes_back_stands_in_it_again(desk: Desk) -> None:
    statement = Invoice.objects.get(direction=InvoiceDirection.PAYABLE)
    day = {"side": "payable", "as_of": "2026-12-31"}
    paid = rows_of(desk, "ageing", **day)
    reject_payout(
        actor=desk.people["finance"], payout_public_id=desk.payout.public_id, reason="账号不符"
    )
    back = rows_of(desk, "ageing", **day)

    assert paid == []
    assert [(r["document"], r["open_cny"]) for r in back] == [
        (statement.number, statement.gross.amount)
    ]


def test_the_bank_agrees_with_the_ledger_or_the_reconciliation_is_withheld(desk: Desk) -> None:
    none_yet = rows_of(desk, "bank-reconciliation", as_of="2026-12-31")
    import_statement(
        actor=desk.people["finance"],
        account_code="MAIN",
        filename="bank.csv",
        data=statement_csv([Booking(DAY, "5000", "X1", name="某公司")]),
    )
    rows = rows_of(desk, "bank-reconciliation", as_of="2026-12-31")
    by_record = {row["record"]: row["amount_cny"] for row in rows}

    assert none_yet == []
    assert by_record["closing"] == Decimal(5000)
    assert by_record["difference"] == 0
    _tamper("settlement_bankstatement", "closing_cny = closing_cny + 1")
    with pytest.raises(ReportDoesNotTie):
        rows_of(desk, "bank-reconciliation", as_of="2026-12-31")
