"""Who may open which page of bank, payouts, monthly statements and tax invoices."""

from datetime import date

import pytest
from django.urls import reverse

from settlement.models import BankLine, BankMatch, BankStatement, Invoice, InvoiceDirection
from settlement.services.banking.contracts import draw_up_contracts, send_contract
from settlement.services.banking.monthly_statements import issue_monthly_statement
from settlement.services.banking.payouts import approve_payout_batch, make_payout_batch
from settlement.services.banking.statements import import_statement
from settlement.services.banking.tax_invoices import request_tax_invoice
from settlement.services.supplier_invoices import check_supplier_invoice, record_supplier_invoice
from settlement.web.banking import urls
from settlement.web.bill_pages import compute_sums
from tests.factories.banking import Booking, bank_account, statement_csv
from tests.web.desks import Desk, browser, stranger

WHO = ("visitor", "stranger", "buyer", "supplier", "operator", "finance", "auditor")
BOOKS = "302 403 403 403 403 200 200"
KEEPERS = "302 403 403 403 403 200 403"
BUYER_S = "302 404 200 404 403 200 200"
SUPPLIER_S = "302 404 404 200 403 200 200"
PARTIES = "302 200 200 200 403 200 200"
MEMBERS = "302 200 200 200 403 403 403"
CALENDAR = "302 403 403 403 200 200 200"
ANSWER = "302 404 200 404 403 403 403"
SIGNERS = "302 404 200 404 403 200 404"
STEP = "302 404 404 404 403 200 403"

TABLE = {
    "bank": BOOKS,
    "bank-account-new": KEEPERS,
    "bank-import": KEEPERS,
    "bank-statement": BOOKS,
    "bank-confirm-all": KEEPERS,
    "bank-line": BOOKS,
    "bank-match-confirm": KEEPERS,
    "bank-match-drop": KEEPERS,
    "bank-match-undo": KEEPERS,
    "payout-batches": BOOKS,
    "payout-batch-new": KEEPERS,
    "payout-batch": BOOKS,
    "payout-batch-file": BOOKS,
    "payout-batch-message": BOOKS,
    "payout-batch-approve": KEEPERS,
    "payout-batch-refuse": KEEPERS,
    "payout-reject": KEEPERS,
    "payout-advice": SUPPLIER_S,
    "monthly-statements": PARTIES,
    "monthly-statement-issue": KEEPERS,
    "monthly-statement": BUYER_S,
    "monthly-statement-confirm": ANSWER,
    "monthly-statement-object": ANSWER,
    "tax-requests": PARTIES,
    "tax-request-new": MEMBERS,
    "tax-request": BUYER_S,
    "tax-request-issued": STEP,
    "tax-request-failed": STEP,
    "tax-request-retry": STEP,
    "tax-request-withdraw": "302 404 200 404 403 200 403",
    "tax-request-red": STEP,
    "tax-request-red-cancel": STEP,
    "tax-request-red-issued": STEP,
    "contracts": PARTIES,
    "contracts-csv": PARTIES,
    "contract-new": KEEPERS,
    "contract": BUYER_S,
    "contract-pdf": BUYER_S,
    "contract-send": KEEPERS,
    "contract-collect": KEEPERS,
    "contract-void": KEEPERS,
    "contract-sign": SIGNERS,
    "contract-decline": SIGNERS,
    "workdays": CALENDAR,
    "workdays-import": "302 403 403 403 200 200 403",
    "workdays-template": CALENDAR,
    "accounting-vouchers": BOOKS,
    "file-layouts": BOOKS,
    "file-layout": BOOKS,
    "file-layout-subject": KEEPERS,
}


def test_every_page_is_in_the_table():
    assert {pattern.name for pattern in urls.urlpatterns} == set(TABLE)


@pytest.fixture
def arguments(db, settings, tmp_path):
    settings.VAR_DIR = tmp_path  # where contracts wait to be signed
    desk = Desk()
    desk.selling.bank_name, desk.selling.bank_account = "示例银行", "6222000000009999"
    desk.selling.save()
    desk.settled()
    finance = desk.people["finance"]
    bank_account(finance)
    import_statement(
        actor=finance,
        account_code="MAIN",
        filename="bank.csv",
        data=statement_csv([Booking(date(2026, 11, 20), "5.00", "R", desk.buying.name_zh)]),
    )
    owed = Invoice.objects.get(direction=InvoiceDirection.PAYABLE)
    sums = compute_sums(owed)
    record_supplier_invoice(
        actor=desk.supplier,
        invoice_number=owed.number,
        tax_number="26110000000000000001",
        issued_on=date(2026, 11, 23),
        amount_cny=sums["amount"],
        vat_cny=sums["vat"],
    )
    check_supplier_invoice(actor=finance, tax_number="26110000000000000001", approve=True)
    batch = make_payout_batch(
        actor=finance, pay_on=date(2026, 12, 31), profile_code="batch-transfer"
    )
    approve_payout_batch(actor=desk.people["second"], batch_public_id=batch.public_id)
    monthly = issue_monthly_statement(
        actor=finance, organisation=desk.buying, month=date(2026, 11, 1)
    )
    bill = Invoice.objects.get(direction=InvoiceDirection.RECEIVABLE)
    asked = request_tax_invoice(
        actor=desk.buyer, organisation=desk.buying, kind="ordinary", bills=[bill]
    )
    sale = draw_up_contracts(actor=finance, allocation=desk.delivery.allocation)[0]
    send_contract(actor=finance, public_id=sale.public_id, draw=lambda _one: b"%PDF-1.7")
    keys = {
        "bank-line": BankLine.objects.get().public_id,
        "bank-match": BankMatch.objects.get().public_id,
        "bank-statement": BankStatement.objects.get().public_id,
        "bank-confirm-all": BankStatement.objects.get().public_id,
        "payout-batch": batch.public_id,
        "payout-reject": batch.payouts.get().public_id,
        "payout-advice": batch.payouts.get().public_id,
        "monthly-statement": monthly.public_id,
        "tax-request": asked.public_id,
        "file-layout": "yonyou",
        "contract": sale.public_id,
    }
    plain = {
        "contracts",
        "contracts-csv",
        "contract-new",
        "payout-batch-new",
        "monthly-statement-issue",
        "tax-request-new",
    }

    def of(name):
        if name in plain or (name.endswith("s") and name in ("tax-requests", "file-layouts")):
            return []
        if name in ("payout-batches", "monthly-statements"):
            return []
        if name == "payout-batch-message":
            return [keys["payout-batch"], "pain.001"]
        return [key for start, key in keys.items() if name.startswith(start)][:1]

    return desk, of


def test_pages_let_in_whom_they_should(arguments):
    desk, of = arguments
    people = {
        "visitor": None,
        "stranger": stranger(),
        "buyer": desk.buyer,
        "supplier": desk.supplier,
        **desk.people,
    }
    wrong = []
    for who in WHO:
        client = browser(people[who])
        for name, row in TABLE.items():
            expected = row.split()[WHO.index(who)]
            got = str(client.get(reverse(name, args=of(name))).status_code)
            if got != expected:
                wrong.append(f"{who} on {name}: {got}, expected {expected}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_is_drawn_in_both_languages(arguments, language):
    desk, of = arguments
    client = browser(desk.people["finance"], language=language)
    for name in TABLE:
        if name not in ("tax-request-new", "monthly-statement-confirm", "monthly-statement-object"):
            assert client.get(reverse(name, args=of(name))).status_code == 200, name
