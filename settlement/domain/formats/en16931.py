"""The rules of EN 16931-1 that a bill's structure and arithmetic must keep, by their own names.

Checked is the file, not what it was made from: presence (BR-01 to BR-26), no price below zero
(BR-27), totals (BR-CO-10 to BR-CO-16), tax per rate (BR-CO-17, BR-S-08, BR-Z-08), decimals
(BR-DEC), dates and identifiers (BR-CO-09, BR-CO-18, BR-CO-25, BR-S-02); of Peppol's own rules the
product of a line (R120). As in the official
Schematron the tax of BR-CO-17 may differ by less than 1: a correction carries the tax that brings
it and the bill it corrects to the tax of their sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.money import vat_of
from settlement.domain.formats.safe_xml import Node, XmlFault

_ZERO = Decimal(0)
_TOLERANCE = Decimal(1)
_LINE_TOLERANCE = Decimal("0.02")
_TOTALS = "cac:LegalMonetaryTotal"
_SELLER, _BUYER = "cac:AccountingSupplierParty/cac:Party", "cac:AccountingCustomerParty/cac:Party"
_ADDRESS = "cac:PostalAddress"
_NAME = "cac:PartyLegalEntity/cbc:RegistrationName"
_VAT_ID = "cac:PartyTaxScheme/cbc:CompanyID"
_LINE_TAX = "cac:Item/cac:ClassifiedTaxCategory"
_PRESENT = (
    ("BR-01", ("cbc:CustomizationID",)),
    ("BR-02", ("cbc:ID",)),
    ("BR-03", ("cbc:IssueDate",)),
    ("BR-04", ("cbc:InvoiceTypeCode", "cbc:CreditNoteTypeCode")),
    ("BR-05", ("cbc:DocumentCurrencyCode",)),
    ("BR-06", (f"{_SELLER}/{_NAME}",)),
    ("BR-07", (f"{_BUYER}/{_NAME}",)),
    ("BR-09", (f"{_SELLER}/{_ADDRESS}/cac:Country/cbc:IdentificationCode",)),
    ("BR-11", (f"{_BUYER}/{_ADDRESS}/cac:Country/cbc:IdentificationCode",)),
    ("BR-12", (f"{_TOTALS}/cbc:LineExtensionAmount",)),
    ("BR-13", (f"{_TOTALS}/cbc:TaxExclusiveAmount",)),
    ("BR-14", (f"{_TOTALS}/cbc:TaxInclusiveAmount",)),
    ("BR-15", (f"{_TOTALS}/cbc:PayableAmount",)),
)
_PRESENT_ON_LINE = (
    ("BR-21", ("cbc:ID",)),
    ("BR-22", ("cbc:InvoicedQuantity", "cbc:CreditedQuantity")),
    ("BR-24", ("cbc:LineExtensionAmount",)),
    ("BR-25", ("cac:Item/cbc:Name",)),
    ("BR-26", ("cac:Price/cbc:PriceAmount",)),
    ("BR-CO-04", (f"{_LINE_TAX}/cbc:ID",)),
)


class BillRulesBroken(RuleBroken):
    """A bill breaks rules of EN 16931."""

    code = "bill_rules_broken"
    message = gettext_noop("The file breaks rules of EN 16931: %(rules)s.")


@dataclass(frozen=True)
class RuleFault:
    """A broken rule: its name, where, and what was expected and found."""

    rule: str
    place: str
    expected: str = ""
    found: str = ""


def check_bill(root: Node) -> None:
    """Check a UBL invoice or credit note; raises BillRulesBroken with every rule."""
    faults = bill_faults(root)
    if faults:
        rules = "; ".join(f"{one.rule} {one.place}" for one in faults)
        raise BillRulesBroken(field=faults[0].place, rules=rules)


def bill_faults(root: Node) -> list[RuleFault]:
    """Return the rules that a UBL invoice or credit note breaks; sums only of what is there."""
    lines = root.all("cac:InvoiceLine") + root.all("cac:CreditNoteLine")
    faults = [*_missing(root, _PRESENT), *_decimals(root)]
    if not lines:
        faults.append(RuleFault("BR-16", root.path))
    for line in lines:
        faults += [*_missing(line, _PRESENT_ON_LINE), *_price(line)]
    if faults:
        return faults
    return [*_totals(root, lines), *_taxes(root, lines), *_identifiers(root)]


def _missing(node: Node, rules: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[RuleFault]:
    for rule, choices in rules:
        if not node.text(*choices):
            yield RuleFault(rule, f"{node.path}/{choices[0]}")


def _decimals(root: Node) -> Iterator[RuleFault]:
    """BR-DEC: every amount is in the document's currency with at most two decimals."""
    places = [
        *(root.all(f"{_TOTALS}/cbc:{name}Amount") for name in _TOTAL_NAMES),
        root.all("cac:TaxTotal/cbc:TaxAmount"),
        root.all("cac:TaxTotal/cac:TaxSubtotal/cbc:TaxableAmount"),
        root.all("cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount"),
        root.all("cac:InvoiceLine/cbc:LineExtensionAmount"),
        root.all("cac:CreditNoteLine/cbc:LineExtensionAmount"),
        root.all("cac:AllowanceCharge/cbc:Amount"),
    ]
    for node in (node for group in places for node in group):
        try:
            node.cny("currencyID")
        except XmlFault as fault:
            yield RuleFault("BR-DEC", node.path, "CNY, 0.00", str(fault.params["found"]))


_TOTAL_NAMES = (
    "LineExtension",
    "TaxExclusive",
    "TaxInclusive",
    "AllowanceTotal",
    "ChargeTotal",
    "Prepaid",
    "PayableRounding",
    "Payable",
)


def _price(line: Node) -> Iterator[RuleFault]:
    price = line.first("cac:Price/cbc:PriceAmount")
    if price is not None and price.own_text.startswith("-"):
        yield RuleFault("BR-27", price.path, "0", price.own_text)
    for name in ("cbc:InvoicedQuantity", "cbc:CreditedQuantity"):
        for quantity in line.all(name):
            if not quantity.element.get("unitCode"):
                yield RuleFault("BR-23", quantity.path)
            if price is not None:
                yield from _product(line, quantity, price)


def _product(line: Node, quantity: Node, price: Node) -> Iterator[RuleFault]:
    """Peppol's R120: quantity times price for the base quantity is the line, within 0.02."""
    base_node = line.first("cac:Price/cbc:BaseQuantity")
    base = base_node.number if base_node else Decimal(1)
    product = quantity.number * price.number
    found = _amount(line, "cbc:LineExtensionAmount")
    if abs(found * base - product) > _LINE_TOLERANCE * base:
        yield RuleFault("PEPPOL-EN16931-R120", line.path, f"{product} / {base}", str(found))


def _totals(root: Node, lines: list[Node]) -> Iterator[RuleFault]:
    total = {name: _amount(root, f"{_TOTALS}/cbc:{name}Amount") for name in _TOTAL_NAMES}
    charges, allowances = _changes(root.all("cac:AllowanceCharge"))
    tax = sum((node.amount for node in root.all("cac:TaxTotal/cbc:TaxAmount")), _ZERO)
    groups = root.all("cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount")
    due = total["TaxInclusive"] - total["Prepaid"] + total["PayableRounding"]
    before_tax = total["LineExtension"] - total["AllowanceTotal"] + total["ChargeTotal"]
    for rule, name, found, expected in (
        ("BR-CO-10", "LineExtension", total["LineExtension"], _sum_of_lines(lines)),
        ("BR-CO-11", "AllowanceTotal", total["AllowanceTotal"], allowances),
        ("BR-CO-12", "ChargeTotal", total["ChargeTotal"], charges),
        ("BR-CO-13", "TaxExclusive", total["TaxExclusive"], before_tax),
        ("BR-CO-14", "TaxTotal", tax, sum((group.amount for group in groups), _ZERO)),
        ("BR-CO-15", "TaxInclusive", total["TaxInclusive"], total["TaxExclusive"] + tax),
        ("BR-CO-16", "Payable", total["Payable"], due),
    ):
        if found != expected:
            yield RuleFault(rule, f"{root.path}/{name}", str(expected), str(found))


def _taxes(root: Node, lines: list[Node]) -> Iterator[RuleFault]:
    groups = root.all("cac:TaxTotal/cac:TaxSubtotal")
    if not groups:
        yield RuleFault("BR-CO-18", root.path)
    seen = {_category(group, "cac:TaxCategory") for group in groups}
    for line in lines:
        if _category(line, _LINE_TAX) not in seen:
            yield RuleFault("BR-S-01", line.path)
    for group in groups:
        code, percent = _category(group, "cac:TaxCategory")
        base, tax = group.need("cbc:TaxableAmount").amount, group.need("cbc:TaxAmount").amount
        expected = vat_of(base, percent / 100)
        if abs(expected - tax) >= _TOLERANCE:
            yield RuleFault("BR-CO-17", group.path, str(expected), str(tax))
        charges, allowances = _changes(
            change
            for change in root.all("cac:AllowanceCharge")
            if _category(change, "cac:TaxCategory") == (code, percent)
        )
        own = [line for line in lines if _category(line, _LINE_TAX) == (code, percent)]
        taxed = _sum_of_lines(own) + charges - allowances
        if base != taxed:
            yield RuleFault(f"BR-{code}-08", group.path, str(taxed), str(base))


def _identifiers(root: Node) -> Iterator[RuleFault]:
    seller = root.text(f"{_SELLER}/{_VAT_ID}")
    if not seller:
        yield RuleFault("BR-S-02", f"{root.path}/{_SELLER}")
    for party in (_SELLER, _BUYER):
        given = root.text(f"{party}/{_VAT_ID}")
        if given and not given[:2].isalpha():
            yield RuleFault("BR-CO-09", f"{root.path}/{party}/{_VAT_ID}", "CN…", given)
    due = _amount(root, f"{_TOTALS}/cbc:PayableAmount")
    days = ("cbc:DueDate", "cac:PaymentMeans/cbc:PaymentDueDate", "cac:PaymentTerms/cbc:Note")
    if due > 0 and not root.text(*days):
        yield RuleFault("BR-CO-25", root.path)


def _category(node: Node, steps: str) -> tuple[str, Decimal]:
    percent = node.first(f"{steps}/cbc:Percent")
    return node.text(f"{steps}/cbc:ID"), percent.amount if percent else _ZERO


def _changes(places: Iterable[Node]) -> tuple[Decimal, Decimal]:
    """Return the charges and the allowances on the level of the document."""
    sums = {True: _ZERO, False: _ZERO}
    for place in places:
        is_charge = place.text("cbc:ChargeIndicator") == "true"
        sums[is_charge] += place.need("cbc:Amount").amount
    return sums[True], sums[False]


def _sum_of_lines(lines: Iterable[Node]) -> Decimal:
    return sum((line.need("cbc:LineExtensionAmount").amount for line in lines), _ZERO)


def _amount(root: Node, steps: str) -> Decimal:
    node = root.first(steps)
    return node.amount if node else _ZERO
