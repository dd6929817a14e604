"""Payout batches: two persons, tax invoice, dispute, bank confirmation, return."""

from datetime import date
from decimal import Decimal

import pytest

from settlement.models import (
    BankMatch,
    Invoice,
    InvoiceDirection,
    InvoiceState,
    Payout,
    PayoutBatchState,
    PayoutState,
)
from settlement.selectors.banking.payables import open_payables
from settlement.services.banking.matching import confirm_match, undo_match
from settlement.services.banking.payout_outcomes import reject_payout
from settlement.services.banking.payouts import (
    LedgerNotTrusted,
    NothingToPay,
    approve_payout_batch,
    make_payout_batch,
    refuse_payout_batch,
)
from settlement.services.banking.statements import import_statement
from settlement.services.funds_requests import SamePerson
from settlement.services.invariants import broken_invariants
from settlement.services.supplier_invoices import check_supplier_invoice, record_supplier_invoice
from settlement.web.bill_pages import compute_sums
from tests.factories.banking import Booking, statement_csv

TAX_NUMBER = "26110000000000000001"
PAY_ON = date(2026, 12, 31)
DAY = date(2026, 11, 23)


@pytest.fixture
def ready(desk):
    """A settled day whose supplier's tax invoice is checked."""
    desk.settled()
    statement = Invoice.objects.get(direction=InvoiceDirection.PAYABLE)
    sums = compute_sums(statement)
    record_supplier_invoice(
        actor=desk.supplier,
        invoice_number=statement.number,
        tax_number=TAX_NUMBER,
        issued_on=DAY,
        amount_cny=sums["amount"],
        vat_cny=sums["vat"],
    )
    check_supplier_invoice(actor=desk.people["finance"], tax_number=TAX_NUMBER, approve=True)
    desk.statement = statement
    return desk


def make(desk):
    return make_payout_batch(
        actor=desk.people["finance"], pay_on=PAY_ON, profile_code="batch-transfer"
    )


def bank(desk, bookings, opening="0"):
    return import_statement(
        actor=desk.people["finance"],
        account_code="MAIN",
        filename="bank.csv",
        data=statement_csv(bookings, opening=opening),
    )


def broken():
    return [f for f in broken_invariants() if f["code"] != "I-23"]


def test_a_statement_without_a_checked_tax_invoice_is_not_paid(desk):
    desk.settled()
    (group,) = open_payables(due_until=PAY_ON)

    assert [row.obstacle for row in group.rows] == ["tax_invoice"]
    with pytest.raises(NothingToPay):
        make(desk)


def test_a_batch_is_approved_by_another_person_posted_and_paid_by_the_bank(ready):
    batch = make(ready)
    payout = batch.payouts.get()
    with pytest.raises(SamePerson):
        approve_payout_batch(actor=ready.people["finance"], batch_public_id=batch.public_id)
    with pytest.raises(NothingToPay):
        make(ready)
    approve_payout_batch(actor=ready.people["second"], batch_public_id=batch.public_id)

    assert broken() == []
    bank(ready, [Booking(DAY, f"-{payout.amount_cny}", "X1", purpose=f"付款 {payout.number}")])
    proposal = BankMatch.objects.get()
    confirm_match(actor=ready.people["finance"], match_public_id=proposal.public_id)
    for row in (batch, payout, ready.statement):
        row.refresh_from_db()

    assert payout.amount_cny == ready.statement.gross.amount
    assert (payout.state, payout.paid_on) == (PayoutState.PAID, DAY)
    assert batch.state == PayoutBatchState.FINISHED
    assert ready.statement.state == InvoiceState.PAID
    assert broken() == []


def test_a_payment_sent_back_leaves_the_supplier_to_be_paid_again(ready):
    batch = make(ready)
    approve_payout_batch(actor=ready.people["second"], batch_public_id=batch.public_id)
    payout = batch.payouts.get()
    amount = payout.amount_cny
    bank(
        ready,
        [
            Booking(DAY, f"-{amount}", "X1", purpose=batch.number),
            Booking(DAY, f"{amount}", "X2", purpose=f"退票 {payout.number}"),
        ],
    )
    for proposal in BankMatch.objects.order_by("pk"):
        confirm_match(actor=ready.people["finance"], match_public_id=proposal.public_id)
    payout.refresh_from_db()
    ready.statement.refresh_from_db()

    assert payout.state == PayoutState.RETURNED
    assert ready.statement.state == InvoiceState.ISSUED
    assert broken() == []
    assert make(ready).payouts.get().amount_cny == amount


def test_a_payment_the_bank_refuses_is_owed_again(ready):
    batch = make(ready)
    approve_payout_batch(actor=ready.people["second"], batch_public_id=batch.public_id)
    payout = batch.payouts.get()
    reject_payout(
        actor=ready.people["finance"], payout_public_id=payout.public_id, reason="wrong account"
    )

    assert Payout.objects.get().state == PayoutState.RETURNED
    assert broken() == []
    assert make(ready).total_cny == batch.total_cny


def test_undoing_the_bank_s_confirmation_opens_the_statement_again(ready):
    batch = make(ready)
    approve_payout_batch(actor=ready.people["second"], batch_public_id=batch.public_id)
    payout = batch.payouts.get()
    bank(ready, [Booking(DAY, f"-{payout.amount_cny}", "X1", purpose=payout.number)])
    match = confirm_match(
        actor=ready.people["finance"], match_public_id=BankMatch.objects.get().public_id
    )
    undo_match(actor=ready.people["finance"], match_public_id=match.public_id, reason="other")
    payout.refresh_from_db()
    ready.statement.refresh_from_db()

    assert (payout.state, payout.paid_on) == (PayoutState.ORDERED, None)
    assert ready.statement.state == InvoiceState.ISSUED
    assert broken() == []


def test_a_refused_batch_frees_its_statements(ready):
    batch = make(ready)
    refuse_payout_batch(
        actor=ready.people["second"], batch_public_id=batch.public_id, reason="too early"
    )

    assert make(ready).total_cny == batch.total_cny


def test_no_money_leaves_when_the_ledger_is_not_trusted(ready, monkeypatch):
    """S-27: no payout while the ledger is not trusted."""
    batch = make(ready)
    monkeypatch.setattr("settlement.services.banking.payouts.ledger_is_trusted", lambda: False)
    with pytest.raises(LedgerNotTrusted):
        approve_payout_batch(actor=ready.people["second"], batch_public_id=batch.public_id)
    batch.refresh_from_db()

    assert batch.state == PayoutBatchState.DRAFT


def test_a_supplier_without_a_bank_account_is_left_out(ready):
    ready.selling.bank_account = ""
    ready.selling.save()
    (group,) = open_payables(due_until=PAY_ON)

    assert group.obstacle == "bank_account"
    assert group.payable_cny == Decimal(ready.statement.gross.amount)
