"""Amounts added to a settlement by decision: rulings, corrections, goodwill."""

from decimal import Decimal

from django.db import transaction

from marketplace.domain.errors import NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.money import round_money
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.models import Adjustment, AdjustmentKind, Delivery, DeliveryState

_LARGEST = Decimal(1_000_000_000)


class AdjustmentInvalid(RuleBroken):
    """An adjustment is in whole fen and changes at least one side."""

    code = "adjustment_invalid"
    message = gettext_noop("An adjustment is in whole fen and changes at least one side.")


class AdjustmentConflict(RuleBroken):
    """The same decision was ordered before, with other amounts."""

    code = "adjustment_conflict"
    message = gettext_noop("This decision was already ordered with other amounts.")
    status = 409


class DeliveryNotSettled(RuleBroken):
    """Only a settled delivery is adjusted; before that its readings are corrected."""

    code = "delivery_not_settled"
    message = gettext_noop("The delivery is not settled yet.")
    status = 409


@transaction.atomic
def order_adjustment(
    *,
    delivery: Delivery,
    buyer_net_cny: Decimal,
    seller_net_cny: Decimal,
    kind: AdjustmentKind,
    source_type: str,
    source_id: str,
    reason: str,
    actor: Actor,
) -> Adjustment:
    """Order that the next difference run adds amounts to both sides of a settled delivery.

    Repeated with the same source and delivery it returns the first order.

    Args:
        delivery: a settled one.
        buyer_net_cny: added to the buyer's bill before tax; below zero is a credit.
        seller_net_cny: added to the supplier's statement before tax; below zero it gets less.
        kind: why.
        source_type: kind of business object behind the decision, such as `dispute`.
        source_id: its id.
        reason: for the people who read the bill.
        actor: the platform's finance or operator who decided.

    Raises:
        NotPermitted: the actor is neither of the platform's finance nor its operator.
        AdjustmentInvalid, AdjustmentConflict, DeliveryNotSettled: see there.
        Missing, TextTooLong: the reason.
    """
    if not (actor.is_platform_finance or actor.is_operator):
        raise NotPermitted
    text = check_text(reason, field="reason", max_length=200, required=True)
    amounts = (buyer_net_cny, seller_net_cny)
    _check_amounts(*amounts)
    locked = Delivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
    if locked.state != DeliveryState.SETTLED:
        raise DeliveryNotSettled(field="delivery")
    before = _ordered_before(locked, source_type, source_id, amounts)
    if before is not None:
        return before
    ordered = Adjustment.objects.create(
        delivery=locked,
        kind=kind,
        buyer_net_cny=buyer_net_cny,
        seller_net_cny=seller_net_cny,
        source_type=source_type,
        source_id=source_id,
        reason=text,
        ordered_by=actor.user,
    )
    _audit(ordered, actor)
    return ordered


def _ordered_before(
    delivery: Delivery, source_type: str, source_id: str, amounts: tuple[Decimal, Decimal]
) -> Adjustment | None:
    orders = Adjustment.objects.filter(source_type=source_type, source_id=source_id)
    before = orders.filter(delivery=delivery).first()
    if before is not None and (before.buyer_net_cny, before.seller_net_cny) != amounts:
        raise AdjustmentConflict
    return before


def _audit(ordered: Adjustment, actor: Actor) -> None:
    amounts = {"buyer": ordered.buyer_net_cny, "seller": ordered.seller_net_cny}
    record_audit(
        action="adjustment.ordered",
        subject=ordered,
        actor=actor.user,
        organisation=actor.organisation,
        after={side: format(amount, "f") for side, amount in amounts.items()},
        reason=ordered.reason,
    )


def _check_amounts(buyer: Decimal, seller: Decimal) -> None:
    for amount, name in ((buyer, "buyer_net_cny"), (seller, "seller_net_cny")):
        if not amount.is_finite() or abs(amount) >= _LARGEST or amount != round_money(amount):
            raise AdjustmentInvalid(field=name)
    if not (buyer or seller):
        raise AdjustmentInvalid(field="buyer_net_cny")
