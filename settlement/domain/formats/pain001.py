"""ISO 20022 pain.001.001.09 CustomerCreditTransferInitiation: the payments of a batch to the bank.

Message definition: www.iso20022.org, pain.001.001.09. One payment information block (`PmtInf`)
with a transfer (`TRF`) for each payment; the number of payments and their sum stand in the group
header and in the block, and are checked on reading. Identifiers come from our numbers and the time
from the approval, so a batch has the same file each time it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from lxml.builder import ElementMaker

from marketplace.domain.errors import RuleBroken, gettext_noop
from settlement.domain.formats.safe_xml import (
    Node,
    XmlDayInvalid,
    XmlElementMissing,
    XmlFault,
    parse_xml,
    xml_bytes,
)

_SPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_ROOTS = {f"{{{_SPACE}}}Document": {"": _SPACE}}
_LONGEST_ACCOUNT = 34
_LONGEST_TEXT = 140
_SUPPLIERS = "SUPP"  # external category purpose: payment to a supplier


class PaymentNotExpressible(RuleBroken):
    """A payment has something that the message has no room for."""

    code = "payment_not_expressible"
    message = gettext_noop("Payment %(number)s: %(text)s is longer than %(most)s characters.")


class PaymentSumWrong(XmlFault):
    """Number or sum of the payments is not what the message says."""

    code = "payment_sum_wrong"
    message = gettext_noop("The control figure is %(found)s, the payments make %(expected)s.")


@dataclass(frozen=True)
class BankParty:
    """Who pays or is paid, and where."""

    name: str
    account: str
    bank: str


@dataclass(frozen=True)
class Payment:
    """A payment; `reference` comes back on the bank's statement."""

    reference: str
    amount: Decimal
    payee: BankParty
    purpose: str


@dataclass(frozen=True)
class PaymentOrder:
    """Payments that leave one account on one day, in CNY.

    Attributes:
        number: names the order; a bank takes it once.
        ordered_at: with its offset, to the second.
        pay_on: day of payment.
        payer: whose account.
        payments: in the order of the file.
    """

    number: str
    ordered_at: datetime
    pay_on: date
    payer: BankParty
    payments: tuple[Payment, ...]

    @property
    def total(self) -> Decimal:
        """Sum of the payments."""
        return sum((payment.amount for payment in self.payments), Decimal(0))


class Pain001:
    """Writes and reads pain.001."""

    code = "pain.001"
    title = "ISO 20022 pain.001"
    media_type = "application/xml"

    def write(self, document: PaymentOrder) -> bytes:
        """Return the message of a payment order; raises PaymentNotExpressible."""
        for payment in document.payments:
            _check_lengths(payment.reference, payment.payee, payment.purpose)
        _check_lengths(document.number, document.payer)
        return xml_bytes(_message(document))

    def read(self, data: bytes) -> PaymentOrder:
        """Return the payment order; raises XmlFault, PaymentSumWrong with the place."""
        root = parse_xml(data, _ROOTS)
        header, block = root.need(f"{_ROOT}/GrpHdr"), root.need(f"{_ROOT}/PmtInf")
        order = PaymentOrder(
            number=header.need_text("MsgId"),
            ordered_at=_instant(header.need("CreDtTm")),
            pay_on=block.need("ReqdExctnDt/Dt").day,
            payer=_party(block, "Dbtr"),
            payments=tuple(_payment(node) for node in block.all("CdtTrfTxInf")),
        )
        for place in (header, block):
            _check_control_figures(place, order)
        return order


PAIN_001 = Pain001()
_ROOT = "CstmrCdtTrfInitn"
_make = ElementMaker(namespace=_SPACE, nsmap={None: _SPACE})


def _check_lengths(number: str, party: BankParty, *texts: str) -> None:
    limits = [(party.account, _LONGEST_ACCOUNT), (number, 35)]
    limits += [(text, _LONGEST_TEXT) for text in (party.name, party.bank, *texts)]
    for text, most in limits:
        if len(text) > most:
            raise PaymentNotExpressible(number=number, text=text, most=most)


def _message(order: PaymentOrder) -> object:
    count, total = str(len(order.payments)), format(order.total, ".2f")
    return _make.Document(
        _make.CstmrCdtTrfInitn(
            _make.GrpHdr(
                _make.MsgId(order.number),
                _make.CreDtTm(order.ordered_at.isoformat(timespec="seconds")),
                _make.NbOfTxs(count),
                _make.CtrlSum(total),
                _make.InitgPty(_make.Nm(order.payer.name)),
            ),
            _make.PmtInf(
                _make.PmtInfId(order.number),
                _make.PmtMtd("TRF"),
                _make.NbOfTxs(count),
                _make.CtrlSum(total),
                _make.PmtTpInf(_make.CtgyPurp(_make.Cd(_SUPPLIERS))),
                _make.ReqdExctnDt(_make.Dt(order.pay_on.isoformat())),
                _make.Dbtr(_make.Nm(order.payer.name)),
                _make.DbtrAcct(_account_id(order.payer), _make.Ccy("CNY")),
                _make.DbtrAgt(_bank(order.payer)),
                *(_transfer(payment) for payment in order.payments),
            ),
        )
    )


def _transfer(payment: Payment) -> object:
    return _make.CdtTrfTxInf(
        _make.PmtId(
            _make.InstrId(payment.reference),
            _make.EndToEndId(payment.reference),
        ),
        _make.Amt(_make.InstdAmt(format(payment.amount, ".2f"), Ccy="CNY")),
        _make.CdtrAgt(_bank(payment.payee)),
        _make.Cdtr(_make.Nm(payment.payee.name)),
        _make.CdtrAcct(_account_id(payment.payee)),
        _make.RmtInf(_make.Ustrd(payment.purpose)),
    )


def _account_id(party: BankParty) -> object:
    return _make.Id(_make.Othr(_make.Id(party.account)))


def _bank(party: BankParty) -> object:
    return _make.FinInstnId(_make.Nm(party.bank))


def _party(place: Node, role: str) -> BankParty:
    return BankParty(
        name=place.need_text(f"{role}/Nm"),
        account=place.need_text(f"{role}Acct/Id/Othr/Id"),
        bank=place.need_text(f"{role}Agt/FinInstnId/Nm"),
    )


def _payment(place: Node) -> Payment:
    return Payment(
        reference=place.need_text("PmtId/EndToEndId"),
        amount=place.need("Amt/InstdAmt").cny("Ccy"),
        payee=_party(place, "Cdtr"),
        purpose=place.need_text("RmtInf/Ustrd"),
    )


def _instant(place: Node) -> datetime:
    try:
        return datetime.fromisoformat(place.own_text)
    except ValueError:
        raise XmlDayInvalid(place, found=place.own_text) from None


def _check_control_figures(place: Node, order: PaymentOrder) -> None:
    if not order.payments:
        raise XmlElementMissing(place, name="CdtTrfTxInf")
    count = place.need("NbOfTxs")
    if count.own_text != str(len(order.payments)):
        raise PaymentSumWrong(count, found=count.own_text, expected=len(order.payments))
    total = place.need("CtrlSum")
    if total.amount != order.total:
        raise PaymentSumWrong(total, found=total.own_text, expected=order.total)
