"""Own orders as table rows: what was asked, what came of it, and why, in words."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from django.db.models import QuerySet

from orders.models import Order, OrderState
from orders.web.names import auction_name, window_text
from orders.web.reasons import reason_text

SHOWN = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One own order; prices are CNY per unit and hour, VAT excluded.

    The share is cut off, not rounded: 100 % is only what was filled.
    """

    order: Order
    auction_name: str
    window: str
    reason: str
    asked_unit_hours: Decimal
    share: Decimal | None


def with_parts(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Return the orders with all that a row shows, in one query."""
    return orders.select_related(
        "auction__calendar", "product", "hub", "scenario", "listing", "project"
    )


def order_rows(orders: QuerySet[Order]) -> list[OrderRow]:
    """Return one row an order."""
    return [order_row(order) for order in with_parts(orders)]


def order_row(order: Order) -> OrderRow:
    """Return the row of one order."""
    return OrderRow(
        order=order,
        auction_name=auction_name(order.auction),
        window=window_text(order.auction, order.first_period, order.last_period),
        reason=reason_text(order),
        asked_unit_hours=asked_unit_hours(order),
        share=_share(order),
    )


def asked_unit_hours(order: Order) -> Decimal:
    """Return the most unit-hours the order could trade."""
    periods = order.duration or order.last_period - order.first_period + 1
    return order.quantity * periods * order.auction.period_minutes / 60


def _share(order: Order) -> Decimal | None:
    if order.state == OrderState.ACTIVE:
        return None
    if order.acceptance is not None:
        return _cut(order.acceptance)
    asked = asked_unit_hours(order)
    return _cut(order.accepted_unit_hours / asked) if asked else Decimal(0)


def _cut(share: Decimal) -> Decimal:
    return share.quantize(SHOWN, ROUND_DOWN)
