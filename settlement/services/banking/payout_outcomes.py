"""What the bank did with a payout: paid it, sent it back, or would not take it."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from marketplace.domain.errors import NotFound
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.models import (
    PAYOUT_BATCH_TRANSITIONS,
    PAYOUT_TRANSITIONS,
    BankMatch,
    BankMatchKind,
    Invoice,
    InvoiceState,
    Payout,
    PayoutBatch,
    PayoutBatchState,
    PayoutItem,
    PayoutState,
)
from settlement.services.accounts import account_for
from settlement.services.banking.history import move_document
from settlement.services.funds_requests import require_bookkeeper
from settlement.services.ledger import PostingLine, post_entry


def mark_paid(payout: Payout, *, paid_on: date, actor: Actor) -> None:
    """Mark a payout as paid by the bank, and its statements that are paid in full with it.

    Raises:
        StateForbids: it was not ordered.
    """
    move_document(
        payout,
        PAYOUT_TRANSITIONS,
        PayoutState.PAID,
        actor=actor.user,
        changes={"paid_on": paid_on},
    )
    update_invoices(payout)
    finish_batch(payout.batch, actor)


def mark_returned(payout: Payout, *, reason: str, actor: Actor) -> None:
    """Mark a paid payout as sent back; the supplier is owed the money again.

    Raises:
        StateForbids: it was not paid.
    """
    move_document(
        payout,
        PAYOUT_TRANSITIONS,
        PayoutState.RETURNED,
        actor=actor.user,
        note=reason,
        changes={"return_reason": reason[:200]},
    )
    update_invoices(payout)
    finish_batch(payout.batch, actor)


@transaction.atomic
def reject_payout(*, actor: Actor, payout_public_id: UUID | str, reason: str) -> Payout:
    """Note that the bank refused a payment before any money moved; the supplier is owed it again.

    Raises:
        NotPermitted, NotFound, Missing: the actor may not, or no reason was given.
        StateForbids: the payout is not with the bank.
    """
    require_bookkeeper(actor)
    why = check_text(reason, field="reason", max_length=200, required=True)
    payout = (
        Payout.objects.select_for_update(no_key=True, of=("self",))
        .select_related("batch", "organisation")
        .filter(public_id=payout_public_id)
        .first()
    )
    if payout is None:
        raise NotFound
    move_document(
        payout,
        PAYOUT_TRANSITIONS,
        PayoutState.RETURNED,
        actor=actor.user,
        note=why,
        changes={"return_reason": why},
    )
    post_entry(
        kind="payout_rejected",
        effective_on=market_date(market_now()),
        source_type="payout",
        source_id=payout.number,
        idempotency_key=f"payout-rejected:{payout.number}",
        postings=[
            PostingLine(account_for("payout_in_transit").pk, payout.amount_cny, payout.number),
            PostingLine(
                account_for("supplier_payable", organisation=payout.organisation).pk,
                -payout.amount_cny,
                payout.number,
            ),
        ],
        reason=why,
        actor=actor.user,
    )
    finish_batch(payout.batch, actor)
    record_audit(
        action="payout.rejected",
        subject=payout,
        actor=actor.user,
        organisation=payout.organisation,
        after={"number": payout.number, "amount": format(payout.amount_cny, "f")},
        reason=why,
    )
    return payout


def take_outcome_back(match: BankMatch, *, actor: Actor, reason: str) -> None:
    """Put a payout back to what it was before a match that was undone.

    Raises:
        StateForbids: something else has happened to it since.
    """
    payout = match.payout
    if payout is None:
        return
    if match.kind == BankMatchKind.PAYOUT:
        move_document(
            payout,
            PAYOUT_TRANSITIONS,
            PayoutState.ORDERED,
            actor=actor.user,
            note=reason,
            changes={"paid_on": None},
        )
    else:
        move_document(payout, PAYOUT_TRANSITIONS, PayoutState.PAID, actor=actor.user, note=reason)
    update_invoices(payout)


def finish_batch(batch: PayoutBatch, actor: Actor) -> None:
    """Mark a batch as finished once the bank has dealt with every payout of it."""
    waiting = batch.payouts.filter(state=PayoutState.ORDERED).exists()
    if batch.state == PayoutBatchState.APPROVED and not waiting:
        move_document(batch, PAYOUT_BATCH_TRANSITIONS, PayoutBatchState.FINISHED, actor=actor.user)


def update_invoices(payout: Payout) -> None:
    """Mark the statements of a payout as paid when all of them is, as open when it is not."""
    for invoice in Invoice.objects.filter(payout_items__payout=payout).select_for_update(
        no_key=True, of=("self",)
    ):
        paid = PayoutItem.objects.filter(invoice=invoice, payout__state=PayoutState.PAID).aggregate(
            total=Sum("amount_cny")
        )["total"] or Decimal(0)
        is_paid = paid == invoice.gross.amount
        target = InvoiceState.PAID if is_paid else InvoiceState.ISSUED
        if invoice.state in (InvoiceState.ISSUED, InvoiceState.PAID) and invoice.state != target:
            invoice.state = target
            invoice.save(update_fields=["state"])
