"""The bound's part for orders on one listing, worked out again from bundle and vector."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal

import numpy as np

from orders.clearing.types import BlockLeg, BlockOption, BlockOrder, FlexibleOrder
from orders.clearing.verification_facts import Class, Facts, KnownRoute, Tolls
from orders.clearing.verification_flexible import best_unit_surplus

_ZERO = Decimal(0)
# (hub, product, strictest carbon limit in use that it serves)
_Cell = tuple[str, str, Class]
# what a cell's supply costs in a period, None without a price
SupplyPrice = Callable[[str, str, Class, int], Decimal | None]


class PlacedOrders:
    """Best surplus of each, over the places of listings that could serve it at all.

    A listing could where it offers, period by period, no less than the smallest accepted part.
    """

    def __init__(
        self,
        facts: Facts,
        routes: dict[tuple[str, str], KnownRoute],
        tolls: Tolls,
        price: SupplyPrice,
    ) -> None:
        self._facts = facts
        self._routes = routes
        self._tolls = tolls
        self._price = price
        # By cell and listing, lots by period.
        self._offers: dict[_Cell, dict[str, dict[int, int]]] = {}
        self._read_curves()
        self._read_blocks()

    def block(self, order: BlockOrder) -> Decimal:
        """Return the best surplus of a block buy."""
        return max([_ZERO, *(self._at(order, o, cell) for o, cell in self._chances(order))])

    def flexible(self, order: FlexibleOrder) -> Decimal:
        """Return the best surplus of a flexible or interruptible order."""
        facts = self._facts
        hub, product = facts.auction.hubs[order.hub], facts.auction.products[order.product]
        needed = 1 if order.interruptible else int(order.quantity_lots * order.min_acceptance) or 1
        window = range(order.earliest_period + 1, order.latest_period + 2)
        found = [_ZERO]
        for cell in self._within(order, hub, product.name):
            listings = self._eligible(order, cell)
            prices = {
                period: self._paid(cell, hub, period)
                if any(lots.get(period, 0) >= needed for lots in listings)
                else None
                for period in window
            }
            best = best_unit_surplus(order, prices, order.min_acceptance)
            found.append(best or _ZERO)
        return max(found) * order.quantity_lots * product.quantity_tick

    def _read_curves(self) -> None:
        facts, curves = self._facts, self._facts.auction.curves
        parties = facts.parties
        rows = np.flatnonzero(~curves.is_buy)
        seats = parties.seats(parties.of_curves[rows], curves.hub[rows])
        for row, seat in zip(rows.tolist(), seats.tolist(), strict=True):
            product = facts.auction.products[int(curves.product[row])].name
            hub = facts.auction.hubs[int(curves.hub[row])]
            cell = self._cell(hub, product, parties.intensities[parties.intensity_of[seat]])
            listing = int(curves.listing[row])
            own = curves.order_id[row]
            name = own if listing < 0 else facts.auction.listings[listing].listing_id
            lots = int(curves.quantity_lots[row])
            self._add(cell, name, int(curves.period[row]) + 1, lots)

    def _read_blocks(self) -> None:
        facts = self._facts
        for order in facts.auction.blocks:
            for leg in _legs(order) if not order.is_buy else ():
                hub, product, period = facts.leg_place(leg)
                cell = self._cell(hub, product, facts.intensity(order.order_id, hub))
                name = order.order_id if order.listing_id is None else order.listing_id
                self._add(cell, name, period, leg.quantity_lots)

    def _cell(self, hub: str, product: str, intensity: Decimal | None) -> _Cell:
        """Return where it sells; classes that no buyer tells apart are one."""
        carbon = self._facts.supply_class(product, intensity)
        return hub, product, self._facts.active_class(product, carbon)

    def _add(self, cell: _Cell, name: str, period: int, lots: int) -> None:
        shelf = self._offers.setdefault(cell, {}).setdefault(name, defaultdict(int))
        shelf[period] += lots

    def _eligible(self, order: BlockOrder | FlexibleOrder, cell: _Cell) -> list[dict[int, int]]:
        offers = self._offers[cell]
        wanted = order.eligible_listings
        return [lots for name, lots in offers.items() if not wanted or name in wanted]

    def _within(self, order: BlockOrder | FlexibleOrder, hub: str, product: str) -> Iterator[_Cell]:
        """Yield the cells of a product within an order's latency and carbon limits."""
        for cell in self._offers:
            source, name, carbon = cell
            route = self._routes.get((source, hub))
            if name != product or route is None:
                continue
            if order.max_rtt_ms is not None and route.rtt > order.max_rtt_ms:
                continue
            limit = order.max_carbon
            if limit is None or (carbon is not None and carbon <= limit):
                yield cell

    def _chances(self, order: BlockOrder) -> Iterator[tuple[BlockOption, _Cell]]:
        facts = self._facts
        for option in order.options:
            places = {facts.leg_place(leg)[:2] for leg in option.legs if leg.quantity_lots}
            if len({product for _, product in places}) != 1:
                continue
            fields = [set(self._within(order, hub, product)) for hub, product in places]
            for cell in set.intersection(*fields):
                if any(self._holds(order, option, lots) for lots in self._eligible(order, cell)):
                    yield option, cell

    @staticmethod
    def _holds(order: BlockOrder, option: BlockOption, lots: dict[int, int]) -> bool:
        need: dict[int, int] = defaultdict(int)
        for leg in option.legs:
            need[leg.period + 1] += int(leg.quantity_lots * order.min_acceptance)
        return all(lots.get(period, 0) >= wanted for period, wanted in need.items())

    def _at(self, order: BlockOrder, option: BlockOption, cell: _Cell) -> Decimal:
        facts = self._facts
        total = _ZERO
        for leg in option.legs:
            hub, _, period = facts.leg_place(leg)
            paid = self._paid(cell, hub, period)
            if paid is None and leg.quantity_lots:
                return _ZERO
            total += (option.limit_price - (paid or _ZERO)) * facts.leg_quantity(leg, Decimal(1))
        return total

    def _paid(self, cell: _Cell, hub: str, period: int) -> Decimal | None:
        """Return price and tolls of a unit, None without a price or where the route is closed."""
        source, product, carbon = cell
        price = self._price(source, product, carbon, period)
        if price is None:
            return None
        bandwidth = self._facts.products[product].bandwidth
        toll = self._tolls.along(self._routes[source, hub].steps, period, bandwidth)
        return price + bandwidth * toll if toll.is_finite() else None


def _legs(order: BlockOrder) -> Iterator[BlockLeg]:
    return (leg for option in order.options for leg in option.legs)
