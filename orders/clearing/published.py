"""Rounding of prices to the clearing tick, as integers."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from orders.clearing.market import Kind, Market
from orders.clearing.price_system import PriceVector
from orders.clearing.types import FloatArray, IntArray

# Marks a price that does not exist; far outside any band.
EMPTY = -(2**62)


@dataclass(frozen=True, eq=False)
class PublishedPrices:
    """Prices in clearing ticks of their product by (period, node), rents in `rent_quantum`."""

    ticks: IntArray
    rent: IntArray
    rent_quantum: Decimal
    market: Market

    def price(self, period: int, node: int) -> Decimal:
        """Return a published price as an exact decimal."""
        product = self.market.auction.products[self.market.nodes[node].product]
        return int(self.ticks[period, node]) * product.clearing_price_tick

    def has_price(self, period: int, node: int) -> bool:
        """Whether any order can reach the node in the period."""
        return bool(self.ticks[period, node] != EMPTY)

    def rent_of(self, period: int, link: int) -> Decimal:
        """Return a published rent per Gbit/s."""
        return int(self.rent[period, link]) * self.rent_quantum

    def as_floats(self) -> tuple[FloatArray, FloatArray]:
        """Return prices by (period, node), infinite where there is none, and rents."""
        products = self.market.auction.products
        tick = np.array([float(products[n.product].clearing_price_tick) for n in self.market.nodes])
        price: FloatArray = self.ticks * tick
        price[self.ticks == EMPTY] = np.inf
        return price, self.rent * np.float64(self.rent_quantum)


def rent_quantum(market: Market) -> Decimal:
    """Return a power of ten so fine that rounding a rent moves no price by a tenth of a tick."""
    finest = min(product.clearing_price_tick for product in market.auction.products)
    widest = max(Decimal(1), *(product.bandwidth for product in market.auction.products))
    return Decimal(1).scaleb((finest / widest / 10).adjusted())


def publish_prices(market: Market, vectors: Sequence[PriceVector]) -> PublishedPrices:
    """Round all prices to the nearest tick, which never crosses a limit price."""
    quantum = rent_quantum(market)
    ticks = np.full((len(vectors), len(market.nodes)), EMPTY, dtype=np.int64)
    rents = np.zeros((len(vectors), market.capacity.shape[0]), dtype=np.int64)
    products = market.auction.products
    tick = np.array([float(products[node.product].clearing_price_tick) for node in market.nodes])
    low = np.array([float(products[node.product].price_min) for node in market.nodes])
    high = np.array([float(products[node.product].price_max) for node in market.nodes])
    for period, vector in enumerate(vectors):
        raw = _complete(market, vector, period)
        known = np.isfinite(raw)
        rounded = np.rint(np.clip(raw[known], low[known], high[known]) / tick[known])
        ticks[period, known] = rounded.astype(np.int64)
        rent = _with_closed_links(market, raw, vector.rent, period)
        rents[period] = np.ceil(rent / float(quantum) - 1e-6).astype(np.int64)
    return PublishedPrices(ticks, rents, quantum, market)


def _complete(market: Market, vector: PriceVector, period: int) -> np.ndarray:
    """Return a price for every node: supply as found, delivered as the cheapest way.

    A hub without sellers gets, as supply price, what a unit of supply would be worth there: the
    most that any place it could serve pays net of the way.
    """
    raw = np.where(np.isinf(vector.delivered), np.nan, vector.delivered)
    worth = _worth_of_supply(market, raw, vector, period)
    for number, node in enumerate(market.nodes):
        if node.kind == Kind.SUPPLY:
            own = vector.supply[number]
            raw[number] = own if np.isfinite(own) else worth[number]
    # Supply of a stricter class can always be sold as a looser one.
    for levels in market.supply_nodes:
        for level in range(len(levels) - 2, -1, -1):
            nodes = levels[level]
            empty = ~np.isfinite(vector.supply[nodes])
            raw[nodes[empty]] = np.fmax(raw[nodes], raw[levels[level + 1]])[empty]
    return raw


def _worth_of_supply(
    market: Market, raw: np.ndarray, vector: PriceVector, period: int
) -> np.ndarray:
    worth = np.full(len(market.nodes), np.nan)
    for product, levels in enumerate(market.levels):
        for level in range(len(levels)):
            supply = market.supply_nodes[product][level]
            worth[supply] = raw[market.network_nodes[product][level]]
    toll = market.link_tariff + vector.rent
    count = len(market.way_node)
    way_toll = np.bincount(market.way_use, weights=toll[market.way_link], minlength=count)
    is_closed = market.capacity[market.way_link, period] <= 0
    closed = np.bincount(market.way_use, weights=is_closed, minlength=count)
    bandwidth = np.array([float(p.bandwidth) for p in market.auction.products])
    own = bandwidth[market.way_product]
    value = raw[market.way_node] - own * way_toll
    usable = np.isfinite(value) & ((closed == 0) | (own == 0))
    for product, levels in enumerate(market.levels):
        for level in range(len(levels)):
            chosen = usable & (market.way_product == product)
            chosen &= market.node_level[market.way_node] >= level
            supply = market.supply_nodes[product][level][market.way_hub[chosen]]
            np.fmax.at(worth, supply, value[chosen])
    return worth


def _with_closed_links(
    market: Market, raw: np.ndarray, rent: np.ndarray, period: int
) -> np.ndarray:
    """Give link directions without capacity the least rent that leaves no gain in using them."""
    out = rent.copy()
    closed = market.capacity[:, period] <= 0
    if not closed.any():
        return out
    bandwidth = np.array([float(p.bandwidth) for p in market.auction.products])
    for direction in np.flatnonzero(closed).tolist():
        link = market.auction.links[direction // 2]
        ends = (link.from_hub, link.to_hub)[:: 1 if direction % 2 == 0 else -1]
        for product, levels in enumerate(market.network_nodes):
            for nodes in levels:
                gain = raw[nodes[ends[1]]] - raw[nodes[ends[0]]]
                if bandwidth[product] > 0 and np.isfinite(gain):
                    need = gain / bandwidth[product] - float(link.tariff)
                    out[direction] = max(out[direction], need)
    _close_routes(market, raw, out, closed, bandwidth)
    return out


def _close_routes(
    market: Market,
    raw: np.ndarray,
    rent: np.ndarray,
    closed: np.ndarray,
    bandwidth: np.ndarray,
) -> None:
    """The same for the routes of latency-limited buyers over a closed direction."""
    links = market.auction.links
    for way in range(len(market.way_node)):
        steps = market.way_link[market.way_use == way]
        shut = [step for step in steps.tolist() if closed[step]]
        node = market.nodes[int(market.way_node[way])]
        if not shut or bandwidth[node.product] == 0:
            continue
        price = raw[market.way_node[way]]
        for level in range(node.level + 1):
            origin = raw[int(market.supply_nodes[node.product][level][market.way_hub[way]])]
            need = (price - origin) / bandwidth[node.product]
            need -= sum(float(links[step // 2].tariff) + rent[step] for step in steps.tolist())
            if np.isfinite(need) and need > 0:
                rent[shut[0]] += need
