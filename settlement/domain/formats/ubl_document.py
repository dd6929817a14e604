"""A bill or credit note in the terms of EN 16931 (BT: business term, BG: group), amounts in CNY.

Amounts of a credit note are above zero: what is given back. Nothing here is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class BillType(StrEnum):
    """What a document is (BT-3), by its code in UNTDID 1001."""

    INVOICE = "380"
    CREDIT_NOTE = "381"
    DEBIT_NOTE = "383"
    SELF_BILLED = "389"
    SELF_BILLED_CREDIT = "261"

    @property
    def is_credit(self) -> bool:
        """Tell whether the document is a CreditNote of UBL and not an Invoice."""
        return self in (BillType.CREDIT_NOTE, BillType.SELF_BILLED_CREDIT)


@dataclass(frozen=True)
class BillParty:
    """Seller (BG-4) or buyer (BG-7); an organisation of mainland China.

    Attributes:
        name: as registered (BT-27, BT-44).
        tax_id: without the prefix of the country (BT-31, BT-48).
        registration: unified social credit code (BT-30, BT-47).
        street: address (BT-35, BT-50), may be empty.
        city: BT-37, BT-52, may be empty.
    """

    name: str
    tax_id: str
    registration: str
    street: str
    city: str


@dataclass(frozen=True)
class BillItemLine:
    """A line (BG-25): the price is for all of the quantity, so that nothing is rounded.

    Attributes:
        number: BT-126.
        name: of what is billed (BT-153).
        description: in English (BT-154), may be empty.
        note: our number of the delivery (BT-127), may be empty.
        quantity: BT-129; below zero where the line takes something off.
        unit: of UN/ECE recommendation 20, HUR hour or C62 one (BT-130).
        net: BT-131.
        rate: of VAT, 0.06 for six per cent (BT-152).
    """

    number: str
    name: str
    description: str
    note: str
    quantity: Decimal
    unit: str
    net: Decimal
    rate: Decimal


@dataclass(frozen=True)
class BillTax:
    """VAT of one rate (BG-23): base (BT-116) and tax (BT-117)."""

    rate: Decimal
    base: Decimal
    tax: Decimal


@dataclass(frozen=True)
class BillMessage:
    """A bill or credit note.

    Attributes:
        number: BT-1.
        type: BT-3.
        issued_on: BT-2.
        due_on: BT-9.
        note: BT-22.
        refers_to: number of the bill that it corrects (BT-25), may be empty.
        seller: BG-4.
        buyer: BG-7.
        lines: BG-25.
        taxes: BG-23, lowest rate first.
        set_off: paid already (BT-113), such as a fee that was kept back.
    """

    number: str
    type: BillType
    issued_on: date
    due_on: date
    note: str
    refers_to: str
    seller: BillParty
    buyer: BillParty
    lines: tuple[BillItemLine, ...]
    taxes: tuple[BillTax, ...]
    set_off: Decimal

    @property
    def net(self) -> Decimal:
        """Total without VAT (BT-106, BT-109)."""
        return sum((line.net for line in self.lines), Decimal("0.00"))

    @property
    def tax(self) -> Decimal:
        """Total VAT (BT-110)."""
        return sum((tax.tax for tax in self.taxes), Decimal("0.00"))

    @property
    def gross(self) -> Decimal:
        """Total with VAT (BT-112)."""
        return self.net + self.tax

    @property
    def due(self) -> Decimal:
        """Amount due for payment (BT-115)."""
        return self.gross - self.set_off
