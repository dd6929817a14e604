"""The verifier's quantities by order and place: long ones as columns, the rest one by one."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from orders.clearing.types import Auction, IntArray
from orders.clearing.verification_parties import Parties

# Order, option, hub, product and period (from 1)
Key = tuple[str, str, str, str, int]
_ZERO = Decimal(0)


class Places:
    """Numbers for an order without an option at a hub, product and period."""

    def __init__(self, auction: Auction, parties: Parties) -> None:
        self._parties = parties
        self._hubs = {name: place for place, name in enumerate(auction.hubs)}
        self._products = {item.name: place for place, item in enumerate(auction.products)}
        self._names = (list(self._hubs), list(self._products))
        self._ticks = [product.quantity_tick for product in auction.products]
        self.periods = auction.terms.periods

    def number(
        self, party: IntArray, hub: IntArray, product: IntArray, period: IntArray
    ) -> IntArray:
        """Return one number for each row; periods count from zero."""
        place = (party * len(self._hubs) + hub) * len(self._products) + product
        return place * self.periods + period

    def of(self, key: Key) -> int | None:
        """Return the number of a key, None if it has an option or names what is not there."""
        party, hub = self._parties.number.get(key[0]), self._hubs.get(key[2])
        product, period = self._products.get(key[3]), key[4] - 1
        if key[1] or party is None or hub is None or product is None:
            return None
        if not 0 <= period < self.periods:
            return None
        place = (party * len(self._hubs) + hub) * len(self._products) + product
        return place * self.periods + period

    def key(self, number: int) -> Key:
        """Return what a number stands for."""
        place, period = divmod(number, self.periods)
        place, product = divmod(place, len(self._products))
        party, hub = divmod(place, len(self._hubs))
        names = self._names
        return self._parties.names[party], "", names[0][hub], names[1][product], period + 1

    def tick(self, number: int) -> Decimal:
        """Return the lot of a number's product."""
        return self._ticks[number // self.periods % len(self._products)]


class Amounts:
    """Quantities that were accepted, or that were assigned."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._numbers: list[IntArray] = []
        self._lots: list[IntArray] = []
        self.single: dict[Key, Decimal] = defaultdict(Decimal)

    def add(self, key: Key, quantity: Decimal) -> None:
        """Add one quantity."""
        self.single[key] += quantity

    def add_lots(self, numbers: IntArray, lots: IntArray) -> None:
        """Add whole lots at numbered places, those of `whole_ticks`: their sums hold in 64 bits."""
        self._numbers.append(numbers)
        self._lots.append(lots)

    def columns(self) -> tuple[IntArray, IntArray]:
        """Return the numbered places, ascending, with their lots."""
        empty = np.zeros(0, dtype=np.int64)
        numbers = np.concatenate([empty, *self._numbers])
        found, place = np.unique(numbers, return_inverse=True)
        lots = np.zeros(len(found), dtype=np.int64)
        np.add.at(lots, place.reshape(-1), np.concatenate([empty, *self._lots]))
        return found, lots


def differences(
    places: Places, have: Amounts, want: Amounts
) -> Iterator[tuple[Key, Decimal, Decimal]]:
    """Yield every key whose quantities differ, with both of them."""
    sides = [amounts.columns() for amounts in (have, want)]
    keys = list(dict.fromkeys((*have.single, *want.single)))
    known = {number for key in keys if (number := places.of(key)) is not None}
    for key in keys:
        number = places.of(key)
        pair = [
            amounts.single.get(key, _ZERO) + _quantity(places, side, number)
            for amounts, side in zip((have, want), sides, strict=True)
        ]
        if pair[0] != pair[1]:
            yield key, pair[0], pair[1]
    for number in _different(*sides):
        if number not in known:
            first, second = (_quantity(places, side, number) for side in sides)
            yield places.key(number), first, second


def _quantity(places: Places, side: tuple[IntArray, IntArray], number: int | None) -> Decimal:
    if number is None:
        return _ZERO
    place = int(np.searchsorted(side[0], number))
    if place == len(side[0]) or side[0][place] != number:
        return _ZERO
    return int(side[1][place]) * places.tick(number)


def _different(first: tuple[IntArray, IntArray], second: tuple[IntArray, IntArray]) -> list[int]:
    """Return the places whose lots differ; a place that is missing has none."""
    if np.array_equal(first[0], second[0]):
        return first[0][first[1] != second[1]].tolist()
    numbers, place = np.unique(np.concatenate([first[0], second[0]]), return_inverse=True)
    rest = np.zeros(len(numbers), dtype=np.int64)
    np.add.at(rest, place.reshape(-1), np.concatenate([first[1], -second[1]]))
    return numbers[rest != 0].tolist()
