"""A month in the browser: statement of the bank, payouts, confirmation, tax invoice, vouchers."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from settlement.models import (
    BankLine,
    BankMatch,
    BankStatement,
    CalendarDay,
    FileProfile,
    Invoice,
    InvoiceDirection,
    MonthlyStatement,
    PayoutBatch,
    PayoutState,
    TaxInvoice,
)
from settlement.selectors.banking.reconciliation import reconcile
from settlement.services.supplier_invoices import check_supplier_invoice, record_supplier_invoice
from settlement.web.bill_pages import compute_sums
from tests.factories.banking import Booking, bank_account, statement_csv
from tests.web.desks import Desk, browser, text_of

DAY = date(2026, 11, 23)
TAX = "26110000000000000001"


@pytest.fixture
def desk(db):
    made = Desk()
    made.selling.bank_name, made.selling.bank_account = "示例银行银川分行", "6222000000009999"
    made.selling.save()
    made.settled()
    bank_account(made.people["finance"])
    return made


def upload(client, bookings, opening="0"):
    file = SimpleUploadedFile("bank.csv", statement_csv(bookings, opening=opening), "text/csv")
    return client.post(reverse("bank-import"), {"account": "MAIN", "file": file})


def test_money_comes_in_and_is_explained(desk):
    client = browser(desk.people["finance"])
    answer = upload(
        client,
        [
            Booking(date(2026, 11, 20), "500.00", "R1", desk.buying.name_zh, purpose="货款"),
            Booking(date(2026, 11, 20), "77.00", "R2", "无名氏"),
        ],
    )
    statement = BankStatement.objects.get()
    page = text_of(client.get(answer.url))

    assert answer.url == reverse("bank-statement", args=[statement.public_id])
    assert "Not explained" in page
    client.post(reverse("bank-confirm-all", args=[statement.public_id]), {"confirmed": "yes"})
    assert BankMatch.objects.get().state == "confirmed"
    line = BankLine.objects.get(reference="R2")
    where = reverse("bank-line", args=[line.public_id])
    wrong = client.post(where, {"kind": "payout", "amount": ""})
    right = client.post(
        where, {"kind": "deposit", "organisation": desk.buying.code, "amount": "77.00"}
    )

    assert (wrong.status_code, right.status_code) == (422, 302)
    assert reconcile(statement).difference_cny == 0
    match = line.matches.get(state="confirmed")
    undo = reverse("bank-match-undo", args=[match.public_id])
    assert client.post(undo, {"reason": ""}).status_code == 422
    assert client.post(undo, {"reason": "wrong member"}).status_code == 302
    assert "wrong member" not in text_of(client.get(reverse("bank")))


def test_a_broken_file_says_what_is_wrong_with_it(desk):
    client = browser(desk.people["finance"], language="zh-hans")
    file = SimpleUploadedFile("bank.csv", "交易日期,余额\n2026-11-20,1".encode(), "text/csv")
    answer = client.post(reverse("bank-import"), {"account": "MAIN", "file": file})

    assert answer.status_code == 422
    assert "贷方发生额" in text_of(answer)


def test_a_batch_is_made_approved_filed_and_paid(desk):
    owed = Invoice.objects.get(direction=InvoiceDirection.PAYABLE)
    sums = compute_sums(owed)
    record_supplier_invoice(
        actor=desk.supplier,
        invoice_number=owed.number,
        tax_number=TAX,
        issued_on=DAY,
        amount_cny=sums["amount"],
        vat_cny=sums["vat"],
    )
    check_supplier_invoice(actor=desk.people["finance"], tax_number=TAX, approve=True)
    maker, other = browser(desk.people["finance"]), browser(desk.people["second"])
    for client in (maker, other):
        session = client.session
        session.save()
    answer = maker.post(
        reverse("payout-batch-new"), {"pay_on": "2026-12-31", "profile": "batch-transfer"}
    )
    batch = PayoutBatch.objects.get()
    approve = reverse("payout-batch-approve", args=[batch.public_id])

    assert answer.url == reverse("payout-batch", args=[batch.public_id])
    assert "another person approves it" in text_of(maker.get(answer.url))
    assert maker.post(approve, {"confirmed": "yes"}).status_code == 422
    assert maker.get(reverse("payout-batch-file", args=[batch.public_id])).status_code == 404
    assert other.post(approve, {"confirmed": "yes"}).status_code == 302
    payout = batch.payouts.get()
    content = other.get(reverse("payout-batch-file", args=[batch.public_id])).content

    assert payout.number in content.decode("utf-8-sig")
    upload(maker, [Booking(DAY, f"-{payout.amount_cny}", "X", purpose=payout.number)])
    match = BankMatch.objects.get()
    maker.post(reverse("bank-match-confirm", args=[match.public_id]), {"confirmed": "yes"})
    payout.refresh_from_db()

    assert payout.state == PayoutState.PAID
    assert batch.number in text_of(browser(desk.supplier).get(reverse("payouts")))


def test_a_month_is_confirmed_and_its_tax_invoice_issued(desk):
    finance, buyer = browser(desk.people["finance"]), browser(desk.buyer)
    finance.post(reverse("monthly-statement-issue"), {"month": "2026-11"})
    one = MonthlyStatement.objects.get(organisation=desk.buying)
    buyer.post(reverse("monthly-statement-object", args=[one.public_id]), {"objection": "=1+1"})
    one.refresh_from_db()
    assert one.state == "objected"
    buyer.post(reverse("monthly-statement-confirm", args=[one.public_id]), {"confirmed": "yes"})
    one.refresh_from_db()
    assert one.state == "confirmed"
    bill = Invoice.objects.get(direction=InvoiceDirection.RECEIVABLE)
    empty = buyer.post(reverse("tax-request-new"), {"kind": "special"})
    answer = buyer.post(reverse("tax-request-new"), {"kind": "special", "bills": [bill.number]})
    asked = TaxInvoice.objects.get()
    issued = reverse("tax-request-issued", args=[asked.public_id])

    assert (empty.status_code, answer.status_code) == (422, 302)
    bad = finance.post(issued, {"tax_number": "12", "issued_on": "2026-11-24"})
    good = finance.post(issued, {"tax_number": "26110000000000000007", "issued_on": "2026-11-24"})
    assert (bad.status_code, good.status_code) == (422, 302)
    assert "26110000000000000007" in text_of(buyer.get(reverse("tax-requests")))


def test_years_of_the_calendar_are_replaced_by_a_file(desk):
    client = browser(desk.people["operator"])
    text = "日期,类型,依据\n2027-01-01,休,国办\n2027-01-02,休,国办\n2027-01-04,班,国办"
    wrong = client.post(
        reverse("workdays-import"),
        {"file": SimpleUploadedFile("a.csv", text.encode("gb18030"), "text/csv")},
    )
    right = client.post(
        reverse("workdays-import"),
        {
            "file": SimpleUploadedFile(
                "a.csv", text.replace("2027-01-04", "2027-01-03").encode(), "text/csv"
            )
        },
    )

    assert (wrong.status_code, right.status_code) == (422, 302)
    assert CalendarDay.objects.filter(day__year=2027).count() == 3
    assert CalendarDay.objects.filter(day__year=2026).count() > 30


def test_vouchers_are_downloaded_as_a_workbook(desk):
    client = browser(desk.people["finance"])
    asked = {"month": "2026-11", "profile": "kingdee", "file_format": "xlsx"}
    answer = client.post(reverse("accounting-vouchers"), asked)

    assert answer.content[:4] == b"PK\x03\x04"
    assert 'filename="vouchers-kingdee-202611.xlsx"' in answer["Content-Disposition"]
    layout = reverse("file-layout", args=["kingdee"])
    assert client.post(layout, {"layout": "{", "is_active": "on"}).status_code == 422
    good = '{"columns": [["借", "debit"], ["贷", "credit"], ["字", "=记"]]}'
    assert client.post(layout, {"layout": good, "is_active": "on"}).status_code == 302


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_layout_that_says_too_little(desk, language):
    """`layout_invalid`: said on the page, and the layout stays as it was."""
    client = browser(desk.people["finance"], language=language)
    before = FileProfile.objects.get(code="two-columns").layout

    page = client.post(
        reverse("file-layout", args=["two-columns"]),
        {"layout": '{"columns": {"amount": "A"}}', "is_active": "on"},
    )

    words = {"en": "The layout is not usable", "zh-hans": "columns.booked_on"}
    assert page.status_code == 422
    assert words[language] in text_of(page)
    assert FileProfile.objects.get(code="two-columns").layout == before
