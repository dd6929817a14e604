"""Taking an order out of the book again, while that is allowed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotAdmitted, NotPermitted
from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from orders.models import Auction, AuctionState, Order, OrderState
from orders.services import refusals
from orders.services.locks import share_gate
from orders.services.order_outcomes import OrderEnd, end_orders

# The member took the order out of the book by its own will.
TAKEN_OUT = "cancelled_by_member"


def cancel_order(*, actor: Actor, order_public_id: UUID) -> Order:
    """Cancel an own order of an open auction and release its hold at once.

    Takes the shared gate lock, as a submission does, and the order's row.

    Raises:
        OrderNotFound: the organisation has no such order.
        CancellationTooLate: the no-cancel phase has begun.
        GateClosed, AuctionHalted, OrderNotActive: nothing was changed.
    """
    if actor.organisation is None:
        raise NotAdmitted
    if not actor.has(Role.BUYER, Role.SUPPLIER):
        raise NotPermitted
    own = Order.objects.filter(organisation=actor.organisation, public_id=order_public_id)
    with transaction.atomic():
        auction_id = own.values_list("auction_id", flat=True).first()
        if auction_id is None:
            raise refusals.OrderNotFound(field="order")
        share_gate(auction_id)
        order = own.select_for_update().get()
        if order.state != OrderState.ACTIVE:
            raise refusals.OrderNotActive(state=order.state)
        now = market_now()
        _require_cancellable(Auction.objects.get(pk=auction_id), now)
        end = OrderEnd(order.pk, order.hold_reference, OrderState.CANCELLED, TAKEN_OUT)
        end_orders([end], now=now, event="cancelled")
        order.refresh_from_db()
    return order


def _require_cancellable(auction: Auction, now: datetime) -> None:
    if auction.state == AuctionState.HALTED:
        raise refusals.AuctionHalted(auction=auction.code)
    if auction.state != AuctionState.OPEN or auction.gate_closes_at <= now:
        raise refusals.GateClosed(auction=auction.code)
    if auction.no_cancel_from <= now:
        raise refusals.CancellationTooLate(auction=auction.code)
