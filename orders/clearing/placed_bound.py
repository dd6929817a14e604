"""The best surplus of orders that one listing must serve whole, at exact prices.

Such an order pays the price of its listing's hub and class and the tolls of its stated route. It is
counted where an eligible listing within its reach offers, in every period it uses, at least the
fewest lots with which it could be accepted; a seller without a listing is one of its own.
"""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

import numpy as np

from orders.clearing.candidates import leg_lots, sell_node, seller_keys
from orders.clearing.flexible_surplus import PriceAt, best_gain
from orders.clearing.market import Market, block_classes, link_direction
from orders.clearing.merit_order import MeritOrder
from orders.clearing.types import BlockOption, BlockOrder, FlexibleOrder, IntArray

_ZERO = Decimal(0)
# (period, link direction) to the exact rent per Gbit/s
RentAt = Callable[[int, int], Decimal]


def is_placed(order: BlockOrder | FlexibleOrder) -> bool:
    """Whether one listing must serve all of an order."""
    is_buy = isinstance(order, FlexibleOrder) or order.is_buy
    return is_buy and order.placement == "single"


class PlacedSurplus:
    """What listings offer where, and what it would cost at a vector's prices."""

    def __init__(
        self, market: Market, merit: MeritOrder, price_at: PriceAt, rent_at: RentAt
    ) -> None:
        self._market = market
        self._price_at = price_at
        self._rent_at = rent_at
        self._stock = _stock(market, merit)
        self._paid: dict[tuple[int, int, int], Decimal | None] = {}
        self._reach: dict[tuple[object, ...], tuple[int, ...]] = {}

    def of_block(self, order: BlockOrder) -> Decimal:
        """Return the best surplus over the options and the places of a block buy."""
        gains = (
            self._gain(order, option, node)
            for option in order.options
            for node in self._nodes(order, option)
        )
        return max([_ZERO, *(gain for gain in gains if gain is not None)])

    def of_flexible(self, order: FlexibleOrder) -> Decimal:
        """Return the best surplus of a flexible order over its places."""
        product = self._market.auction.products[order.product]
        least = 1 if order.interruptible else int(order.min_acceptance * order.quantity_lots)
        best = _ZERO
        for node in self._reachable(order, order.product, order.hub):
            shelves = self._shelves(order, node)
            prices = [
                self._delivered(node, order.hub, period)
                if any(lots[period] >= max(1, least) for lots in shelves)
                else None
                for period in range(self._market.auction.terms.periods)
            ]
            best = max(best, best_gain(order, prices))
        return best * order.quantity_lots * product.quantity_tick

    def _nodes(self, order: BlockOrder, option: BlockOption) -> list[int]:
        """Return the places within reach of all legs, which one listing serves with one product."""
        places = {(leg.product, leg.hub) for leg in option.legs if leg.quantity_lots}
        if len({product for product, _ in places}) != 1:
            return []
        first, *others = (self._reachable(order, *place) for place in sorted(places))
        return [node for node in first if all(node in nodes for nodes in others)]

    def _reachable(
        self, order: BlockOrder | FlexibleOrder, product: int, hub: int
    ) -> tuple[int, ...]:
        """Return the places with stock that may serve a hub within latency and carbon limit."""
        key = product, hub, order.max_rtt_ms, order.max_carbon
        if key not in self._reach:
            market = self._market
            _, carbon = block_classes(market.auction, order, product)
            loosest = market.level_of_demand(product, carbon)
            found = []
            for node in self._stock:
                own = market.nodes[node]
                route = market.routes.get((own.hub, hub))
                is_near = route is not None and (
                    order.max_rtt_ms is None or route.rtt_ms <= order.max_rtt_ms
                )
                if own.product == product and own.level <= loosest and is_near:
                    found.append(node)
            self._reach[key] = tuple(found)
        return self._reach[key]

    def _shelves(self, order: BlockOrder | FlexibleOrder, node: int) -> list[IntArray]:
        """Return what each eligible listing of a place offers, lots by period."""
        names, offers = order.eligible_listings, self._stock[node]
        return [offers[name] for name in names if name in offers] if names else [*offers.values()]

    def _gain(self, order: BlockOrder, option: BlockOption, node: int) -> Decimal | None:
        legs = [leg for leg in option.legs if leg.quantity_lots]
        product = self._market.auction.products[legs[0].product]
        need = np.zeros(self._market.auction.terms.periods, dtype=np.int64)
        for leg in legs:
            need[leg.period] += leg_lots(leg, order.min_acceptance)
        if not any(np.all(lots >= need) for lots in self._shelves(order, node)):
            return None
        total = _ZERO
        for leg in legs:
            price = self._delivered(node, leg.hub, leg.period)
            if price is None:
                return None
            total += (option.limit_price - price) * leg.quantity_lots
        return total * product.quantity_tick

    def _delivered(self, node: int, hub: int, period: int) -> Decimal | None:
        """Return price and tolls of one unit along the stated route, None where there is no way."""
        key = node, hub, period
        if key not in self._paid:
            self._paid[key] = self._compute(node, hub, period)
        return self._paid[key]

    def _compute(self, node: int, hub: int, period: int) -> Decimal | None:
        market = self._market
        own = market.nodes[node]
        price = self._price_at(period, node)
        bandwidth = market.auction.products[own.product].bandwidth
        if price is None or not bandwidth:
            return price
        toll = _ZERO
        for link, way in market.routes[own.hub, hub].steps:
            direction = link_direction(link, way)
            if not market.capacity[direction, period] > 0:
                return None
            toll += market.auction.links[link].tariff + self._rent_at(period, direction)
        return price + bandwidth * toll


def _stock(market: Market, merit: MeritOrder) -> dict[int, dict[str, IntArray]]:
    """Return what is offered, by supply node and listing: lots by period."""
    curves, periods = market.auction.curves, market.auction.terms.periods
    found: dict[int, dict[str, IntArray]] = defaultdict(dict)

    def add(node: int, name: str, period: int, lots: int) -> None:
        shelf = found[node].setdefault(name, np.zeros(periods, dtype=np.int64))
        shelf[period] += lots

    names = seller_keys(market)
    for row in np.flatnonzero(~curves.is_buy).tolist():
        node = int(merit.node_of_order[row])
        add(node, names[row], int(curves.period[row]), int(curves.quantity_lots[row]))
    for order in market.auction.blocks:
        for option in () if order.is_buy else order.options:
            for leg in option.legs:
                node = sell_node(market, order, leg.hub, leg.product)
                add(node, order.listing_id or order.order_id, leg.period, leg.quantity_lots)
    return dict(sorted(found.items()))
