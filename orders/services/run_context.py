"""A verified run read back, with the names of its bundle resolved to the market's own rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from marketplace.domain.money import round_quotient
from marketplace.models import Hub, Link, Listing, Product
from orders import clearing
from orders.models import Auction, ClearingRun, OrderSide
from orders.selectors.capacity import period_starts
from orders.selectors.listing_carbon import class_served
from orders.services.order_rows import OrderRow, read_orders
from orders.services.pseudonyms import pseudonym

# (latency class in ms, carbon class in g per unit-hour); None for no limit
Limits = tuple[Decimal | None, Decimal | None]
MINUTES_PER_HOUR = 60
# Places of stored hourly prices; a clearing tick per quarter of an hour still fits.
PRICE_PLACES = 8


@dataclass(frozen=True)
class RunContext:
    """Everything that publication needs to look up; prices of the result are per period."""

    auction: Auction
    run: ClearingRun
    bundle: clearing.Auction
    result: clearing.Result
    orders: Mapping[str, OrderRow]
    hubs: Mapping[str, Hub]
    products: Mapping[str, Product]
    links: Mapping[tuple[str, str], Link]
    starts: list[datetime]
    # Public ids of the listings that its asks sell from.
    listings: Mapping[int, UUID]

    def hourly(self, per_period: Decimal) -> Decimal:
        """Return a price per unit and hour."""
        found = self._hourly.get(per_period)
        if found is None:
            minutes = self.auction.period_minutes
            found = round_quotient(per_period * MINUTES_PER_HOUR, minutes, PRICE_PLACES)
            self._hourly[per_period] = found
        return found

    @cached_property
    def _hourly(self) -> dict[Decimal, Decimal]:
        """Hourly prices by price per period: an auction has far fewer prices than orders."""
        return {}

    def hourly_class(self, per_period: Decimal | None) -> Decimal | None:
        """Return a carbon limit in g per unit-hour; None for no limit."""
        return None if per_period is None else self.hourly(per_period)

    def limits_of(self, order: OrderRow, product: str) -> Limits:
        """Return the latency class of a buy in ms, and its carbon class in g per unit-hour.

        A sell has no latency class; its carbon class is the strictest in use that it serves.
        """
        if order.side == OrderSide.BUY:
            return order.max_rtt_ms, order.max_carbon_g
        return None, self._classes_sold.get((order.listing_id, product))

    @cached_property
    def _classes_sold(self) -> Mapping[tuple[int | None, str], Decimal]:
        """Carbon classes by listing and product, of the listings that serve one."""
        classes = {one.name: one.carbon_classes for one in self.bundle.products}
        asked = {name: limits for name, limits in classes.items() if limits}
        if not asked:
            return {}
        salt = self.auction.pseudonym_salt
        grams = {row.listing_id: row.carbon_intensity for row in self.bundle.listings}
        found: dict[tuple[int | None, str], Decimal] = {}
        for key, public_id in self.listings.items():
            own = grams.get(pseudonym(salt, "l", public_id))
            for product, limits in asked.items():
                served = class_served(own, limits)
                if served is not None:
                    found[key, product] = self.hourly(served)
        return found

    def hours(self, unit_periods: Decimal) -> Decimal:
        """Return unit-hours."""
        return unit_periods * self.auction.period_minutes / MINUTES_PER_HOUR

    def starts_at(self, period: int) -> datetime:
        """Return when a period (from 1) begins."""
        return self.starts[period - 1]

    def ends_at(self, period: int) -> datetime:
        """Return when a period (from 1) ends."""
        return self.starts[period] if period < len(self.starts) else self.auction.delivery_ends_at


def read_run(
    auction: Auction, run: ClearingRun, bundle: clearing.Auction, result: clearing.Result
) -> RunContext:
    """Look up the orders, hubs, products and links that a result names."""
    salt = auction.pseudonym_salt
    orders = {pseudonym(salt, "o", order.public_id): order for order in read_orders(auction)}
    sold_from = {order.listing_id for order in orders.values() if order.listing_id is not None}
    listings = Listing.objects.filter(pk__in=sold_from).values_list("pk", "public_id")
    links = Link.objects.select_related("from_hub", "to_hub")
    return RunContext(
        auction=auction,
        run=run,
        bundle=bundle,
        result=result,
        orders=orders,
        hubs={hub.code: hub for hub in Hub.objects.filter(code__in=bundle.hubs)},
        products={product.code: product for product in auction.products.all()},
        links={(link.from_hub.code, link.to_hub.code): link for link in links},
        starts=period_starts(auction),
        listings=dict(listings),
    )
