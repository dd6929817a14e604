"""Bills, statements and credit notes as UBL tie to the documents to the fen."""

from datetime import timedelta

import pytest
from moneyed import Money

from marketplace.domain.decimals import add_exactly
from settlement.domain.formats.ubl import UBL_21
from settlement.domain.formats.ubl_document import BillType
from settlement.exports.bill_messages import NothingSupplied, bill_message, bill_message_file
from settlement.models import Invoice, InvoiceLine
from settlement.services.settling import settle_differences
from tests.factories.settlement import DELIVERY_STARTS, move_clock
from tests.integration.settlement.correcting import Floor, promise
from tests.web.desks import platform_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """A market with penalties, two tax rates, corrected once in each direction."""
    platform_people()
    made = Floor()
    promise([made.market.product, made.rented])
    move_clock(DELIVERY_STARTS + timedelta(hours=2))
    made.read(0, 0, "8", reason="")
    made.settle()
    made.read(0, 1, "4", reason="two nodes were off")
    settle_differences(auction_id=made.auction.pk)
    made.read(0, 1, "9", reason="counted anew")
    settle_differences(auction_id=made.auction.pk)
    return made


def test_every_document_is_a_message_that_ties_to_the_fen(floor: Floor) -> None:
    invoices = list(Invoice.objects.order_by("pk"))
    assert {invoice.kind for invoice in invoices} == {"bill", "credit_note", "additional"}

    for invoice in invoices:
        said = UBL_21.read(bill_message_file(invoice, UBL_21))
        sign = -1 if invoice.kind == "credit_note" else 1

        assert said.due == sign * invoice.gross.amount, invoice.number
        assert said.type.is_credit == (invoice.kind == "credit_note")
        assert said.refers_to == (invoice.refers_to.number if invoice.refers_to else "")
        if invoice.direction == "receivable":
            assert (said.net, said.tax) == (sign * invoice.net.amount, sign * invoice.vat.amount)
            assert said.set_off == 0
        assert b"-0.00" not in bill_message_file(invoice, UBL_21)


def test_a_supplier_s_statement_is_self_billed_and_sets_the_fee_off(floor: Floor) -> None:
    invoice = Invoice.objects.get(kind="bill", direction="payable", organisation=floor.sam)
    fees = invoice.lines.filter(kind="fee")
    said = bill_message(invoice)

    assert said.type == BillType.SELF_BILLED
    assert said.seller.name in (floor.sam.invoice_title, floor.sam.name_zh)
    assert fees.exists()
    assert said.set_off == -add_exactly(line.net_cny + line.vat_cny for line in fees)
    assert said.gross - said.set_off == invoice.gross.amount


def test_the_same_document_is_the_same_file(floor: Floor) -> None:
    invoice = Invoice.objects.get(kind="credit_note", direction="receivable")

    assert bill_message_file(invoice, UBL_21) == bill_message_file(
        Invoice.objects.get(pk=invoice.pk), UBL_21
    )


def test_a_document_of_fees_alone_is_no_bill_of_the_supplier(floor: Floor) -> None:
    bill = Invoice.objects.get(kind="bill", direction="payable", organisation=floor.sam)
    fees_only = Invoice.objects.create(
        number="FEES-1",
        direction="payable",
        kind="additional",
        refers_to=bill,
        run=bill.run,
        organisation=bill.organisation,
        issued_on=bill.issued_on,
        due_on=bill.due_on,
        net=Money("1.00", "CNY"),
        vat=Money("0.06", "CNY"),
        gross=Money("1.06", "CNY"),
    )
    InvoiceLine.objects.create(
        invoice=fees_only, line=1, kind="fee", net_cny="1.00", vat_rate="0.06", vat_cny="0.06"
    )

    with pytest.raises(NothingSupplied):
        bill_message(fees_only)
