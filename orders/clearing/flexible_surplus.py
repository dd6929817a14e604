"""The best surplus flexible and interruptible orders could have at exact prices."""

from collections.abc import Callable
from decimal import Decimal

from orders.clearing.market import Market, block_classes
from orders.clearing.types import FlexibleOrder

_ZERO = Decimal(0)
# (period, node) to the exact price, None where nothing can be had
PriceAt = Callable[[int, int], Decimal | None]


def flexible_node(market: Market, order: FlexibleOrder) -> int:
    """Return the node an order consumes at when several listings may serve it."""
    rtt, carbon = block_classes(market.auction, order, order.product)
    level = market.level_of_demand(order.product, carbon)
    return market.demand_node(order.hub, order.product, level, rtt)


def flexible_surplus(market: Market, price_at: PriceAt) -> Decimal:
    """Return the sum over all orders that any listings may serve of the best surplus of each."""
    known: dict[int, list[Decimal | None]] = {}
    total = _ZERO
    for order in market.auction.flexibles:
        if order.placement == "single":
            continue
        node = flexible_node(market, order)
        if node not in known:
            periods = range(market.auction.terms.periods)
            known[node] = [price_at(period, node) for period in periods]
        size = order.quantity_lots * market.auction.products[order.product].quantity_tick
        total += best_gain(order, known[node]) * size
    return total


def best_gain(order: FlexibleOrder, prices: list[Decimal | None]) -> Decimal:
    """Return the best surplus of one unit of an order at prices by period, at least zero."""
    gains = [None if price is None else order.limit_price - price for price in prices]
    window = gains[order.earliest_period : order.latest_period + 1]
    if order.interruptible:
        return _best_set(order, [gain for gain in window if gain is not None])
    best = best_run(window, order.duration)
    return _ZERO if best is None else max(_ZERO, best)


def best_run(gains: list[Decimal | None], duration: int) -> Decimal | None:
    """Return the largest sum of a run of that length without a gap, None if there is none."""
    best: Decimal | None = None
    total, length = _ZERO, 0
    for position, gain in enumerate(gains):
        if gain is None:
            total, length = _ZERO, 0
            continue
        total, length = total + gain, length + 1
        if length > duration:
            dropped = gains[position - duration]
            total, length = total - (dropped or _ZERO), duration
        if length == duration and (best is None or total > best):
            best = total
    return best


def _best_set(order: FlexibleOrder, gains: list[Decimal]) -> Decimal:
    """Take the dearest gains; those below zero only as far as the minimum acceptance demands."""
    least = order.min_acceptance * order.duration
    if len(gains) < least:
        return _ZERO
    total = _ZERO
    for position, gain in enumerate(sorted(gains, reverse=True)[: order.duration]):
        needed = min(Decimal(1), max(_ZERO, least - position))
        total += gain if gain > 0 else gain * needed
    return max(_ZERO, total)
