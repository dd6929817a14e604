"""What is sold of a supplier's listings, for the capacity pages below this layer."""

from collections.abc import Callable

from django.http import HttpRequest

from marketplace.selectors.clock import market_now
from marketplace.web.access import current_actor
from orders.selectors.price_range import PriceRange, price_range
from orders.selectors.sales import Sales, sales_of


def listing_sales(request: HttpRequest) -> dict[int, Sales]:
    """Return the next 24 hours of every listing of the acting organisation, by listing id."""
    organisation = current_actor(request).organisation
    if organisation is None:
        return {}
    return sales_of(organisation=organisation, since=market_now(), hours=24)


def price_ranges(request: HttpRequest) -> Callable[[int, int], PriceRange | None]:
    """Return how to find the recent price range of a hub and product by their ids."""

    def range_of(hub_id: int, product_id: int) -> PriceRange | None:
        return price_range(hub_id=hub_id, product_id=product_id)

    return range_of
