"""Rules 2, 4 and 8 and the money of curve orders, whole columns at a time."""

from collections import defaultdict
from decimal import Decimal
from functools import partial
from operator import eq
from typing import Any

import numpy as np

from orders.clearing.types import BoolArray, IntArray, Violation
from orders.clearing.verification_amounts import Amounts, Places
from orders.clearing.verification_columns import (
    ODD,
    border,
    groups,
    product_totals,
    totals,
    whole_ticks,
)
from orders.clearing.verification_facts import Facts
from orders.clearing.verification_rounding import Rounding
from orders.clearing.verification_volume import check_share

_ZERO = Decimal(0)
_STATUSES = {"rejected": 0, "partly_accepted": 1, "accepted": 2}
Cell = tuple[object, ...]
# Order, lots offered, accepted, and placed on it, of the steps at one price of a cell.
Shared = dict[Cell, list[tuple[str, int, int, Decimal]]]


class CurveChecks:
    """Compares every row with its step, its price and what its listing leaves."""

    def __init__(self, facts: Facts, placed_on: dict[tuple[str, str, int], Decimal]) -> None:
        self._facts = facts
        self._auction = facts.auction
        self._curves = facts.auction.curves
        self._rows = facts.curve_rows
        self._placed_on = placed_on
        self._found: list[tuple[int, Violation]] = []
        self.value = _ZERO
        self.cost = _ZERO
        self.paid = _ZERO
        self.received = _ZERO
        self.marginal: Shared = defaultdict(list)

    def run(self, offers: IntArray, bought: Amounts, sold: Amounts) -> None:
        """Check all rows.

        Args:
            offers: lots that each step can trade once its listing's capacity is shared out.
            bought: takes what buyers got.
            sold: takes what sellers gave.
        """
        facts, products = self._facts, self._auction.products
        ticks = [product.quantity_tick for product in products]
        column = self._rows.columns["accepted_quantity"]
        self._accepted = whole_ticks(column, self._curves.product, ticks)
        self._group_cells()
        live = self._repeat_terms()
        self._count(live, bought, sold)
        good = self._within_offers(live, offers)
        self._check_statuses(good)
        self._check_prices(good, offers)
        for _, violation in sorted(self._found, key=lambda pair: pair[0]):
            facts.violations.append(violation)
        for key, members in self.marginal.items():
            check_share(facts, key, members)

    def _report(self, rows: BoolArray, rule: str, detail: str) -> None:
        """Report rows; `detail` may name columns of the row."""
        for row in np.flatnonzero(rows).tolist():
            own = self._rows[row]
            text = detail.format(**own._asdict(), price_there=self._price_of(row))
            self._found.append((row, Violation(rule, own.order_id, text)))

    def _price_of(self, row: int) -> Decimal | None:
        return self._prices[int(self._cell[row])]

    # -- terms -----------------------------------------------------------------------------------

    def _repeat_terms(self) -> BoolArray:
        """Return the rows that repeat the terms of their steps; report the others."""
        auction, curves, columns = self._auction, self._curves, self._rows.columns
        products = {product.name: place for place, product in enumerate(auction.products)}
        hubs = {name: place for place, name in enumerate(auction.hubs)}
        periods = {place + 1: place for place in range(auction.terms.periods)}
        given: dict[str, tuple[dict[Any, int], Any]] = {
            "side": ({"buy": 1, "sell": 0}, curves.is_buy),
            "hub": (hubs, curves.hub),
            "product": (products, curves.product),
            "period": (periods, curves.period),
        }
        same = np.fromiter(
            map(eq, columns["order_id"].cells(), curves.order_id),
            dtype=np.bool_,
            count=len(curves),
        )
        for name, (known, own) in given.items():
            same &= columns[name].numbers(partial(_place, known)) == own
        price = [product.price_tick for product in auction.products]
        lots = [product.quantity_tick for product in auction.products]
        same &= whole_ticks(columns["price"], curves.product, price) == curves.price_ticks
        same &= whole_ticks(columns["quantity"], curves.product, lots) == curves.quantity_lots
        self._report(~same, "8", "the row does not repeat the order's own terms")
        return same

    # -- prices ----------------------------------------------------------------------------------

    def _group_cells(self) -> None:
        """Group steps by what they pay or get, and look each group's price up."""
        facts, curves, parties = self._facts, self._curves, self._facts.parties
        seat = parties.seats(parties.of_curves, curves.hub)
        terms = np.where(
            curves.is_buy,
            parties.wish_of[parties.of_curves],
            parties.intensity_of[seat] if len(parties.intensity_of) else -1,
        )
        first, self._cell = groups(
            (curves.is_buy.astype(np.int64), terms, curves.product, curves.hub, curves.period)
        )
        self._keys: list[Cell] = []
        self._prices: list[Decimal | None] = []
        for row in first.tolist():
            hub = self._auction.hubs[int(curves.hub[row])]
            product, period = self._auction.products[int(curves.product[row])].name, 1
            period += int(curves.period[row])
            if curves.is_buy[row]:
                wish = parties.wishes[int(terms[row])]
                key = (hub, product, wish.max_rtt, wish.max_carbon, period)
                self._keys.append(("buy", *key))
                self._prices.append(facts.delivered_price.get(key))
            else:
                carbon = facts.supply_class(product, parties.intensities[int(terms[row])])
                level = facts.active_class(product, carbon)
                self._keys.append(("sell", hub, product, level, period))
                self._prices.append(facts.supply_price.get((hub, product, carbon, period)))
        self._product_of = curves.product[first]

    # -- money -----------------------------------------------------------------------------------

    def _count(self, live: BoolArray, bought: Amounts, sold: Amounts) -> None:
        """Add up value and cost at limits, payments and receipts at published prices."""
        facts, curves = self._facts, self._curves
        places = Places(self._auction, facts.parties)
        whole = live & (self._accepted != ODD) & (self._accepted != 0)
        for is_buy, amounts in ((True, bought), (False, sold)):
            rows = np.flatnonzero(whole & (curves.is_buy == is_buy))
            lots, product = self._accepted[rows], curves.product[rows]
            amounts.add_lots(
                places.number(
                    facts.parties.of_curves[rows], curves.hub[rows], product, curves.period[rows]
                ),
                lots,
            )
            self._add_money(is_buy, *self._worth(rows, lots, product))
        for row in np.flatnonzero(live & (self._accepted == ODD)).tolist():
            own, price = self._rows[row], self._price_of(row) or _ZERO
            amounts = bought if own.side == "buy" else sold
            key = (own.order_id, "", own.hub, own.product, own.period)
            amounts.add(key, own.accepted_quantity)
            quantity = own.accepted_quantity
            self._add_money(own.side == "buy", own.price * quantity, price * quantity)

    def _worth(self, rows: IntArray, lots: IntArray, product: IntArray) -> tuple[Decimal, Decimal]:
        products = self._auction.products
        limits = product_totals(product, self._curves.price_ticks[rows], lots, len(products))
        value = sum(
            (
                total * item.price_tick * item.quantity_tick
                for total, item in zip(limits, products, strict=True)
            ),
            _ZERO,
        )
        money = _ZERO
        sums = totals(self._cell[rows], lots, len(self._prices))
        for total, price, item in zip(sums, self._prices, self._product_of.tolist(), strict=True):
            money += total * products[item].quantity_tick * (price or _ZERO)
        return value, money

    def _add_money(self, is_buy: bool, value: Decimal, money: Decimal) -> None:
        if is_buy:
            self.value += value
            self.paid += money
        else:
            self.cost += value
            self.received += money

    # -- rules -----------------------------------------------------------------------------------

    def _within_offers(self, live: BoolArray, offers: IntArray) -> BoolArray:
        """Report what is accepted beyond its offer or not in whole lots; return the other rows."""
        odd = live & (self._accepted == ODD)
        wrong = odd | (live & ((self._accepted < 0) | (self._accepted > offers)))
        self._report(wrong, "2", "accepted {accepted_quantity} of {quantity}")
        self._report(odd, "8", "{accepted_quantity} is not whole lots, or too many")
        return live & ~wrong

    def _check_statuses(self, good: BoolArray) -> None:
        lots = self._curves.quantity_lots
        expected = np.where(self._accepted == lots, 2, 1) * (self._accepted != 0)
        stated = self._rows.columns["status"].numbers(lambda text: _STATUSES.get(text, -1))
        for name, number in _STATUSES.items():
            wrong = good & (expected == number) & (stated != number)
            self._report(wrong, "4", f"status {{status}} where {name} is meant")

    def _check_prices(self, good: BoolArray, offers: IntArray) -> None:
        """In the money wholly accepted, out of the money not at all, at the money noted."""
        curves, products = self._curves, self._auction.products
        borders = [
            (0, False) if price is None else border(price, products[item].price_tick)
            for price, item in zip(self._prices, self._product_of.tolist(), strict=True)
        ]
        level = np.array([lowest for lowest, _ in borders], dtype=np.int64)[self._cell]
        meets = np.array([exact for _, exact in borders], dtype=bool)[self._cell]
        unknown = np.array([price is None for price in self._prices], dtype=bool)[self._cell]
        accepted = self._accepted
        self._report(good & unknown & (accepted > 0), "4", "accepted where there is no price")
        limit, priced = curves.price_ticks, good & ~unknown
        equal = priced & meets & (limit == level)
        inside = priced & ~equal & np.where(curves.is_buy, limit > level, limit <= level)
        outside = priced & ~equal & ~inside & (accepted > 0)
        self._report(outside, "4", "accepted at {price_there}, worse than its {price}")
        self._check_missing(np.flatnonzero(inside), offers)
        for row in np.flatnonzero(equal & (offers > 0)).tolist():
            own = self._rows[row]
            placed = self._placed_on.get((own.order_id, own.product, own.period), _ZERO)
            member = (own.order_id, int(offers[row]), int(accepted[row]), placed)
            self.marginal[(*self._keys[int(self._cell[row])], own.price)].append(member)

    def _check_missing(self, rows: IntArray, offers: IntArray) -> None:
        """What is in the money and not accepted must be explained by whole lots."""
        left = totals(self._cell[rows], offers[rows] - self._accepted[rows], len(self._keys))
        missing: dict[Cell, int] = defaultdict(int)
        for key, lots in zip(self._keys, left, strict=True):
            missing[key] += lots
        rounding = Rounding(self._facts)
        for key, lots in missing.items():
            if lots > rounding.lots(str(key[2]), int(str(key[-1]))):
                text = f"{lots} lots off what is in or out of the money"
                self._facts.report("4", f"{key}", text)


def _place(known: dict[Any, int], cell: Any) -> int:
    return known.get(cell, -1)
