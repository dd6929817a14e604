"""Rulings on disputes: proposed by one operator, put into force by another.

What is awarded becomes an adjustment of both sides of the delivery, and the difference run that
issues the credit notes happens in the same transaction: a ruling without its money does not exist.
"""

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.money import round_quotient
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.checks import check_text, check_transition, require_operator
from settlement.domain.cases.parts import matching_part
from settlement.models import (
    DISPUTE_TRANSITIONS,
    REQUEST_TRANSITIONS,
    AdjustmentKind,
    Dispute,
    DisputeOutcome,
    DisputeRuling,
    DisputeSide,
    DisputeState,
    RequestState,
)
from settlement.selectors.cases.disputes import billed_delivery, ready_for_ruling
from settlement.services.adjustments import order_adjustment
from settlement.services.cases.dispute_records import check_long_text
from settlement.services.cases.disputes import audit_dispute, move_dispute
from settlement.services.funds_requests import SamePerson, checked_amount
from settlement.services.locks import lock_settlement
from settlement.services.receivables import collect_receivable
from settlement.services.settling import settle_differences

_ZERO = Decimal("0.00")


class NotReadyForRuling(RuleBroken):
    """The other side may still answer, or the opener has not insisted."""

    code = "not_ready_for_ruling"
    message = gettext_noop("The other side may still answer, or nobody has insisted yet.")
    status = 409


class AwardOutOfRange(RuleBroken):
    """In part means more than nothing and less than was claimed."""

    code = "award_out_of_range"
    message = gettext_noop("An award in part lies above zero and below %(claimed)s CNY.")


class RulingProposedAlready(RuleBroken):
    """A ruling waits for its second person, or the dispute is ruled."""

    code = "ruling_proposed_already"
    message = gettext_noop("A ruling on this dispute was proposed before.")
    status = 409


@transaction.atomic
def propose_ruling(
    *,
    actor: Actor,
    public_id: UUID | str,
    outcome: str,
    reason: str,
    awarded_net_cny: Decimal = _ZERO,
) -> DisputeRuling:
    """Propose a ruling; nothing happens until another operator approves it.

    Args:
        actor: an operator.
        public_id: the dispute.
        outcome: one of `DisputeOutcome`.
        reason: what both sides will read.
        awarded_net_cny: for an award in part, compute before tax.

    Raises:
        NotPermitted, NotFound, NotReadyForRuling, RulingProposedAlready: not now.
        AwardOutOfRange, AmountInvalid, Missing, TextTooLong: with the field.
    """
    require_operator(actor)
    dispute = _locked_dispute(public_id)
    check_transition(DISPUTE_TRANSITIONS, dispute.state, DisputeState.RULED)
    if not ready_for_ruling(dispute, market_date(market_now())):
        raise NotReadyForRuling
    if dispute.rulings.exclude(state=RequestState.REJECTED).exists():
        raise RulingProposedAlready
    ruling = DisputeRuling.objects.create(
        dispute=dispute,
        outcome=_checked_outcome(outcome),
        awarded_net_cny=_award(dispute, outcome, awarded_net_cny),
        reason=check_long_text(reason, field="reason", required=True),
        proposed_by=actor.user,
    )
    audit_dispute("dispute.ruling_proposed", dispute, actor.user, ruling.outcome)
    return ruling


@transaction.atomic
def decide_ruling(
    *, actor: Actor, ruling_public_id: UUID | str, approve: bool, reason: str = ""
) -> DisputeRuling:
    """Approve a ruling, which settles its difference at once, or send it back.

    Takes the settlement lock of the auction before any row.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before, or the dispute was withdrawn.
        PeriodClosed, InsufficientFunds: the difference cannot be posted; nothing changed.
    """
    require_operator(actor)
    known = DisputeRuling.objects.filter(public_id=ruling_public_id).first()
    if known is None:
        raise NotFound
    auction_id = known.dispute.delivery.allocation.auction_id
    lock_settlement(auction_id)
    dispute = _locked_dispute(known.dispute.public_id)
    ruling = DisputeRuling.objects.select_for_update(no_key=True).get(pk=known.pk)
    target = RequestState.APPROVED if approve else RequestState.REJECTED
    check_transition(REQUEST_TRANSITIONS, ruling.state, target)
    if ruling.proposed_by_id == actor.user.pk:
        raise SamePerson
    ruling.state, ruling.decided_by, ruling.decided_at = target, actor.user, timezone.now()
    ruling.decision_reason = check_text(reason, field="reason", max_length=200)
    ruling.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    audit_dispute(f"dispute.ruling_{target.value}", dispute, actor.user, ruling.decision_reason)
    if approve:
        _carry_out(dispute, ruling, actor, auction_id)
    return ruling


def _carry_out(dispute: Dispute, ruling: DisputeRuling, actor: Actor, auction_id: int) -> None:
    move_dispute(dispute, DisputeState.RULED, actor=actor.user, reason=ruling.outcome)
    if ruling.awarded_net_cny:
        buyer_net, seller_net = _adjustment(dispute, ruling.awarded_net_cny)
        order_adjustment(
            delivery=dispute.delivery,
            buyer_net_cny=buyer_net,
            seller_net_cny=seller_net,
            kind=AdjustmentKind.DISPUTE_RULING,
            source_type="dispute",
            source_id=dispute.number,
            reason=dispute.number,
            actor=actor,
        )
        settle_differences(auction_id=auction_id)
    # What was kept out of collection while it was disputed is collected now.
    collect_receivable(dispute.delivery.allocation.buyer)


def _adjustment(dispute: Dispute, award: Decimal) -> tuple[Decimal, Decimal]:
    """Both sides move by the same share; transport in between is borne by the network."""
    billed = billed_delivery(dispute.delivery)
    if billed is None:
        raise NotFound
    if dispute.side == DisputeSide.BUYER:
        return -award, -matching_part(billed.seller_net, part=award, of=billed.buyer_net)
    allocation = dispute.delivery.allocation
    owed = allocation.buyer_net_cny * award
    return round_quotient(owed, allocation.seller_net_cny), award


def _award(dispute: Dispute, outcome: str, amount: Decimal) -> Decimal:
    claimed = abs(dispute.claimed_net_cny)
    if outcome == DisputeOutcome.REJECTED:
        return _ZERO
    if outcome == DisputeOutcome.UPHELD:
        return claimed
    award = checked_amount(amount)
    if not award < claimed:
        raise AwardOutOfRange(field="amount", claimed=claimed)
    return award


def _checked_outcome(outcome: str) -> str:
    if outcome not in DisputeOutcome.values:
        raise RuleBroken("choice_unknown", gettext_noop("Choose one of the list."), field="outcome")
    return outcome


def _locked_dispute(public_id: UUID | str) -> Dispute:
    dispute = (
        Dispute.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "organisation", "delivery__allocation__buyer", "delivery__allocation__seller"
        )
        .filter(public_id=public_id)
        .first()
    )
    if dispute is None:
        raise NotFound
    return dispute
