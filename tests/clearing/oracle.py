"""A slow oracle for tiny books with every kind of order: each choice tried, prices by duality.

It shares nothing with the engine but the auction's types. For every choice of indivisible orders
(which option, start, listing; at the minimum, or as much as pays) one linear programme gives the
best welfare of everything divisible, and a second one asks for prices that support it and let
nobody lose. Quantities are not rounded to lots and prices not to ticks.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product as choices_of
from typing import Any

import numpy as np

from orders.clearing import Auction
from orders.clearing.types import Link
from tests.clearing.oracle_programme import Key, Offer, Part, Programme, State, Steps, Way, toll


class TooManyChoices(Exception):
    """The book is not tiny."""


def stated_route(links: tuple[Link, ...], paths: list[Steps]) -> Steps | None:
    """Return the path of least time, fewest links, least tariff."""
    return min(
        paths,
        key=lambda path: (
            sum((links[k].rtt_ms for k, _ in path), Decimal(0)),
            len(path),
            sum((links[k].tariff for k, _ in path), Decimal(0)),
        ),
        default=None,
    )


def simple_paths(links: tuple[Link, ...], hubs: int, start: int, end: int) -> Iterator[Steps]:
    """Yield every path that visits no hub twice."""
    stack: list[tuple[int, tuple[int, ...], Steps]] = [(start, (start,), ())]
    while stack:
        hub, seen, steps = stack.pop()
        if hub == end:
            yield steps
            continue
        for number, link in enumerate(links):
            for direction, (near, far) in enumerate(
                ((link.from_hub, link.to_hub), (link.to_hub, link.from_hub))
            ):
                if near == hub and far not in seen:
                    stack.append((far, (*seen, far), (*steps, (number, direction))))


class Oracle:
    """Tries everything on one tiny auction."""

    def __init__(self, auction: Auction, *, most: int = 400) -> None:
        self._auction = auction
        self._most = most
        self._listing_of_curve = self._curve_listings()
        self._steps = self._curve_steps()
        self._paths: dict[tuple[int, int], list[Steps]] = {}

    def welfare(self) -> float:
        """Return the best welfare over all valid results.

        Raises:
            TooManyChoices: there are more choices than the oracle may try.
        """
        best: list[tuple[float, Programme]] = []
        for chosen in self._choices():
            programme = self._programme(chosen)
            value = programme.best()
            if value is not None:
                best.append((value, programme))
        best.sort(key=lambda item: -item[0])
        for value, programme in best:
            if programme.has_prices():
                return value
        raise AssertionError("even the divisible orders alone have no prices")

    # -- the book --------------------------------------------------------------------------------

    def _programme(self, chosen: tuple[State, ...]) -> Programme:
        offers = self._offers(chosen)
        keys = {offer.key for offer in offers}
        keys |= {part.key for state in chosen for part in state.parts}
        return Programme(self._auction, offers, self._ways(keys), chosen)

    def _ways(self, keys: set[Key]) -> list[Way]:
        """Return every way supply may reach demand: the stated route, or any path without limit."""
        sources = sorted((key for key in keys if len(key) == 4), key=str)
        targets = sorted((key for key in keys if len(key) == 5), key=str)
        out = []
        for source in sources:
            for target in targets:
                if source[1:3] != target[1:3]:
                    continue
                if target[4] is None or (source[3] is not None and source[3] <= target[4]):
                    out += self._ways_between(source, target)
        return out

    def _ways_between(self, source: Key, target: Key) -> Iterator[Way]:
        links, pair = self._auction.links, (source[0], target[0])
        if pair not in self._paths:
            self._paths[pair] = list(simple_paths(links, len(self._auction.hubs), *pair))
        paths = self._paths[pair]
        if target[3] is not None:
            stated = stated_route(links, paths)
            paths = [stated] if stated is not None and self.time_of(stated) <= target[3] else []
        bandwidth = float(self._auction.products[source[1]].bandwidth)
        if not bandwidth:
            return (Way(source, target, (), 0.0, 0.0) for _ in paths[:1])
        return (
            Way(source, target, steps, bandwidth, bandwidth * toll(links, steps))
            for steps in paths
            if all(self._capacity(*step, source[2]) > 0 for step in steps)
        )

    def _capacity(self, number: int, direction: int, period: int) -> Decimal:
        link = self._auction.links[number]
        return (link.forward_capacity, link.reverse_capacity)[direction][period]

    def lot(self, item: int) -> float:
        """Return the lot of a product in units."""
        return float(self._auction.products[item].quantity_tick)

    def carbon_class(self, item: int, intensity: Decimal | None) -> Decimal | None:
        """Return the strictest listed class an intensity serves."""
        classes = self._auction.products[item].carbon_classes
        return min((c for c in classes if intensity is not None and intensity <= c), default=None)

    def _curve_listings(self) -> list[str]:
        curves = self._auction.curves
        return [
            self._auction.listings[at].listing_id if at >= 0 else curves.order_id[k]
            for k, at in enumerate(curves.listing.tolist())
        ]

    def _curve_steps(self) -> list[tuple[Key, bool, float, float, str, int]]:
        """Return (key, is_buy, price, units, listing, row) of every step."""
        auction, curves = self._auction, self._auction.curves
        out = []
        for k in range(len(curves)):
            item = int(curves.product[k])
            kind = auction.products[item]
            place = int(curves.hub[k]), item, int(curves.period[k])
            rtt, green = int(curves.rtt_class[k]), int(curves.carbon_class[k])
            limit = kind.carbon_classes[green] if green >= 0 else None
            key: Key = (*place, limit)
            if curves.is_buy[k]:
                key = (*place, kind.rtt_classes[rtt] if rtt >= 0 else None, limit)
            price = float(int(curves.price_ticks[k]) * kind.price_tick)
            units = int(curves.quantity_lots[k]) * self.lot(item)
            out.append((key, bool(curves.is_buy[k]), price, units, self._listing_of_curve[k], k))
        return out

    def _offers(self, chosen: tuple[State, ...]) -> list[Offer]:
        """Return the steps with listings' capacity dealt out, cheapest first, after blocks."""
        auction = self._auction
        room: dict[tuple[str, int, int], float] = {
            (listing.listing_id, item, period): lots * self.lot(item)
            for listing in auction.listings
            for (item, period), lots in listing.capacity_lots.items()
        }
        for state in chosen:
            for part in state.parts if not state.is_buy else ():
                place = (part.listing or "", part.key[1], part.key[2])
                if place in room:
                    ratio = 1.0 if state.ratio is None else state.ratio
                    room[place] = max(0.0, room[place] - part.units * ratio)
        out = list(self._steps)
        order = sorted(range(len(out)), key=lambda k: (out[k][2], out[k][5]))
        for k in order:
            key, is_buy, price, units, listing, row = out[k]
            place = (listing, key[1], key[2])
            if not is_buy and place in room:
                units = min(units, room[place])
                room[place] -= units
                out[k] = (key, is_buy, price, units, listing, row)
        return [Offer(*step[:5]) for step in out]

    # -- choices ---------------------------------------------------------------------------------

    def _choices(self) -> Iterator[tuple[State, ...]]:
        states = [self._block_states(order) for order in self._auction.blocks]
        states += [self._job_states(job) for job in self._auction.flexibles]
        if np.prod([len(own) + 1.0 for own in states]) > self._most:
            raise TooManyChoices
        for chosen in choices_of(*([None, *own] for own in states)):
            taken = tuple(state for state in chosen if state is not None)
            names = {state.order for state in taken}
            if all(state.parent is None or state.parent in names for state in taken):
                yield taken

    def _block_states(self, order: Any) -> list[State]:
        out = []
        minimum = float(order.min_acceptance)
        for option in order.options:
            legs = [(leg.hub, leg.product, leg.period, leg.quantity_lots) for leg in option.legs]
            for parts in self._ways_to_serve(order, legs):
                for ratio in [None] if minimum == 1 else [minimum, None]:
                    value = float(option.limit_price)
                    out.append(
                        State(
                            order.order_id,
                            order.parent_order_id,
                            order.is_buy,
                            value,
                            minimum,
                            ratio,
                            parts,
                        )
                    )
        return out

    def _job_states(self, job: Any) -> list[State]:
        runs = [range(job.earliest_period, job.latest_period + 1)]
        most = None
        if job.interruptible:
            most = job.duration * job.quantity_lots * self.lot(job.product)
        else:
            starts = range(job.earliest_period, job.latest_period - job.duration + 2)
            runs = [range(start, start + job.duration) for start in starts]
        minimum = float(job.min_acceptance)
        out = []
        for run in runs:
            legs = [(job.hub, job.product, t, job.quantity_lots) for t in run]
            for parts in self._ways_to_serve(job, legs):
                for ratio in [None] if minimum == 1 else [minimum, None]:
                    limit = float(job.limit_price)
                    state = State(job.order_id, None, True, limit, minimum, ratio, parts, most)
                    out.append(state)
        return out

    def _ways_to_serve(self, order: Any, legs: list[tuple[int, ...]]) -> Iterator[tuple[Part, ...]]:
        """Yield the parts of an acceptance: one way, or one for each listing it may be on."""
        if not getattr(order, "is_buy", True):
            intensity = order.carbon_intensity
            if intensity is None and order.listing_id is not None:
                found = [x for x in self._auction.listings if x.listing_id == order.listing_id]
                intensity = found[0].carbon_intensity
            yield tuple(
                Part(
                    (hub, item, t, self.carbon_class(item, intensity)),
                    lots * self.lot(item),
                    (),
                    order.listing_id,
                )
                for hub, item, t, lots in legs
            )
        elif order.placement != "single":
            yield tuple(
                Part(
                    (hub, item, t, order.max_rtt_ms, order.max_carbon),
                    lots * self.lot(item),
                    (),
                    None,
                )
                for hub, item, t, lots in legs
            )
        else:
            yield from self._placed(order, legs)

    def _placed(self, order: Any, legs: list[tuple[int, ...]]) -> Iterator[tuple[Part, ...]]:
        auction = self._auction
        items = {item for _, item, _, _ in legs}
        sources = {
            (listing, key[0], key[3])
            for key, is_buy, _, _, listing, _ in self._steps
            if not is_buy and {key[1]} == items
        }
        for listing, hub, carbon in sorted(sources, key=str):
            if order.eligible_listings and listing not in order.eligible_listings:
                continue
            if order.max_carbon is not None and (carbon is None or carbon > order.max_carbon):
                continue
            count = len(auction.hubs)
            routes = [
                stated_route(auction.links, list(simple_paths(auction.links, count, hub, end)))
                for end, *_ in legs
            ]
            if any(
                route is None
                or (order.max_rtt_ms is not None and self.time_of(route) > order.max_rtt_ms)
                for route in routes
            ):
                continue
            yield tuple(
                Part((hub, item, t, carbon), -lots * self.lot(item), route or (), listing)
                for (_, item, t, lots), route in zip(legs, routes, strict=True)
            )

    def time_of(self, steps: Steps) -> Decimal:
        """Return the round-trip time of a path."""
        return sum((self._auction.links[k].rtt_ms for k, _ in steps), Decimal(0))
