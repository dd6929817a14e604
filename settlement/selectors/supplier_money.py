"""A supplier's money on its way: sold, delivered, billed, waiting for the tax invoice, paid."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet, Subquery, Sum

from marketplace.models import Organisation
from orders.models import Allocation
from settlement.models import (
    Delivery,
    DeliveryState,
    Invoice,
    InvoiceDirection,
    InvoiceState,
    PayoutItem,
    PayoutState,
    SupplierInvoice,
    SupplierInvoiceState,
)

AHEAD = (DeliveryState.SCHEDULED, DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class SupplierMoney:
    """CNY before tax unless said otherwise.

    Attributes:
        sold_cny: allocated, the delivery has not ended.
        delivered_cny: delivered and not billed yet, as contracted.
        billed_cny: on settlement statements.
        unpaid_cny: of the statements that are not paid, with tax.
        paid_cny: of the statements that are paid, with tax.
        refused_count: tax invoices that were refused.
    """

    sold_cny: Decimal
    delivered_cny: Decimal
    billed_cny: Decimal
    unpaid_cny: Decimal
    paid_cny: Decimal
    refused_count: int


def supplier_money(organisation: Organisation) -> SupplierMoney:
    """Return where a supplier's money stands, in five queries."""
    statements = statements_of(organisation)
    return SupplierMoney(
        sold_cny=_allocated(organisation, AHEAD),
        delivered_cny=_allocated(organisation, (DeliveryState.COMPLETED,)),
        billed_cny=_sum(statements, "net"),
        unpaid_cny=_sum(statements.filter(state=InvoiceState.ISSUED), "gross"),
        paid_cny=_sum(statements.filter(state=InvoiceState.PAID), "gross"),
        refused_count=_refused(statements),
    )


def statements_of(organisation: Organisation) -> QuerySet[Invoice]:
    """Return a supplier's settlement statements, the latest first.

    Each has ``tax_invoice_state`` and ``tax_invoice_number`` of its newest tax invoice, None
    before one is entered; a checked one stays although a later entry was refused. Its newest
    payout is ``payout_state``, ``payout_number`` and ``payout_key``.
    """
    newest = SupplierInvoice.objects.filter(invoice=OuterRef("pk")).order_by("-id")
    checked = newest.filter(state=SupplierInvoiceState.CHECKED)
    payouts = PayoutItem.objects.filter(invoice=OuterRef("pk")).exclude(
        payout__state=PayoutState.DROPPED
    )
    last = payouts.order_by("-id")
    return (
        Invoice.objects.filter(organisation=organisation, direction=InvoiceDirection.PAYABLE)
        .select_related("run__auction__calendar")
        .annotate(
            tax_invoice_state=Subquery(newest.values("state")[:1]),
            tax_invoice_number=Subquery(newest.values("tax_number")[:1]),
            is_checked=Exists(checked),
            payout_state=Subquery(last.values("payout__state")[:1]),
            payout_number=Subquery(last.values("payout__number")[:1]),
            payout_key=Subquery(last.values("payout__public_id")[:1]),
        )
        .order_by("-pk")
    )


def _allocated(organisation: Organisation, states: tuple[DeliveryState, ...]) -> Decimal:
    deliveries = Delivery.objects.filter(state__in=states).values("allocation_id")
    rows = Allocation.objects.filter(seller=organisation, pk__in=deliveries)
    return rows.aggregate(total=Sum("seller_net_cny"))["total"] or Decimal(0)


def _sum(statements: QuerySet[Invoice], column: str) -> Decimal:
    return statements.order_by().aggregate(total=Sum(column))["total"] or Decimal(0)


def _refused(statements: QuerySet[Invoice]) -> int:
    """Return how many unpaid statements have a newest tax invoice that was refused."""
    unpaid = statements.filter(state=InvoiceState.ISSUED)
    return sum(
        getattr(one, "tax_invoice_state", "") == SupplierInvoiceState.REFUSED for one in unpaid
    )
