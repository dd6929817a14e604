"""Monthly statements confirmed, tax invoices issued and reversed, vouchers for other systems."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from marketplace.domain.errors import NotFound, StateForbids
from marketplace.selectors.clock import market_now
from settlement.exports.banking.payout_files import payment_file, remittance_context
from settlement.exports.banking.voucher_files import SubjectMissing, voucher_file
from settlement.models import (
    AccountingVoucher,
    FileProfile,
    Invoice,
    InvoiceDirection,
    MonthlyStatementState,
    SubjectMapping,
    TaxInvoiceState,
)
from settlement.services.banking.history import history_of
from settlement.services.banking.monthly_statements import (
    close_silent_statements,
    confirm_monthly_statement,
    issue_month,
    issue_monthly_statement,
    object_to_monthly_statement,
)
from settlement.services.banking.payouts import make_payout_batch
from settlement.services.banking.tax_invoices import (
    BillNotOpenForTax,
    IssuedOnOtherYear,
    StatementObjected,
    record_failed,
    record_issued,
    record_red_letter,
    request_red_letter,
    request_tax_invoice,
    retry_request,
)
from settlement.services.banking.vouchers import number_vouchers
from settlement.services.supplier_invoices import TaxNumberInvalid, TaxNumberUsed
from tests.factories.ledger import deposit
from tests.factories.settlement import move_clock
from tests.integration.settlement.banking.test_payouts import ready  # noqa: F401
from tests.web.desks import stranger

MONTH = date(2026, 11, 1)
ISSUED_ON = date(2026, 11, 24)
NUMBER = "26110000000000000009"
RED = "26110000000000000010"


@pytest.fixture
def settled(desk):
    return desk.settled()


def statement_of(desk):
    return issue_monthly_statement(
        actor=desk.people["finance"], organisation=desk.buying, month=MONTH
    )


def test_a_statement_is_issued_once_and_anew_when_something_changed(settled):
    first = statement_of(settled)
    again = statement_of(settled)
    confirm_monthly_statement(actor=settled.buyer, public_id=first.public_id)
    deposit(settled.buying, "12.00")
    second = statement_of(settled)
    first.refresh_from_db()

    assert again == first
    assert (first.state, second.version) == (MonthlyStatementState.SUPERSEDED, 2)
    assert second.closing_cny == first.closing_cny + 12
    assert second.answer_by == date(2026, 11, 30)  # five workdays from Monday the 23rd
    assert [step.to_state for step in history_of(first)] == ["sent", "confirmed", "superseded"]


def test_the_counterparty_objects_then_confirms_and_nobody_else_can(settled):
    sent = statement_of(settled)
    with pytest.raises(NotFound):
        confirm_monthly_statement(actor=stranger(), public_id=sent.public_id)
    object_to_monthly_statement(
        actor=settled.buyer, public_id=sent.public_id, objection="11 月 23 日少计"
    )
    bill = Invoice.objects.get(direction=InvoiceDirection.RECEIVABLE)
    with pytest.raises(StatementObjected):
        request_tax_invoice(
            actor=settled.buyer, organisation=settled.buying, kind="special", bills=[bill]
        )
    done = confirm_monthly_statement(actor=settled.buyer, public_id=sent.public_id)

    assert done.state == MonthlyStatementState.CONFIRMED
    with pytest.raises(StateForbids):
        confirm_monthly_statement(actor=settled.buyer, public_id=sent.public_id)


def test_silence_until_the_deadline_confirms(settled):
    sent = statement_of(settled)

    assert close_silent_statements() == 0
    move_clock(market_now() + timedelta(days=9))
    assert close_silent_statements() == 1
    sent.refresh_from_db()
    assert sent.state == MonthlyStatementState.DEEMED


def test_every_member_with_movements_gets_a_statement(settled):
    issued = issue_month(actor=settled.people["finance"], month=MONTH)

    assert {one.organisation for one in issued} == {settled.buying, settled.selling}
    assert [one.number[-6:] for one in issued] == ["000001", "000002"]


def tax_request(desk):
    bill = Invoice.objects.get(direction=InvoiceDirection.RECEIVABLE)
    return bill, request_tax_invoice(
        actor=desk.buyer, organisation=desk.buying, kind="special", bills=[bill]
    )


def test_a_tax_invoice_fails_for_quota_is_issued_and_reversed_in_red(settled):
    finance = settled.people["finance"]
    bill, asked = tax_request(settled)
    key = {"actor": finance, "public_id": asked.public_id}

    assert asked.gross_cny == bill.gross.amount
    with pytest.raises(BillNotOpenForTax):
        tax_request(settled)
    record_failed(**key, code="quota", text="额度不足")
    retry_request(**key)
    for number, error in (
        ("123", TaxNumberInvalid),
        ("25110000000000000009", IssuedOnOtherYear),
        ("２" * 20, TaxNumberInvalid),
    ):
        with pytest.raises(error):
            record_issued(**key, tax_number=number, issued_on=ISSUED_ON)
    record_issued(**key, tax_number=NUMBER, issued_on=ISSUED_ON)
    request_red_letter(**key, reason="购方信息有误")
    with pytest.raises(TaxNumberUsed):
        record_red_letter(**key, confirmation="HZ1", tax_number=NUMBER, issued_on=ISSUED_ON)
    done = record_red_letter(**key, confirmation="HZ1", tax_number=RED, issued_on=ISSUED_ON)

    assert done.state == TaxInvoiceState.RED_LETTERED
    assert [step.to_state for step in history_of(done)] == [
        "requested",
        "failed",
        "requested",
        "issued",
        "red_requested",
        "red_lettered",
    ]
    assert tax_request(settled)[1].number != asked.number


def test_a_supplier_gets_a_tax_invoice_for_the_fee_alone(settled):
    statement = Invoice.objects.get(direction=InvoiceDirection.PAYABLE)
    asked = request_tax_invoice(
        actor=settled.supplier, organisation=settled.selling, kind="special", bills=[statement]
    )
    fees = statement.lines.filter(kind="fee")

    assert asked.gross_cny == -sum(line.net_cny + line.vat_cny for line in fees)
    assert [line.name_zh for line in asked.lines.all()] == ["交易服务费"]


def test_lines_are_summed_by_goods_and_rate(settled):
    bill, asked = tax_request(settled)
    lines = list(asked.lines.order_by("line"))

    assert len(lines) == 2 < bill.lines.count()
    assert sum(line.net_cny for line in lines) == bill.net.amount
    assert sum(line.vat_cny for line in lines) == bill.vat.amount


@pytest.mark.parametrize("code", ["yonyou", "kingdee"])
def test_vouchers_are_numbered_without_a_gap_and_balanced(settled, code):
    profile = FileProfile.objects.get(code=code)
    count = number_vouchers(actor=settled.people["finance"], month=MONTH)
    content = voucher_file(profile, MONTH, file_format="csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    debit, credit = ("借方金额", "贷方金额") if code == "yonyou" else ("借方", "贷方")
    sums = {}
    for row in rows:
        entry = sums.setdefault(row["凭证号"], [Decimal(0), Decimal(0)])
        entry[0] += Decimal(row[debit] or 0)
        entry[1] += Decimal(row[credit] or 0)

    assert count == len(sums) == AccountingVoucher.objects.count()
    assert sorted(map(int, sums)) == list(range(1, count + 1))
    assert all(came == went > 0 for came, went in sums.values())
    assert number_vouchers(actor=settled.people["finance"], month=MONTH) == count


def test_the_workbook_of_vouchers_holds_no_formula(settled):
    settled.buying.name_zh = "=cmd|' /C calc'!A0"
    settled.buying.save()
    number_vouchers(actor=settled.people["finance"], month=MONTH)
    content = voucher_file(FileProfile.objects.get(code="kingdee"), MONTH, file_format="xlsx")
    book = load_workbook(io.BytesIO(content))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]

    assert not [cell for cell in cells if cell.data_type == "f"]
    assert "'=cmd|' /C calc'!A0" in [cell.value for cell in cells]


def test_an_account_without_a_subject_stops_the_file(settled):
    profile = FileProfile.objects.get(code="yonyou")
    SubjectMapping.objects.filter(profile=profile, account_prefix="2203").delete()
    number_vouchers(actor=settled.people["finance"], month=MONTH)

    with pytest.raises(SubjectMissing):
        voucher_file(profile, MONTH, file_format="csv")


def test_the_payment_file_has_its_control_total_and_inert_names(ready):  # noqa: F811
    ready.selling.name_zh = "@SUM(A1)"
    ready.selling.save()
    batch = make_payout_batch(
        actor=ready.people["finance"], pay_on=date(2026, 12, 31), profile_code="batch-transfer"
    )
    rows = list(csv.reader(io.StringIO(payment_file(batch).decode("utf-8-sig"))))

    assert rows[0][:4] == ["总笔数", "1", "总金额", format(batch.total_cny, "f")]
    assert rows[2][1] == "'@SUM(A1)"
    assert rows[2][4] == format(batch.total_cny, "f")
    advice = remittance_context(batch.payouts.get())
    assert [row["invoice"] for row in advice["rows"]] == [ready.statement]
