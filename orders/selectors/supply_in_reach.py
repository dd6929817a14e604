"""What the hubs within reach have on offer in the periods of an auction, and how green it is.

Listings are public; what published auctions have sold is taken off. Sealed asks play no part.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import QuerySet

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import round_quotient
from marketplace.models import Listing, ListingState, OrganisationState, Product
from orders.models import Auction
from orders.selectors.capacity import unsold_units
from orders.selectors.listing_carbon import carbon_of_listings


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


def room_in_reach(
    *,
    auction: Auction,
    product: Product,
    hubs: Iterable[int],
    max_carbon_g: Decimal | None = None,
) -> Room:
    """Return what active listings of a product at some hubs have left, in two queries.

    With a carbon limit (g per unit-hour) only listings within it count.
    """
    listings = _listings(product).filter(pool__hub__in=list(hubs))
    if max_carbon_g is not None:
        listings = listings.filter(pk__in=_within(listings, max_carbon_g))
    rows = list(listings.values_list("id", "pool__hub_id", "pool__trust_level"))
    units = unsold_units(auction=auction, listing_ids=[row[0] for row in rows])
    return Room([ListedUnits(*row, units.get(row[0], {})) for row in rows])


def hubs_within_carbon(*, product: Product, hubs: Iterable[int], max_carbon_g: Decimal) -> set[int]:
    """Return those of some hubs that list a product within a carbon limit, g per unit-hour."""
    listings = _listings(product).filter(pool__hub__in=list(hubs))
    within = listings.filter(pk__in=_within(listings, max_carbon_g))
    return set(within.values_list("pool__hub_id", flat=True))


def _within(listings: QuerySet[Listing], max_carbon_g: Decimal) -> list[int]:
    carbon = carbon_of_listings(listings.select_related("pool"))
    return [key for key, grams in carbon.items() if grams <= max_carbon_g]


def declared_carbon(*, product: Product, max_carbon_g: Decimal | None = None) -> dict[int, Decimal]:
    """Return by hub the declared carbon of a product, g per unit-hour, weighted by listed units.

    What is declared without evidence does not count, nor what is above the limit if there is one.
    Of a profile by the hour the dirtiest hour counts.
    """
    found = _declared(product, max_carbon_g)
    return {hub_id: profile.worst for hub_id, profile in found.items()}


@dataclass(frozen=True, slots=True)
class HubCarbonProfile:
    """Declared carbon of a hub's listings, g per unit-hour, weighted by listed units.

    Attributes:
        worst: what holds in every hour.
        hours: of each hour of the day, market time.
    """

    worst: Decimal
    hours: tuple[Decimal, ...]

    def mean(self, hours: Iterable[int]) -> Decimal:
        """Return the mean over some hours of the day; each counts as often as it is named."""
        figures = [self.hours[hour] for hour in hours]
        return round_quotient(add_exactly(figures), len(figures), 3)


def carbon_profiles(*, product: Product) -> dict[int, HubCarbonProfile]:
    """Return by hub what is declared of a product for each hour of the day."""
    return _declared(product, None)


def _declared(product: Product, max_carbon_g: Decimal | None) -> dict[int, HubCarbonProfile]:
    sums: dict[int, list[Decimal]] = {}
    for listing in _listings(product).select_related("pool"):
        pool, worst = listing.pool, listing.pool.declared_carbon_g
        if worst is None or (max_carbon_g is not None and worst > max_carbon_g):
            continue
        figures = [worst, *(pool.carbon_profile_g or [worst] * 24)]
        entry = sums.setdefault(pool.hub_id, [Decimal(0)] * 26)
        entry[0] += listing.quantity
        for index, grams in enumerate(figures, start=1):
            entry[index] += listing.quantity * grams
    found = {}
    for hub_id, (units, *weighted) in sums.items():
        worst, *hours = (round_quotient(grams, units, 3) for grams in weighted)
        found[hub_id] = HubCarbonProfile(worst, tuple(hours))
    return found


def _listings(product: Product) -> QuerySet[Listing]:
    return Listing.objects.filter(
        state=ListingState.ACTIVE,
        organisation__state=OrganisationState.APPROVED,
        pool__product=product,
        pool__hub__trades=True,
    ).order_by("id")
