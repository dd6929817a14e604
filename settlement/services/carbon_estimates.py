"""Emissions of capacity before anything was metered (implements the port of orders)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import F, Sum

from marketplace.domain.decimals import multiply_exactly
from marketplace.domain.money import round_money
from marketplace.models import Listing, ResourcePool
from orders.models import AllocationPeriod
from orders.ports.carbon import GreenHour
from settlement.domain.carbon.matching import cut_at_hours
from settlement.domain.carbon.supply import SECONDS
from settlement.selectors.carbon.supply import expected_supply
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

    def green_hours(
        self, hub_ids: Collection[int], *, starts_at: datetime, ends_at: datetime
    ) -> Mapping[int, Sequence[GreenHour]]:
        """Return expected green energy and what is sold of it, by hub and hour.

        A data centre's own load takes its own supply first: surplus of one is no surplus of
        another, so sold energy counts up to the supply of the same data centre.
        """
        hubs = dict(ResourcePool.objects.filter(hub__in=hub_ids).values_list("pk", "hub_id"))
        supply = expected_supply(pools=hubs, starts_at=starts_at, ends_at=ends_at)
        sold = _sold(list(supply), starts_at, ends_at)
        sums: dict[int, dict[int, list[int]]] = {}
        for pool_id, rows in supply.items():
            for row in rows:
                entry = sums.setdefault(hubs[pool_id], {}).setdefault(row.hour, [0, 0])
                entry[0] += row.total_wh
                entry[1] += min(row.total_wh, sold.get((pool_id, row.hour), 0))
        return {
            hub_id: [
                GreenHour(datetime.fromtimestamp(hour, UTC), *hours[hour]) for hour in sorted(hours)
            ]
            for hub_id, hours in sums.items()
        }


def _sold(
    pools: Collection[int], starts_at: datetime, ends_at: datetime
) -> dict[tuple[int, int], int]:
    """Return facility energy of allocated units by data centre and hour, watt-hours."""
    rows = (
        AllocationPeriod.objects.filter(
            allocation__listing__pool__in=pools, starts_at__lt=ends_at, ends_at__gt=starts_at
        )
        .values("starts_at", "ends_at", pool=F("allocation__listing__pool_id"))
        .annotate(units=Sum("quantity"))
        .order_by()
    )
    watts = {
        pool.pk: multiply_exactly(pool.power_w_per_unit, pool.pue)
        for pool in ResourcePool.objects.filter(pk__in=pools)
    }
    exact: dict[tuple[int, int], Decimal] = {}
    for row in rows:
        power = multiply_exactly(row["units"], watts[row["pool"]])
        for start, end in cut_at_hours(row["starts_at"], row["ends_at"]):
            key = (row["pool"], start - start % SECONDS)
            exact[key] = exact.get(key, Decimal(0)) + power * (end - start) / SECONDS
    return {key: int(round_money(value, 0)) for key, value in exact.items()}


def _factor(province: str, known: dict[str, Decimal | None]) -> Decimal | None:
    if province not in known:
        try:
            known[province] = grid_factor(province).kg_per_kwh
        except GridFactorMissing:
            known[province] = None
    return known[province]
