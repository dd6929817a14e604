"""What would have fitted instead of a bid that was not matched, by the prices of the same run.

Published delivered prices only; CNY per unit and hour, 不含税.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import round_quotient
from marketplace.models import Product
from orders.models import ClearingPrice, ClearingRun, Order

PRICE_PLACES = 4

Prices = Mapping[int, Decimal]
_Series = dict[tuple[int, Decimal | None], dict[int, Decimal]]


@dataclass(frozen=True)
class Substitute:
    """One thing that would have cost no more than the limit.

    Attributes:
        kind: `window` (other hours), `latency` (a wider class) or `product` (another product).
        price: its mean delivered price.
        product: what is bought.
        max_rtt_ms: latency class; None for no limit.
        first_period: first period.
        last_period: last period, inclusive.
    """

    kind: str
    price: Decimal
    product: Product
    max_rtt_ms: Decimal | None
    first_period: int
    last_period: int


def substitutes_for(*, order: Order, run: ClearingRun) -> list[Substitute]:
    """Return what would have fitted a bid's limit, the cheapest of each kind, in two queries.

    Args:
        order: a bid of the run's auction, its product loaded.
        run: the published run.
    """
    products = {
        product.pk: product
        for product in Product.objects.filter(
            resource_class=order.product.resource_class, active=True
        ).order_by("sort_order", "code")
    }
    series = _series(order, run, list(products))
    found = [
        _other_window(order, series),
        _wider_class(order, series),
        _other_product(order, series, products),
    ]
    return [one for one in found if one is not None]


def _series(order: Order, run: ClearingRun, products: Sequence[int]) -> _Series:
    rows = ClearingPrice.objects.filter(
        run=run,
        hub=order.hub_id,
        product__in=products,
        is_delivered=True,
        carbon_class_g=order.max_carbon_g,
    )
    found: _Series = {}
    for product_id, rtt, period, price in rows.values_list(
        "product_id", "max_rtt_ms", "period", "price"
    ):
        if price is not None:
            found.setdefault((product_id, rtt), {})[period] = price
    return found


def _mean(prices: Prices, first: int, last: int) -> Decimal | None:
    window = [prices.get(period) for period in range(first, last + 1)]
    known = [price for price in window if price is not None]
    if len(known) < len(window):
        return None
    return round_quotient(add_exactly(known), len(known), PRICE_PLACES)


def _other_window(order: Order, series: _Series) -> Substitute | None:
    """The cheapest window of the same length, if it is another one and within the limit."""
    prices = series.get((order.product_id, order.max_rtt_ms), {})
    length = order.last_period - order.first_period + 1
    means = [
        (mean, first)
        for first in range(1, max(prices, default=0) - length + 2)
        if first != order.first_period
        and (mean := _mean(prices, first, first + length - 1)) is not None
        and mean <= order.limit_price
    ]
    if not means:
        return None
    price, first = min(means)
    last = first + length - 1
    return Substitute("window", price, order.product, order.max_rtt_ms, first, last)


def _wider_class(order: Order, series: _Series) -> Substitute | None:
    """The strictest of the wider latency classes that is within the limit."""
    if order.max_rtt_ms is None:
        return None
    classes = sorted({rtt for _, rtt in series if rtt is not None and rtt > order.max_rtt_ms})
    for rtt in (*classes, None):
        mean = _mean(series.get((order.product_id, rtt), {}), order.first_period, order.last_period)
        if mean is not None and mean <= order.limit_price:
            return Substitute(
                "latency", mean, order.product, rtt, order.first_period, order.last_period
            )
    return None


def _other_product(
    order: Order, series: _Series, products: Mapping[int, Product]
) -> Substitute | None:
    """The cheapest other product of the class in the same window that is within the limit."""
    means = []
    for rank, (product_id, product) in enumerate(products.items()):
        prices = series.get((product_id, order.max_rtt_ms), {})
        mean = _mean(prices, order.first_period, order.last_period)
        if product_id != order.product_id and mean is not None and mean <= order.limit_price:
            means.append((mean, rank, product))
    if not means:
        return None
    price, _, product = min(means, key=lambda one: one[:2])
    return Substitute(
        "product", price, product, order.max_rtt_ms, order.first_period, order.last_period
    )
