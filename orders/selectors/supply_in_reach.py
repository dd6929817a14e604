"""What the hubs within reach have on offer in the periods of an auction, and how green it is.

Listings are public; what published auctions have sold is taken off. Sealed asks play no part.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import DecimalField, ExpressionWrapper, F, QuerySet, Sum

from marketplace.models import Listing, ListingState, OrganisationState, Product
from orders.models import Auction
from orders.selectors.capacity import unsold_units


@dataclass(frozen=True)
class ListedUnits:
    """A listing with the units nobody has bought yet, by period."""

    listing_id: int
    hub_id: int
    trust_level: int
    units: dict[int, Decimal]


@dataclass(frozen=True)
class Room:
    """Units on offer at hubs, by period of an auction."""

    listings: list[ListedUnits] = field(default_factory=list)

    def by_hub(self) -> dict[int, dict[int, Decimal]]:
        """Return the units of each hub in each period."""
        found: dict[int, dict[int, Decimal]] = {}
        for listing in self.listings:
            hub = found.setdefault(listing.hub_id, {})
            for period, units in listing.units.items():
                hub[period] = hub.get(period, Decimal(0)) + units
        return found

    def total(self) -> dict[int, Decimal]:
        """Return the units of all hubs together in each period."""
        found: dict[int, Decimal] = {}
        for hub in self.by_hub().values():
            for period, units in hub.items():
                found[period] = found.get(period, Decimal(0)) + units
        return found


def room_in_reach(*, auction: Auction, product: Product, hubs: Iterable[int]) -> Room:
    """Return what active listings of a product at some hubs have left, in two queries."""
    rows = list(
        _listings(product)
        .filter(pool__hub__in=list(hubs))
        .values_list("id", "pool__hub_id", "pool__trust_level")
    )
    units = unsold_units(auction=auction, listing_ids=[row[0] for row in rows])
    return Room([ListedUnits(*row, units.get(row[0], {})) for row in rows])


def declared_carbon(*, product: Product) -> dict[int, Decimal]:
    """Return by hub the declared carbon of a product, g per unit-hour, weighted by listed units."""
    weighted = ExpressionWrapper(
        F("quantity") * F("pool__carbon_g_per_unit_hour"),
        output_field=DecimalField(max_digits=26, decimal_places=6),
    )
    rows = (
        _listings(product)
        .filter(pool__carbon_g_per_unit_hour__isnull=False)
        .values("pool__hub_id")
        .annotate(grams=Sum(weighted), units=Sum("quantity"))
        .order_by()
    )
    return {
        row["pool__hub_id"]: (row["grams"] / row["units"]).quantize(Decimal("0.001"))
        for row in rows
        if row["units"]
    }


def _listings(product: Product) -> QuerySet[Listing]:
    return Listing.objects.filter(
        state=ListingState.ACTIVE,
        organisation__state=OrganisationState.APPROVED,
        pool__product=product,
        pool__hub__trades=True,
    ).order_by("id")
