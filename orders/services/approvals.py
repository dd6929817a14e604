"""Bids that need a second person: asked for, agreed to, declined. Until then nothing is held."""

from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotAdmitted, NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor, actor_for
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.outbox import emit_event
from orders.models import (
    APPROVAL_TRANSITIONS,
    ApprovalState,
    Auction,
    BidApproval,
    Order,
    OrderSide,
)
from orders.services import refusals
from orders.services.buying_rules import find_project
from orders.services.order_request import OrderRequest, check_order
from orders.services.request_record import record_of, request_of
from orders.services.submission import (
    require_open,
    require_trader,
    submit_order,
    worst_case_of,
)


class ApprovalNotFound(NotFound):
    """The organisation has no such bid waiting."""

    message = gettext_noop("There is no such bid to approve.")


class OwnBidNotApproved(RuleBroken):
    """Whoever asks for a bid does not agree to it too."""

    code = "own_bid_not_approved"
    message = gettext_noop("Another person of your organisation must decide on this bid.")
    status = 403


class ApprovalDecided(RuleBroken):
    """The bid is not waiting any more."""

    code = "approval_decided"
    message = gettext_noop("This bid has been decided on already.")
    status = 409


@transaction.atomic
def request_approval(*, actor: Actor, request: OrderRequest) -> BidApproval:
    """Put a checked bid before a second person; nothing is held.

    Raises:
        RuleBroken: the bid breaks a rule, or the gate does not take it.
    """
    owner = require_trader(actor, OrderSide.BUY)
    auction = Auction.objects.filter(public_id=request.auction).first()
    if auction is None or request.side != OrderSide.BUY:
        raise refusals.AuctionNotFound(field="auction")
    checked = check_order(request, auction=auction, owner=owner)
    now = require_open(auction)
    worst = worst_case_of(checked)
    approval = BidApproval.objects.create(
        organisation=owner,
        auction=auction,
        product=checked.product,
        project=find_project(owner=owner, public_id=request.project),
        request=record_of(request),
        worst_case_cny=worst.total_cny,
        requested_by=actor.user,
        requested_at=now,
    )
    _tell(approval, "bid.approval_requested")
    return approval


@transaction.atomic
def approve_bid(*, actor: Actor, public_id: UUID) -> Order:
    """Agree to a colleague's bid and put it into the book; the hold is placed now.

    Locks the approval, then as `submit_order` does.

    Raises:
        NotPermitted: the actor neither buys nor keeps the books.
        OwnBidNotApproved: the actor asked for it.
        RuleBroken: the market refuses the bid now; it stays waiting.
    """
    approval = _waiting(actor, public_id)
    if approval.requested_by_id == actor.user.pk:
        raise OwnBidNotApproved
    author = actor_for(user=approval.requested_by, organisation_id=approval.organisation_id)
    order = submit_order(actor=author, request=request_of(approval.request), has_consent=True)
    approval.order = order
    _decide(approval, actor, ApprovalState.APPROVED)
    return order


@transaction.atomic
def decline_bid(*, actor: Actor, public_id: UUID, reason: str = "") -> BidApproval:
    """Refuse a colleague's bid.

    Raises:
        NotPermitted, OwnBidNotApproved, ApprovalNotFound, ApprovalDecided: nothing was changed.
    """
    approval = _waiting(actor, public_id)
    if approval.requested_by_id == actor.user.pk:
        raise OwnBidNotApproved
    _decide(approval, actor, ApprovalState.DECLINED, reason)
    return approval


@transaction.atomic
def withdraw_bid_request(*, actor: Actor, public_id: UUID) -> BidApproval:
    """Take back one's own request.

    Raises:
        NotPermitted, ApprovalNotFound, ApprovalDecided: nothing was changed.
    """
    approval = _waiting(actor, public_id)
    if approval.requested_by_id != actor.user.pk:
        raise NotPermitted
    _decide(approval, actor, ApprovalState.WITHDRAWN)
    return approval


def _waiting(actor: Actor, public_id: UUID) -> BidApproval:
    owner = _require_signer(actor)
    own = BidApproval.objects.select_for_update(no_key=True, of=("self",))
    approval = (
        own.select_related("requested_by", "auction")
        .filter(organisation=owner, public_id=public_id)
        .first()
    )
    if approval is None:
        raise ApprovalNotFound
    if approval.state != ApprovalState.WAITING:
        raise ApprovalDecided
    return approval


def _require_signer(actor: Actor) -> Organisation:
    if actor.organisation is None or not actor.is_trading_member:
        raise NotAdmitted
    if not actor.has(Role.BUYER, Role.FINANCE):
        raise NotPermitted
    return actor.organisation


def _decide(approval: BidApproval, actor: Actor, state: ApprovalState, reason: str = "") -> None:
    APPROVAL_TRANSITIONS.check(approval.state, state)
    approval.state = state
    approval.decided_by = actor.user
    approval.decided_at = market_now()
    approval.reason = reason[:200]
    approval.save()
    record_audit(
        action=f"bid_approval.{state.value}",
        subject=approval,
        actor=actor.user,
        organisation=actor.organisation,
        after={"worst_case_cny": str(approval.worst_case_cny)},
        reason=reason,
    )
    _tell(approval, "bid.approval_decided")


def _tell(approval: BidApproval, topic: str) -> None:
    emit_event(
        topic=topic,
        aggregate=f"bid_approval:{approval.pk}",
        payload={
            "approval_id": approval.pk,
            "organisation_id": approval.organisation_id,
            "state": str(approval.state),
        },
    )
