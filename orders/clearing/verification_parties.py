"""The verifier's list of who buys and who sells, with the terms that others are checked against."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from orders.clearing.row_tables import Column
from orders.clearing.types import Auction, BlockOrder, BoolArray, FlexibleOrder, IntArray
from orders.clearing.verification_columns import distinct, groups

Class = Decimal | None


@dataclass(frozen=True)
class SellFact:
    """A seller's terms that a buyer's wishes are checked against."""

    hub: str
    listing: str
    intensity: Decimal | None


@dataclass(frozen=True)
class BuyFact:
    """A buyer's wishes."""

    max_rtt: Class
    max_carbon: Class
    single: bool


class Parties:
    """Every order by number; `wish_of` is a buyer's place in `wishes`, below zero for a seller."""

    def __init__(self, auction: Auction) -> None:
        self._auction = auction
        curves = auction.curves
        names = dict.fromkeys(curves.order_id)
        names.update(dict.fromkeys(order.order_id for order in auction.blocks))
        names.update(dict.fromkeys(order.order_id for order in auction.flexibles))
        self.names = list(names)
        self.number = dict(zip(self.names, range(len(self.names)), strict=True))
        self._hub = {name: place for place, name in enumerate(auction.hubs)}
        self.of_curves: IntArray = np.fromiter(
            map(self.number.__getitem__, curves.order_id), dtype=np.int64, count=len(curves)
        )
        self._wishes: dict[BuyFact, int] = {}
        self._intensities: dict[Decimal | None, int] = {}
        self._listings: dict[str, int] = {}
        self.wish_of: IntArray = np.full(len(self.names), -1, dtype=np.int64)
        self._read_buys()
        self._key, self.intensity_of, self._listing_of = self._read_sells()
        self.wishes = list(self._wishes)
        self.intensities = list(self._intensities)
        self._listing_texts = list(self._listings)

    def wishes_of(self, numbers: IntArray) -> IntArray:
        """Return the place in `wishes` of orders, below zero for sellers and unknown ones."""
        found = np.full(len(numbers), -1, dtype=np.int64)
        known = numbers >= 0
        found[known] = self.wish_of[numbers[known]]
        return found

    def seller(self, name: str, hub: str) -> SellFact | None:
        """Return what sells at a hub under an order's name, None if nothing does."""
        number, place = self.number.get(name), self._hub.get(hub)
        if number is None or place is None:
            return None
        seat = int(self.seats(np.array([number]), np.array([place]))[0])
        if seat < 0:
            return None
        return SellFact(
            hub, self.listing(seat, name), self.intensities[int(self.intensity_of[seat])]
        )

    def seats(self, numbers: IntArray, hubs: IntArray) -> IntArray:
        """Return the place among sellers of an order at a hub, below zero where it sells nothing.

        Args:
            numbers: orders, below zero for unknown ones.
            hubs: hubs, below zero for unknown ones.
        """
        wanted = np.where((numbers < 0) | (hubs < 0), -1, numbers * len(self._hub) + hubs)
        if not len(self._key):
            return np.full(len(wanted), -1, dtype=np.int64)
        seat = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        return np.where(self._key[seat] == wanted, seat, -1)

    def has_listing(self, seats: IntArray, column: Column) -> BoolArray:
        """Say row by row whether a column names the listing of a seller.

        Args:
            seats: places among sellers, one for each row.
            column: the listings named; a seller without one is a listing of its own.
        """
        stated = column.numbers(lambda text: self._listings.get(text, -1))
        order = column.numbers(lambda text: self.number.get(text, -1))
        listing = self._listing_of[seats]
        return np.where(listing < 0, order == self._key[seats] // len(self._hub), stated == listing)

    def listing(self, seat: int, name: str) -> str:
        """Return the listing of a seller; without one, the order is a listing of its own."""
        place = int(self._listing_of[seat])
        return name if place < 0 else self._listing_texts[place]

    def singles(self) -> set[str]:
        """Return the buyers that one listing serves."""
        auction = self._auction
        buys: list[BlockOrder | FlexibleOrder] = [b for b in auction.blocks if b.is_buy]
        return {b.order_id for b in (*buys, *auction.flexibles) if b.placement == "single"}

    def _read_buys(self) -> None:
        auction, curves = self._auction, self._auction.curves
        rows = np.flatnonzero(curves.is_buy)
        terms = [item[rows] for item in (curves.product, curves.rtt_class, curves.carbon_class)]
        first, group = groups(terms)
        found = np.zeros(len(first), dtype=np.int64)
        for place, row in enumerate(rows[first].tolist()):
            product = auction.products[int(curves.product[row])]
            rtt, carbon = int(curves.rtt_class[row]), int(curves.carbon_class[row])
            limit = None if rtt < 0 else product.rtt_classes[rtt]
            green = None if carbon < 0 else product.carbon_classes[carbon]
            found[place] = self._wish(BuyFact(limit, green, False))
        self.wish_of[self.of_curves[rows]] = found[group]
        buys: list[BlockOrder | FlexibleOrder] = [b for b in auction.blocks if b.is_buy]
        for order in (*buys, *auction.flexibles):
            fact = BuyFact(order.max_rtt_ms, order.max_carbon, order.placement == "single")
            self.wish_of[self.number[order.order_id]] = self._wish(fact)

    def _wish(self, fact: BuyFact) -> int:
        return self._wishes.setdefault(fact, len(self._wishes))

    def _read_sells(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return order and hub as one sorted number, with intensity and listing of each."""
        auction, curves = self._auction, self._auction.curves
        rows = np.flatnonzero(~curves.is_buy)
        stated, places = distinct(curves.carbon_intensity)
        codes, listing = places[rows], curves.listing[rows]
        first, group = groups((codes, listing))
        intensity = np.zeros(len(first), dtype=np.int64)
        place = np.full(len(first), -1, dtype=np.int64)
        for number, row in enumerate(first.tolist()):
            own = stated[int(codes[row])]
            if listing[row] >= 0:
                item = auction.listings[int(listing[row])]
                own = item.carbon_intensity if own is None else own
                place[number] = self._listing(item.listing_id)
            intensity[number] = self._intensity(own)
        key = self.of_curves[rows] * len(self._hub) + curves.hub[rows]
        blocks = np.array(self._block_sells(), dtype=np.int64).reshape(-1, 3).T
        keys = np.concatenate([key, blocks[0]])
        found, row_of = np.unique(keys, return_index=True)
        return (
            found,
            np.concatenate([intensity[group], blocks[1]])[row_of],
            np.concatenate([place[group], blocks[2]])[row_of],
        )

    def _block_sells(self) -> list[tuple[int, int, int]]:
        declared = {item.listing_id: item.carbon_intensity for item in self._auction.listings}
        found: list[tuple[int, int, int]] = []
        for order in self._auction.blocks:
            if order.is_buy:
                continue
            intensity = order.carbon_intensity
            if intensity is None and order.listing_id is not None:
                intensity = declared[order.listing_id]
            terms = (
                self._intensity(intensity),
                self._listing(order.listing_id or order.order_id),
            )
            number = self.number[order.order_id] * len(self._hub)
            hubs = {leg.hub for option in order.options for leg in option.legs}
            found.extend((number + hub, *terms) for hub in sorted(hubs))
        return found

    def _intensity(self, value: Decimal | None) -> int:
        return self._intensities.setdefault(value, len(self._intensities))

    def _listing(self, name: str) -> int:
        return self._listings.setdefault(name, len(self._listings))
