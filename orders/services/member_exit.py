"""Taking a member's orders out of every open book, when the market keeps the member out."""

from marketplace.models import Organisation
from marketplace.selectors.clock import market_now
from orders.models import Auction, AuctionState, Order, OrderState
from orders.services.locks import share_gate
from orders.services.order_outcomes import OrderEnd, end_orders

REASON = "member_defaulted"


def cancel_open_orders(organisation: Organisation) -> int:
    """Cancel a member's orders in auctions that take orders, freeing their holds; return how many.

    Orders whose gate has closed stay: others may already depend on them. Call it in a transaction;
    the shared gate locks are taken in the order of the auctions' ids, then the orders' rows.
    """
    open_books = Auction.objects.filter(state__in=(AuctionState.OPEN, AuctionState.HALTED))
    own = Order.objects.filter(organisation=organisation, state=OrderState.ACTIVE)
    auctions = own.filter(auction__in=open_books).values_list("auction_id", flat=True)
    now, cancelled = market_now(), 0
    for auction_id in sorted(set(auctions)):
        share_gate(auction_id)
        auction = Auction.objects.get(pk=auction_id)
        if auction.state not in (AuctionState.OPEN, AuctionState.HALTED):
            continue
        if auction.gate_closes_at <= now:
            continue
        orders = own.filter(auction=auction).select_for_update().order_by("pk")
        ends = [OrderEnd(o.pk, o.hold_reference, OrderState.CANCELLED, REASON) for o in orders]
        end_orders(ends, now=now, event="cancelled")
        cancelled += len(ends)
    return cancelled
