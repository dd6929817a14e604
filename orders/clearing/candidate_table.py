"""Candidates as flat arrays: what a choice injects, and what every candidate would gain."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from orders.clearing.candidates import Candidate
from orders.clearing.market import Market
from orders.clearing.published import EMPTY, PublishedPrices
from orders.clearing.types import BoolArray, FloatArray, IntArray


class CandidateTable:
    """The injections and link uses of all candidates, one row each, in candidate order."""

    def __init__(
        self,
        market: Market,
        candidates: Sequence[Candidate],
        periods: int,
        known: "CandidateTable | None" = None,
    ) -> None:
        """Lay out candidates; with `known`, a table of the first of them, only the others."""
        self.candidates = candidates
        self._shape = (periods, len(market.nodes))
        self._link_shape = (periods, market.capacity.shape[0])
        first = 0 if known is None else len(known.candidates)
        fresh = candidates[first:]
        items = [(k, item) for k, c in enumerate(fresh, first) for item in c.injections]
        uses = [(k, use) for k, c in enumerate(fresh, first) for use in c.link_uses]
        self.owner = _whole([k for k, _ in items])
        self.period = _whole([item.period for _, item in items])
        self.node = _whole([item.node for _, item in items])
        self.lots = np.array([item.lots for _, item in items], dtype=float)
        self.use_owner = _whole([k for k, _ in uses])
        self.use_period = _whole([use.period for _, use in uses])
        self.use_link = _whole([use.link for _, use in uses])
        self.bandwidth = np.array([use.bandwidth for _, use in uses], dtype=float)
        self.worth = np.array([c.worth for c in fresh], dtype=float)
        self.order = _whole([c.order for c in fresh])
        products = market.auction.products
        tick = np.array([float(product.clearing_price_tick) for product in products])
        product = market.node_product[self.node]
        self.amount = self.lots * market.lot[product]
        self.tick = tick[product]
        top = np.array([float(p.price_max) for p in products])[product]
        low = np.array([float(p.price_min) for p in products])[product]
        self.unpriced = np.where(self.lots < 0, top, low)
        self.has_places = any(c.listing_places for c in fresh)
        if known is not None:
            for name in _COLUMNS:
                setattr(self, name, np.concatenate([getattr(known, name), getattr(self, name)]))
            self.has_places = self.has_places or known.has_places

    def ratios(self, selection: Mapping[int, Decimal]) -> FloatArray:
        """Return the acceptance of every candidate."""
        out = np.zeros(len(self.worth))
        for number, ratio in selection.items():
            out[number] = float(ratio)
        return out

    def injections(self, ratios: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return lots by (period, node) and Gbit/s by (period, link direction)."""
        place = self.period * self._shape[1] + self.node
        weights = self.lots * ratios[self.owner]
        lots = np.bincount(place, weights=weights, minlength=self._shape[0] * self._shape[1])
        place = self.use_period * self._link_shape[1] + self.use_link
        size = self._link_shape[0] * self._link_shape[1]
        links = np.bincount(place, weights=self.bandwidth * ratios[self.use_owner], minlength=size)
        return (
            lots.astype(float).reshape(self._shape),
            links.astype(float).reshape(self._link_shape),
        )

    def surplus(self, price: FloatArray, rent: FloatArray) -> FloatArray:
        """Return what each candidate gains at full acceptance.

        Args:
            price: by (period, node); where there is none, the dearest or cheapest allowed counts.
            rent: by (period, link direction), per Gbit/s.
        """
        count = len(self.worth)
        own = price[self.period, self.node]
        own = np.where(np.isnan(own), self.unpriced, own)
        gain = np.bincount(self.owner, weights=self.amount * own, minlength=count)
        toll = self.bandwidth * rent[self.use_period, self.use_link]
        use = np.bincount(self.use_owner, weights=toll, minlength=count)
        return np.asarray(self.worth + gain - use, dtype=np.float64)

    def published_surplus(self, prices: PublishedPrices) -> tuple[FloatArray, BoolArray]:
        """Return the surplus at published prices, to rounding, and which candidates have prices."""
        ticks = prices.ticks[self.period, self.node]
        priced = ticks != EMPTY
        missing = np.bincount(self.owner, weights=~priced, minlength=len(self.worth)) > 0
        own = np.where(priced, ticks * self.tick, self.unpriced)
        rent = prices.rent * float(prices.rent_quantum)
        count = len(self.worth)
        gain = np.bincount(self.owner, weights=self.amount * own, minlength=count)
        toll = self.bandwidth * rent[self.use_period, self.use_link]
        use = np.bincount(self.use_owner, weights=toll, minlength=count)
        return np.asarray(self.worth + gain - use, dtype=np.float64), ~missing


_COLUMNS = (
    "owner",
    "period",
    "node",
    "lots",
    "use_owner",
    "use_period",
    "use_link",
    "bandwidth",
    "worth",
    "order",
    "amount",
    "tick",
    "unpriced",
)


def _whole(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)
