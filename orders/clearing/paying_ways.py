"""Column generation for ways: which arcs a programme lacks that somebody would pay for."""

import numpy as np

from orders.clearing.market import Kind, Market
from orders.clearing.types import BoolArray, FloatArray, IntArray
from orders.clearing.ways import cheapest_ways


def supply_prices(
    market: Market, price: FloatArray, ask: FloatArray, *, offers_more: BoolArray
) -> FloatArray:
    """Return what supply costs by node, nan where there is none.

    A node whose orders sell nothing costs at least its cheapest ask, whatever its dual says.
    """
    own = np.where(np.isfinite(ask), np.maximum(price, ask), np.nan)
    own = np.where(offers_more, price, own)
    return np.where(market.node_kind == Kind.SUPPLY, own, np.nan)


def paying_arcs(
    market: Market,
    capacity: FloatArray,
    prices: tuple[FloatArray, FloatArray, FloatArray],
    wanted: BoolArray,
    least: FloatArray | None,
) -> IntArray:
    """Return the arcs on the cheapest ways to nodes that pay more than supply and way cost.

    Args:
        market: the network.
        capacity: Gbit/s by link direction; directions without any carry nothing.
        prices: supply by node (nan: none), what each node pays, rents per Gbit/s.
        wanted: nodes that somebody consumes at.
        least: gain per unit, by node, that makes a way worth taking; None for any way there is.
    """
    supply, price, rent = prices
    ways = cheapest_ways(market, capacity, supply, rent)
    found: set[int] = set()
    pays = np.isfinite(ways.price) if least is None else price > ways.price + least
    for node in np.flatnonzero(wanted & pays).tolist():
        found.update(ways.arcs_to(node))
    return np.array(sorted(found), dtype=np.int64)
