"""Payout batches: made by one finance person, approved and posted by another."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from settlement.domain.numbering import DocumentSeries
from settlement.models import (
    PAYOUT_BATCH_TRANSITIONS,
    PAYOUT_TRANSITIONS,
    FileProfile,
    FileProfileKind,
    Invoice,
    Payout,
    PayoutBatch,
    PayoutBatchState,
    PayoutItem,
    PayoutState,
)
from settlement.selectors.banking.payables import SupplierPayables, open_payables
from settlement.selectors.cases.holds import payout_block
from settlement.services.accounts import account_for
from settlement.services.banking.history import move_document, note_transition
from settlement.services.funds_requests import SamePerson, require_bookkeeper
from settlement.services.invariants import ledger_is_trusted
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.locks import lock_payouts
from settlement.services.numbering import take_numbers


class NothingToPay(RuleBroken):
    """No statement of the chosen suppliers can be paid by that day."""

    code = "nothing_to_pay"
    message = gettext_noop("Nothing can be paid: see what each statement waits for.")


class PayDayInPast(RuleBroken):
    """A batch cannot be paid before today."""

    code = "pay_day_in_past"
    message = gettext_noop("The day of payment cannot lie before today.")


class PayoutBlocked(RuleBroken):
    """A statement of the batch has been disputed since it was made."""

    code = "payout_blocked"
    message = gettext_noop("Statement %(number)s is disputed by now; refuse this batch.")
    status = 409


class LedgerNotTrusted(RuleBroken):
    """The sweep or the hash chain finds a fault: no money leaves."""

    code = "ledger_not_trusted"
    message = gettext_noop("The ledger's checks find a fault: no payout is approved until then.")
    status = 409


@transaction.atomic
def make_payout_batch(
    *,
    actor: Actor,
    pay_on: date,
    profile_code: str,
    suppliers: Sequence[Organisation] | None = None,
) -> PayoutBatch:
    """Collect what suppliers can be paid by a day: one payment each, credit notes taken off.

    Args:
        actor: of the market's finance; another person approves.
        pay_on: day of payment; statements due until then are taken.
        profile_code: layout of the bank's payment file.
        suppliers: whom to pay; everybody when None.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such layout.
        PayDayInPast, NothingToPay: with the field.
    """
    require_bookkeeper(actor)
    today = market_date(market_now())
    if pay_on < today:
        raise PayDayInPast(field="pay_on")
    profile = FileProfile.objects.filter(
        code=profile_code, kind=FileProfileKind.PAYOUT, is_active=True
    ).first()
    if profile is None:
        raise NotFound
    lock_payouts()
    chosen = None if suppliers is None else {supplier.pk for supplier in suppliers}
    groups = [
        group
        for group in open_payables(due_until=pay_on)
        if not group.obstacle and (chosen is None or group.organisation.pk in chosen)
    ]
    if not groups:
        raise NothingToPay(field="suppliers")
    batch = PayoutBatch.objects.create(
        number=take_numbers(series=DocumentSeries.PAYOUT_BATCH, day=today)[0],
        profile=profile,
        pay_on=pay_on,
        payout_count=len(groups),
        total_cny=sum((group.payable_cny for group in groups), Decimal(0)),
        made_by=actor.user,
    )
    for position, group in enumerate(groups, 1):
        _add_payout(batch, position, group)
    note_transition(batch, "", actor=actor.user)
    _audit("payout_batch.made", batch, actor)
    return batch


@transaction.atomic
def approve_payout_batch(*, actor: Actor, batch_public_id: UUID | str) -> PayoutBatch:
    """Approve a batch that somebody else made: each payout is posted and ordered from the bank.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before.
        PayoutBlocked, LedgerNotTrusted: no money leaves.
        PeriodClosed: the month takes no entries.
    """
    batch = _to_decide(batch_public_id, actor, PayoutBatchState.APPROVED)
    _lock_statements(batch)
    payouts = list(batch.payouts.select_related("organisation").prefetch_related("items__invoice"))
    for payout in payouts:
        _check_not_disputed(payout)
    if not ledger_is_trusted():
        raise LedgerNotTrusted
    for payout in payouts:
        _order(payout, actor)
    _decide(batch, PayoutBatchState.APPROVED, actor, "")
    return batch


@transaction.atomic
def refuse_payout_batch(*, actor: Actor, batch_public_id: UUID | str, reason: str) -> PayoutBatch:
    """Refuse a batch; its statements are free for another one.

    Raises:
        NotPermitted, NotFound, SamePerson, Missing: the actor may not, or gave no reason.
        StateForbids: it was decided before.
    """
    why = check_text(reason, field="reason", max_length=200, required=True)
    batch = _to_decide(batch_public_id, actor, PayoutBatchState.REFUSED)
    for payout in batch.payouts.all():
        move_document(payout, PAYOUT_TRANSITIONS, PayoutState.DROPPED, actor=actor.user, note=why)
    _decide(batch, PayoutBatchState.REFUSED, actor, why)
    return batch


def _add_payout(batch: PayoutBatch, position: int, group: SupplierPayables) -> None:
    supplier = group.organisation
    payout = Payout.objects.create(
        number=f"{batch.number}-{position:03}",
        batch=batch,
        organisation=supplier,
        amount_cny=group.payable_cny,
        payee_name=supplier.invoice_title or supplier.name_zh,
        bank_name=supplier.bank_name,
        bank_account=supplier.bank_account,
    )
    PayoutItem.objects.bulk_create(
        PayoutItem(
            payout=payout,
            invoice=row.invoice,
            amount_cny=row.payable_cny,
            held_back_cny=row.blocked_cny,
        )
        for row in group.rows
        if row.payable_cny
    )


def _to_decide(public_id: UUID | str, actor: Actor, target: PayoutBatchState) -> PayoutBatch:
    require_bookkeeper(actor)
    batch = PayoutBatch.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    if batch is None:
        raise NotFound
    check_transition(PAYOUT_BATCH_TRANSITIONS, batch.state, target)
    if batch.made_by_id == actor.user.pk:
        raise SamePerson
    return batch


def _lock_statements(batch: PayoutBatch) -> None:
    """Take the rows that opening a dispute takes: it comes before this approval or after it."""
    named = PayoutItem.objects.filter(payout__batch=batch).values("invoice_id")
    rows = Invoice.objects.select_for_update(no_key=True).filter(pk__in=named).order_by("pk")
    list(rows.values_list("pk"))


def _check_not_disputed(payout: Payout) -> None:
    for item in payout.items.all():
        if item.amount_cny > 0 and payout_block(item.invoice) > item.held_back_cny:
            raise PayoutBlocked(number=item.invoice.number)


def _order(payout: Payout, actor: Actor) -> None:
    payable = account_for("supplier_payable", organisation=payout.organisation)
    payout.entry = post_entry(
        kind="payout",
        effective_on=market_date(market_now()),
        source_type="payout",
        source_id=payout.number,
        idempotency_key=f"payout:{payout.number}",
        postings=[
            PostingLine(payable.pk, payout.amount_cny, payout.number),
            PostingLine(account_for("payout_in_transit").pk, -payout.amount_cny, payout.number),
        ],
        actor=actor.user,
    )
    move_document(
        payout,
        PAYOUT_TRANSITIONS,
        PayoutState.ORDERED,
        actor=actor.user,
        changes={"entry": payout.entry},
    )


def _decide(batch: PayoutBatch, target: PayoutBatchState, actor: Actor, reason: str) -> None:
    move_document(
        batch,
        PAYOUT_BATCH_TRANSITIONS,
        target,
        actor=actor.user,
        note=reason,
        changes={
            "decided_by": actor.user,
            "decided_at": timezone.now(),
            "decision_reason": reason,
        },
    )
    _audit(f"payout_batch.{target.value}", batch, actor, reason)


def _audit(action: str, batch: PayoutBatch, actor: Actor, reason: str = "") -> None:
    record_audit(
        action=action,
        subject=batch,
        actor=actor.user,
        organisation=actor.organisation,
        after={
            "number": batch.number,
            "payouts": batch.payout_count,
            "total": format(batch.total_cny, "f"),
        },
        reason=reason,
    )
