"""Rules 1, 2, 3, 6 and 8: assignments, flows, prices over the network; and the bound."""

from collections import defaultdict
from decimal import Decimal

from orders.clearing.types import Product
from orders.clearing.verification_assignments import AssignmentChecks
from orders.clearing.verification_columns import groups
from orders.clearing.verification_facts import Class, Facts, KnownRoute, Tolls
from orders.clearing.verification_orders import OrderChecks

_ZERO = Decimal(0)


class NetworkChecks:
    """Walks through assignments, flows, rents and prices."""

    def __init__(
        self, facts: Facts, routes: dict[tuple[str, str], KnownRoute], tolls: Tolls
    ) -> None:
        self._facts = facts
        self._routes = routes
        self._tolls = tolls
        self.flow: dict[tuple[int, int, str, int], Decimal] = {}
        self._assignments = AssignmentChecks(facts, routes, tolls)
        self._carried = self._assignments.carried

    def run(self, orders: OrderChecks) -> None:
        """Check everything that concerns the network."""
        self._check_prices()
        self._read_flows()
        self._assignments.run(orders.bought, orders.sold)
        self._check_balance()
        self._check_links()
        self._check_circles()
        self._check_delivered()

    def tariffs(self) -> Decimal:
        """Return the tariffs of all flows."""
        facts = self._facts
        total = _ZERO
        for (link, _, product, _), quantity in self.flow.items():
            rate = facts.auction.links[link].tariff * facts.products[product].bandwidth
            total += rate * quantity
        return total

    # -- prices ----------------------------------------------------------------------------------

    def _check_prices(self) -> None:
        facts = self._facts
        for product in facts.products.values():
            for hub in facts.auction.hubs:
                for period in range(1, facts.auction.terms.periods + 1):
                    self._check_classes(hub, product, period)
                    if (hub, product.name, None, None, period) not in facts.delivered_price:
                        facts.report("8", f"{hub}/{product.name}/{period}", "no delivered price")
        for key, price in facts.supply_price.items():
            self._check_price(key[0], key[1], f"prices {key}", price)
        for place, price in facts.delivered_price.items():
            self._check_price(place[0], place[1], f"delivered_prices {place}", price)

    def _check_classes(self, hub: str, product: Product, period: int) -> None:
        """Every class has a price, and a stricter one is never cheaper."""
        facts = self._facts
        looser: Decimal | None = None
        for carbon in (None, *reversed(product.carbon_classes)):
            key = (hub, product.name, carbon, period)
            if key not in facts.supply_price:
                facts.report("8", f"prices {key}", "the row is missing")
                continue
            price = facts.supply_price[key]
            known = price is not None and looser is not None
            if known and looser - price > product.clearing_price_tick:  # type: ignore[operator]
                facts.report("6", f"prices {key}", "cheaper than a looser class")
            looser = price

    def _check_price(self, hub: str, product_name: str, name: str, price: Decimal | None) -> None:
        product = self._facts.products.get(product_name)
        if product is None or hub not in self._facts.hub_number:
            self._facts.report("8", name, "unknown hub or product")
        elif price is not None and (
            price % product.clearing_price_tick
            or not product.price_min <= price <= product.price_max
        ):
            self._facts.report("8", name, f"price {price} is off the tick or out of band")

    # -- flows -----------------------------------------------------------------------------------

    def _read_flows(self) -> None:
        facts = self._facts
        for row in facts.result.flows:
            link = facts.link_number.get((row.from_hub, row.to_hub))
            product = facts.products.get(row.product)
            name = f"{row.from_hub}/{row.to_hub}/{row.product}/{row.period}"
            if (
                link is None
                or product is None
                or not 1 <= row.period <= facts.auction.terms.periods
            ):
                facts.report("2", name, "a flow of an unknown link, product or period")
                continue
            for direction, quantity in ((0, row.forward_quantity), (1, row.reverse_quantity)):
                if quantity < 0 or quantity % product.quantity_tick:
                    facts.report("8", name, f"flow {quantity} is not whole lots")
                key = (link, direction, row.product, row.period)
                if key in self.flow:
                    facts.report("8", name, "the row appears twice")
                self.flow[key] = quantity
                ends = (row.from_hub, row.to_hub) if not direction else (row.to_hub, row.from_hub)
                self._carried.net[ends[0], row.product, row.period] -= quantity
                self._carried.net[ends[1], row.product, row.period] += quantity

    def _check_balance(self) -> None:
        for key, rest in self._carried.net.items():
            if rest:
                self._facts.report("1", "/".join(map(str, key)), f"{rest} units out of balance")

    # -- links -----------------------------------------------------------------------------------

    def _check_links(self) -> None:
        facts = self._facts
        for number, link in enumerate(facts.auction.links):
            name = f"{facts.auction.hubs[link.from_hub]}/{facts.auction.hubs[link.to_hub]}"
            for direction, capacities in enumerate((link.forward_capacity, link.reverse_capacity)):
                for period, capacity in enumerate(capacities, start=1):
                    self._check_direction(name, number, direction, period, capacity)

    def _check_direction(
        self, name: str, link: int, direction: int, period: int, capacity: Decimal
    ) -> None:
        facts = self._facts
        place = f"{name} {'reverse' if direction else 'forward'} in period {period}"
        used, need = _ZERO, _ZERO
        for product in facts.products.values():
            key = (link, direction, product.name, period)
            quantity = self.flow.get(key, _ZERO)
            used += quantity * product.bandwidth
            need = max(need, product.bandwidth * product.quantity_tick)
            free = quantity - self._carried.fixed.get(key, _ZERO)
            if free < 0:
                facts.report("3", place, f"flow {quantity} of {product.name} is below its routes")
            elif free > 0:
                self._check_free_flow(place, link, direction, product.name, period)
        if used > capacity:
            facts.report("2", place, f"{used} Gbit/s over {capacity}")
        rent = facts.rent.get((link, direction, period))
        if rent is None or rent < 0:
            facts.report("6", place, "the rent is missing or negative")
        elif rent > 0 and capacity - used >= need + max(
            need, self._rounding(link, direction, period)
        ):
            facts.report("6", place, f"a rent of {rent} although {capacity - used} Gbit/s are free")

    def _check_circles(self) -> None:
        """What flows without a stated route may not come back to where it was.

        Where a product has carbon classes in use, green and other supply may pass each other.
        """
        facts = self._facts
        for product in facts.products:
            if facts.active[product]:
                continue
            for period in range(1, facts.auction.terms.periods + 1):
                if circle := self._circle(product, period):
                    place = f"{product} in period {period}"
                    facts.report("2", place, f"a flow runs in a circle through {circle}")

    def _circle(self, product: str, period: int) -> str | None:
        """Return a hub on a circle of free flows, by taking away hubs that nothing enters."""
        hubs = self._facts.auction.hubs
        entered: dict[str, set[str]] = defaultdict(set)
        for (link, direction, name, own), quantity in self.flow.items():
            fixed = self._carried.fixed.get((link, direction, name, own), _ZERO)
            if (name, own) == (product, period) and quantity > fixed:
                item = self._facts.auction.links[link]
                ends = hubs[item.from_hub], hubs[item.to_hub]
                start, end = ends[::-1] if direction else ends
                entered[end].add(start)
        left = set(hubs)
        while left:
            sources = {hub for hub in left if not entered[hub] & left}
            if not sources:
                return min(hub for hub in left if entered[hub] & left)
            left -= sources
        return None

    def _rounding(self, link: int, direction: int, period: int) -> Decimal:
        """Return the Gbit/s whole lots may leave free: one lot of each cell served."""
        total = _ZERO
        for product in self._facts.products.values():
            key = (link, direction, product.name, period)
            cells = len(self._carried.cells[key])
            if self.flow.get(key, _ZERO) > self._carried.fixed.get(key, _ZERO):
                cells += len(self._carried.roaming[product.name, period])
            total += product.bandwidth * product.quantity_tick * cells
        return total

    def _check_free_flow(
        self, place: str, link: int, direction: int, product: str, period: int
    ) -> None:
        """A flow without a stated route must join prices that differ by exactly its toll."""
        facts = self._facts
        item, contract = facts.auction.links[link], facts.products[product]
        ends = facts.auction.hubs[item.from_hub], facts.auction.hubs[item.to_hub]
        start, end = ends[::-1] if direction else ends
        toll = contract.bandwidth * self._tolls.step(link, direction, period)
        for carbon in (None, *facts.active[product]):
            first = facts.delivered_price.get((start, product, None, carbon, period))
            second = facts.delivered_price.get((end, product, None, carbon, period))
            if first is None or second is None:
                continue
            if abs(second - first - toll) <= 2 * contract.clearing_price_tick:
                return
        facts.report("6", place, f"{product} flows although the prices do not differ by {toll}")

    # -- delivered prices ------------------------------------------------------------------------

    def _check_delivered(self) -> None:
        """Every delivered price is the cheapest supply price plus way (capped by the band)."""
        facts = self._facts
        sellers = sellers_by_product(facts)
        for (hub, product, rtt, carbon, period), paid in facts.delivered_price.items():
            if product not in facts.products or hub not in facts.hub_number:
                continue
            contract = facts.products[product]
            best = self._cheapest(sellers, hub, product, rtt, carbon, period)
            name = f"{hub}/{product}/{rtt}/{carbon}/{period}"
            if best is None:
                if paid is not None:
                    facts.report("6", name, "a price where nothing can be delivered")
                continue
            best = min(max(best, contract.price_min), contract.price_max)
            if paid is None or abs(paid - best) > 2 * contract.clearing_price_tick:
                facts.report("6", name, f"delivered price {paid}, cheapest way {best}")

    def _cheapest(
        self,
        sellers: dict[tuple[str, int], set[tuple[str, Class]]],
        hub: str,
        product: str,
        rtt: Class,
        carbon: Class,
        period: int,
    ) -> Decimal | None:
        facts = self._facts
        best: Decimal | None = None
        for source, level in sellers.get((product, period), ()):
            if carbon is not None and (level is None or level > carbon):
                continue
            toll = self._toll(source, hub, rtt, period, facts.products[product].bandwidth)
            price = facts.supply_price.get((source, product, level, period))
            if price is None or not toll.is_finite():
                continue
            total = price + facts.products[product].bandwidth * toll
            best = total if best is None else min(best, total)
        return best

    def _toll(self, source: str, hub: str, rtt: Class, period: int, bandwidth: Decimal) -> Decimal:
        if rtt is None:
            return self._tolls.between(source, hub, period, bandwidth)
        route = self._routes.get((source, hub))
        if route is None or route.rtt > rtt:
            return Decimal("Infinity")
        return self._tolls.along(route.steps, period, bandwidth)


def sellers_by_product(facts: Facts) -> dict[tuple[str, int], set[tuple[str, Class]]]:
    """Return (product, period) to the (hub, class in use) where a curve or accepted block sells."""
    found: dict[tuple[str, int], set[tuple[str, Class]]] = defaultdict(set)
    curves, auction = facts.auction.curves, facts.auction
    rows = (~curves.is_buy).nonzero()[0]
    seat = facts.parties.seats(facts.parties.of_curves[rows], curves.hub[rows])
    intensity = facts.parties.intensity_of[seat]
    first, _ = groups((intensity, curves.product[rows], curves.hub[rows], curves.period[rows]))
    for row, declared in zip(rows[first].tolist(), intensity[first].tolist(), strict=True):
        product = auction.products[int(curves.product[row])].name
        carbon = facts.supply_class(product, facts.parties.intensities[declared])
        place = auction.hubs[int(curves.hub[row])]
        found[product, int(curves.period[row]) + 1].add(
            (place, facts.active_class(product, carbon))
        )
    for order in auction.blocks:
        if order.is_buy:
            continue
        for option in order.options:
            if facts.acceptance.get((order.order_id, option.option_id), _ZERO) <= 0:
                continue
            for leg in option.legs:
                place, product, period = facts.leg_place(leg)
                carbon = facts.supply_class(product, facts.intensity(order.order_id, place))
                found[product, period].add((place, facts.active_class(product, carbon)))
    return found
