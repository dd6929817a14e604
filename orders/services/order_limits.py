"""Limits of a bid on what may serve it, snapped to the classes of the products it may buy."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from marketplace.models import Product, WorkloadScenario
from orders.services import refusals
from orders.services.order_profile import OrderRequest


def latency_class(
    request: OrderRequest, products: Sequence[Product], scenario: WorkloadScenario | None
) -> Decimal | None:
    """Return the latency class in ms: the widest of all products that is not wider than the limit.

    A scenario says the limit where the request does not. Where no product has classes, a limit
    stands as it is; without a limit it is None.

    Raises:
        LatencyClassUnknown: no class is as strict.
    """
    limit = request.max_rtt_ms
    if limit is None and scenario is not None:
        limit = scenario.max_rtt_ms
    if limit is None:
        return None
    listed = [set(product.rtt_classes_ms) for product in products if product.rtt_classes_ms]
    if not listed:
        return limit
    classes = set.intersection(*listed)
    snapped = _snapped(limit, classes)
    if snapped is None:
        strictest = min(classes or set.union(*listed))
        raise refusals.LatencyClassUnknown(field="max_rtt_ms", strictest=strictest.normalize())
    return snapped


def carbon_class(request: OrderRequest, products: Sequence[Product]) -> Decimal | None:
    """Return the carbon class in g per unit-hour: the loosest of all products within the limit.

    Without a limit it is None. Products without classes take no carbon limit.

    Raises:
        CarbonClassUnknown: no class is as strict; names those there are.
    """
    limit = request.max_carbon_g
    if limit is None:
        return None
    classes = set.intersection(*(set(product.carbon_classes_g) for product in products))
    snapped = _snapped(limit, classes)
    if snapped is None:
        names = ", ".join(f"{grams.normalize():f}" for grams in sorted(classes))
        raise refusals.CarbonClassUnknown(field="max_carbon_g", classes=names or "–")
    return snapped


def _snapped(limit: Decimal, classes: Collection[Decimal]) -> Decimal | None:
    reached = [one for one in classes if one <= limit] if limit.is_finite() else []
    return max(reached, default=None)
