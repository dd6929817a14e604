"""Moving deliveries from state to state: locked rows, the table's transitions, a row of history."""

from collections.abc import Iterable
from datetime import datetime

from marketplace.models import User
from marketplace.services.checks import check_transition
from marketplace.services.outbox import emit_event
from settlement.models import DELIVERY_TRANSITIONS, Delivery, DeliveryState, DeliveryTransition

_STAMPS = {
    DeliveryState.HANDED_OVER: "handed_over_at",
    DeliveryState.ACCEPTED: "accepted_at",
    DeliveryState.COMPLETED: "completed_at",
    DeliveryState.FAILED: "completed_at",
    DeliveryState.SETTLED: "settled_at",
}
# States that members are told of.
_TOLD = {DeliveryState.HANDED_OVER, DeliveryState.FAILED}


def move_deliveries(
    deliveries: Iterable[Delivery],
    target: DeliveryState,
    *,
    now: datetime,
    actor: User | None = None,
    reason: str = "",
    **changes: object,
) -> list[Delivery]:
    """Bring deliveries, whose rows the caller has locked, into a state.

    Args:
        deliveries: locked rows.
        target: the state.
        now: market time, stamped on the state.
        actor: the person, or nobody when the market's clock did it.
        reason: code or text of why.
        changes: further columns to set.

    Raises:
        StateForbids: one of them may not become that.
    """
    moved = list(deliveries)
    columns = {_STAMPS[target]: now, **changes}
    history = []
    for delivery in moved:
        check_transition(DELIVERY_TRANSITIONS, delivery.state, target)
        history.append(
            DeliveryTransition(
                delivery=delivery,
                from_state=delivery.state,
                to_state=target,
                market_at=now,
                actor=actor,
                reason=reason[:200],
            )
        )
        delivery.state = target
        for name, value in columns.items():
            setattr(delivery, name, value)
    # All get the same values: one statement, however many there are.
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in moved]).update(
        state=target, **columns
    )
    DeliveryTransition.objects.bulk_create(history, batch_size=1000)
    if moved and target in _TOLD:
        emit_event(
            topic=f"delivery.{target.value}",
            aggregate=f"delivery:{moved[0].pk}",
            payload={"delivery_ids": [delivery.pk for delivery in moved]},
        )
    return moved
