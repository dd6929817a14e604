"""How much carbon the capacity of a listing stands for, and which carbon class it serves."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from marketplace.models import Listing
from orders.ports.carbon import carbon_port

_GRAM_STEP = Decimal("0.001")


def carbon_of_listings(listings: Iterable[Listing]) -> dict[int, Decimal]:
    """Return the carbon of listings by key, g per unit-hour; those of which nothing is known miss.

    What a pool declares with evidence counts, market-based: of a profile by the hour its dirtiest
    hour, so that a class holds whenever the work runs. Otherwise it is the estimate from the
    grid factor of the hub's province, rounded up; green power plays no part in it.

    Args:
        listings: with their pools loaded.
    """
    found: dict[int, Decimal] = {}
    open_ones: list[int] = []
    for listing in listings:
        pool = listing.pool
        if pool.declared_carbon_g is not None:
            found[listing.pk] = pool.declared_carbon_g
        else:
            open_ones.append(listing.pk)
    if open_ones:
        estimates = carbon_port().grams_per_unit_hour(open_ones)
        for key, grams in estimates.items():
            found[key] = grams.quantize(_GRAM_STEP, rounding=ROUND_CEILING)
    return found


def class_served(grams: Decimal | None, classes: Iterable[Decimal]) -> Decimal | None:
    """Return the strictest carbon class that so many g per unit-hour serve; None for none."""
    if grams is None:
        return None
    return min((limit for limit in classes if grams <= limit), default=None)
