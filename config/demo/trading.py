"""The demonstration's buyers bid: drawn orders go through the same service as everybody's."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

from config.demo.appetite import Appetite, WantedOrder, draw_orders
from config.demo.cast import Cast
from orders.models import (
    Auction,
    AuctionState,
    CalendarKind,
    Order,
    OrderKind,
    OrderSide,
    OrderSource,
)
from orders.services.bulk_submission import submit_bids
from orders.services.submission import OrderRequest, Step

DAY_AHEAD_APPETITE = Appetite(
    periods=24, orders_per_buyer=26, block_share=0.35, size_share=Decimal("0.035")
)
# Beside imported jobs the members only fill in.
BESIDE_IMPORTS_APPETITE = Appetite(
    periods=24, orders_per_buyer=6, block_share=0.35, size_share=Decimal("0.035")
)
INTRADAY_ORDERS_PER_BUYER = 4
_TRADED = (CalendarKind.INTRADAY, CalendarKind.DAY_AHEAD)
# Bids drawn a moment before the gate would only be refused.
_LAST_CALL = timedelta(minutes=3)


def untraded_auctions(*, now: datetime, closing_within: timedelta) -> list[Auction]:
    """Return open auctions that close soon and have no bid of the demonstration yet."""
    closing = Auction.objects.filter(
        calendar__kind__in=_TRADED,
        state=AuctionState.OPEN,
        gate_closes_at__gt=now + _LAST_CALL,
        gate_closes_at__lt=now + closing_within,
    ).exclude(orders__source=OrderSource.DEMO)
    return list(closing.select_related("calendar").order_by("gate_closes_at")[:2])


def bid_in(cast: Cast, auction: Auction) -> int:
    """Bid as much as the auction's kind calls for; return how many orders entered the book."""
    is_day_ahead = auction.calendar.kind == CalendarKind.DAY_AHEAD
    appetite = DAY_AHEAD_APPETITE if is_day_ahead else intraday_appetite(auction)
    return place_orders(cast, auction, appetite)["accepted"]


def place_orders(cast: Cast, auction: Auction, appetite: Appetite) -> Counter[str]:
    """Submit one auction's drawn orders; return how many were accepted and refused, by code."""
    wanted = draw_orders(
        seed=f"hengsuan:{auction.code}",
        buyers=cast.buyers,
        products=cast.products,
        scenarios=cast.scenarios,
        appetite=appetite,
    )
    bids = [(cast.buying[order.organisation_code], request(auction, order)) for order in wanted]
    return Counter(
        "accepted" if isinstance(outcome, Order) else outcome.code
        for outcome in submit_bids(auction=auction, bids=bids)
    )


def intraday_appetite(auction: Auction) -> Appetite:
    """Return a smaller appetite for the few periods of an intraday auction."""
    return Appetite(
        periods=auction.period_count,
        orders_per_buyer=INTRADAY_ORDERS_PER_BUYER,
        block_share=0.3,
        size_share=Decimal("0.02"),
    )


def request(auction: Auction, wanted: WantedOrder) -> OrderRequest:
    """Return a drawn order as the request that a buyer would send."""
    return OrderRequest(
        auction=auction.public_id,
        side=OrderSide.BUY,
        kind=OrderKind.BLOCK if wanted.is_block else OrderKind.CURVE,
        product=wanted.product,
        hub=wanted.hub,
        first_period=wanted.first_period,
        last_period=wanted.last_period,
        steps=tuple(Step(price=price, quantity=share) for price, share in wanted.steps),
        quantity=wanted.quantity if wanted.is_block else None,
        limit_price=wanted.limit_price if wanted.is_block else None,
        min_acceptance=wanted.min_acceptance,
        scenario=wanted.scenario.code,
        max_carbon_g=wanted.max_carbon_g,
        source=OrderSource.DEMO,
    )
