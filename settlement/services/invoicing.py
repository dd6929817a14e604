"""Bills of a settlement run: the buyer's (结算单) and the supplier's (供方结算单).

One document and one journal entry per member, run and direction. Tax is computed per rate on the
sum of the lines. On a supplier's statement the compute it sells us and the service we sell it are
taxed apart, because they end up on two tax invoices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from marketplace.domain.decimals import add_exactly
from marketplace.models import Organisation
from settlement.domain.numbering import DocumentSeries
from settlement.domain.rating import Bill, BillLine, total_bill
from settlement.models import (
    Invoice,
    InvoiceDirection,
    InvoiceLine,
    InvoiceLineKind,
    InvoiceState,
    JournalEntry,
    SettlementRun,
)
from settlement.services.billing_entries import BuyerCharge, charge_buyer, credit_supplier
from settlement.services.numbering import take_numbers
from settlement.services.rating import DeliveryRating

_ZERO = Decimal("0.00")


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

    @classmethod
    def of(
        cls, *, day: date, term_days: int, vat_rates: dict[int, Decimal], fee_vat_rate: Decimal
    ) -> "BillingTerms":
        """Return the terms with the due date counted from the date of issue."""
        return cls(day, day + timedelta(days=term_days), vat_rates, fee_vat_rate)


@dataclass(frozen=True)
class _DraftLine:
    kind: InvoiceLineKind
    net: Decimal
    vat_rate: Decimal
    vat: Decimal
    rating: DeliveryRating

    @property
    def unit_hours(self) -> Decimal:
        is_compute = self.kind == InvoiceLineKind.COMPUTE
        return self.rating.sums.billed_unit_hours if is_compute else Decimal(0)


@dataclass(frozen=True)
class BillDraft:
    """A bill before it has a number, in CNY; fees on a supplier's bill are below zero."""

    organisation: Organisation
    direction: InvoiceDirection
    lines: tuple[_DraftLine, ...]

    def net_of(self, kind: InvoiceLineKind) -> Decimal:
        """Return the net sum of the lines of a kind."""
        return add_exactly(line.net for line in self.lines if line.kind == kind)

    def vat_of(self, kind: InvoiceLineKind) -> Decimal:
        """Return the tax of the lines of a kind."""
        return add_exactly(line.vat for line in self.lines if line.kind == kind)

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


def issue_bills(
    run: SettlementRun, ratings: Sequence[DeliveryRating], terms: BillingTerms
) -> list[Invoice]:
    """Issue and post every bill of a run, by member code; call it once, in the run's transaction.

    Raises:
        AccountMissing: a member's accounts were never opened.
        PeriodClosed: the month of the bills takes no entries.
    """
    bills = []
    for direction, series in (
        (InvoiceDirection.RECEIVABLE, DocumentSeries.INVOICE),
        (InvoiceDirection.PAYABLE, DocumentSeries.SUPPLIER_INVOICE),
    ):
        drafts = _drafts(ratings, direction, terms)
        numbers = take_numbers(series=series, day=terms.day, count=len(drafts))
        for draft, number in zip(drafts, numbers, strict=True):
            bills.append(_issue(run, draft, number, terms, ratings))
    return bills


def _drafts(
    ratings: Sequence[DeliveryRating], direction: InvoiceDirection, terms: BillingTerms
) -> list[BillDraft]:
    is_buyer = direction == InvoiceDirection.RECEIVABLE
    by_member: dict[Organisation, list[DeliveryRating]] = {}
    for rating in ratings:
        allocation = rating.delivery.allocation
        member = allocation.buyer if is_buyer else allocation.seller
        by_member.setdefault(member, []).append(rating)
    draft = _buyer_draft if is_buyer else _supplier_draft
    members = sorted(by_member, key=lambda member: member.code)
    return [BillDraft(m, direction, draft(by_member[m], terms)) for m in members]


def _buyer_draft(ratings: Sequence[DeliveryRating], terms: BillingTerms) -> tuple[_DraftLine, ...]:
    compute = [_compute_line(rating, rating.sums.buyer_net, terms) for rating in ratings]
    charged = [rating for rating in ratings if rating.sums.buyer_fee]
    fees = [_fee_line(rating, rating.sums.buyer_fee, terms) for rating in charged]
    lines = _lines(total_bill([*compute, *fees]), [*ratings, *charged])
    return tuple(
        replace(line, kind=InvoiceLineKind.FEE) if position >= len(compute) else line
        for position, line in enumerate(lines)
    )


def _supplier_draft(
    ratings: Sequence[DeliveryRating], terms: BillingTerms
) -> tuple[_DraftLine, ...]:
    compute = [_compute_line(rating, rating.sums.seller_net, terms) for rating in ratings]
    charged = [rating for rating in ratings if rating.sums.seller_fee]
    fees = [_fee_line(rating, -rating.sums.seller_fee, terms) for rating in charged]
    fee_lines = _lines(total_bill(fees), charged)
    return _lines(total_bill(compute), ratings) + tuple(
        replace(line, kind=InvoiceLineKind.FEE) for line in fee_lines
    )


def _compute_line(rating: DeliveryRating, net: Decimal, terms: BillingTerms) -> BillLine:
    allocation = rating.delivery.allocation
    return BillLine(allocation.number, net, terms.vat_rates[allocation.product_id])


def _fee_line(rating: DeliveryRating, fee: Decimal, terms: BillingTerms) -> BillLine:
    return BillLine(rating.delivery.allocation.number, fee, terms.fee_vat_rate)


def _lines(bill: Bill, ratings: Sequence[DeliveryRating]) -> tuple[_DraftLine, ...]:
    return tuple(
        _DraftLine(InvoiceLineKind.COMPUTE, line.net, line.vat_rate, vat, rating)
        for line, vat, rating in zip(bill.lines, bill.tax.line_vats, ratings, strict=True)
    )


def _issue(
    run: SettlementRun,
    draft: BillDraft,
    number: str,
    terms: BillingTerms,
    ratings: Sequence[DeliveryRating],
) -> Invoice:
    entry, is_paid = _post(run, draft, number, terms, ratings)
    invoice = Invoice.objects.create(
        number=number,
        direction=draft.direction,
        run=run,
        organisation=draft.organisation,
        state=InvoiceState.PAID if is_paid else InvoiceState.ISSUED,
        issued_on=terms.day,
        due_on=terms.due_on,
        net=draft.net,
        vat=draft.vat,
        gross=draft.gross,
        entry=entry,
    )
    InvoiceLine.objects.bulk_create(
        [
            InvoiceLine(
                invoice=invoice,
                line=position,
                kind=line.kind,
                delivery=line.rating.delivery,
                product=line.rating.delivery.allocation.product,
                unit_hours=line.unit_hours,
                net_cny=line.net,
                vat_rate=line.vat_rate,
                vat_cny=line.vat,
            )
            for position, line in enumerate(draft.lines, 1)
        ],
        batch_size=2000,
    )
    return invoice


def _post(
    run: SettlementRun,
    draft: BillDraft,
    number: str,
    terms: BillingTerms,
    ratings: Sequence[DeliveryRating],
) -> tuple[JournalEntry | None, bool]:
    fee, compute = InvoiceLineKind.FEE, InvoiceLineKind.COMPUTE
    if draft.direction == InvoiceDirection.PAYABLE:
        entry = credit_supplier(
            run=run,
            supplier=draft.organisation,
            number=number,
            day=terms.day,
            net_cny=draft.net_of(compute),
            vat_cny=draft.vat_of(compute),
            fee_cny=-draft.net_of(fee),
            fee_vat_cny=-draft.vat_of(fee),
        )
        return entry, draft.gross == 0
    orders = {
        rating.delivery.allocation.buy_order
        for rating in ratings
        if rating.delivery.allocation.buyer_id == draft.organisation.pk
    }
    charge = BuyerCharge(
        buyer=draft.organisation,
        number=number,
        net_cny=draft.net_of(compute),
        fee_cny=draft.net_of(fee),
        vat_cny=draft.vat,
        hold_references=tuple(o.hold_reference for o in orders if o.hold_reference),
    )
    return charge_buyer(run=run, charge=charge, day=terms.day)
