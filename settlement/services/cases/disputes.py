"""Disputes: opened in time, answered, insisted upon; withdrawn or expired otherwise.

While one is open the disputed part of the supplier's statement is not paid out and the disputed
part of the buyer's bill is not collected.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.money import round_up
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role, User
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_transition
from marketplace.services.outbox import emit_event
from settlement.domain.cases.parts import matching_part
from settlement.domain.numbering import DocumentSeries
from settlement.models import (
    DISPUTE_TRANSITIONS,
    Delivery,
    Dispute,
    DisputeGround,
    DisputeSide,
    DisputeState,
    DisputeTransition,
    Invoice,
    InvoiceState,
)
from settlement.selectors.cases.deadlines import dispute_days
from settlement.selectors.cases.disputes import BilledDelivery, billed_delivery
from settlement.services.banking.workdays import workdays_after
from settlement.services.cases.dispute_records import check_long_text, say
from settlement.services.funds_requests import checked_amount
from settlement.services.numbering import take_numbers

_ZERO = Decimal("0.00")
_SIDE_ROLES = {
    DisputeSide.BUYER: (Role.BUYER, Role.FINANCE),
    DisputeSide.SUPPLIER: (Role.SUPPLIER, Role.FINANCE),
}


class DisputeTooLate(RuleBroken):
    """The time to open a dispute about a bill is over."""

    code = "dispute_too_late"
    message = gettext_noop("Disputes about this bill could be opened until %(until)s.")
    status = 409


class NotSettledYet(RuleBroken):
    """Only a delivery that was billed can be disputed."""

    code = "not_settled_yet"
    message = gettext_noop("This delivery has not been billed yet.")
    status = 409


class DisputeOpenAlready(RuleBroken):
    """There is an open dispute about the delivery."""

    code = "dispute_open_already"
    message = gettext_noop("There is an open dispute about this delivery.")
    status = 409


class ClaimTooLarge(RuleBroken):
    """More is claimed than the delivery came to."""

    code = "claim_too_large"
    message = gettext_noop("At most %(most)s CNY before tax can be claimed for this delivery.")


class DisputeDeadlinePassed(RuleBroken):
    """The time for this step of the dispute is over."""

    code = "dispute_deadline_passed"
    message = gettext_noop("The time for this was over on %(due)s.")
    status = 409


@transaction.atomic
def open_dispute(
    *,
    actor: Actor,
    delivery_public_id: UUID | str,
    ground: str,
    claim: str,
    claimed_net_cny: Decimal,
    side: str = "",
) -> Dispute:
    """Question a settled delivery; its disputed part is held from now on.

    Locks the supplier's statement, as an approval of payouts does.

    Args:
        actor: a person of the buyer or of the supplier.
        delivery_public_id: the delivery.
        ground: one of `DisputeGround`.
        claim: what is wrong, at most 2,000 characters.
        claimed_net_cny: compute before tax; the buyer asks for it back, the supplier for more.
        side: needed where one company stands on both.

    Raises:
        NotPermitted, NotFound: the delivery is not the actor's.
        NotSettledYet, DisputeTooLate, DisputeOpenAlready: it cannot be disputed now.
        ClaimTooLarge, AmountInvalid, Missing, TextTooLong: with the field.
    """
    delivery, own_side = _own_delivery(actor, delivery_public_id, side)
    text = check_long_text(claim, field="claim", required=True)
    amount = checked_amount(claimed_net_cny)
    _check_ground(ground)
    billed = _locked_bills(delivery)
    today = market_date(market_now())
    days = dispute_days(billed.bill.issued_on)
    _check_disputable(delivery, today, workdays_after(billed.bill.issued_on, days.open_days))
    most = _most_claimable(delivery, billed, own_side)
    if amount > most:
        raise ClaimTooLarge(field="amount", most=most)
    is_buyer = own_side == DisputeSide.BUYER
    answer_due = workdays_after(today, days.answer_days)
    dispute = Dispute.objects.create(
        number=take_numbers(series=DocumentSeries.DISPUTE, day=today)[0],
        delivery=delivery,
        bill=billed.bill,
        statement=billed.statement,
        side=own_side,
        organisation=_party(delivery, own_side),
        respondent=_party(delivery, _other(own_side)),
        ground=ground,
        claim=text,
        claimed_net_cny=amount if is_buyer else -amount,
        held_cny=_held(billed, amount) if is_buyer else _ZERO,
        bill_part_cny=_bill_part(billed, amount) if is_buyer else _ZERO,
        opened_by=actor.user,
        opened_on=today,
        answer_due_on=answer_due,
        ruling_due_on=workdays_after(answer_due, days.ruling_days),
        market_at=market_now(),
    )
    _record(dispute, "", actor.user)
    return dispute


def _check_ground(ground: str) -> None:
    if ground not in DisputeGround.values:
        raise RuleBroken("choice_unknown", gettext_noop("Choose one of the list."), field="ground")


def _locked_bills(delivery: Delivery) -> BilledDelivery:
    """Return the documents of a settled delivery, with the supplier's statement locked."""
    billed = billed_delivery(delivery)
    if billed is None:
        raise NotSettledYet
    Invoice.objects.select_for_update(no_key=True).get(pk=billed.statement.pk)
    return billed


def _check_disputable(delivery: Delivery, today: date, last: date) -> None:
    if delivery.disputes.filter(state__in=("opened", "answered")).exists():
        raise DisputeOpenAlready
    if today > last:
        raise DisputeTooLate(until=last.isoformat())


@transaction.atomic
def answer_dispute(*, actor: Actor, public_id: UUID | str, text: str) -> Dispute:
    """Answer for the other side, once, in time.

    Raises:
        NotPermitted, NotFound: the actor is not the other side.
        StateForbids, DisputeDeadlinePassed: it is too late.
        Missing, TextTooLong: with the field.
    """
    dispute = _locked(actor, public_id, own=False)
    today = market_date(market_now())
    check_transition(DISPUTE_TRANSITIONS, dispute.state, DisputeState.ANSWERED)
    _require_in_time(dispute.answer_due_on, today)
    say(actor=actor, dispute=dispute, text=text, is_answer=True)
    days = dispute_days(dispute.bill.issued_on)
    dispute.insist_due_on = workdays_after(today, days.insist_days)
    dispute.save(update_fields=["insist_due_on"])
    return move_dispute(dispute, DisputeState.ANSWERED, actor=actor.user)


@transaction.atomic
def insist_on_dispute(*, actor: Actor, public_id: UUID | str) -> Dispute:
    """Ask for a ruling after the answer; raises as `answer_dispute`."""
    dispute = _locked(actor, public_id, own=True)
    today = market_date(market_now())
    if dispute.state != DisputeState.ANSWERED or dispute.insisted_on is not None:
        check_transition(DISPUTE_TRANSITIONS, dispute.state, dispute.state)
    _require_in_time(dispute.insist_due_on or today, today)
    days = dispute_days(dispute.bill.issued_on)
    dispute.insisted_on = today
    dispute.ruling_due_on = workdays_after(today, days.ruling_days)
    dispute.save(update_fields=["insisted_on", "ruling_due_on"])
    audit_dispute("dispute.insisted", dispute, actor.user)
    _emit(dispute, "insisted")
    return dispute


@transaction.atomic
def withdraw_dispute(*, actor: Actor, public_id: UUID | str, reason: str = "") -> Dispute:
    """Take an own dispute back, which frees what was held; raises NotFound, StateForbids."""
    dispute = _locked(actor, public_id, own=True)
    if dispute.rulings.filter(state="entered").exists():
        check_transition(DISPUTE_TRANSITIONS, DisputeState.RULED, DisputeState.WITHDRAWN)
    return move_dispute(dispute, DisputeState.WITHDRAWN, actor=actor.user, reason=reason)


@transaction.atomic
def expire_disputes(now: datetime) -> int:
    """Let answered disputes that nobody insists upon expire; return how many."""
    today = market_date(now)
    due = Dispute.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).filter(
        state=DisputeState.ANSWERED, insisted_on__isnull=True, insist_due_on__lt=today
    )
    expired = list(due.order_by("pk"))
    for dispute in expired:
        move_dispute(dispute, DisputeState.EXPIRED, actor=None, reason="not_insisted")
    return len(expired)


def move_dispute(
    dispute: Dispute, target: DisputeState, *, actor: User | None, reason: str = ""
) -> Dispute:
    """Bring a dispute, whose row the caller has locked, into a state; raises StateForbids."""
    before = dispute.state
    dispute.state = check_transition(DISPUTE_TRANSITIONS, before, target)
    dispute.save(update_fields=["state"])
    _record(dispute, before, actor, reason)
    return dispute


def audit_dispute(action: str, dispute: Dispute, actor: User | None, reason: str = "") -> None:
    """Write down who moved a dispute."""
    record_audit(
        action=action,
        subject=dispute,
        actor=actor,
        organisation=dispute.organisation,
        after={
            "number": dispute.number,
            "state": dispute.state,
            "claimed_net_cny": format(dispute.claimed_net_cny, "f"),
        },
        reason=reason,
    )


def _record(dispute: Dispute, before: str, actor: User | None, reason: str = "") -> None:
    DisputeTransition.objects.create(
        dispute=dispute,
        from_state=before,
        to_state=dispute.state,
        market_at=market_now(),
        actor=actor,
        reason=reason[:200],
    )
    audit_dispute(f"dispute.{dispute.state}", dispute, actor, reason)
    _emit(dispute, str(dispute.state))


def _emit(dispute: Dispute, what: str) -> None:
    emit_event(
        topic="dispute.moved",
        aggregate=f"dispute:{dispute.pk}",
        payload={"dispute_id": dispute.pk, "what": what},
    )


def _own_delivery(actor: Actor, public_id: UUID | str, side: str) -> tuple[Delivery, DisputeSide]:
    delivery = (
        Delivery.objects.select_related("allocation__buyer", "allocation__seller")
        .filter(public_id=public_id)
        .first()
    )
    if delivery is None or actor.organisation is None:
        raise NotFound
    sides = [
        each
        for each in DisputeSide
        if _party(delivery, each).pk == actor.organisation.pk and side in ("", each.value)
    ]
    if not sides:
        raise NotFound
    if not actor.has(*_SIDE_ROLES[sides[0]]):
        raise NotPermitted
    return delivery, sides[0]


def _locked(actor: Actor, public_id: UUID | str, *, own: bool) -> Dispute:
    rows: QuerySet[Dispute] = Dispute.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.select_related("organisation", "respondent", "bill", "statement")
    party = {"organisation" if own else "respondent": actor.organisation}
    dispute = rows.filter(public_id=public_id, **party).first() if actor.organisation else None
    if dispute is None:
        raise NotFound
    side = DisputeSide(dispute.side) if own else _other(DisputeSide(dispute.side))
    if not actor.has(*_SIDE_ROLES[side]):
        raise NotPermitted
    return dispute


def _require_in_time(due: date, today: date) -> None:
    if today > due:
        raise DisputeDeadlinePassed(due=due.isoformat())


def _party(delivery: Delivery, side: DisputeSide) -> Organisation:
    allocation = delivery.allocation
    return allocation.buyer if side == DisputeSide.BUYER else allocation.seller


def _other(side: DisputeSide) -> DisputeSide:
    return DisputeSide.SUPPLIER if side == DisputeSide.BUYER else DisputeSide.BUYER


def _most_claimable(delivery: Delivery, billed: BilledDelivery, side: DisputeSide) -> Decimal:
    """A buyer gets back at most what was billed; a supplier at most what was contracted."""
    if side == DisputeSide.BUYER:
        return max(billed.buyer_net, _ZERO)
    return max(round_up(delivery.allocation.seller_net_cny) - billed.seller_net, _ZERO)


def _held(billed: BilledDelivery, amount: Decimal) -> Decimal:
    """The disputed part of the supplier's statement; nothing once that is paid out."""
    statement = Invoice.objects.get(pk=billed.statement.pk)
    if statement.state != InvoiceState.ISSUED:
        return _ZERO
    return max(matching_part(billed.seller_gross, part=amount, of=billed.buyer_net), _ZERO)


def _bill_part(billed: BilledDelivery, amount: Decimal) -> Decimal:
    return max(matching_part(billed.buyer_gross, part=amount, of=billed.buyer_net), _ZERO)
