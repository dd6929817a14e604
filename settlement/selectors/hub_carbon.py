"""How clean the hubs are: grid factor, PUE, green share, and grams for an hour of each product."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import F, Sum

from marketplace.models import Hub, ListingState, Product, ResourcePool
from settlement.models import GridEmissionFactor

_BASIS = "average"
_NATIONAL_LEVEL = "national"
_NATION = ""  # the key of the nation among the provinces
_GRAMS = 1000
_ZERO = Decimal(0)


@dataclass
class HubCarbon:
    """A hub's figures; PUE and green share weighted by the power of the capacity on offer.

    Emissions are location-based: certificates and the green share never change them.
    """

    hub: Hub
    factor: GridEmissionFactor | None
    power_w: Decimal = _ZERO
    facility_w: Decimal = _ZERO
    green_w: Decimal = _ZERO
    watts_by_product: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def pue(self) -> Decimal | None:
        """Return facility energy per IT energy."""
        return self.facility_w / self.power_w if self.power_w else None

    @property
    def green_share(self) -> Decimal | None:
        """Return the declared share of green power, 0 to 1."""
        return self.green_w / self.power_w if self.power_w else None

    @property
    def grams_per_it_kwh(self) -> Decimal | None:
        """Return gCO2 for a kilowatt-hour that the machines use, cooling included."""
        if self.pue is None or self.factor is None:
            return None
        return self.pue * self.factor.kg_per_kwh * _GRAMS

    def grams_of(self, product: Product) -> Decimal | None:
        """Return gCO2 for one unit of a product held for an hour; None where none is on offer."""
        units, facility_w = self.watts_by_product.get(product.pk, (_ZERO, _ZERO))
        if not units or self.factor is None:
            return None
        # Watts for an hour are watt-hours; kg/kWh are g/Wh.
        return facility_w / units * self.factor.kg_per_kwh


def hub_carbon() -> list[HubCarbon]:
    """Return the supply hubs in use, the cleanest first, in three queries."""
    factors = _newest_factors()
    found: dict[int, HubCarbon] = {}
    hubs = Hub.objects.filter(has_supply=True, trades=True).order_by("code")
    for hub in hubs:
        factor = factors.get(hub.grid_province) or factors.get(_NATION)
        found[hub.pk] = HubCarbon(hub, factor)
    watts = F("unit_count") * F("power_w_per_unit")
    rows = (
        ResourcePool.objects.filter(listings__state=ListingState.ACTIVE, hub__in=found)
        .values("hub_id", "product_id")
        .annotate(
            units=Sum("unit_count"),
            it=Sum(watts),
            facility=Sum(watts * F("pue")),
            green=Sum(watts * F("green_share")),
        )
        .order_by()
    )
    for row in rows:
        entry = found[row["hub_id"]]
        entry.power_w += row["it"]
        entry.facility_w += row["facility"]
        entry.green_w += row["green"]
        entry.watts_by_product[row["product_id"]] = (row["units"], row["facility"])
    used = [entry for entry in found.values() if entry.power_w]
    return sorted(used, key=lambda entry: (entry.grams_per_it_kwh or _ZERO, entry.hub.code))


def _newest_factors() -> dict[str, GridEmissionFactor]:
    """Return the newest yearly average by province, and that of the nation."""
    rows = GridEmissionFactor.objects.filter(basis=_BASIS, level__in=["province", _NATIONAL_LEVEL])
    return {
        _NATION if row.level == _NATIONAL_LEVEL else row.province_en: row
        for row in rows.order_by("year")
    }
