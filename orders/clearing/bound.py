"""The upper bound on welfare that a price and rent vector proves."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from orders.clearing.candidates import sell_node
from orders.clearing.flexible_surplus import flexible_surplus
from orders.clearing.market import Kind, Market, block_classes
from orders.clearing.merit_order import MeritOrder, step_lots
from orders.clearing.placed_bound import PlacedSurplus, is_placed
from orders.clearing.published import EMPTY, PublishedPrices, rent_quantum
from orders.clearing.types import FloatArray, IntArray
from orders.clearing.ways import cheapest_ways


@dataclass(frozen=True, eq=False)
class BoundVector:
    """Supply prices in ticks by (period, node), rents in quanta by (period, direction), and U."""

    ticks: IntArray
    rent: IntArray
    quantum: Decimal
    value: Decimal


def vector_of_relaxation(
    market: Market, node_price: FloatArray, rent: FloatArray, has_sellers: np.ndarray
) -> tuple[IntArray, IntArray]:
    """Round the duals of a relaxed programme to a publishable vector."""
    tick = np.array(
        [float(market.auction.products[n.product].clearing_price_tick) for n in market.nodes]
    )
    low = np.array([float(market.auction.products[n.product].price_min) for n in market.nodes])
    high = np.array([float(market.auction.products[n.product].price_max) for n in market.nodes])
    ticks = np.rint(np.clip(node_price, low, high) / tick).astype(np.int64)
    ticks[:, ~has_sellers] = EMPTY
    quantum = float(rent_quantum(market))
    return ticks, np.rint(np.maximum(rent, 0.0) / quantum).astype(np.int64)


def supply_nodes_with_sellers(market: Market, merit: MeritOrder) -> np.ndarray:
    """Return which nodes any seller offers at, curve or block."""
    found = np.zeros(len(market.nodes), dtype=bool)
    found[merit.node[merit.is_buy == 0]] = True
    for order in market.auction.blocks:
        if not order.is_buy:
            for option in order.options:
                for leg in option.legs:
                    found[sell_node(market, order, leg.hub, leg.product)] = True
    return found


def published_vector(
    market: Market, prices: PublishedPrices, has_sellers: np.ndarray, relaxed: IntArray | None
) -> IntArray:
    """Return the published supply prices where somebody sells.

    A hub where only rejected blocks sell may have no published price; without one the bound would
    leave out what they could gain. It gets the price of the relaxed programme.
    """
    ticks = prices.ticks.copy()
    supply = np.array([node.kind == Kind.SUPPLY for node in market.nodes])
    if relaxed is not None:
        ticks = np.where(ticks == EMPTY, relaxed, ticks)
    ticks[:, ~(supply & has_sellers)] = EMPTY
    return ticks


def evaluate_bound(
    market: Market, merit: MeritOrder, offered: IntArray, ticks: IntArray, rent: IntArray
) -> BoundVector:
    """Return U: best surplus of every order at the prices, plus link capacity times rent.

    Exact: prices and rents are decimals, delivered prices the exact cheapest way.
    """
    quantum = rent_quantum(market)
    exact = _ExactPrices(market, ticks, rent, quantum)
    total = _curve_surplus(market, merit, step_lots(merit, offered), exact)
    total += _block_surplus(market, exact)
    total += flexible_surplus(market, exact.price)
    total += _placed_surplus(market, merit, exact)
    for number, link in enumerate(market.auction.links):
        for direction, capacities in enumerate((link.forward_capacity, link.reverse_capacity)):
            for period, capacity in enumerate(capacities):
                total += capacity * int(rent[period, 2 * number + direction]) * quantum
    return BoundVector(ticks, rent, quantum, total)


class _ExactPrices:
    """Exact prices of every node at a vector, worked out on demand by period."""

    def __init__(self, market: Market, ticks: IntArray, rent: IntArray, quantum: Decimal) -> None:
        self._market = market
        self._ticks = ticks
        self._rent = rent
        self._quantum = quantum
        self._periods: dict[int, list[Decimal | None]] = {}

    def price(self, period: int, node: int) -> Decimal | None:
        """Return the exact price, None where nothing can be had."""
        if period not in self._periods:
            self._periods[period] = self._compute(period)
        return self._periods[period][node]

    def rent(self, period: int, direction: int) -> Decimal:
        """Return the exact rent of a link direction."""
        return int(self._rent[period, direction]) * self._quantum

    def _compute(self, period: int) -> list[Decimal | None]:
        market = self._market
        products = market.auction.products
        known = self._ticks[period] != EMPTY
        supply = np.full(len(market.nodes), np.nan)
        tick = np.array([float(products[n.product].clearing_price_tick) for n in market.nodes])
        supply[known] = self._ticks[period][known] * tick[known]
        rent = self._rent[period] * float(self._quantum)
        ways = cheapest_ways(market, market.capacity[:, period], supply, rent)
        out: list[Decimal | None] = []
        for number, node in enumerate(market.nodes):
            product = products[node.product]
            if node.kind == Kind.SUPPLY:
                own = int(self._ticks[period, number]) * product.clearing_price_tick
                out.append(own if known[number] else None)
            elif not np.isfinite(ways.price[number]):
                out.append(None)
            else:
                source, steps = ways.way_to(number)
                price = int(self._ticks[period, source]) * product.clearing_price_tick
                for step in steps:
                    toll = market.auction.links[step // 2].tariff
                    toll += int(self._rent[period, step]) * self._quantum
                    price += product.bandwidth * toll
                out.append(price)
        return out


def _curve_surplus(
    market: Market, merit: MeritOrder, lots: IntArray, exact: _ExactPrices
) -> Decimal:
    """Sum max(0, surplus) over steps, by (period, node, side) with running sums."""
    total = Decimal(0)
    if not len(merit.period):
        return total
    key = (merit.period * len(market.nodes) + merit.node) * 2 + merit.is_buy
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    ends = np.r_[starts[1:], len(key)]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        product = market.auction.products[int(market.node_product[merit.node[start]])]
        price = exact.price(int(merit.period[start]), int(merit.node[start]))
        if price is None:
            continue
        # Steps are sorted by price: those in the money lie on one side of the price.
        ticks = merit.price_ticks[start:end]
        own = lots[start:end]
        border = int(price // product.price_tick)
        chosen = ticks > border if merit.is_buy[start] else ticks <= border
        amount = int(own[chosen].sum())
        worth = sum(int(t) * int(q) for t, q in zip(ticks[chosen], own[chosen], strict=True))
        gain = worth * product.price_tick - amount * price
        total += (gain if merit.is_buy[start] else -gain) * product.quantity_tick
    return total


def _block_surplus(market: Market, exact: _ExactPrices) -> Decimal:
    total = Decimal(0)
    auction = market.auction
    for order in auction.blocks:
        if is_placed(order):
            continue
        best = Decimal(0)
        for option in order.options:
            surplus: Decimal | None = Decimal(0)
            for leg in option.legs:
                product = auction.products[leg.product]
                if order.is_buy:
                    rtt, carbon = block_classes(auction, order, leg.product)
                    level = market.level_of_demand(leg.product, carbon)
                    node = market.demand_node(leg.hub, leg.product, level, rtt)
                else:
                    node = sell_node(market, order, leg.hub, leg.product)
                price = exact.price(leg.period, node)
                if price is None:
                    surplus = None
                    break
                gain = (option.limit_price - price) * leg.quantity_lots * product.quantity_tick
                surplus = (surplus or Decimal(0)) + (gain if order.is_buy else -gain)
            if surplus is not None:
                best = max(best, surplus)
        total += best
    return total


def _placed_surplus(market: Market, merit: MeritOrder, exact: _ExactPrices) -> Decimal:
    """Return the best surplus of orders that one listing must serve whole."""
    blocks = [order for order in market.auction.blocks if is_placed(order)]
    flexibles = [order for order in market.auction.flexibles if is_placed(order)]
    if not blocks and not flexibles:
        return Decimal(0)
    placed = PlacedSurplus(market, merit, exact.price, exact.rent)
    total = sum(map(placed.of_block, blocks), Decimal(0))
    return total + sum(map(placed.of_flexible, flexibles), Decimal(0))
