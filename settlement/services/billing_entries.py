"""The journal entries of a settlement run: buyers charged, suppliers credited, the network's part.

`trade_clearing` takes what buyers pay for compute and gives what suppliers, carriers and the
congestion account receive: it is zero after every run. Penalties and adjustments pass through
`settlement_adjustments`; what stays there is borne by the platform.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from marketplace.domain.decimals import add_exactly
from marketplace.models import Organisation
from orders.ports.collateral import HoldChange
from settlement.models import (
    AccountBalance,
    Hold,
    HoldState,
    InvoiceKind,
    JournalEntry,
    SettlementRun,
)
from settlement.services.accounts import account_for
from settlement.services.collateral import reduce_holds
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.rating import DeliveryRating

_ZERO = Decimal("0.00")
_BUYER_KINDS = {
    InvoiceKind.BILL: "buyer_bill",
    InvoiceKind.CREDIT_NOTE: "buyer_credit_note",
    InvoiceKind.ADDITIONAL: "buyer_additional_bill",
}
_SUPPLIER_KINDS = {
    InvoiceKind.BILL: "supplier_statement",
    InvoiceKind.CREDIT_NOTE: "supplier_credit_note",
    InvoiceKind.ADDITIONAL: "supplier_additional_statement",
}


@dataclass(frozen=True)
class BuyerCharge:
    """A buyer's bill as the ledger sees it, CNY.

    Attributes:
        buyer: who pays.
        number: of the bill.
        kind: a first bill, or a correction; sums of a credit note are below zero.
        net_cny: compute, before tax.
        adjustments_cny: penalties and adjustments, before tax.
        fee_cny: service fee, before tax.
        vat_cny: tax on all of them.
        hold_references: what was set aside for the orders behind the bill.
    """

    buyer: Organisation
    number: str
    kind: InvoiceKind
    net_cny: Decimal
    adjustments_cny: Decimal
    fee_cny: Decimal
    vat_cny: Decimal
    hold_references: tuple[UUID, ...]

    @property
    def gross_cny(self) -> Decimal:
        """What the buyer owes, tax included."""
        return add_exactly([self.net_cny, self.adjustments_cny, self.fee_cny, self.vat_cny])


@dataclass(frozen=True)
class SupplierCredit:
    """A supplier's statement as the ledger sees it, CNY; our fees lower what is owed.

    Attributes:
        supplier: who is owed.
        number: of the statement.
        kind: a first statement, or a correction.
        net_cny: compute, before tax.
        adjustments_cny: penalties and adjustments, before tax.
        vat_cny: tax on both.
        fee_cny: our service fee, before tax.
        fee_vat_cny: tax on the fee.
    """

    supplier: Organisation
    number: str
    kind: InvoiceKind
    net_cny: Decimal
    adjustments_cny: Decimal
    vat_cny: Decimal
    fee_cny: Decimal
    fee_vat_cny: Decimal

    @property
    def owed_cny(self) -> Decimal:
        """What the supplier gets, tax included and fees taken off."""
        bought = [self.net_cny, self.adjustments_cny, self.vat_cny]
        return add_exactly([*bought, -self.fee_cny, -self.fee_vat_cny])

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to post."""
        parts = (self.net_cny, self.adjustments_cny, self.vat_cny, self.fee_cny, self.fee_vat_cny)
        return not any(parts)


def charge_buyer(
    *, run: SettlementRun, charge: BuyerCharge, day: date
) -> tuple[JournalEntry | None, bool]:
    """Take a bill out of the buyer's funds; return the entry and whether that covered it.

    The holds of the orders are captured up to the bill and what is left of them is freed. What the
    holds do not cover comes from the free funds, credit limit included, and what these do not cover
    either stands on the buyer's receivable account: a bill is never lost for want of money. A sum
    below zero is given back to the funds.
    """
    funds = account_for("member_funds", organisation=charge.buyer)
    receivable = account_for("member_receivable", organisation=charge.buyer)
    captures = _captures(run, charge)
    paid = charge.gross_cny
    if paid > 0:
        paid = max(min(paid, _payable_from(funds.pk, charge, captures)), _ZERO)
    entry = None
    if charge.gross_cny:
        entry = post_entry(
            kind=_BUYER_KINDS[charge.kind],
            effective_on=day,
            source_type="invoice",
            source_id=charge.number,
            idempotency_key=_key(run, "receivable", charge.buyer, charge.kind),
            postings=[
                PostingLine(funds.pk, paid, charge.number),
                PostingLine(receivable.pk, charge.gross_cny - paid, charge.number),
                PostingLine(account_for("trade_clearing").pk, -charge.net_cny, run.number),
                PostingLine(_adjustments(charge), -charge.adjustments_cny, charge.number),
                PostingLine(account_for("fee_income").pk, -charge.fee_cny, charge.number),
                PostingLine(account_for("vat_output").pk, -charge.vat_cny, charge.number),
            ],
            captures=captures,
        )
    _free_rest(run, charge)
    return entry, paid == charge.gross_cny


def credit_supplier(
    *, run: SettlementRun, credit: SupplierCredit, day: date
) -> JournalEntry | None:
    """Owe the supplier its compute with tax, less our fee with tax; a credit note takes it back.

    The tax waits on its own account until the supplier's tax invoice is checked.
    """
    if credit.is_empty:
        return None
    payable = account_for("supplier_payable", organisation=credit.supplier)
    number = credit.number
    return post_entry(
        kind=_SUPPLIER_KINDS[credit.kind],
        effective_on=day,
        source_type="invoice",
        source_id=number,
        idempotency_key=_key(run, "payable", credit.supplier, credit.kind),
        postings=[
            PostingLine(account_for("trade_clearing").pk, credit.net_cny, run.number),
            PostingLine(_adjustments(credit), credit.adjustments_cny, number),
            PostingLine(account_for("vat_input_pending").pk, credit.vat_cny, number),
            PostingLine(account_for("fee_income").pk, -credit.fee_cny, number),
            PostingLine(account_for("vat_output").pk, -credit.fee_vat_cny, number),
            PostingLine(payable.pk, -credit.owed_cny, number),
        ],
    )


def post_network_part(
    *, run: SettlementRun, ratings: Sequence[DeliveryRating], day: date
) -> JournalEntry | None:
    """Give tariffs to the carriers' account and congestion rent, without rounding, to its own."""
    tariffs = add_exactly(rating.sums.tariff for rating in ratings)
    rounding = add_exactly(rating.sums.rounding for rating in ratings)
    rent = add_exactly(rating.sums.congestion_rent for rating in ratings) - rounding
    if not (tariffs or rent or rounding):
        return None
    return post_entry(
        kind="network_part",
        effective_on=day,
        source_type="settlement_run",
        source_id=run.number,
        idempotency_key=f"bill:{run.pk}:network",
        postings=[
            PostingLine(account_for("trade_clearing").pk, tariffs + rent + rounding, run.number),
            PostingLine(account_for("link_tariffs").pk, -tariffs, run.number),
            PostingLine(account_for("congestion_rent").pk, -rent, run.number),
            PostingLine(account_for("rounding").pk, -rounding, run.number),
        ],
    )


def _key(run: SettlementRun, side: str, member: Organisation, kind: InvoiceKind) -> str:
    """Name the event; the document of a correction is told apart by its kind."""
    suffix = "" if kind == InvoiceKind.BILL else f":{kind}"
    return f"bill:{run.pk}:{side}:{member.pk}{suffix}"


def _adjustments(charge: BuyerCharge | SupplierCredit) -> int:
    """Return the account of adjustments; any other one where there is nothing to post."""
    purpose = "settlement_adjustments" if charge.adjustments_cny else "trade_clearing"
    return account_for(purpose).pk


def _captures(run: SettlementRun, charge: BuyerCharge) -> list[HoldChange]:
    """Use the holds in the order they were placed, up to the bill."""
    left = max(charge.gross_cny, _ZERO)
    changes = []
    for hold in _open_holds(charge):
        used = min(left, hold.remaining)
        if used:
            changes.append(
                HoldChange(
                    reference=hold.reference,
                    keep_cny=hold.remaining - used,
                    event_key=f"settle:{run.pk}:capture:{hold.reference}",
                )
            )
        left -= used
    return changes


def _payable_from(account_id: int, charge: BuyerCharge, captures: Sequence[HoldChange]) -> Decimal:
    """Return what the funds can pay once the captured holds are freed; the row is locked."""
    balance = AccountBalance.objects.get(account_id=account_id)
    free = balance.credit - balance.debit + balance.credit_limit - balance.pending
    kept = {change.reference: change.keep_cny for change in captures}
    captured = sum(
        (h.remaining - kept[h.reference] for h in _open_holds(charge) if h.reference in kept),
        _ZERO,
    )
    return (free + captured).quantize(_ZERO)


def _free_rest(run: SettlementRun, charge: BuyerCharge) -> None:
    changes = [
        HoldChange(
            reference=hold.reference,
            keep_cny=_ZERO,
            event_key=f"settle:{run.pk}:release:{hold.reference}",
        )
        for hold in _open_holds(charge)
    ]
    reduce_holds(changes, kind="release")


def _open_holds(charge: BuyerCharge) -> list[Hold]:
    return list(
        Hold.objects.filter(reference__in=charge.hold_references, state=HoldState.OPEN).order_by(
            "pk"
        )
    )
