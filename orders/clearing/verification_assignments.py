"""Rules 1, 3, 6, 7 and 8 of who serves whom, whole columns at a time."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from orders.clearing.row_tables import Column
from orders.clearing.types import BoolArray, IntArray
from orders.clearing.verification_amounts import Amounts, Places, differences
from orders.clearing.verification_columns import ODD, groups, totals, whole_ticks
from orders.clearing.verification_facts import Class, Facts, KnownRoute, Tolls
from orders.clearing.verification_parties import BuyFact

_ZERO = Decimal(0)
ConsumptionCell = tuple[str, Class, Class]


@dataclass
class Carried:
    """What assignments leave and bring at places, and put on stated routes.

    `cells` are consumption cells by link direction, product and period; those without a stated
    route, `roaming`, may use any link that carries the product.
    """

    net: dict[tuple[str, str, int], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    fixed: dict[tuple[int, int, str, int], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    cells: dict[tuple[int, int, str, int], set[ConsumptionCell]] = field(
        default_factory=lambda: defaultdict(set)
    )
    roaming: dict[tuple[str, int], set[ConsumptionCell]] = field(
        default_factory=lambda: defaultdict(set)
    )


class _Way(NamedTuple):
    """Assignments between the same places on the same terms."""

    source: str
    hub: str
    product: str
    period: int
    wish: BuyFact
    intensity: Decimal | None
    quantity: Decimal


class AssignmentChecks:
    """Reads the assignments into numbers once; every check is a comparison of columns."""

    def __init__(
        self, facts: Facts, routes: dict[tuple[str, str], KnownRoute], tolls: Tolls
    ) -> None:
        self._facts = facts
        self._routes = routes
        self._tolls = tolls
        self._rows = facts.assigned
        self._places = Places(facts.auction, facts.parties)
        self.carried = Carried()
        parties, auction = facts.parties, facts.auction
        hubs = {name: place for place, name in enumerate(auction.hubs)}
        products = {product.name: place for place, product in enumerate(auction.products)}
        self._buyer = self._numbers("buy_order_id", parties.number)
        self._seller = self._numbers("sell_order_id", parties.number)
        self._source = self._numbers("hub_of_supply", hubs)
        self._hub = self._numbers("hub", hubs)
        self._product = self._numbers("product", products)
        periods = {place + 1: place for place in range(auction.terms.periods)}
        self._period = self._numbers("period", periods)
        ticks = [product.quantity_tick for product in auction.products]
        self._lots = whole_ticks(self._rows.columns["quantity"], self._product, ticks)
        self._wish = parties.wishes_of(self._buyer)
        self._seat = parties.seats(self._seller, self._source)

    def _numbers(self, column: str, known: Mapping[Any, int]) -> IntArray:
        return self._rows.columns[column].numbers(lambda value: known.get(value, -1))

    def run(self, bought: Amounts, sold: Amounts) -> None:
        """Check all rows; what orders accepted is given."""
        if not len(self._rows):
            self._check_sums(bought, sold)
            return
        self._add_to_net()
        self._check_repeated()
        known = (self._wish >= 0) & (self._seat >= 0) & (self._product >= 0)
        self._report(~known, "1", lambda row: f"assigned to an unknown order: {self._rows[row]}")
        self._check_terms(known)
        self._check_ways(np.flatnonzero(known))
        self._check_sums(bought, sold)

    def _report(self, rows: BoolArray, rule: str, detail: Callable[[int], str]) -> None:
        for row in np.flatnonzero(rows).tolist():
            self._facts.report(rule, self._rows[row].buy_order_id, detail(row))

    # -- sums ------------------------------------------------------------------------------------

    def _check_sums(self, bought: Amounts, sold: Amounts) -> None:
        """Every order gets or gives exactly what it was accepted with."""
        sides = (
            ("buy", bought, self._buyer, self._hub, "hub", "option_id"),
            ("sell", sold, self._seller, self._source, "hub_of_supply", "sell_option_id"),
        )
        for name, want, party, hub, place, option in sides:
            have = Amounts(self._places)
            plain = self._rows.columns[option].numbers(lambda text: text == "").astype(bool)
            plain &= (party >= 0) & (hub >= 0) & (self._product >= 0) & (self._period >= 0)
            plain &= self._lots != ODD
            rows = np.flatnonzero(plain)
            numbers = self._places.number(
                party[rows], hub[rows], self._product[rows], self._period[rows]
            )
            have.add_lots(numbers, self._lots[rows])
            for row in np.flatnonzero(~plain).tolist():
                own = self._rows[row]
                key = (
                    own[0] if name == "buy" else own.sell_order_id,
                    getattr(own, option),
                    getattr(own, place),
                    own.product,
                    own.period,
                )
                have.add(key, own.quantity)
            for key, given, wanted in differences(self._places, have, want):
                where = f"{name} {'/'.join(map(str, key))}"
                self._facts.report("1", where, f"assigned {given} of {wanted}")

    def _add_to_net(self) -> None:
        """Add what is taken where it is supplied, and take what is consumed."""
        auction, net = self._facts.auction, self.carried.net
        plain = (self._product >= 0) & (self._period >= 0) & (self._lots != ODD)
        for hub, name, sign in ((self._source, "hub_of_supply", 1), (self._hub, "hub", -1)):
            whole = plain & (hub >= 0)
            rows = np.flatnonzero(whole)
            first, group = groups((hub[rows], self._product[rows], self._period[rows]))
            sums = totals(group, self._lots[rows], len(first))
            for row, lots in zip(rows[first].tolist(), sums, strict=True):
                product = auction.products[int(self._product[row])]
                where = auction.hubs[int(hub[row])], product.name, int(self._period[row]) + 1
                net[where] += sign * lots * product.quantity_tick
            for row in np.flatnonzero(~whole).tolist():
                own = self._rows[row]
                net[getattr(own, name), own.product, own.period] += sign * own.quantity

    def _check_repeated(self) -> None:
        """The same pair stands once for an option, a place and a period."""
        names = [name for name in self._rows.columns if name != "quantity"]
        first, _ = groups([self._rows.columns[name].distinct for name in names])
        again = np.ones(len(self._rows), dtype=bool)
        again[first] = False
        self._report(again, "8", lambda _: "an assignment appears twice")

    # -- terms -----------------------------------------------------------------------------------

    def _check_terms(self, known: BoolArray) -> None:
        """Whole lots, the seller's own listing, and supply within the buyer's carbon limit."""
        rows, parties = self._rows, self._facts.parties
        wrong = known & ((self._lots == ODD) | (self._lots <= 0))
        text = "assigned {}, not whole lots or too many"
        self._report(wrong, "8", lambda row: text.format(rows[row].quantity))
        chosen = np.flatnonzero(known)
        seats = self._seat[chosen]
        stated = rows.columns["listing_id"]
        own = parties.has_listing(seats, Column(stated.values, stated.codes[chosen]))
        self._report(self._rows_of(chosen[~own]), "7", self._wrong_listing)
        first, group = groups((self._wish[chosen], parties.intensity_of[seats]))
        dirty = np.zeros(len(first), dtype=bool)
        for place, row in enumerate(chosen[first].tolist()):
            limit = parties.wishes[int(self._wish[row])].max_carbon
            intensity = parties.intensities[int(parties.intensity_of[self._seat[row]])]
            dirty[place] = limit is not None and (intensity is None or intensity > limit)
        above = self._rows_of(chosen[dirty[group]])
        self._report(above, "7", lambda row: f"{rows[row].sell_order_id} is above its carbon limit")

    def _rows_of(self, numbers: IntArray) -> BoolArray:
        """Return numbered rows as a mark for each row."""
        found = np.zeros(len(self._rows), dtype=bool)
        found[numbers] = True
        return found

    def _wrong_listing(self, row: int) -> str:
        own = self._rows[row]
        listing = self._facts.parties.listing(int(self._seat[row]), own.sell_order_id)
        return f"listing {own.listing_id}, not {listing}"

    # -- ways ------------------------------------------------------------------------------------

    def _check_ways(self, chosen: IntArray) -> None:
        """Check assignments between the same places on the same terms once."""
        parties, columns = self._facts.parties, self._rows.columns
        if not len(chosen):
            return
        first, group = groups(
            (
                self._wish[chosen],
                parties.intensity_of[self._seat[chosen]],
                *(
                    columns[name].distinct[chosen]
                    for name in ("hub_of_supply", "hub", "product", "period")
                ),
            )
        )
        quantity = self._quantities(chosen, group, len(first))
        for place, row in enumerate(chosen[first].tolist()):
            own = self._rows[row]
            way = _Way(
                own.hub_of_supply,
                own.hub,
                own.product,
                own.period,
                parties.wishes[int(self._wish[row])],
                parties.intensities[int(parties.intensity_of[self._seat[row]])],
                quantity[place],
            )
            broken = self._broken_rule(way)
            if broken is not None:
                for other in chosen[group == place].tolist():
                    self._facts.report(broken[0], self._rows[other].buy_order_id, broken[1])

    def _quantities(self, chosen: IntArray, group: IntArray, count: int) -> list[Decimal]:
        """Return the quantity of every way."""
        whole = self._lots[chosen] != ODD
        sums = totals(group[whole], self._lots[chosen][whole], count)
        tick = [product.quantity_tick for product in self._facts.auction.products]
        item = np.zeros(count, dtype=np.int64)
        item[group] = self._product[chosen]
        found = [lots * tick[product] for lots, product in zip(sums, item.tolist(), strict=True)]
        for row, place in zip(chosen[~whole].tolist(), group[~whole].tolist(), strict=True):
            found[place] += self._rows[row].quantity
        return found

    def _broken_rule(self, way: _Way) -> tuple[str, str] | None:
        """Note what a way carries; return the rule it breaks, if it does, and how."""
        wish, product = way.wish, self._facts.products[way.product]
        route = self._routes.get((way.source, way.hub))
        if wish.max_rtt is not None and (route is None or route.rtt > wish.max_rtt):
            return "3", f"served from {way.source}, out of reach"
        self._carry(way, route)
        if wish.single:
            return None
        if wish.max_rtt is not None and route is not None:
            toll = self._tolls.along(route.steps, way.period, product.bandwidth)
        else:
            toll = self._tolls.between(way.source, way.hub, way.period, product.bandwidth)
        return self._broken_price(way, toll)

    def _carry(self, way: _Way, route: KnownRoute | None) -> None:
        wish, carried = way.wish, self.carried
        cell = (way.hub, wish.max_rtt, wish.max_carbon)
        if wish.max_rtt is None and not wish.single:
            if way.source != way.hub:
                carried.roaming[way.product, way.period].add(cell)
            return
        for link, direction in route.steps if route else ():
            carried.cells[link, direction, way.product, way.period].add(cell)
            carried.fixed[link, direction, way.product, way.period] += way.quantity

    def _broken_price(self, way: _Way, toll: Decimal) -> tuple[str, str] | None:
        """What is paid is what supply and way cost, to within a tick each."""
        facts, product = self._facts, self._facts.products[way.product]
        carbon = facts.supply_class(way.product, way.intensity)
        price = facts.supply_price.get((way.source, way.product, carbon, way.period))
        limits = way.wish.max_rtt, way.wish.max_carbon
        paid = facts.delivered_price.get((way.hub, way.product, *limits, way.period))
        if price is None or paid is None or not toll.is_finite():
            return "6", f"served from {way.source} without a price"
        gap = paid - price - product.bandwidth * toll
        if abs(gap) > 2 * product.clearing_price_tick:
            return "6", f"pays {paid}, supply and way cost {paid - gap}"
        return None
