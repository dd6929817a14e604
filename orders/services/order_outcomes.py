"""What becomes of orders: many at once, in one statement, with their holds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from orders.ports.collateral import HoldChange, collateral_port

_END = """
UPDATE orders_order o
   SET state = e.state, reason_code = e.reason, reason_params = e.params::jsonb,
       accepted_unit_hours = e.accepted, acceptance = e.share, closed_at = %s
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::numeric[])
       AS e(id, state, reason, params, accepted, share)
 WHERE o.id = e.id AND o.state = 'active'
"""


@dataclass(frozen=True)
class OrderEnd:
    """The end of an order: its state, why (code and parameters), and what is kept of its hold."""

    order_id: int
    hold_reference: UUID | None
    state: str
    reason_code: str
    reason_params: dict[str, object] = field(default_factory=dict)
    accepted_unit_hours: Decimal = Decimal(0)
    acceptance: Decimal | None = None
    keep_cny: Decimal = Decimal(0)


def end_orders(ends: Sequence[OrderEnd], *, now: datetime, event: str) -> None:
    """Write the ends of active orders, and keep of each hold only what was bought.

    Args:
        ends: each order once.
        now: market time.
        event: what happened, part of the key that makes a repeated change of a hold do nothing.
    """
    if not ends:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _END,
            [
                now,
                [end.order_id for end in ends],
                [end.state for end in ends],
                [end.reason_code for end in ends],
                [json.dumps(end.reason_params) for end in ends],
                [end.accepted_unit_hours for end in ends],
                [end.acceptance for end in ends],
            ],
        )
    changes = [
        HoldChange(
            reference=end.hold_reference,
            keep_cny=end.keep_cny,
            event_key=f"order:{end.order_id}:{event}",
        )
        for end in ends
        if end.hold_reference is not None
    ]
    if changes:
        collateral_port().change_holds(changes)
