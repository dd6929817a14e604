"""Emissions of capacity before anything was metered (implements the port of orders)."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from marketplace.models import Listing
from settlement.services.emissions import GridFactorMissing, grid_factor


class EstimatedCarbon:
    """Watts per unit × PUE × the grid factor of the hub's province, `orders.ports.carbon`."""

    def grams_per_unit_hour(self, listing_ids: Collection[int]) -> Mapping[int, Decimal]:
        """Return the grams of each listing; those without a grid factor are left out."""
        factors: dict[str, Decimal | None] = {}
        found = {}
        listings = Listing.objects.filter(pk__in=listing_ids).select_related("pool__hub")
        for listing in listings:
            pool = listing.pool
            factor = _factor(pool.hub.grid_province, factors)
            if factor is not None:
                # W × h = Wh; kg/kWh = g/Wh.
                found[listing.pk] = pool.power_w_per_unit * pool.pue * factor
        return found


def _factor(province: str, known: dict[str, Decimal | None]) -> Decimal | None:
    if province not in known:
        try:
            known[province] = grid_factor(province).kg_per_kwh
        except GridFactorMissing:
            known[province] = None
    return known[province]
