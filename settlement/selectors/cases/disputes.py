"""Disputes: who reads which, what a delivery came to, what is due."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from marketplace.domain.errors import NotFound
from marketplace.permissions import Actor
from settlement.models import (
    Delivery,
    Dispute,
    DisputeEvidence,
    DisputeMessage,
    DisputeState,
    DisputeVisibility,
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    InvoiceLine,
    InvoiceLineKind,
)
from settlement.selectors.cases.holds import OPEN_STATES

_ZERO = Decimal("0.00")


@dataclass(frozen=True)
class BilledDelivery:
    """What a delivery came to on both sides over all of its documents, CNY.

    Nets are compute without fees; grosses include tax, and the buyer's its fee.
    """

    bill: Invoice
    statement: Invoice
    buyer_net: Decimal
    buyer_gross: Decimal
    seller_net: Decimal
    seller_gross: Decimal


def disputes_for(actor: Actor) -> QuerySet[Dispute]:
    """Return the disputes an actor may read: the own ones, or all of them for the market's."""
    rows = Dispute.objects.select_related(
        "organisation", "respondent", "delivery__allocation__product", "bill", "statement"
    ).order_by("-pk")
    if reads_everything(actor):
        return rows
    if actor.organisation is None or not actor.can_see_own_money:
        return rows.none()
    return rows.filter(Q(organisation=actor.organisation) | Q(respondent=actor.organisation))


def dispute_for(actor: Actor, public_id: UUID | str) -> Dispute:
    """Return one of them; raises NotFound."""
    dispute = disputes_for(actor).filter(public_id=public_id).first()
    if dispute is None:
        raise NotFound
    return dispute


def reads_everything(actor: Actor) -> bool:
    """Tell whether the actor reads every dispute, private parts included."""
    return actor.is_operator or actor.is_platform_finance or actor.is_platform_auditor


def messages_for(actor: Actor, dispute: Dispute) -> QuerySet[DisputeMessage]:
    """Return what was said, as far as the actor may read it."""
    rows = DisputeMessage.objects.filter(dispute=dispute).select_related("organisation", "author")
    if not reads_everything(actor):
        rows = rows.filter(_readable(actor))
    return rows.order_by("pk")


def evidence_for(actor: Actor, dispute: Dispute) -> QuerySet[DisputeEvidence]:
    """Return the files handed in, without their content, as far as the actor may read them."""
    rows = DisputeEvidence.objects.filter(dispute=dispute).select_related("organisation")
    if not reads_everything(actor):
        rows = rows.filter(_readable(actor))
    return rows.defer("content").order_by("pk")


def _readable(actor: Actor) -> Q:
    return Q(visibility=DisputeVisibility.PARTIES) | Q(organisation=actor.organisation)


def billed_delivery(delivery: Delivery) -> BilledDelivery | None:
    """Return what a delivery came to, or None before it is settled."""
    lines = InvoiceLine.objects.filter(delivery=delivery)
    bill = _first_document(delivery, InvoiceDirection.RECEIVABLE)
    statement = _first_document(delivery, InvoiceDirection.PAYABLE)
    if bill is None or statement is None:
        return None
    buyer = lines.filter(invoice__direction=InvoiceDirection.RECEIVABLE)
    seller = lines.filter(invoice__direction=InvoiceDirection.PAYABLE)
    is_fee = Q(kind=InvoiceLineKind.FEE)
    return BilledDelivery(
        bill=bill,
        statement=statement,
        buyer_net=_sum(buyer.exclude(is_fee), "net_cny"),
        buyer_gross=_sum(buyer, "net_cny") + _sum(buyer, "vat_cny"),
        seller_net=_sum(seller.exclude(is_fee), "net_cny"),
        seller_gross=_sum(seller, "net_cny") + _sum(seller, "vat_cny"),
    )


def _first_document(delivery: Delivery, direction: InvoiceDirection) -> Invoice | None:
    line = (
        InvoiceLine.objects.filter(
            delivery=delivery, invoice__direction=direction, invoice__kind=InvoiceKind.BILL
        )
        .select_related("invoice")
        .order_by("pk")
        .first()
    )
    return line.invoice if line else None


def _sum(lines: QuerySet[InvoiceLine], column: str) -> Decimal:
    return lines.aggregate(total=Sum(column))["total"] or _ZERO


def due_on(dispute: Dispute) -> date | None:
    """Return the next deadline of an open dispute."""
    if dispute.state == DisputeState.OPENED:
        return dispute.answer_due_on
    if dispute.state == DisputeState.ANSWERED:
        return dispute.ruling_due_on if dispute.insisted_on else dispute.insist_due_on
    return None


def ready_for_ruling(dispute: Dispute, today: date) -> bool:
    """Tell whether it may be ruled: insisted upon, or not answered in time."""
    if dispute.state == DisputeState.OPENED:
        return dispute.answer_due_on < today
    return dispute.state == DisputeState.ANSWERED and dispute.insisted_on is not None


def disputes_of_delivery(actor: Actor, delivery: Delivery) -> QuerySet[Dispute]:
    """Return the disputes about a delivery that the actor may read."""
    return disputes_for(actor).filter(delivery=delivery)


def open_disputes() -> QuerySet[Dispute]:
    """Return every open dispute, the most urgent first."""
    return Dispute.objects.filter(state__in=OPEN_STATES).order_by("answer_due_on", "pk")
