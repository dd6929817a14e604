"""The upper bound, evaluated again at the published vector."""

from collections import defaultdict
from decimal import Decimal

import numpy as np

from orders.clearing.types import BlockOrder, FlexibleOrder, IntArray
from orders.clearing.verification_columns import border, groups, product_totals, totals
from orders.clearing.verification_facts import Class, Facts, KnownRoute, Tolls
from orders.clearing.verification_flexible import best_unit_surplus
from orders.clearing.verification_placed import PlacedOrders

_ZERO = Decimal(0)


def bound_at_vector(facts: Facts, routes: dict[tuple[str, str], KnownRoute]) -> Decimal:
    """Return U: the best surplus of every order at the vector, plus link capacity times rent.

    Listings' capacities limit their own steps, cheapest first; everything else that ties orders
    together is relaxed.
    """
    return _Bound(facts, routes).evaluate()


class _Bound:
    def __init__(self, facts: Facts, routes: dict[tuple[str, str], KnownRoute]) -> None:
        self._facts = facts
        self._routes = routes
        rents: dict[tuple[int, int, int], Decimal] = {}
        for row in facts.result.bound.link_rents:
            link = facts.link_number.get((row.from_hub, row.to_hub), -1)
            rents[link, int(row.direction == "reverse"), row.period] = row.rent
        self._rents = rents
        self._tolls = Tolls(facts.auction, rents, routes)
        self._supply: dict[tuple[str, str, Class, int], Decimal] = {}
        self._sources: dict[tuple[str, int], list[tuple[str, Class, Decimal]]] = defaultdict(list)
        for item in facts.result.bound.prices:
            if item.price is not None and item.product in facts.products:
                key = (item.hub, item.product, item.carbon_class, item.period)
                self._supply[key] = item.price
                level = facts.active_class(item.product, item.carbon_class)
                if level == item.carbon_class:
                    self._sources[item.product, item.period].append((item.hub, level, item.price))
        self._delivered: dict[tuple[str, str, Class, Class, int], Decimal | None] = {}
        self._buyers: dict[tuple[str, int], set[tuple[str, Class, Class]]] = {}

    def evaluate(self) -> Decimal:
        """Add up the surpluses and the links' rents."""
        if any(rent < 0 for rent in self._rents.values()):
            self._facts.report("bound", "bound.json", "a negative rent")
        blocks, jobs = self._facts.auction.blocks, self._facts.auction.flexibles
        is_placed = [order.is_buy and order.placement == "single" for order in blocks]
        placed = [order for order, own in zip(blocks, is_placed, strict=True) if own]
        free = [order for order, own in zip(blocks, is_placed, strict=True) if not own]
        placed_jobs = [job for job in jobs if job.placement == "single"]
        total = self._curves()
        total += sum(map(self._block, free), _ZERO)
        total += sum((self._flexible(job) for job in jobs if job.placement != "single"), _ZERO)
        if placed or placed_jobs:
            offers = PlacedOrders(self._facts, self._routes, self._tolls, self._supply_price)
            total += sum(map(offers.block, placed), _ZERO)
            total += sum(map(offers.flexible, placed_jobs), _ZERO)
        for number, link in enumerate(self._facts.auction.links):
            for direction, capacities in enumerate((link.forward_capacity, link.reverse_capacity)):
                for period, capacity in enumerate(capacities, start=1):
                    total += capacity * self._rents.get((number, direction, period), _ZERO)
        return total

    def _supply_price(self, hub: str, product: str, carbon: Class, period: int) -> Decimal | None:
        return self._supply.get((hub, product, carbon, period))

    def _price(
        self, hub: str, product: str, rtt: Class, carbon: Class, period: int
    ) -> Decimal | None:
        key = (hub, product, rtt, carbon, period)
        if key not in self._delivered:
            self._delivered[key] = self._cheapest(hub, product, rtt, carbon, period)
        return self._delivered[key]

    def _cheapest(
        self, hub: str, product: str, rtt: Class, carbon: Class, period: int
    ) -> Decimal | None:
        best: Decimal | None = None
        bandwidth = self._facts.products[product].bandwidth
        for source, level, price in self._sources[product, period]:
            if carbon is not None and (level is None or level > carbon):
                continue
            route = self._routes.get((source, hub))
            if rtt is None:
                toll = self._tolls.between(source, hub, period, bandwidth)
            elif route is None or route.rtt > rtt:
                continue
            else:
                toll = self._tolls.along(route.steps, period, bandwidth)
            if toll.is_finite():
                total = price + bandwidth * toll
                best = total if best is None else min(best, total)
        return best

    def _curves(self) -> Decimal:
        """Return the best surplus of all steps: those in the money, as far as listings allow."""
        facts, curves = self._facts, self._facts.auction.curves
        parties, products = facts.parties, facts.auction.products
        seat = parties.seats(parties.of_curves, curves.hub)
        known = parties.intensity_of if len(parties.intensity_of) else np.zeros(1, dtype=np.int64)
        terms = np.where(curves.is_buy, parties.wish_of[parties.of_curves], known[seat])
        first, group = groups(
            (curves.is_buy.astype(np.int64), terms, curves.product, curves.hub, curves.period)
        )
        prices = [self._price_of_step(row, int(terms[row])) for row in first.tolist()]
        item = curves.product[first].tolist()
        edges = [
            0 if price is None else border(price, products[p].price_tick)[0]
            for price, p in zip(prices, item, strict=True)
        ]
        limit = np.array(edges, dtype=np.int64)[group]
        priced = np.array([price is not None for price in prices], dtype=bool)[group]
        gains = np.where(curves.is_buy, curves.price_ticks > limit, curves.price_ticks <= limit)
        lots = self._within_listings()
        rows = np.flatnonzero(priced & gains)
        amounts = totals(group[rows], lots[rows], len(first))
        worths = product_totals(group[rows], curves.price_ticks[rows], lots[rows], len(first))
        total = _ZERO
        for row, price, p, amount, worth in zip(
            first.tolist(), prices, item, amounts, worths, strict=True
        ):
            gain = worth * products[p].price_tick - amount * (price or _ZERO)
            total += (gain if curves.is_buy[row] else -gain) * products[p].quantity_tick
        return total

    def _price_of_step(self, row: int, term: int) -> Decimal | None:
        facts, curves = self._facts, self._facts.auction.curves
        product = facts.auction.products[int(curves.product[row])].name
        hub, period = facts.auction.hubs[int(curves.hub[row])], int(curves.period[row]) + 1
        if curves.is_buy[row]:
            wish = facts.parties.wishes[term]
            return self._price(hub, product, wish.max_rtt, wish.max_carbon, period)
        carbon = facts.supply_class(product, facts.parties.intensities[term])
        own = self._supply.get((hub, product, carbon, period))
        if own is None and self._can_serve(hub, product, carbon, period):
            name = curves.order_id[row]
            facts.report("bound", f"bound.json {name}", "no price where it sells")
        return own

    def _within_listings(self) -> IntArray:
        """Return the lots of every step; a listing's own use its capacity cheapest first."""
        curves, listings = self._facts.auction.curves, self._facts.auction.listings
        lots = curves.quantity_lots.copy()
        rows = np.flatnonzero(~curves.is_buy & (curves.listing >= 0))
        left: dict[tuple[int, int, int], int] = {}
        for row in rows[np.argsort(curves.price_ticks[rows], kind="stable")].tolist():
            place = (int(curves.listing[row]), int(curves.product[row]), int(curves.period[row]))
            capacity = listings[place[0]].capacity_lots.get(place[1:])
            if capacity is None:
                continue
            room = left.get(place, capacity)
            lots[row] = min(int(lots[row]), room)
            left[place] = room - int(lots[row])
        return lots

    def _check_left_out(self, order: BlockOrder, hub: str, product: str, period: int) -> None:
        if order.is_buy:
            return
        carbon = self._facts.supply_class(product, self._facts.intensity(order.order_id, hub))
        if self._can_serve(hub, product, carbon, period):
            self._facts.report("bound", f"bound.json {order.order_id}", "no price where it sells")

    def _can_serve(self, hub: str, product: str, carbon: Class, period: int) -> bool:
        """Whether a seller without a price in the vector could serve any buyer of the period."""
        where = (product, period)
        if where not in self._buyers:
            self._buyers[where] = buying_cells(self._facts, product, period)
        bandwidth = self._facts.products[product].bandwidth
        for place, rtt, limit in self._buyers[where]:
            if limit is not None and (carbon is None or carbon > limit):
                continue
            route = self._routes.get((hub, place))
            if rtt is None and self._tolls.between(hub, place, period, bandwidth).is_finite():
                return True
            if rtt is not None and route is not None and route.rtt <= rtt:
                return True
        return False

    def _block(self, order: BlockOrder) -> Decimal:
        """Return the best surplus over an order's options, each leg at its own best price."""
        facts = self._facts
        best = _ZERO
        for option in order.options:
            surplus = _ZERO
            for leg in option.legs:
                hub, product, period = facts.leg_place(leg)
                if order.is_buy:
                    price = self._price(hub, product, order.max_rtt_ms, order.max_carbon, period)
                else:
                    carbon = facts.supply_class(product, facts.intensity(order.order_id, hub))
                    price = self._supply.get((hub, product, carbon, period))
                if price is None:
                    self._check_left_out(order, hub, product, period)
                    break
                gain = option.limit_price - price if order.is_buy else price - option.limit_price
                surplus += gain * facts.leg_quantity(leg, Decimal(1))
            else:
                best = max(best, surplus)
        return best

    def _flexible(self, order: FlexibleOrder) -> Decimal:
        """Return the best surplus of an order over its whole window, wherever it is placed."""
        facts = self._facts
        hub, product = facts.auction.hubs[order.hub], facts.auction.products[order.product]
        prices = {
            period: self._price(hub, product.name, order.max_rtt_ms, order.max_carbon, period)
            for period in range(order.earliest_period + 1, order.latest_period + 2)
        }
        best = best_unit_surplus(order, prices, order.min_acceptance)
        size = order.quantity_lots * product.quantity_tick
        return _ZERO if best is None else max(_ZERO, best) * size


def buying_cells(facts: Facts, product: str, period: int) -> set[tuple[str, Class, Class]]:
    """Return (hub, latency limit, carbon limit) of everybody who wants the product then."""
    auction, curves = facts.auction, facts.auction.curves
    item = next(n for n, known in enumerate(auction.products) if known.name == product)
    found: set[tuple[str, Class, Class]] = set()
    rows = np.flatnonzero(curves.is_buy & (curves.product == item) & (curves.period == period - 1))
    wish = facts.parties.wish_of[facts.parties.of_curves[rows]]
    first, _ = groups((wish, curves.hub[rows]))
    for row, number in zip(rows[first].tolist(), wish[first].tolist(), strict=True):
        fact = facts.parties.wishes[number]
        found.add((auction.hubs[int(curves.hub[row])], fact.max_rtt, fact.max_carbon))
    for order in auction.blocks:
        for option in order.options if order.is_buy else ():
            for leg in option.legs:
                if (leg.product, leg.period) == (item, period - 1):
                    found.add((auction.hubs[leg.hub], order.max_rtt_ms, order.max_carbon))
    for job in auction.flexibles:
        if job.product == item and job.earliest_period < period <= job.latest_period + 1:
            found.add((auction.hubs[job.hub], job.max_rtt_ms, job.max_carbon))
    return found
