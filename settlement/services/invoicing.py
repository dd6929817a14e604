"""Bills of a settlement run: the buyer's (结算单) and the supplier's (供方结算单), and corrections.

One document and one journal entry per member, run, direction and kind. What a document says is
drafted in `bill_drafts`, and for corrections in `corrections.documents`.
"""

from collections.abc import Iterable, Sequence

from settlement.domain.numbering import DocumentSeries
from settlement.models import (
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    InvoiceLine,
    InvoiceLineKind,
    InvoiceState,
    JournalEntry,
    SettlementRun,
)
from settlement.services.bill_drafts import BillDraft, BillingTerms, DraftLine, draft_bills
from settlement.services.billing_entries import (
    BuyerCharge,
    SupplierCredit,
    charge_buyer,
    credit_supplier,
)
from settlement.services.numbering import take_numbers
from settlement.services.rating import DeliveryRating

_SERIES = {
    (InvoiceDirection.RECEIVABLE, False): DocumentSeries.INVOICE,
    (InvoiceDirection.RECEIVABLE, True): DocumentSeries.CREDIT_NOTE,
    (InvoiceDirection.PAYABLE, False): DocumentSeries.SUPPLIER_INVOICE,
    (InvoiceDirection.PAYABLE, True): DocumentSeries.SUPPLIER_CREDIT_NOTE,
}


def issue_bills(
    run: SettlementRun, ratings: Sequence[DeliveryRating], terms: BillingTerms
) -> list[Invoice]:
    """Issue and post every bill of a run, by member code; call it once, in the run's transaction.

    Raises:
        AccountMissing: a member's accounts were never opened.
        PeriodClosed: the month of the bills takes no entries.
    """
    drafts = [
        draft
        for direction in (InvoiceDirection.RECEIVABLE, InvoiceDirection.PAYABLE)
        for draft in draft_bills(ratings, direction, terms)
    ]
    return issue_drafts(run, drafts, terms)


def issue_drafts(
    run: SettlementRun, drafts: Sequence[BillDraft], terms: BillingTerms
) -> list[Invoice]:
    """Number, post and store drafts in the order given; credit notes have series of their own.

    The counters of all series are locked in the order of their codes before anything is posted.
    """
    series = [_SERIES[d.direction, d.kind == InvoiceKind.CREDIT_NOTE] for d in drafts]
    numbers: dict[DocumentSeries, Iterable[str]] = {
        each: iter(take_numbers(series=each, day=terms.day, count=series.count(each)))
        for each in sorted(set(series))
    }
    issued = []
    lines: list[InvoiceLine] = []
    for draft, own in zip(drafts, series, strict=True):
        invoice = _issue(run, draft, next(iter(numbers[own])), terms)
        lines += [
            _line(invoice, position, line) for position, line in enumerate(draft.lines, start=1)
        ]
        issued.append(invoice)
    InvoiceLine.objects.bulk_create(lines, batch_size=2000)
    return issued


def _issue(run: SettlementRun, draft: BillDraft, number: str, terms: BillingTerms) -> Invoice:
    entry, is_paid = _post(run, draft, number, terms)
    is_credit = draft.kind == InvoiceKind.CREDIT_NOTE
    return Invoice.objects.create(
        number=number,
        direction=draft.direction,
        kind=draft.kind,
        refers_to=draft.refers_to,
        run=run,
        organisation=draft.organisation,
        state=InvoiceState.PAID if is_paid else InvoiceState.ISSUED,
        issued_on=terms.day,
        due_on=terms.day if is_credit else terms.due_on,
        net=draft.net,
        vat=draft.vat,
        gross=draft.gross,
        entry=entry,
    )


def _line(invoice: Invoice, position: int, line: DraftLine) -> InvoiceLine:
    delivery = line.rating.delivery
    is_rounding_of_fee = line.is_fee and line.kind == InvoiceLineKind.ROUNDING
    return InvoiceLine(
        invoice=invoice,
        line=position,
        kind=line.kind,
        delivery=delivery,
        product_id=None if is_rounding_of_fee else delivery.allocation.product_id,
        unit_hours=line.unit_hours,
        net_cny=line.net,
        vat_rate=line.vat_rate,
        vat_cny=line.vat,
    )


def _post(
    run: SettlementRun, draft: BillDraft, number: str, terms: BillingTerms
) -> tuple[JournalEntry | None, bool]:
    compute, fee = draft.net_of(InvoiceLineKind.COMPUTE), draft.net_of(InvoiceLineKind.FEE)
    if draft.direction == InvoiceDirection.PAYABLE:
        credit = SupplierCredit(
            supplier=draft.organisation,
            number=number,
            kind=draft.kind,
            net_cny=compute,
            adjustments_cny=draft.adjustments,
            vat_cny=draft.vat - draft.vat_of_fees(),
            fee_cny=-fee,
            fee_vat_cny=-draft.vat_of_fees(),
        )
        return credit_supplier(run=run, credit=credit, day=terms.day), draft.gross == 0
    orders = (
        {rating.delivery.allocation.buy_order for rating in draft.ratings}
        if draft.kind == InvoiceKind.BILL
        else set()
    )
    charge = BuyerCharge(
        buyer=draft.organisation,
        number=number,
        kind=draft.kind,
        net_cny=compute,
        adjustments_cny=draft.adjustments,
        fee_cny=fee,
        vat_cny=draft.vat,
        hold_references=tuple(o.hold_reference for o in orders if o.hold_reference),
    )
    return charge_buyer(run=run, charge=charge, day=terms.day)
