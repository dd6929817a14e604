"""The parked queue: settlements that were refused, with a named reason, until they succeed."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from settlement.models import PARKED_TRANSITIONS, ParkedItem, ParkedStage, ParkedState
from settlement.services.settling import settle_auction, settle_differences

_WORK: dict[str, Callable[[int], object]] = {
    ParkedStage.SETTLEMENT: lambda auction_id: settle_auction(auction_id=auction_id),
    ParkedStage.DIFFERENCES: lambda auction_id: settle_differences(auction_id=auction_id),
}
_SETTLED = "settled"


def try_settling(auction_id: int, stage: ParkedStage) -> ParkedItem | None:
    """Settle an auction, or park it with the reason; return what is parked, None when it worked.

    What was parked before is resolved as soon as the work succeeds.
    """
    try:
        with transaction.atomic():
            _WORK[stage](auction_id)
    except RuleBroken as refusal:
        return _park(auction_id, stage, refusal)
    _close_parked(auction_id, stage)
    return None


def retry_parked(*, actor: Actor, parked_public_id: UUID | str) -> ParkedItem:
    """Try parked work again now; the item tells how it went.

    Raises:
        NotPermitted, NotFound: the actor is not of the platform's finance.
        StateForbids: it is resolved.
    """
    item = _open_item(actor, parked_public_id)
    try_settling(item.auction_id, ParkedStage(item.stage))
    item.refresh_from_db()
    record_audit(
        action="parked.retried",
        subject=item,
        actor=actor.user,
        organisation=actor.organisation,
        after={"state": item.state, "code": item.code},
    )
    return item


@transaction.atomic
def resolve_parked(*, actor: Actor, parked_public_id: UUID | str, reason: str) -> ParkedItem:
    """Take an item off the queue for a reason; work that is refused again is parked anew.

    Raises:
        NotPermitted, NotFound: the actor is not of the platform's finance.
        Missing, TextTooLong: the reason.
        StateForbids: it is resolved.
    """
    item = _open_item(actor, parked_public_id)
    text = check_text(reason, field="reason", max_length=200, required=True)
    item.state, item.resolution = ParkedState.RESOLVED, text
    item.resolved_at, item.resolved_by = market_now(), actor.user
    item.save(update_fields=["state", "resolution", "resolved_at", "resolved_by"])
    record_audit(
        action="parked.resolved",
        subject=item,
        actor=actor.user,
        organisation=actor.organisation,
        reason=text,
    )
    return item


def _open_item(actor: Actor, public_id: UUID | str) -> ParkedItem:
    if not actor.is_platform_finance:
        raise NotPermitted
    item = ParkedItem.objects.filter(public_id=public_id).first()
    if item is None:
        raise NotFound
    check_transition(PARKED_TRANSITIONS, item.state, ParkedState.RESOLVED)
    return item


@transaction.atomic
def _park(auction_id: int, stage: ParkedStage, refusal: RuleBroken) -> ParkedItem:
    reason = {
        "code": refusal.code,
        "message": str(refusal.message)[:300],
        "params": {key: str(value) for key, value in refusal.params.items()},
        "last_tried_at": market_now(),
    }
    rows = ParkedItem.objects.select_for_update(no_key=True)
    item = rows.filter(auction_id=auction_id, stage=stage, state=ParkedState.OPEN).first()
    if item is None:
        return ParkedItem.objects.create(auction_id=auction_id, stage=stage, **reason)
    for name, value in reason.items():
        setattr(item, name, value)
    item.attempts += 1
    item.save(update_fields=[*reason, "attempts"])
    return item


def _close_parked(auction_id: int, stage: ParkedStage) -> None:
    ParkedItem.objects.filter(auction_id=auction_id, stage=stage, state=ParkedState.OPEN).update(
        state=ParkedState.RESOLVED, resolution=_SETTLED, resolved_at=market_now()
    )
