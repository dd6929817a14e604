"""Curve orders as aggregated merit-order steps, after the listings' capacities."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from orders.clearing.market import Market
from orders.clearing.row_tables import combined, first_rows, numbered, sums
from orders.clearing.types import NONE, Auction, FloatArray, IntArray

ListingPlace = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class MeritOrder:
    """Steps sorted by (period, node, side, price); `step_of_order` maps each curve row."""

    period: IntArray
    node: IntArray
    is_buy: IntArray
    price_ticks: IntArray
    price: FloatArray
    step_of_order: IntArray
    node_of_order: IntArray
    first_step: IntArray

    def steps_of(self, period: int) -> slice:
        """Return the steps of a period."""
        return slice(int(self.first_step[period]), int(self.first_step[period + 1]))


def build_merit_order(market: Market) -> MeritOrder:
    """Aggregate the curve orders; quantities come separately from `offered_lots`."""
    auction = market.auction
    curves = auction.curves
    nodes = _nodes_of_orders(market)
    place = (curves.period * len(market.nodes) + nodes) * 2 + curves.is_buy
    lowest = int(curves.price_ticks.min(initial=0))
    width = int(curves.price_ticks.max(initial=0)) - lowest + 1
    # One number for place and price: a single sort finds the steps in their order.
    steps, step_of_order = numbered(place * width + curves.price_ticks - lowest)
    kept, ticks = steps // width, steps % width + lowest
    is_buy, node = kept % 2, kept // 2 % len(market.nodes)
    period = kept // 2 // len(market.nodes)
    tick_size = np.array([float(p.price_tick) for p in auction.products])
    return MeritOrder(
        period=period,
        node=node,
        is_buy=is_buy,
        price_ticks=ticks,
        price=ticks * tick_size[market.node_product[node]],
        step_of_order=step_of_order,
        node_of_order=nodes,
        first_step=np.searchsorted(period, np.arange(auction.terms.periods + 1)),
    )


def _nodes_of_orders(market: Market) -> IntArray:
    curves = market.auction.curves
    if not len(curves):
        return np.zeros(0, dtype=np.int64)
    columns = (
        curves.is_buy.astype(np.int64),
        curves.hub,
        curves.product,
        curves.rtt_class,
        curves.carbon_class,
    )
    inverse = combined(columns)
    first = first_rows(inverse)
    nodes = []
    for buy, hub, product, rtt, carbon in zip(*(c[first].tolist() for c in columns), strict=True):
        if buy:
            level = market.level_of_demand(product, carbon)
            nodes.append(market.demand_node(hub, product, level, rtt))
        else:
            level = market.level_of_supply(product, carbon)
            nodes.append(market.supply_node(hub, product, level))
    return np.array(nodes, dtype=np.int64)[inverse]


def offered_lots(auction: Auction, reserved: Mapping[ListingPlace, int]) -> IntArray:
    """Return what each curve row may sell or buy once its listing's capacity is shared out.

    A listing's own steps use its capacity cheapest first (ties by order id), which is what any
    welfare optimum does; `reserved` is what its accepted blocks already use by (listing, product,
    period).
    """
    curves = auction.curves
    lots = curves.quantity_lots.copy()
    limited = np.flatnonzero(~curves.is_buy & (curves.listing != NONE))
    if not len(limited):
        return lots
    order = limited[
        np.lexsort(
            (
                limited,
                curves.price_ticks[limited],
                curves.period[limited],
                curves.product[limited],
                curves.listing[limited],
            )
        )
    ]
    keys = np.stack([curves.listing[order], curves.product[order], curves.period[order]], axis=1)
    starts = np.flatnonzero(np.r_[True, np.any(keys[1:] != keys[:-1], axis=1)])
    room = np.array(
        [_room(auction, tuple(key), reserved) for key in keys[starts].tolist()], dtype=np.int64
    )
    group = np.cumsum(np.isin(np.arange(len(order)), starts)) - 1
    wanted = lots[order]
    before = np.cumsum(wanted) - wanted
    before -= before[starts][group]
    lots[order] = np.clip(room[group] - before, 0, wanted)
    return lots


def _room(auction: Auction, place: ListingPlace, reserved: Mapping[ListingPlace, int]) -> int:
    listing, product, period = place
    capacity = auction.listings[listing].capacity_lots.get((product, period))
    if capacity is None:
        return int(np.iinfo(np.int64).max // 4)
    return max(0, capacity - reserved.get(place, 0))


def step_lots(merit: MeritOrder, offered: IntArray) -> IntArray:
    """Return the quantity of each step."""
    return sums(merit.step_of_order, offered, len(merit.period))
