"""What stands on a bill before it has a number: the charges of deliveries, taxed.

On a buyer's bill all lines of a rate are taxed together. On a supplier's statement what it sells us
and the service we sell it are taxed apart, because they end up on two tax invoices.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from marketplace.domain.decimals import add_exactly
from marketplace.models import Organisation
from settlement.domain.rating import BillLine, total_bill
from settlement.models import Invoice, InvoiceDirection, InvoiceKind, InvoiceLineKind
from settlement.services.rating import DeliveryRating


@dataclass(frozen=True)
class BillingTerms:
    """What turns ratings into bills.

    Attributes:
        day: date of issue and of the entries.
        due_on: date of payment.
        vat_rates: tax rate of each product, by id.
        fee_vat_rate: tax rate of the service fees.
    """

    day: date
    due_on: date
    vat_rates: dict[int, Decimal]
    fee_vat_rate: Decimal


@dataclass(frozen=True)
class Charge:
    """A line of a bill before tax, CNY."""

    kind: InvoiceLineKind
    rating: DeliveryRating
    net: Decimal
    vat_rate: Decimal

    @property
    def is_fee(self) -> bool:
        """Say whether the line is our service and not the compute."""
        return self.kind == InvoiceLineKind.FEE


@dataclass(frozen=True)
class DraftLine:
    """A taxed line of a bill, CNY.

    A line of rounding stands with one of the deliveries whose tax it completes; `is_fee` says
    whether it belongs to our service or to the compute.
    """

    kind: InvoiceLineKind
    net: Decimal
    vat_rate: Decimal
    vat: Decimal
    rating: DeliveryRating
    is_fee: bool = False

    @property
    def unit_hours(self) -> Decimal:
        """Unit-hours billed by the line."""
        is_compute = self.kind == InvoiceLineKind.COMPUTE
        return self.rating.sums.billed_unit_hours if is_compute else Decimal(0)


@dataclass(frozen=True)
class BillDraft:
    """A bill before it has a number, in CNY; fees on a supplier's bill are below zero.

    Attributes:
        organisation: whose bill.
        direction: who owes whom.
        lines: taxed lines in the order printed.
        ratings: the deliveries behind it.
        kind: a first bill or what corrects it.
        refers_to: the bill corrected.
    """

    organisation: Organisation
    direction: InvoiceDirection
    lines: tuple[DraftLine, ...]
    ratings: tuple[DeliveryRating, ...] = field(repr=False)
    kind: InvoiceKind = InvoiceKind.BILL
    refers_to: Invoice | None = None

    def net_of(self, *kinds: InvoiceLineKind) -> Decimal:
        """Return the net sum of the lines of some kinds."""
        return add_exactly(line.net for line in self.lines if line.kind in kinds)

    def vat_of_fees(self) -> Decimal:
        """Return the tax on our service."""
        return add_exactly(line.vat for line in self.lines if line.is_fee)

    @property
    def adjustments(self) -> Decimal:
        """Net of penalties and adjustments."""
        return self.net_of(InvoiceLineKind.SLA_PENALTY, InvoiceLineKind.ADJUSTMENT)

    @property
    def net(self) -> Decimal:
        """Sum before tax."""
        return add_exactly(line.net for line in self.lines)

    @property
    def vat(self) -> Decimal:
        """Tax."""
        return add_exactly(line.vat for line in self.lines)

    @property
    def gross(self) -> Decimal:
        """Sum with tax."""
        return add_exactly([self.net, self.vat])


def draft_bills(
    ratings: Sequence[DeliveryRating], direction: InvoiceDirection, terms: BillingTerms
) -> list[BillDraft]:
    """Return the first bills of a direction, one a member, in the order of member codes."""
    drafts = []
    for member, own in by_member(ratings, direction):
        charges = sort_charges(
            charge for rating in own for charge in charges_of(rating, direction, terms)
        )
        drafts.append(BillDraft(member, direction, _taxed(charges, direction), tuple(own)))
    return drafts


def by_member(
    ratings: Sequence[DeliveryRating], direction: InvoiceDirection
) -> list[tuple[Organisation, list[DeliveryRating]]]:
    """Return the ratings of each buyer, or supplier, in the order of member codes."""
    is_buyer = direction == InvoiceDirection.RECEIVABLE
    found: dict[int, tuple[Organisation, list[DeliveryRating]]] = {}
    for rating in ratings:
        allocation = rating.delivery.allocation
        member = allocation.buyer if is_buyer else allocation.seller
        found.setdefault(member.pk, (member, []))[1].append(rating)
    return sorted(found.values(), key=lambda each: each[0].code)


def charges_of(
    rating: DeliveryRating, direction: InvoiceDirection, terms: BillingTerms
) -> Iterator[Charge]:
    """Yield the charges of a delivery: its compute, and what else is not zero."""
    rate = terms.vat_rates[rating.delivery.allocation.product_id]
    sums = rating.sums
    if direction == InvoiceDirection.RECEIVABLE:
        compute, adjusted, fee = sums.buyer_net, rating.buyer_adjustment, sums.buyer_fee
    else:
        compute, adjusted, fee = sums.seller_net, rating.seller_adjustment, -sums.seller_fee
    yield Charge(InvoiceLineKind.COMPUTE, rating, compute, rate)
    for kind, net, vat_rate in (
        (InvoiceLineKind.SLA_PENALTY, -rating.penalty, rate),
        (InvoiceLineKind.ADJUSTMENT, adjusted, rate),
        (InvoiceLineKind.FEE, fee, terms.fee_vat_rate),
    ):
        if net:
            yield Charge(kind, rating, net, vat_rate)


def sort_charges(charges: Iterator[Charge] | Sequence[Charge]) -> list[Charge]:
    """Return charges as printed: compute, penalties, adjustments, then fees."""
    places = {
        InvoiceLineKind.COMPUTE: 0,
        InvoiceLineKind.SLA_PENALTY: 1,
        InvoiceLineKind.ADJUSTMENT: 2,
        InvoiceLineKind.FEE: 3,
    }
    return sorted(charges, key=lambda charge: places[charge.kind])


def taxed_together(direction: InvoiceDirection) -> Callable[[bool], bool]:
    """Return what tells groups of tax apart: nothing for a buyer, our service for a supplier."""
    is_payable = direction == InvoiceDirection.PAYABLE
    return lambda is_fee: is_payable and is_fee


def _taxed(charges: Sequence[Charge], direction: InvoiceDirection) -> tuple[DraftLine, ...]:
    apart = taxed_together(direction)
    lines: list[DraftLine] = []
    for group in (False, True):
        members = [charge for charge in charges if apart(charge.is_fee) == group]
        bill = total_bill(
            [BillLine(c.rating.delivery.allocation.number, c.net, c.vat_rate) for c in members]
        )
        lines += [
            DraftLine(c.kind, c.net, c.vat_rate, vat, c.rating, c.is_fee)
            for c, vat in zip(members, bill.tax.line_vats, strict=True)
        ]
    return tuple(lines)
