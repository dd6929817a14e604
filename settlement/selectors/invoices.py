"""Bills: whose, with their lines, and the register."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet

from marketplace.domain.errors import NotFound
from marketplace.models import Organisation
from settlement.models import Invoice, InvoiceLine, InvoiceLineKind


def invoices_of(organisation: Organisation) -> QuerySet[Invoice]:
    """Return a member's bills and statements, the latest first."""
    return (
        Invoice.objects.filter(organisation=organisation)
        .select_related("organisation", "run__auction", "refers_to")
        .order_by("-pk")
    )


def invoice_for(organisation: Organisation | None, public_id: UUID | str) -> Invoice:
    """Return a member's bill, or any bill to the platform (organisation None).

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    invoices = Invoice.objects.select_related("organisation", "run__auction__calendar", "refers_to")
    if organisation is not None:
        invoices = invoices.filter(organisation=organisation)
    invoice = invoices.filter(public_id=public_id).first()
    if invoice is None:
        raise NotFound
    return invoice


def lines_of(invoice: Invoice) -> QuerySet[InvoiceLine]:
    """Return the lines of a bill in order, with what they bill."""
    return (
        InvoiceLine.objects.filter(invoice=invoice)
        .select_related(
            "product",
            "delivery__allocation__hub",
            "delivery__allocation__supply_hub",
            "delivery__allocation__listing__pool",
        )
        .order_by("line")
    )


def supplied_lines(invoice: Invoice) -> QuerySet[InvoiceLine]:
    """Return what the supplier's tax invoice must state: every line but those of our own fees.

    A fen of rounding that belongs to our fees names no product.
    """
    own = Q(kind=InvoiceLineKind.FEE) | Q(kind=InvoiceLineKind.ROUNDING, product__isnull=True)
    return invoice.lines.exclude(own)


def invoice_register(
    starts_on: date, ends_on: date, *, directions: Sequence[str] = ()
) -> QuerySet[Invoice]:
    """Return the bills issued between two dates, both included, by number."""
    invoices = Invoice.objects.filter(issued_on__range=(starts_on, ends_on))
    if directions:
        invoices = invoices.filter(direction__in=directions)
    return invoices.select_related("organisation", "run__auction").order_by("number")
