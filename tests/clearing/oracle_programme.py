"""The linear programmes of the oracle: most welfare of one choice, and prices that support it."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from orders.clearing import Auction
from orders.clearing.types import Link

Key = tuple[Any, ...]
Steps = tuple[tuple[int, int], ...]
_EPSILON = 1e-6


class Part(NamedTuple):
    """What a whole acceptance moves in one period: units at a key, and what it needs of links.

    Units at a supply key are supplied, or taken from a listing if negative; at a demand key wanted.
    """

    key: Key
    units: float
    steps: Steps
    listing: str | None


class State(NamedTuple):
    """One way to accept an order; `ratio` None means as much as pays, at least the minimum."""

    order: str
    parent: str | None
    is_buy: bool
    limit: float
    minimum: float
    ratio: float | None
    parts: tuple[Part, ...]
    total: float | None = None

    @property
    def is_interruptible(self) -> bool:
        """Whether only the total counts and periods are filled as they come."""
        return self.total is not None


class Offer(NamedTuple):
    """One step of a curve order, with what its listing leaves to it."""

    key: Key
    is_buy: bool
    price: float
    units: float
    listing: str


class Way(NamedTuple):
    """A path from a supply key to a demand key."""

    source: Key
    target: Key
    steps: Steps
    bandwidth: float
    tariff: float


def toll(links: Sequence[Link], steps: Steps) -> float:
    """Return the tariffs along a path per Gbit/s."""
    return float(sum((links[number].tariff for number, _ in steps), Decimal(0)))


class _Matrix:
    """Rows and columns by name, collected as triplets."""

    def __init__(self) -> None:
        self.column: dict[Key, int] = {}
        self.value: list[float] = []
        self.bounds: list[tuple[float, float | None]] = []
        self.equal: list[tuple[dict[int, float], float]] = []
        self.at_most: list[tuple[dict[int, float], float]] = []

    def add(self, name: Key, value: float, low: float, high: float | None) -> int:
        """Add a column."""
        self.column[name] = len(self.value)
        self.value.append(value)
        self.bounds.append((low, high))
        return self.column[name]

    def maximise(self) -> np.ndarray | None:
        """Return the best values of all columns, None if there are none."""
        count = len(self.value)
        answer = linprog(
            -np.array(self.value),
            A_ub=_sparse(self.at_most, count),
            b_ub=[side for _, side in self.at_most] or None,
            A_eq=_sparse(self.equal, count),
            b_eq=[side for _, side in self.equal] or None,
            bounds=self.bounds,
            method="highs",
        )
        return answer.x if answer.status == 0 else None


def _sparse(rows: list[tuple[dict[int, float], float]], count: int) -> Any:
    if not rows:
        return None
    entries = [(k, column, v) for k, (row, _) in enumerate(rows) for column, v in row.items()]
    at, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return coo_array((values, (at, columns)), shape=(len(rows), count))


class Programme:
    """One choice of indivisible orders on one auction."""

    def __init__(
        self,
        auction: Auction,
        offers: Sequence[Offer],
        ways: Sequence[Way],
        chosen: Sequence[State],
    ) -> None:
        self._auction = auction
        self._offers = offers
        self._ways = ways
        self._chosen = chosen
        self._matrix = _Matrix()
        self._answer: np.ndarray | None = None

    # -- quantities ------------------------------------------------------------------------------

    def best(self) -> float | None:
        """Return the most welfare of this choice, None if it cannot be served."""
        balance: dict[Key, dict[int, float]] = defaultdict(dict)
        used: dict[Key, dict[int, float]] = defaultdict(dict)
        matrix = self._matrix
        for k, offer in enumerate(self._offers):
            sign = -1.0 if offer.is_buy else 1.0
            at = matrix.add(("step", k), -sign * offer.price, 0.0, offer.units)
            balance[offer.key][at] = sign
        for k, way in enumerate(self._ways):
            at = matrix.add(("way", k), -way.tariff, 0.0, None)
            balance[way.source][at] = -1.0
            balance[way.target][at] = 1.0
            for step in way.steps:
                used[(*step, way.source[2])][at] = way.bandwidth
        for number, state in enumerate(self._chosen):
            self._add_state(number, state, balance, used)
        matrix.equal += [(row, 0.0) for row in balance.values()]
        matrix.at_most += [(row, self.capacity(key)) for key, row in used.items()]
        self._tie_children()
        self._tie_listings()
        self._answer = matrix.maximise()
        if self._answer is None:
            return None
        return float(np.dot(matrix.value, self._answer))

    def capacity(self, key: Key) -> float:
        """Return the capacity of a (link, direction, period)."""
        link = self._auction.links[key[0]]
        return float((link.forward_capacity, link.reverse_capacity)[key[1]][key[2]])

    def _add_state(
        self,
        number: int,
        state: State,
        balance: dict[Key, dict[int, float]],
        used: dict[Key, dict[int, float]],
    ) -> None:
        """Add one column for each part; a profile ties them all to one ratio."""
        matrix = self._matrix
        low = state.minimum if state.ratio is None else state.ratio
        high = 1.0 if state.ratio is None else state.ratio
        ratio = matrix.add(("ratio", number), 0.0, low, high)
        total: dict[int, float] = {}
        for k, part in enumerate(state.parts):
            size = abs(part.units)
            bandwidth = float(self._auction.products[part.key[1]].bandwidth)
            worth = (1 if state.is_buy else -1) * state.limit
            worth -= bandwidth * toll(self._auction.links, part.steps)
            at = matrix.add(("part", number, k), worth, 0.0, size)
            is_sale = len(part.key) == 4 and part.units > 0
            balance[part.key][at] = 1.0 if is_sale else -1.0
            for step in part.steps if bandwidth else ():
                used[(*step, part.key[2])][at] = bandwidth
            total[at] = 1.0
            if not state.is_interruptible:
                matrix.equal.append(({at: 1.0, ratio: -size}, 0.0))
        if state.total is not None:
            matrix.equal.append(({**total, ratio: -state.total}, 0.0))

    def _tie_children(self) -> None:
        """A child is accepted at most at its parent's ratio."""
        at = {state.order: k for k, state in enumerate(self._chosen)}
        for k, state in enumerate(self._chosen):
            if state.parent is not None:
                own = self._matrix.column["ratio", k]
                parent = self._matrix.column["ratio", at[state.parent]]
                self._matrix.at_most.append(({own: 1.0, parent: -1.0}, 0.0))

    def _tie_listings(self) -> None:
        """What is placed on a listing, its own steps must supply."""
        placed: dict[Key, dict[int, float]] = defaultdict(dict)
        for number, state in enumerate(self._chosen):
            for k, part in enumerate(state.parts):
                if part.listing is not None and part.units < 0:
                    placed[part.listing, part.key][self._matrix.column["part", number, k]] = 1.0
        for (listing, key), row in placed.items():
            for k, offer in enumerate(self._offers):
                if (offer.listing, offer.key) == (listing, key):
                    row[self._matrix.column["step", k]] = -1.0
            self._matrix.at_most.append((row, 0.0))

    # -- prices ----------------------------------------------------------------------------------

    def has_prices(self) -> bool:
        """Whether some prices support the quantities found and let nobody lose.

        The quantities of curve orders are best at prices and rents exactly where both sides of
        the duality agree.
        """
        if self._answer is None:
            raise ValueError("ask for the best welfare first")
        dual = _Matrix()
        terms = self._auction.terms
        low, high = float(terms.price_min), float(terms.price_max)
        keys = {offer.key for offer in self._offers}
        keys |= {part.key for state in self._chosen for part in state.parts}
        keys |= {key for way in self._ways for key in (way.source, way.target)}
        for key in sorted(keys, key=str):
            dual.add(key, 0.0, low, high)
        both = self._duality(dual)
        dual.at_most.append(both)
        self._forbid_losses(dual)
        self._order_classes(dual)
        return dual.maximise() is not None

    def _rent(self, dual: _Matrix, key: Key) -> int:
        if key not in dual.column:
            dual.add(key, 0.0, 0.0, None)
        return dual.column[key]

    def _duality(self, dual: _Matrix) -> tuple[dict[int, float], float]:
        """Add what every step and way could gain; return the row that keeps their sum small."""
        answer, matrix = self._answer, self._matrix
        assert answer is not None
        value = 0.0
        row: dict[int, float] = defaultdict(float)
        for k, offer in enumerate(self._offers):
            gain = dual.add(("gain", k), 0.0, 0.0, None)
            row[gain] += offer.units
            sign = -1.0 if offer.is_buy else 1.0
            # gain >= limit - price for a buy, price - limit for a sell
            dual.at_most.append(({gain: -1.0, dual.column[offer.key]: sign}, sign * offer.price))
            at = matrix.column["step", k]
            value += matrix.value[at] * answer[at]
        for k, way in enumerate(self._ways):
            entries = {dual.column[way.target]: 1.0, dual.column[way.source]: -1.0}
            for step in way.steps:
                entries[self._rent(dual, (*step, way.source[2], "rent"))] = -way.bandwidth
            dual.at_most.append((entries, way.tariff))
            at = matrix.column["way", k]
            value += matrix.value[at] * answer[at]
        used: dict[Key, float] = defaultdict(float)
        for number, state in enumerate(self._chosen):
            for k, part in enumerate(state.parts):
                units = float(answer[matrix.column["part", number, k]])
                is_sale = len(part.key) == 4 and part.units > 0
                row[dual.column[part.key]] += units if is_sale else -units
                bandwidth = float(self._auction.products[part.key[1]].bandwidth)
                for step in part.steps if bandwidth else ():
                    used[(*step, part.key[2])] += bandwidth * units
                    self._rent(dual, (*step, part.key[2], "rent"))
        for key, at in list(dual.column.items()):
            if key[-1] == "rent":
                row[at] += self.capacity(key[:3]) - used[key[:3]]
        scale = max(1.0, sum(offer.units * abs(offer.price) for offer in self._offers))
        return dict(row), value + _EPSILON * scale

    def _forbid_losses(self, dual: _Matrix) -> None:
        """Each order and its descendants gain together; part-filled ones are at the money."""
        gains = [self._gain(dual, number) for number in range(len(self._chosen))]
        names = [state.order for state in self._chosen]
        for number, state in enumerate(self._chosen):
            family = [number]
            for k in family:
                family += [other for other, s in enumerate(self._chosen) if s.parent == names[k]]
            loss: dict[int, float] = defaultdict(float)
            side = 0.0
            for k in family:
                for column, factor in gains[k][0].items():
                    loss[column] -= factor
                side += gains[k][1]
            size = sum(abs(part.units) for part in state.parts)
            dual.at_most.append((dict(loss), side + _EPSILON * size))
            assert self._answer is not None
            ratio = self._answer[self._matrix.column["ratio", number]]
            inside = state.minimum + _EPSILON < ratio < 1 - _EPSILON
            if inside and len(family) == 1 and state.parent is None:
                gain = {column: -factor for column, factor in loss.items()}
                dual.at_most.append((gain, -side + _EPSILON * size))

    def _gain(self, dual: _Matrix, number: int) -> tuple[dict[int, float], float]:
        """Return an order's surplus: factors of prices and rents, and a constant."""
        state = self._chosen[number]
        out: dict[int, float] = defaultdict(float)
        constant = 0.0
        assert self._answer is not None
        for k, part in enumerate(state.parts):
            units = float(self._answer[self._matrix.column["part", number, k]])
            sign = 1.0 if state.is_buy else -1.0
            bandwidth = float(self._auction.products[part.key[1]].bandwidth)
            constant += sign * units * state.limit
            constant -= units * bandwidth * toll(self._auction.links, part.steps)
            out[dual.column[part.key]] -= sign * units
            for step in part.steps if bandwidth else ():
                out[self._rent(dual, (*step, part.key[2], "rent"))] -= units * bandwidth
        return dict(out), constant

    def _order_classes(self, dual: _Matrix) -> None:
        """A stricter carbon class is never cheaper."""
        supplies = [key for key in dual.column if len(key) == 4 and key[-1] != "rent"]
        for first in supplies:
            for second in supplies:
                strict, loose = first[3], second[3]
                is_stricter = strict is not None and (loose is None or strict < loose)
                if first[:3] == second[:3] and is_stricter:
                    entries = {dual.column[second]: 1.0, dual.column[first]: -1.0}
                    dual.at_most.append((entries, 0.0))
