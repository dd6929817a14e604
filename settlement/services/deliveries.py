"""Deliveries from allocation to completion: hand-over, acceptance, time-outs."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, StateForbids, gettext_noop
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, require_operator
from orders.models import Allocation, RunState
from settlement.models import Delivery, DeliveryAccess, DeliveryState, DeliveryTransition
from settlement.selectors.deliveries import unmetered_among
from settlement.services.access import decrypt_access, encrypt_access
from settlement.services.delivery_states import move_deliveries
from settlement.services.locks import lock_deliveries

# How long after its last period a delivery waits for readings before the rest counts as contracted.
METERING_GRACE = timedelta(hours=6)
NOT_HANDED_OVER = "not_handed_over"
_ACCESS_MAX_LENGTH = 10_000
# States in which access details may be given (again).
_ACCESS_STATES = {DeliveryState.SCHEDULED, DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED}


class DeliveryOver(RuleBroken):
    """The last period of the delivery has ended."""

    code = "delivery_over"
    message = gettext_noop("The delivery ended at %(ended_at)s.")
    status = 409


class AccessInvalid(RuleBroken):
    """Access details are a text of moderate length."""

    code = "access_invalid"
    message = gettext_noop(
        "Access details are needed: 1 to %(max_length)s characters, no control characters."
    )


class AccessNotGiven(RuleBroken):
    """The supplier has not handed over yet."""

    code = "access_not_given"
    message = gettext_noop("The supplier has not handed over yet.")
    status = 409


@transaction.atomic
def create_deliveries(auction_id: int) -> int:
    """Make a delivery of every published allocation of an auction; return how many were new."""
    lock_deliveries(auction_id)
    now = market_now()
    missing = (
        Allocation.objects.filter(auction_id=auction_id, run__state=RunState.PUBLISHED)
        .exclude(pk__in=Delivery.objects.values("allocation_id"))
        .order_by("pk")
    )
    deliveries = Delivery.objects.bulk_create(
        [
            Delivery(
                allocation=allocation, starts_at=allocation.starts_at, ends_at=allocation.ends_at
            )
            for allocation in missing
        ],
        batch_size=1000,
    )
    DeliveryTransition.objects.bulk_create(
        [
            DeliveryTransition(delivery=each, to_state=DeliveryState.SCHEDULED, market_at=now)
            for each in deliveries
        ],
        batch_size=1000,
    )
    return len(deliveries)


@transaction.atomic
def hand_over(*, actor: Actor, delivery_public_id: UUID | str, access_text: str) -> Delivery:
    """Give the buyer access; later calls replace the details.

    Raises:
        NotPermitted, NotFound: the actor is not the supplier of this delivery.
        AccessInvalid: the text is empty, too long or not text.
        DeliveryOver: the last period has ended.
        StateForbids: the delivery is completed, failed or settled.
    """
    if not actor.can_sell:
        raise NotPermitted
    delivery = _locked(delivery_public_id, allocation__seller=actor.organisation)
    now = market_now()
    _check_access(access_text)
    if delivery.state not in _ACCESS_STATES:
        raise StateForbids(state=delivery.state)
    if now >= delivery.ends_at:
        raise DeliveryOver(ended_at=delivery.ends_at.isoformat())
    ciphertext, key = encrypt_access(access_text)
    DeliveryAccess.objects.create(
        delivery=delivery, ciphertext=ciphertext, key_id=key, created_by=actor.user
    )
    if delivery.state == DeliveryState.SCHEDULED:
        move_deliveries([delivery], DeliveryState.HANDED_OVER, now=now, actor=actor.user)
    record_audit(
        action="delivery.handed_over",
        subject=delivery,
        actor=actor.user,
        organisation=actor.organisation,
    )
    return delivery


@transaction.atomic
def reveal_access(*, actor: Actor, delivery_public_id: UUID | str) -> str:
    """Return the newest access details to the buyer, and write down that it was done.

    Raises:
        NotPermitted, NotFound: the actor is not the buyer of this delivery.
        AccessNotGiven: the supplier has not handed over yet.
        AccessKeyMissing: the key is not configured any more.
    """
    if not actor.can_buy:
        raise NotPermitted
    delivery = _locked(delivery_public_id, allocation__buyer=actor.organisation)
    access = delivery.accesses.order_by("-id").first()
    if access is None:
        raise AccessNotGiven
    record_audit(
        action="delivery.access_revealed",
        subject=delivery,
        actor=actor.user,
        organisation=actor.organisation,
    )
    return decrypt_access(bytes(access.ciphertext), stored_key_id=access.key_id)


@transaction.atomic
def accept_delivery(*, actor: Actor, delivery_public_id: UUID | str) -> Delivery:
    """Confirm that access works; a repeated confirmation does nothing.

    Raises:
        NotPermitted, NotFound: the actor is not the buyer of this delivery.
        StateForbids: it was not handed over.
    """
    if not actor.can_buy:
        raise NotPermitted
    delivery = _locked(delivery_public_id, allocation__buyer=actor.organisation)
    if delivery.state == DeliveryState.ACCEPTED:
        return delivery
    move_deliveries([delivery], DeliveryState.ACCEPTED, now=market_now(), actor=actor.user)
    record_audit(
        action="delivery.accepted",
        subject=delivery,
        actor=actor.user,
        organisation=actor.organisation,
    )
    return delivery


@transaction.atomic
def fail_delivery(*, actor: Actor, delivery_public_id: UUID | str, reason: str) -> Delivery:
    """Declare that a delivery did not take place; nothing of it is billed. The operator decides.

    Raises:
        NotPermitted, NotFound: the actor does not run the market.
        Missing, TextTooLong: the reason.
        StateForbids: the buyer has confirmed it, or it is over.
    """
    platform = require_operator(actor)
    text = check_text(reason, field="reason", max_length=200, required=True)
    delivery = _locked(delivery_public_id)
    move_deliveries(
        [delivery],
        DeliveryState.FAILED,
        now=market_now(),
        actor=actor.user,
        reason=text,
        failure_reason=text,
    )
    record_audit(
        action="delivery.failed",
        subject=delivery,
        actor=actor.user,
        organisation=platform,
        reason=text,
    )
    return delivery


@transaction.atomic
def give_up_delivery(*, actor: Actor, delivery_public_id: UUID | str, reason: str) -> Delivery:
    """Say as the supplier that a delivery cannot take place; nothing of it is billed.

    The supplier earns nothing of it and pays no fee, the buyer is not billed and its hold is freed
    when the auction is settled. The delivery counts as failed in the supplier's public record.

    Raises:
        NotPermitted, NotFound: the actor is not the supplier of this delivery.
        Missing, TextTooLong: the reason.
        StateForbids: the buyer has confirmed it, or it is over.
    """
    if not actor.can_sell:
        raise NotPermitted
    text = check_text(reason, field="reason", max_length=200, required=True)
    delivery = _locked(delivery_public_id, allocation__seller=actor.organisation)
    move_deliveries(
        [delivery],
        DeliveryState.FAILED,
        now=market_now(),
        actor=actor.user,
        reason=text,
        failure_reason=text,
    )
    record_audit(
        action="delivery.given_up",
        subject=delivery,
        actor=actor.user,
        organisation=actor.organisation,
        reason=text,
    )
    return delivery


@transaction.atomic
def time_out_acceptances(now: datetime) -> int:
    """Take silence for consent once the buyer has had its hours; return how many."""
    limit = now - timedelta(hours=rules_at(now).acceptance_timeout_hours)
    silent = _due().filter(state=DeliveryState.HANDED_OVER, handed_over_at__lte=limit)
    moved = move_deliveries(
        silent, DeliveryState.ACCEPTED, now=now, reason="timed_out", acceptance_timed_out=True
    )
    return len(moved)


@transaction.atomic
def complete_due_deliveries(now: datetime) -> int:
    """Close deliveries whose last period is over; return how many.

    One that was never handed over has failed. An accepted one is completed once every period has a
    reading, or when the time for readings has run out.
    """
    ended = _due().filter(ends_at__lte=now)
    failed = move_deliveries(
        ended.filter(state=DeliveryState.SCHEDULED),
        DeliveryState.FAILED,
        now=now,
        reason=NOT_HANDED_OVER,
        failure_reason=NOT_HANDED_OVER,
    )
    accepted = list(ended.filter(state=DeliveryState.ACCEPTED))
    waiting = unmetered_among([d.pk for d in accepted if d.ends_at > now - METERING_GRACE])
    completed = move_deliveries(
        [delivery for delivery in accepted if delivery.pk not in waiting],
        DeliveryState.COMPLETED,
        now=now,
    )
    return len(failed) + len(completed)


def _due() -> QuerySet[Delivery]:
    """Rows nobody else is working on; what is skipped now is due again at the next look."""
    return Delivery.objects.select_for_update(skip_locked=True, no_key=True).order_by("pk")


def _locked(public_id: UUID | str, **owner: object) -> Delivery:
    delivery = (
        Delivery.objects.select_for_update(no_key=True, of=("self",))
        .select_related("allocation")
        .filter(public_id=public_id, **owner)
        .first()
    )
    if delivery is None:
        raise NotFound
    return delivery


def _check_access(text: str) -> None:
    printable = all(c in "\n\r\t" or (ord(c) >= 32 and ord(c) != 127) for c in text)
    if not text.strip() or len(text) > _ACCESS_MAX_LENGTH or not printable:
        raise AccessInvalid(field="access_text", max_length=_ACCESS_MAX_LENGTH)
