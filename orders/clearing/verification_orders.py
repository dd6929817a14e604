"""Rules 1, 2, 4, 5, 7 and the money: orders, assignments and flows."""

from collections import defaultdict
from decimal import Decimal

import numpy as np

from orders.clearing.types import AssignmentRow, BlockOrder, IntArray
from orders.clearing.verification_amounts import Amounts, Places
from orders.clearing.verification_curves import CurveChecks, Shared
from orders.clearing.verification_facts import Class, Facts, KnownRoute, Tolls

_ZERO = Decimal(0)
STATUSES = ("accepted", "partly_accepted", "rejected", "paradoxically_rejected", "not_placeable")


class OrderChecks:
    """Walks through every order of the auction."""

    def __init__(
        self, facts: Facts, routes: dict[tuple[str, str], KnownRoute], tolls: Tolls
    ) -> None:
        self._facts = facts
        self._routes = routes
        self._tolls = tolls
        self.value = _ZERO
        self.cost = _ZERO
        self.paid = _ZERO
        self.received = _ZERO
        # Accepted quantities, to be met by assignments.
        places = Places(facts.auction, facts.parties)
        self.bought, self.sold = Amounts(places), Amounts(places)
        self.marginal: Shared = {}
        # Assignments of orders that one listing serves.
        self._placed: dict[tuple[str, str], list[AssignmentRow]] = defaultdict(list)

    def run(self) -> None:
        """Check all orders."""
        placed_on: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
        for row in self._facts.served(self._facts.parties.singles()):
            placed_on[row.sell_order_id, row.product, row.period] += row.quantity
            self._placed[row.buy_order_id, row.option_id].append(row)
        self._check_blocks()
        self._check_curves(placed_on)

    # -- curve orders ----------------------------------------------------------------------------

    def _check_curves(self, placed_on: dict[tuple[str, str, int], Decimal]) -> None:
        facts, count = self._facts, len(self._facts.auction.curves)
        rows = len(facts.curve_rows)
        if rows != count:
            facts.report("8", "curve_results", f"{rows} rows for {count} steps")
            return
        curves = CurveChecks(facts, placed_on)
        curves.run(self._offers(), self.bought, self.sold)
        self.value += curves.value
        self.cost += curves.cost
        self.paid += curves.paid
        self.received += curves.received
        self.marginal = curves.marginal

    def _offers(self) -> IntArray:
        """Return what each step can trade once its listing's capacity is shared out."""
        facts, curves = self._facts, self._facts.auction.curves
        lots = curves.quantity_lots.copy()
        steps: dict[tuple[int, int, int], list[tuple[int, int]]] = defaultdict(list)
        for row in np.flatnonzero(~curves.is_buy & (curves.listing >= 0)).tolist():
            place = (int(curves.listing[row]), int(curves.product[row]), int(curves.period[row]))
            steps[place].append((int(curves.price_ticks[row]), row))
        used = self._listing_use_of_blocks()
        for (listing, item, period), members in steps.items():
            place_terms = facts.auction.listings[listing]
            room = place_terms.capacity_lots.get((item, period))
            if room is None:
                continue
            room = max(0, room - used.get((place_terms.listing_id, item, period), 0))
            for _, row in sorted(members):
                lots[row] = min(int(lots[row]), room)
                room -= int(lots[row])
        return lots

    def _listing_use_of_blocks(self) -> dict[tuple[str, int, int], int]:
        facts = self._facts
        used: dict[tuple[str, int, int], int] = defaultdict(int)
        for order in facts.auction.blocks:
            if order.is_buy or order.listing_id is None:
                continue
            for option in order.options:
                ratio = facts.acceptance.get((order.order_id, option.option_id), _ZERO)
                for leg in option.legs:
                    used[order.listing_id, leg.product, leg.period] += int(
                        ratio * leg.quantity_lots
                    )
        listings = {listing.listing_id: listing for listing in facts.auction.listings}
        for (name, item, period), lots in used.items():
            room = listings[name].capacity_lots.get((item, period))
            if room is not None and lots > room:
                facts.report("2", name, f"blocks sell {lots} lots of {room} in period {period + 1}")
        return used

    # -- blocks ----------------------------------------------------------------------------------

    def _check_blocks(self) -> None:
        facts = self._facts
        if facts.acceptance.keys() != facts.options.keys() or len(
            facts.result.block_results
        ) != len(facts.options):
            facts.report("8", "block_results", "not exactly one row for each option")
            return
        surplus: dict[str, Decimal] = {}
        for row in facts.result.block_results:
            order = facts.block[row.order_id]
            self._check_ratio(order, row.option_id, row.acceptance, row.status)
            if row.acceptance > 0:
                own = self._settle(order, row.option_id, row.acceptance, row.payment, row.surplus)
                surplus[order.order_id] = surplus.get(order.order_id, _ZERO) + own
            elif row.payment or row.surplus:
                facts.report("8", row.order_id, "a rejected option has money")
        for order in facts.auction.blocks:
            self._check_group(order)
            self._check_loss(order, surplus)
        result = facts.result
        statuses = [row.status for row in result.block_results]
        statuses += [job.status for job in result.flexible_results]
        paradoxes = statuses.count("paradoxically_rejected")
        if paradoxes != facts.result.summary.paradoxically_rejected:
            facts.report("5", "summary", f"{paradoxes} orders are paradoxically rejected")

    def _check_ratio(self, order: BlockOrder, option: str, ratio: Decimal, status: str) -> None:
        facts, name = self._facts, f"{order.order_id}/{option}"
        if not (ratio == 0 or order.min_acceptance <= ratio <= 1) or ratio < 0:
            facts.report("7", name, f"acceptance {ratio}, minimum {order.min_acceptance}")
        if status not in STATUSES:
            facts.report("5", name, f"unknown status {status}")
        expected = "accepted" if ratio == 1 else "partly_accepted"
        if (ratio > 0) != (status in ("accepted", "partly_accepted")):
            facts.report("5", name, f"status {status} with acceptance {ratio}")
        elif ratio > 0 and status != expected:
            facts.report("5", name, f"status {status} where {expected} is meant")
        elif status == "rejected" and self._is_paradox(order, option):
            facts.report("5", name, "in the money and rejected, but not reported so")
        elif status == "paradoxically_rejected" and self._gain_of_all(order, option) <= 0:
            facts.report("5", name, "reported as in the money, which it is not")

    def _is_paradox(self, order: BlockOrder, option: str) -> bool:
        """Whether a rejected option of an unplaced order is in the money without an excuse."""
        facts = self._facts
        taken = any(facts.acceptance[order.order_id, o.option_id] > 0 for o in order.options)
        if taken or (order.is_buy and order.placement == "single"):
            return False
        if order.parent_order_id is not None and not self._ratio_of(order.parent_order_id):
            return False
        gain = self._gain_of_all(order, option)
        return gain.is_finite() and gain > 0

    def _gain_of_all(self, order: BlockOrder, option: str) -> Decimal:
        """Return the surplus of the whole option at published prices.

        Infinite where the prices do not tell: for a single-placed buy, which has none until it is
        placed.
        """
        payment = None
        if not (order.is_buy and order.placement == "single"):
            payment = self._payment(order, option, Decimal(1))
        if payment is None:
            return Decimal("Infinity")
        value = self._worth(order, option, Decimal(1))
        return value - payment if order.is_buy else payment - value

    def _ratio_of(self, order: str) -> Decimal:
        options = self._facts.block[order].options
        return sum((self._facts.acceptance[order, o.option_id] for o in options), _ZERO)

    def _worth(self, order: BlockOrder, option: str, ratio: Decimal) -> Decimal:
        item = self._facts.options[order.order_id, option]
        quantity = sum((self._facts.leg_quantity(leg, ratio) for leg in item.legs), _ZERO)
        return item.limit_price * quantity

    def _payment(self, order: BlockOrder, option: str, ratio: Decimal) -> Decimal | None:
        """Return what an option pays or receives at published prices, None without a price."""
        facts = self._facts
        total = _ZERO
        placed = order.is_buy and order.placement == "single"
        source = self._listing_of(order, option) if placed else None
        for leg in facts.options[order.order_id, option].legs:
            hub, product, period = facts.leg_place(leg)
            if placed:
                price = self.placed_price(source, hub, product, period)
            elif order.is_buy:
                key = (hub, product, order.max_rtt_ms, order.max_carbon, period)
                price = facts.delivered_price.get(key)
            else:
                carbon = facts.supply_class(product, facts.intensity(order.order_id, hub))
                price = facts.supply_price.get((hub, product, carbon, period))
            if price is None:
                return None
            total += price * facts.leg_quantity(leg, ratio)
        return total

    def _listing_of(self, order: BlockOrder, option: str) -> tuple[str, Class, str] | None:
        """Return hub, class and listing that serve a single-placed buy; check that it is one."""
        facts = self._facts
        found = set()
        for row in self._placed[order.order_id, option]:
            intensity = facts.intensity(row.sell_order_id, row.hub_of_supply)
            level = facts.active_class(row.product, facts.supply_class(row.product, intensity))
            found.add((row.hub_of_supply, level, row.listing_id))
        if len(found) != 1:
            if found:
                facts.report("7", order.order_id, f"placed on {len(found)} listings")
            return None
        source = next(iter(found))
        if order.eligible_listings and source[2] not in order.eligible_listings:
            facts.report("7", order.order_id, f"the listing {source[2]} is not eligible")
        return source

    def placed_price(
        self, source: tuple[str, Class, str] | None, hub: str, product: str, period: int
    ) -> Decimal | None:
        """Return supply price, tariffs and rents on the route from a source, None if unknown."""
        if source is None:
            return None
        price = self._facts.supply_price.get((source[0], product, source[1], period))
        route = self._routes.get((source[0], hub))
        if price is None or route is None:
            return None
        toll = sum((self._tolls.step(*step, period) for step in route.steps), _ZERO)
        return price + self._facts.products[product].bandwidth * toll

    def _settle(
        self,
        order: BlockOrder,
        option: str,
        ratio: Decimal,
        payment: Decimal,
        surplus: Decimal,
    ) -> Decimal:
        """Check the money of an accepted option and note its quantities; return its surplus."""
        facts, name = self._facts, f"{order.order_id}/{option}"
        own = self._payment(order, option, ratio)
        if own is None:
            facts.report("5", name, "accepted where there is no price")
            return _ZERO
        value = self._worth(order, option, ratio)
        gain = value - own if order.is_buy else own - value
        if payment != own or surplus != gain:
            facts.report("8", name, f"payment {payment}, surplus {surplus}; exact {own}, {gain}")
        for leg in facts.options[order.order_id, option].legs:
            hub, product, period = facts.leg_place(leg)
            key = (order.order_id, option, hub, product, period)
            amounts = self.bought if order.is_buy else self.sold
            amounts.add(key, facts.leg_quantity(leg, ratio))
        if order.is_buy:
            self.value += value
            self.paid += own
        else:
            self.cost += value
            self.received += own
        if order.min_acceptance < ratio < 1 and abs(gain) > self._allowance(order, option, ratio):
            linked = len(facts.descendants(order)) > 1
            if not linked:
                facts.report("5", name, f"part-filled with a surplus of {gain}")
        return gain

    def _allowance(self, order: BlockOrder, option: str, ratio: Decimal) -> Decimal:
        facts = self._facts
        return sum(
            (
                facts.leg_quantity(leg, ratio)
                * facts.auction.products[leg.product].clearing_price_tick
                for leg in facts.options[order.order_id, option].legs
            ),
            _ZERO,
        )

    def _check_group(self, order: BlockOrder) -> None:
        facts = self._facts
        taken = [o for o in order.options if facts.acceptance[order.order_id, o.option_id] > 0]
        if len(taken) > 1:
            facts.report("7", order.order_id, "more than one option is accepted")
        if order.parent_order_id is not None:
            own, parent = self._ratio_of(order.order_id), self._ratio_of(order.parent_order_id)
            if own > parent:
                facts.report("7", order.order_id, f"accepted {own}, its parent only {parent}")

    def _check_loss(self, order: BlockOrder, surplus: dict[str, Decimal]) -> None:
        if order.order_id not in surplus:
            return
        family = self._facts.descendants(order)
        total = sum((surplus.get(member.order_id, _ZERO) for member in family), _ZERO)
        if total < 0:
            self._facts.report("5", order.order_id, f"accepted at a loss of {-total}")
