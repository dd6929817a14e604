"""What a unit would have cost over other ways: without a latency limit, without congestion."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from marketplace.models import Link
from orders.clearing.routes import Route, least_rtt_routes
from orders.services.run_context import RunContext

# (hub, product, latency limit, period) to a price per period
PriceBook = Mapping[tuple[str, str, Decimal | None, int], Decimal]
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
        self._known: dict[tuple[bool, str, str, Decimal | None, int], Way | None] = {}

    def uncongested(
        self, hub: str, product: str, limit: Decimal | None, period: int, *, is_buy: bool
    ) -> Way | None:
        """Return the best price over the market's routes with tariffs and without rents.

        Args:
            hub: where it is consumed, or for a sell delivered.
            product: code of the product.
            limit: latency limit of a buy, ms.
            period: counted from 1.
            is_buy: which side asks.
        """
        key = (is_buy, hub, product, limit, period)
        if key not in self._known:
            self._known[key] = self._best(hub, product, limit, period, is_buy=is_buy)
        return self._known[key]

    def _best(
        self, hub: str, product: str, limit: Decimal | None, period: int, *, is_buy: bool
    ) -> Way | None:
        bundle = self._context.bundle
        own = bundle.hubs.index(hub)
        best: tuple[Decimal, Route] | None = None
        for number, other in enumerate(bundle.hubs):
            route = self._routes.get((number, own) if is_buy else (own, number))
            price = (self.sells if is_buy else self.buys).get((other, product, None, period))
            if route is None or price is None or (limit is not None and route.rtt_ms > limit):
                continue
            carriage = self._bandwidth[product] * route.tariff
            total = price + carriage if is_buy else price - carriage
            if best is None or (total < best[0] if is_buy else total > best[0]):
                best = (total, route)
        return None if best is None else Way(best[0], self._fullest(best[1], period))

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
