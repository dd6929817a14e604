"""UBL 2.1: a bill and a credit note, their round trip and the rules of EN 16931."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from settlement.domain.formats.adapter import write_checked
from settlement.domain.formats.en16931 import BillRulesBroken
from settlement.domain.formats.safe_xml import XmlForbidden, XmlMessageUnknown, XmlNumberInvalid
from settlement.domain.formats.ubl import UBL_21, BillTypeUnknown
from settlement.domain.formats.ubl_document import (
    BillItemLine,
    BillMessage,
    BillParty,
    BillTax,
    BillType,
)


def line(number, net, rate, *, quantity="10", unit="HUR"):
    return BillItemLine(
        str(number), "甲卡时", "Card hours", "CJ-1", Decimal(quantity), unit, Decimal(net), rate
    )


SIX, THIRTEEN = Decimal("0.06"), Decimal("0.13")
BILL = BillMessage(
    number="JS-202611-000001",
    type=BillType.INVOICE,
    issued_on=date(2026, 11, 23),
    due_on=date(2026, 12, 23),
    note="结算单据",
    refers_to="",
    seller=BillParty("衡算市场", "91110000MA0000001X", "91110000MA0000001X", "某路 1 号", "北京"),
    buyer=BillParty("甲 & 乙", "91640000MA0000002Y", "91640000MA0000002Y", "", "银川"),
    lines=(
        line(1, "100.05", SIX, quantity="3.333333"),
        line(2, "-10.00", SIX, quantity="-1", unit="C62"),
        line(3, "200.00", THIRTEEN),
    ),
    taxes=(
        BillTax(SIX, Decimal("90.05"), Decimal("5.40")),
        BillTax(THIRTEEN, Decimal("200.00"), Decimal("26.00")),
    ),
    set_off=Decimal("1.45"),
)
CREDIT = replace(
    BILL,
    number="CJ-202611-000001",
    type=BillType.CREDIT_NOTE,
    refers_to="JS-202611-000001",
    set_off=Decimal("0.00"),
)


@pytest.mark.parametrize("bill", [BILL, CREDIT], ids=["invoice", "credit note"])
def test_a_document_is_written_and_read_back_the_same(bill):
    data = write_checked(UBL_21, bill)

    assert UBL_21.read(data) == bill
    assert UBL_21.write(bill) == data


def test_the_totals_of_the_file_are_those_of_the_bill():
    text = UBL_21.write(BILL).decode()

    assert '<cbc:LineExtensionAmount currencyID="CNY">290.05</cbc:LineExtensionAmount>' in text
    assert '<cbc:TaxInclusiveAmount currencyID="CNY">321.45</cbc:TaxInclusiveAmount>' in text
    assert '<cbc:PrepaidAmount currencyID="CNY">1.45</cbc:PrepaidAmount>' in text
    assert '<cbc:PayableAmount currencyID="CNY">320.00</cbc:PayableAmount>' in text
    assert "<cbc:CompanyID>CN91110000MA0000001X</cbc:CompanyID>" in text
    assert "urn:cen.eu:en16931:2017" in text


def test_a_credit_note_is_one_of_ubl_and_names_its_bill():
    text = UBL_21.write(CREDIT).decode()

    assert "CreditNote-2" in text
    assert "<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>" in text
    assert "<cbc:ID>JS-202611-000001</cbc:ID>" in text
    assert "<cbc:PaymentDueDate>2026-12-23</cbc:PaymentDueDate>" in text


def amount(name, value):
    return f'<cbc:{name} currencyID="CNY">{value}</cbc:{name}>'


ALLOWANCE = (
    "<cac:AllowanceCharge><cbc:ChargeIndicator>{}</cbc:ChargeIndicator>"
    '<cbc:Amount currencyID="CNY">5.00</cbc:Amount></cac:AllowanceCharge><cac:TaxTotal>'
)


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("BR-01", "<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>", ""),
        ("BR-02", "<cbc:ID>JS-202611-000001</cbc:ID>", ""),
        ("BR-03", "<cbc:IssueDate>2026-11-23</cbc:IssueDate>", ""),
        ("BR-04", "<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>", ""),
        ("BR-05", "<cbc:DocumentCurrencyCode>CNY</cbc:DocumentCurrencyCode>", ""),
        ("BR-06", "<cbc:RegistrationName>衡算市场</cbc:RegistrationName>", ""),
        ("BR-09", "<cbc:IdentificationCode>CN</cbc:IdentificationCode>", ""),
        ("BR-15", amount("PayableAmount", "320.00"), ""),
        ("BR-16", "cac:InvoiceLine>", "cac:OtherLine>"),
        ("BR-23", ' unitCode="C62">-1', ">-1"),
        ("BR-25", "<cbc:Name>甲卡时</cbc:Name>", ""),
        ("BR-27", amount("PriceAmount", "200.00"), amount("PriceAmount", "-200.00")),
        ("PEPPOL-EN16931-R120", amount("PriceAmount", "200.00"), amount("PriceAmount", "200.03")),
        ("BR-DEC", amount("TaxExclusiveAmount", "290.05"), amount("TaxExclusiveAmount", "290.051")),
        ("BR-DEC", 'currencyID="CNY">290.05', 'currencyID="EUR">290.05'),
        (
            "BR-CO-10",
            amount("LineExtensionAmount", "290.05"),
            amount("LineExtensionAmount", "290.06"),
        ),
        ("BR-CO-11", "<cac:TaxTotal>", ALLOWANCE.format("false")),
        ("BR-CO-12", "<cac:TaxTotal>", ALLOWANCE.format("true")),
        (
            "BR-CO-13",
            amount("TaxExclusiveAmount", "290.05"),
            amount("TaxExclusiveAmount", "290.04"),
        ),
        ("BR-CO-14", amount("TaxAmount", "31.40"), amount("TaxAmount", "31.41")),
        (
            "BR-CO-15",
            amount("TaxInclusiveAmount", "321.45"),
            amount("TaxInclusiveAmount", "321.46"),
        ),
        ("BR-CO-16", amount("PayableAmount", "320.00"), amount("PayableAmount", "320.01")),
        ("BR-CO-17", amount("TaxAmount", "5.40"), amount("TaxAmount", "6.40")),
        ("BR-S-08", amount("TaxableAmount", "90.05"), amount("TaxableAmount", "90.06")),
        ("BR-CO-09", "CN91110000", "9111000"),
        ("BR-CO-25", "<cbc:DueDate>2026-12-23</cbc:DueDate>", ""),
    ],
)
def test_each_rule_finds_its_fault(rule, old, new):
    text = UBL_21.write(BILL).decode()
    assert old in text

    with pytest.raises(BillRulesBroken, match=f"{rule} ") as refused:
        UBL_21.read(text.replace(old, new).encode())

    assert refused.value.code == "bill_rules_broken"


def test_the_tax_of_a_correction_may_differ_by_less_than_one():
    (six, thirteen) = BILL.taxes
    a_fen_more = replace(BILL, taxes=(replace(six, tax=Decimal("5.41")), thirteen))

    assert UBL_21.read(UBL_21.write(a_fen_more)).gross == Decimal("321.46")


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("<Invoice ", "<!DOCTYPE a [<!ENTITY b 'c'>]><Invoice ", XmlForbidden),
        ("schema:xsd:Invoice-2", "schema:xsd:Order-2", XmlMessageUnknown),
        (">380<", ">326<", BillTypeUnknown),
        (">10</cbc:InvoicedQuantity>", ">1e1</cbc:InvoicedQuantity>", XmlNumberInvalid),
    ],
)
def test_what_is_no_bill_of_ours_is_refused(old, new, refusal):
    with pytest.raises(refusal) as refused:
        UBL_21.read(UBL_21.write(BILL).decode().replace(old, new).encode())

    assert (refused.value.code == "bill_type_unknown") == (refusal is BillTypeUnknown)
    assert (refused.value.code == "xml_number_invalid") == (refusal is XmlNumberInvalid)
