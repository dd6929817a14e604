"""Credit notes (冲减单) and additional bills: what a difference run changes, document by document.

A member gets at most two documents of a run and side: a credit note of the deliveries that came to
less, and an additional bill of those that came to more. Both refer to the member's first bill of
the auction and are taxed against everything billed since (`domain.corrections.tax`).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from marketplace.domain.decimals import add_exactly
from marketplace.models import Organisation
from orders.models import Auction
from settlement.domain.corrections.tax import TaxedShare, correct_tax
from settlement.models import (
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    InvoiceLine,
    InvoiceLineKind,
)
from settlement.services.bill_drafts import (
    BillDraft,
    BillingTerms,
    Charge,
    DraftLine,
    by_member,
    charges_of,
    sort_charges,
    taxed_together,
)
from settlement.services.rating import DeliveryRating

_ROUNDING = "rounding"


@dataclass
class _Ledger:
    """What a member was billed on one side of an auction, by group of tax and line."""

    first: Invoice
    shares: dict[tuple[bool, Decimal], dict[Hashable, TaxedShare]] = field(default_factory=dict)

    def add(self, group: tuple[bool, Decimal], key: Hashable, net: Decimal, vat: Decimal) -> None:
        """Add to a line what a document said of it."""
        lines = self.shares.setdefault(group, {})
        before = lines.get(key, TaxedShare(Decimal(0), Decimal(0)))
        lines[key] = TaxedShare(before.net + net, before.vat + vat)


def draft_corrections(
    auction: Auction, differences: Sequence[DeliveryRating], terms: BillingTerms
) -> list[BillDraft]:
    """Return the documents of a difference run; deliveries without a difference are on none."""
    drafts = []
    for direction in (InvoiceDirection.RECEIVABLE, InvoiceDirection.PAYABLE):
        billed = _billed_so_far(auction, direction)
        for member, own in by_member(differences, direction):
            drafts += _of_member(member, own, direction, terms, billed[member.pk])
    return drafts


def _of_member(
    member: Organisation,
    ratings: Sequence[DeliveryRating],
    direction: InvoiceDirection,
    terms: BillingTerms,
    ledger: _Ledger,
) -> list[BillDraft]:
    charged = [(rating, _charges(rating, direction, terms)) for rating in ratings]
    less = [each for each in charged if each[1] and _net(each[1]) < 0]
    more = [each for each in charged if each[1] and _net(each[1]) >= 0]
    drafts = []
    for kind, part in ((InvoiceKind.CREDIT_NOTE, less), (InvoiceKind.ADDITIONAL, more)):
        if part:
            charges = sort_charges([charge for _, own in part for charge in own])
            drafts.append(
                BillDraft(
                    member,
                    direction,
                    _taxed(charges, direction, ledger),
                    tuple(rating for rating, _ in part),
                    kind,
                    ledger.first,
                )
            )
    return drafts


def _charges(
    rating: DeliveryRating, direction: InvoiceDirection, terms: BillingTerms
) -> list[Charge]:
    return [
        charge
        for charge in charges_of(rating, direction, terms)
        if charge.net or (charge.kind == InvoiceLineKind.COMPUTE and rating.sums.billed_unit_hours)
    ]


def _net(charges: Sequence[Charge]) -> Decimal:
    return add_exactly(charge.net for charge in charges)


def _taxed(
    charges: Sequence[Charge], direction: InvoiceDirection, ledger: _Ledger
) -> tuple[DraftLine, ...]:
    """Tax the charges group by group, and remember them for the next document."""
    apart = taxed_together(direction)
    vats: dict[int, Decimal] = {}
    rests: list[DraftLine] = []
    for group in sorted({(apart(c.is_fee), c.vat_rate) for c in charges}):
        members = [
            (position, charge)
            for position, charge in enumerate(charges)
            if (apart(charge.is_fee), charge.vat_rate) == group
        ]
        tax = correct_tax(
            rate=group[1],
            billed=ledger.shares.get(group, {}),
            changes=[(_key(charge), charge.net) for _, charge in members],
        )
        for (position, charge), vat in zip(members, tax.line_vats, strict=True):
            vats[position] = vat
            ledger.add(group, _key(charge), charge.net, vat)
        if tax.rest:
            rests.append(_rest(group, tax.rest, members[0][1]))
            ledger.add(group, _ROUNDING, Decimal(0), tax.rest)
    lines = [
        DraftLine(c.kind, c.net, c.vat_rate, vats[position], c.rating, c.is_fee)
        for position, c in enumerate(charges)
    ]
    return (*lines, *rests)


def _rest(group: tuple[bool, Decimal], vat: Decimal, charge: Charge) -> DraftLine:
    is_fee, rate = group
    return DraftLine(
        InvoiceLineKind.ROUNDING, Decimal("0.00"), rate, vat, charge.rating, is_fee=is_fee
    )


def _key(charge: Charge) -> Hashable:
    return (str(charge.kind), charge.rating.delivery.pk)


def _billed_so_far(auction: Auction, direction: InvoiceDirection) -> dict[int, _Ledger]:
    apart = taxed_together(direction)
    found: dict[int, _Ledger] = {}
    bills = Invoice.objects.filter(run__auction=auction, direction=direction)
    for first in bills.filter(kind=InvoiceKind.BILL):
        found[first.organisation_id] = _Ledger(first)
    lines = InvoiceLine.objects.filter(invoice__in=bills).order_by("invoice_id", "line")
    for row in lines.values_list(
        "invoice__organisation_id",
        "kind",
        "delivery_id",
        "product_id",
        "net_cny",
        "vat_rate",
        "vat_cny",
    ):
        member, kind, delivery, product, net, rate, vat = row
        is_rounding = kind == InvoiceLineKind.ROUNDING
        # A fen of rounding that belongs to our fees names no product.
        is_fee = kind == InvoiceLineKind.FEE or (is_rounding and product is None)
        key: Hashable = _ROUNDING if is_rounding else (str(kind), delivery)
        found[member].add((apart(is_fee), rate), key, net, vat)
    return found
