"""What disputes keep back: the supplier's payout, and the collection of the buyer's bill."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Sum

from settlement.models import Dispute, DisputeState, Invoice

OPEN_STATES = (DisputeState.OPENED, DisputeState.ANSWERED)


def payout_block(invoice: Invoice) -> Decimal:
    """Return the disputed CNY, tax included, of a supplier's statement that is not paid out now."""
    return payout_blocks([invoice])[invoice.pk]


def payout_blocks(invoices: Sequence[Invoice]) -> dict[int, Decimal]:
    """Return the same for each of many statements, by their keys."""
    disputes = Dispute.objects.filter(statement__in=invoices, state__in=OPEN_STATES)
    held = dict(disputes.values_list("statement").annotate(total=Sum("held_cny")).order_by())
    none = Decimal("0.00")
    return {one.pk: min(held.get(one.pk, none), max(one.gross.amount, none)) for one in invoices}


def collection_block(invoice: Invoice) -> Decimal:
    """Return the disputed CNY, tax included, of a buyer's bill that is not collected meanwhile."""
    disputes = Dispute.objects.filter(bill=invoice, state__in=OPEN_STATES)
    blocked = disputes.aggregate(total=Sum("bill_part_cny"))["total"] or Decimal("0.00")
    return min(blocked, max(invoice.gross.amount, Decimal("0.00")))
