"""A bill, a supplier's statement or a credit note in the terms of EN 16931.

A bill to a buyer is an invoice of the market. A supplier's statement is a self-billed invoice: the
supplier sells to the market, and the fee that the market keeps back, with its tax, is set off
against the amount due (BT-113), because it is taxed apart. Credit notes state what is given back
as amounts above zero.
"""

from collections.abc import Sequence
from decimal import Decimal

from marketplace.domain.decimals import add_exactly
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import Organisation
from settlement.domain.formats.adapter import MessageAdapter, write_checked
from settlement.domain.formats.ubl_document import (
    BillItemLine,
    BillMessage,
    BillParty,
    BillTax,
    BillType,
)
from settlement.models import (
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    InvoiceLine,
    InvoiceLineKind,
)
from settlement.selectors.invoices import lines_of, supplied_lines

_TYPES = {
    (InvoiceDirection.RECEIVABLE, InvoiceKind.BILL): BillType.INVOICE,
    (InvoiceDirection.RECEIVABLE, InvoiceKind.CREDIT_NOTE): BillType.CREDIT_NOTE,
    (InvoiceDirection.RECEIVABLE, InvoiceKind.ADDITIONAL): BillType.DEBIT_NOTE,
    (InvoiceDirection.PAYABLE, InvoiceKind.BILL): BillType.SELF_BILLED,
    (InvoiceDirection.PAYABLE, InvoiceKind.CREDIT_NOTE): BillType.SELF_BILLED_CREDIT,
    (InvoiceDirection.PAYABLE, InvoiceKind.ADDITIONAL): BillType.SELF_BILLED,
}
_NAMES = {
    InvoiceLineKind.FEE: ("平台服务费", "Service fee of the exchange"),
    InvoiceLineKind.SLA_PENALTY: ("服务不足扣款", "Penalty for short service"),
    InvoiceLineKind.ADJUSTMENT: ("结算调整", "Adjustment"),
    InvoiceLineKind.ROUNDING: ("尾差", "Rounding"),
}
_NOTE = "本单为结算单，不是发票。Settlement document, no tax invoice."
_HOUR, _ONE = "HUR", "C62"


class NothingSupplied(RuleBroken):
    """A supplier's document changes only the market's own fee: there is nothing it sells."""

    code = "nothing_supplied"
    message = gettext_noop("Document %(number)s has only fees of the exchange on it.")
    status = 409


def bill_message_file(invoice: Invoice, adapter: MessageAdapter[BillMessage]) -> bytes:
    """Return a document in a message standard, the same bytes each time.

    Raises:
        NothingSupplied: nothing on it is sold by the supplier.
        BillRulesBroken: it breaks a rule of EN 16931.
    """
    return write_checked(adapter, bill_message(invoice))


def bill_message(invoice: Invoice) -> BillMessage:
    """Return a document in the terms of EN 16931; raises NothingSupplied."""
    is_payable = invoice.direction == InvoiceDirection.PAYABLE
    is_credit = invoice.kind == InvoiceKind.CREDIT_NOTE
    lines = list(lines_of(invoice))
    if is_payable:
        supplied = set(supplied_lines(invoice).values_list("pk", flat=True))
        lines = [line for line in lines if line.pk in supplied]
    if not lines:
        raise NothingSupplied(number=invoice.number)
    member = _party(invoice.organisation)
    market = _party(Organisation.objects.get(is_platform=True))
    supplied_gross = add_exactly(line.net_cny + line.vat_cny for line in lines)
    return BillMessage(
        number=invoice.number,
        type=_TYPES[InvoiceDirection(invoice.direction), InvoiceKind(invoice.kind)],
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        note=_NOTE,
        refers_to=invoice.refers_to.number if invoice.refers_to else "",
        seller=member if is_payable else market,
        buyer=market if is_payable else member,
        lines=tuple(_line(line, is_credit) for line in lines),
        taxes=_taxes(lines, is_credit),
        set_off=_stated(supplied_gross - invoice.gross.amount, is_credit),
    )


def _party(organisation: Organisation) -> BillParty:
    return BillParty(
        name=(organisation.invoice_title or organisation.name_zh).strip(),
        tax_id=(organisation.tax_id or organisation.credit_code).strip(),
        registration=organisation.credit_code.strip(),
        street=organisation.invoice_address.strip(),
        city=organisation.city.strip(),
    )


def _line(line: InvoiceLine, is_credit: bool) -> BillItemLine:
    net = _stated(line.net_cny, is_credit)
    hours = abs(line.unit_hours)
    quantity = hours or Decimal(1)
    name_zh, name_en = _name(line)
    return BillItemLine(
        number=str(line.line),
        name=name_zh,
        description=name_en,
        note=line.delivery.allocation.number if line.delivery else "",
        quantity=-quantity if net < 0 else quantity,
        unit=_HOUR if hours else _ONE,
        net=net,
        rate=line.vat_rate,
    )


def _name(line: InvoiceLine) -> tuple[str, str]:
    kind = InvoiceLineKind(line.kind)
    if kind == InvoiceLineKind.COMPUTE and line.product is not None:
        return line.product.name_zh.strip(), line.product.name_en.strip()
    return _NAMES[kind]


def _taxes(lines: Sequence[InvoiceLine], is_credit: bool) -> tuple[BillTax, ...]:
    taxes = []
    for rate in sorted({line.vat_rate for line in lines}):
        own = [line for line in lines if line.vat_rate == rate]
        base = add_exactly(line.net_cny for line in own)
        tax = add_exactly(line.vat_cny for line in own)
        taxes.append(BillTax(rate, _stated(base, is_credit), _stated(tax, is_credit)))
    return tuple(taxes)


def _stated(amount: Decimal, is_credit: bool) -> Decimal:
    """Return an amount as the document states it: what a credit note gives back is above zero."""
    return -amount if is_credit else amount
