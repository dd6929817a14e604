"""What a unit would have cost over other ways: without a latency limit, without congestion."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from marketplace.models import Link
from orders.clearing.routes import Route, least_rtt_routes
from orders.services.price_books import PriceBook
from orders.services.run_context import Limits, RunContext

_DIRECTIONS = ("forward", "reverse")


@dataclass(frozen=True)
class Way:
    """A price per unit and period if nothing were congested, and the full link with most rent."""

    price: Decimal
    link: Link | None


class WayPrices:
    """Prices of a published run, and what they would be without rents."""

    def __init__(self, context: RunContext, buys: PriceBook, sells: PriceBook) -> None:
        self.buys = buys
        self.sells = sells
        self._context = context
        self._known: dict[tuple[bool, str, str, Limits, int], Way | None] = {}

    def uncongested(
        self, hub: str, product: str, limits: Limits, period: int, *, is_buy: bool
    ) -> Way | None:
        """Return the best price over the market's routes with tariffs and without rents.

        Args:
            hub: where it is consumed, or for a sell delivered.
            product: code of the product.
            limits: classes of a buy, or that a sell serves.
            period: counted from 1.
            is_buy: which side asks.
        """
        key = (is_buy, hub, product, limits, period)
        if key not in self._known:
            self._known[key] = self._best(hub, product, limits, period, is_buy=is_buy)
        return self._known[key]

    def _best(
        self, hub: str, product: str, limits: Limits, period: int, *, is_buy: bool
    ) -> Way | None:
        rtt, grams = limits
        bundle = self._context.bundle
        own = bundle.hubs.index(hub)
        best: tuple[Decimal, Route] | None = None
        for number, other in enumerate(bundle.hubs):
            route = self._routes.get((number, own) if is_buy else (own, number))
            price = self._price_there(other, product, grams, period, is_buy=is_buy)
            if route is None or price is None or (rtt is not None and route.rtt_ms > rtt):
                continue
            carriage = self._bandwidth[product] * route.tariff
            total = price + carriage if is_buy else price - carriage
            if best is None or (total < best[0] if is_buy else total > best[0]):
                best = (total, route)
        return None if best is None else Way(best[0], self._fullest(best[1], period))

    def _price_there(
        self, hub: str, product: str, grams: Decimal | None, period: int, *, is_buy: bool
    ) -> Decimal | None:
        """Return the price at the other end: supply of a buy's class, or a buyer of any class."""
        if is_buy:
            return self.sells.get((hub, product, (None, grams), period))
        strict = self.buys.get((hub, product, (None, grams), period))
        return self.buys.get((hub, product, (None, None), period)) if strict is None else strict

    def _fullest(self, route: Route, period: int) -> Link | None:
        """Return the link of a route with the highest rent, None where nothing is full."""
        links = self._context.bundle.links
        ranked = []
        for number, direction in route.steps:
            hubs = self._context.bundle.hubs
            ends = hubs[links[number].from_hub], hubs[links[number].to_hub]
            rent = self._rents.get((*ends, _DIRECTIONS[direction], period), Decimal(0))
            ranked.append((rent, ends))
        rent, ends = max(ranked, default=(Decimal(0), ("", "")))
        return self._context.links[ends] if rent > 0 else None

    @cached_property
    def _routes(self) -> dict[tuple[int, int], Route]:
        bundle = self._context.bundle
        return least_rtt_routes(bundle.hubs, bundle.links)

    @cached_property
    def _bandwidth(self) -> dict[str, Decimal]:
        return {product.name: product.bandwidth for product in self._context.bundle.products}

    @cached_property
    def _rents(self) -> dict[tuple[str, str, str, int], Decimal]:
        return {
            (row.from_hub, row.to_hub, row.direction, row.period): row.rent
            for row in self._context.result.link_rents
            if row.rent > 0
        }
