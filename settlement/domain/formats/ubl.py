"""OASIS UBL 2.1 Invoice and CreditNote in the structure of EN 16931 (CEN/TS 16931-3-2).

Message definitions: docs.oasis-open.org/ubl/os-UBL-2.1, maindoc UBL-Invoice-2.1 and
UBL-CreditNote-2.1. The business terms are those of EN 16931-1; `en16931` checks every file that is
read, also the one that was just written. It is a settlement document and no tax invoice of China.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lxml.builder import ElementMaker

from marketplace.domain.errors import gettext_noop
from settlement.domain.formats.en16931 import check_bill
from settlement.domain.formats.safe_xml import Node, XmlFault, parse_xml, xml_bytes
from settlement.domain.formats.ubl_document import (
    BillItemLine,
    BillMessage,
    BillParty,
    BillTax,
    BillType,
)

_BASE = "urn:oasis:names:specification:ubl:schema:xsd"
_CBC, _CAC = f"{_BASE}:CommonBasicComponents-2", f"{_BASE}:CommonAggregateComponents-2"
_SPACES = {kind: f"{_BASE}:{kind}-2" for kind in ("Invoice", "CreditNote")}
_ROOTS = {
    f"{{{space}}}{kind}": {"": space, "cbc": _CBC, "cac": _CAC} for kind, space in _SPACES.items()
}
_EN_16931 = "urn:cen.eu:en16931:2017"
_COUNTRY = "CN"
_NOT_DEFINED = "1"  # UNTDID 4461: how it is paid is not said
_b = ElementMaker(namespace=_CBC)
_a = ElementMaker(namespace=_CAC)


class BillTypeUnknown(XmlFault):
    """The code of the document's type is none that the market uses."""

    code = "bill_type_unknown"
    message = gettext_noop("The type %(found)s of the document is not known.")


class Ubl21:
    """Writes and reads UBL 2.1 invoices and credit notes."""

    code = "ubl-2.1"
    title = "UBL 2.1 (EN 16931)"
    media_type = "application/xml"

    def write(self, document: BillMessage) -> bytes:
        """Return the invoice or credit note."""
        return xml_bytes(_message(document))

    def read(self, data: bytes) -> BillMessage:
        """Return the bill; raises XmlFault with the place, BillRulesBroken with the rules."""
        root = parse_xml(data, _ROOTS)
        check_bill(root)
        kind = "CreditNote" if root.path == "CreditNote" else "Invoice"
        due = root.first("cbc:DueDate") or root.need("cac:PaymentMeans/cbc:PaymentDueDate")
        return BillMessage(
            number=root.need_text("cbc:ID"),
            type=_type(root.need(f"cbc:{kind}TypeCode")),
            issued_on=root.need("cbc:IssueDate").day,
            due_on=due.day,
            note=root.text("cbc:Note"),
            refers_to=root.text("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
            seller=_read_party(root.need("cac:AccountingSupplierParty/cac:Party")),
            buyer=_read_party(root.need("cac:AccountingCustomerParty/cac:Party")),
            lines=tuple(_read_line(line) for line in root.all(f"cac:{kind}Line")),
            taxes=tuple(_read_tax(tax) for tax in root.all("cac:TaxTotal/cac:TaxSubtotal")),
            set_off=_prepaid(root),
        )


UBL_21 = Ubl21()


def _message(bill: BillMessage) -> Any:
    kind = "CreditNote" if bill.type.is_credit else "Invoice"
    space = _SPACES[kind]
    make = ElementMaker(namespace=space, nsmap={None: space, "cac": _CAC, "cbc": _CBC})
    due_on = bill.due_on.isoformat()
    is_credit = bill.type.is_credit
    return make(
        kind,
        _b.CustomizationID(_EN_16931),
        _b.ID(bill.number),
        _b.IssueDate(bill.issued_on.isoformat()),
        *([] if is_credit else [_b.DueDate(due_on)]),
        _b(f"{kind}TypeCode", bill.type.value),
        _b.Note(bill.note),
        _b.DocumentCurrencyCode("CNY"),
        *_reference(bill.refers_to),
        _a.AccountingSupplierParty(_party(bill.seller)),
        _a.AccountingCustomerParty(_party(bill.buyer)),
        *([_means(due_on)] if is_credit else []),
        _a.TaxTotal(_cny("TaxAmount", bill.tax), *(_subtotal(tax) for tax in bill.taxes)),
        _a.LegalMonetaryTotal(
            _cny("LineExtensionAmount", bill.net),
            _cny("TaxExclusiveAmount", bill.net),
            _cny("TaxInclusiveAmount", bill.gross),
            _cny("PrepaidAmount", bill.set_off),
            _cny("PayableAmount", bill.due),
        ),
        *(_line(kind, line) for line in bill.lines),
    )


def _reference(number: str) -> list[Any]:
    if not number:
        return []
    return [_a.BillingReference(_a.InvoiceDocumentReference(_b.ID(number)))]


def _means(due_on: str) -> Any:
    """A credit note has no due date of its own: it stands with the means of payment."""
    return _a.PaymentMeans(_b.PaymentMeansCode(_NOT_DEFINED), _b.PaymentDueDate(due_on))


def _party(party: BillParty) -> Any:
    return _a.Party(
        _a.PostalAddress(
            *_optional("StreetName", party.street),
            *_optional("CityName", party.city),
            _a.Country(_b.IdentificationCode(_COUNTRY)),
        ),
        _a.PartyTaxScheme(_b.CompanyID(_COUNTRY + party.tax_id), _vat_scheme()),
        _a.PartyLegalEntity(_b.RegistrationName(party.name), _b.CompanyID(party.registration)),
    )


def _subtotal(tax: BillTax) -> Any:
    return _a.TaxSubtotal(
        _cny("TaxableAmount", tax.base),
        _cny("TaxAmount", tax.tax),
        _category("TaxCategory", tax.rate),
    )


def _line(kind: str, line: BillItemLine) -> Any:
    quantity = format(line.quantity, "f")
    return _a(
        f"{kind}Line",
        _b.ID(line.number),
        *_optional("Note", line.note),
        _b(
            "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity",
            quantity,
            unitCode=line.unit,
        ),
        _cny("LineExtensionAmount", line.net),
        _a.Item(
            *_optional("Description", line.description),
            _b.Name(line.name),
            _category("ClassifiedTaxCategory", line.rate),
        ),
        _a.Price(
            _cny("PriceAmount", abs(line.net)),
            _b.BaseQuantity(quantity.removeprefix("-"), unitCode=line.unit),
        ),
    )


def _category(name: str, rate: Decimal) -> Any:
    """Standard rate, or zero rated (UNTDID 5305)."""
    percent = format((rate * 100).normalize(), "f")
    return _a(name, _b.ID("S" if rate else "Z"), _b.Percent(percent), _vat_scheme())


def _vat_scheme() -> Any:
    return _a.TaxScheme(_b.ID("VAT"))


def _cny(name: str, amount: Decimal) -> Any:
    return _b(name, format(amount, ".2f"), currencyID="CNY")


def _optional(name: str, text: str) -> list[Any]:
    return [_b(name, text)] if text else []


def _type(place: Node) -> BillType:
    try:
        return BillType(place.own_text)
    except ValueError:
        raise BillTypeUnknown(place, found=place.own_text) from None


def _read_party(place: Node) -> BillParty:
    return BillParty(
        name=place.need_text("cac:PartyLegalEntity/cbc:RegistrationName"),
        tax_id=place.text("cac:PartyTaxScheme/cbc:CompanyID").removeprefix(_COUNTRY),
        registration=place.text("cac:PartyLegalEntity/cbc:CompanyID"),
        street=place.text("cac:PostalAddress/cbc:StreetName"),
        city=place.text("cac:PostalAddress/cbc:CityName"),
    )


def _read_line(place: Node) -> BillItemLine:
    quantity = place.first("cbc:InvoicedQuantity") or place.need("cbc:CreditedQuantity")
    return BillItemLine(
        number=place.need_text("cbc:ID"),
        name=place.need_text("cac:Item/cbc:Name"),
        description=place.text("cac:Item/cbc:Description"),
        note=place.text("cbc:Note"),
        quantity=quantity.number,
        unit=quantity.element.get("unitCode"),
        net=place.need("cbc:LineExtensionAmount").amount,
        rate=_read_rate(place, "cac:Item/cac:ClassifiedTaxCategory"),
    )


def _read_tax(place: Node) -> BillTax:
    return BillTax(
        rate=_read_rate(place, "cac:TaxCategory"),
        base=place.need("cbc:TaxableAmount").amount,
        tax=place.need("cbc:TaxAmount").amount,
    )


def _read_rate(place: Node, steps: str) -> Decimal:
    return place.need(f"{steps}/cbc:Percent").amount / 100


def _prepaid(root: Node) -> Decimal:
    node = root.first("cac:LegalMonetaryTotal/cbc:PrepaidAmount")
    return node.amount if node else Decimal("0.00")
