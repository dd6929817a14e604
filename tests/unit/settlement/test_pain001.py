"""pain.001: the message of a batch, byte for byte, and back."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from marketplace.domain.periods import MARKET_TIME_ZONE
from settlement.domain.formats.adapter import FileReadsBackOtherwise, write_checked
from settlement.domain.formats.pain001 import (
    PAIN_001,
    BankParty,
    Payment,
    PaymentNotExpressible,
    PaymentOrder,
    PaymentSumWrong,
)
from settlement.domain.formats.safe_xml import XmlCurrencyWrong, XmlElementMissing, XmlForbidden

ORDER = PaymentOrder(
    number="FK-202611-000001",
    ordered_at=datetime(2026, 11, 22, 9, 30, 5, tzinfo=MARKET_TIME_ZONE),
    pay_on=date(2026, 11, 23),
    payer=BankParty("衡算市场有限公司", "6222000000000001", "示例银行北京分行"),
    payments=(
        Payment(
            "FK-202611-000001-001",
            Decimal("1234.50"),
            BankParty("甲 & 乙算力<西部>有限公司", "6222000000009999", "示例银行银川分行"),
            "算力结算款 FK-202611-000001-001",
        ),
        Payment(
            "FK-202611-000001-002",
            Decimal("0.07"),
            BankParty("丙数据中心", "6222000000008888", "示例银行贵阳分行"),
            "算力结算款 FK-202611-000001-002",
        ),
    ),
)


def test_a_payment_order_is_written_and_read_back_the_same():
    data = write_checked(PAIN_001, ORDER)

    assert PAIN_001.read(data) == ORDER
    assert data == PAIN_001.write(ORDER)


def test_the_message_names_the_batch_its_number_and_its_sum():
    text = PAIN_001.write(ORDER).decode()

    assert text.startswith("<?xml version='1.0' encoding='UTF-8'?>")
    assert "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09" in text
    assert "<MsgId>FK-202611-000001</MsgId>" in text
    assert "<CreDtTm>2026-11-22T09:30:05+08:00</CreDtTm>" in text
    assert text.count("<NbOfTxs>2</NbOfTxs>") == 2
    assert text.count("<CtrlSum>1234.57</CtrlSum>") == 2
    assert "甲 &amp; 乙算力&lt;西部&gt;有限公司" in text


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("<CtrlSum>1234.57", "<CtrlSum>1234.58", PaymentSumWrong),
        ("<NbOfTxs>2", "<NbOfTxs>3", PaymentSumWrong),
        ('<InstdAmt Ccy="CNY">0.07', '<InstdAmt Ccy="CNY">0.08', PaymentSumWrong),
        ('Ccy="CNY"', 'Ccy="HKD"', XmlCurrencyWrong),
        ("<MsgId>FK-202611-000001</MsgId>", "", XmlElementMissing),
        ("<Document", "<!DOCTYPE a><Document", XmlForbidden),
    ],
)
def test_a_changed_message_is_refused(old, new, refusal):
    with pytest.raises(refusal) as refused:
        PAIN_001.read(PAIN_001.write(ORDER).decode().replace(old, new).encode())

    assert (refused.value.code == "payment_sum_wrong") == (refusal is PaymentSumWrong)


def test_what_the_standard_has_no_room_for_is_refused():
    (first, second) = ORDER.payments
    long = replace(first, payee=replace(first.payee, account="6" * 35))

    with pytest.raises(PaymentNotExpressible, match="FK-202611-000001-001") as refused:
        PAIN_001.write(replace(ORDER, payments=(long, second)))

    assert refused.value.code == "payment_not_expressible"


def test_a_file_that_reads_back_otherwise_stays_here():
    half_a_second = replace(ORDER, ordered_at=ORDER.ordered_at.replace(microsecond=500_000))

    with pytest.raises(FileReadsBackOtherwise) as refused:
        write_checked(PAIN_001, half_a_second)

    assert refused.value.code == "file_reads_back_otherwise"
