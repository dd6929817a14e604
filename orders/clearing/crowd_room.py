"""What a batch of orders may take together: the supply within the reach of each place."""

from collections.abc import Iterable

import numpy as np

from orders.clearing.candidates import Candidate
from orders.clearing.market import Kind, Market
from orders.clearing.merit_order import ListingPlace
from orders.clearing.state import Book, Outcome
from orders.clearing.types import FloatArray

_UNBOUNDED = 10**18


class Room:
    """Lots that may still be taken at each node and of each product, Gbit/s of each link direction.

    By period. A necessary condition only: what others need of links may leave less. It keeps a
    batch from asking at one place, or in one hour, for more than anybody sells, and from carrying
    more over a link than there is.
    """

    def __init__(self, book: Book, outcome: Outcome) -> None:
        market, merit = book.market, book.merit
        periods, nodes = len(book.models), len(market.nodes)
        sells = merit.is_buy == 0
        place = merit.period[sells] * nodes + merit.node[sells]
        lots = outcome.lots[sells]
        offered = np.bincount(place, weights=lots, minlength=periods * nodes)
        self._product = market.node_product
        taken = np.minimum(outcome.injection, 0.0)
        supply = offered.reshape(periods, nodes) + np.maximum(outcome.injection, 0.0)
        self._node_left = supply @ _reach(market) + taken
        of_product = np.zeros((nodes, len(market.auction.products)))
        of_product[np.arange(nodes), market.node_product] = 1.0
        self._product_left = (supply + taken) @ of_product
        self._link_left = market.capacity.T - outcome.link_use

    def take(self, candidate: Candidate) -> bool:
        """Take what a candidate needs; False, and nothing taken, where that is not there."""
        node_left, product_left = self._node_left, self._product_left
        for item in candidate.injections:
            product = self._product[item.node]
            left = min(node_left[item.period, item.node], product_left[item.period, product])
            if item.lots < 0 and left < -item.lots:
                return False
        link_left = self._link_left
        for use in candidate.link_uses:
            if link_left[use.period, use.link] < use.bandwidth:
                return False
        for use in candidate.link_uses:
            link_left[use.period, use.link] -= use.bandwidth
        for item in candidate.injections:
            node_left[item.period, item.node] += item.lots
            product_left[item.period, self._product[item.node]] += item.lots
        return True


def within_listings(book: Book, numbers: Iterable[int]) -> list[int]:
    """Return the candidates, in their order, that their listings have room for together."""
    listings = book.market.auction.listings
    left: dict[ListingPlace, int] = {}
    kept = []
    for number in numbers:
        places = book.candidates[number].listing_places
        for place, _ in places:
            listing, product, period = place
            room = listings[listing].capacity_lots.get((product, period), _UNBOUNDED)
            left.setdefault(place, room)
        if all(left[place] >= lots for place, lots in places):
            kept.append(number)
            for place, lots in places:
                left[place] -= lots
    return kept


def _reach(market: Market) -> FloatArray:
    """Return by (supply node, node) whether the one may serve the other: 1 or 0."""
    count = len(market.nodes)
    reach = np.eye(count)
    same = market.node_product[:, None] == market.node_product[None, :]
    looser = market.node_level[:, None] <= market.node_level[None, :]
    is_supply = (market.node_kind == Kind.SUPPLY)[:, None]
    fits = same & looser & is_supply
    reach[fits & (market.node_kind == Kind.NETWORK)[None, :]] = 1.0
    within = np.zeros((len(market.auction.hubs), count), dtype=bool)
    within[market.way_hub, market.way_node] = True
    reach[fits & within[market.node_hub]] = 1.0
    return reach
