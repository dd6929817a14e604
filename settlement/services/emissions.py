"""Energy and location-based emissions of deliveries, with the factor pinned in the record.

Method: `docs/explanation/settlement.md`; the rules are R1–R3 of `docs/explanation/carbon.md`.
"""

from collections.abc import Sequence
from decimal import Decimal

from marketplace.domain.errors import RuleBroken, gettext_noop
from settlement.domain.carbon.energy import EnergyInterval, it_energy_wh, state_location_based
from settlement.models import EmissionRecord, GridEmissionFactor, MeterReading
from settlement.services.grid_factors import NATIONAL
from settlement.services.rating import DeliveryRating

_BASIS = "average"


class GridFactorMissing(RuleBroken):
    """Not even a national grid factor is stored: the reference data is not loaded."""

    code = "grid_factor_missing"
    message = gettext_noop("There is no grid emission factor for %(place)s.")


def state_emissions(ratings: Sequence[DeliveryRating]) -> list[EmissionRecord]:
    """Write one emission record for each delivery.

    Energy is the metered one when every reading of the delivery carries it, else unit-hours
    delivered × the pool's watts per unit, and then marked as estimated.

    Raises:
        GridFactorMissing: the reference data is not loaded.
    """
    measured = _measured_energy(ratings)
    factors: dict[str, GridEmissionFactor] = {}
    records = []
    for rating in ratings:
        pool = rating.delivery.allocation.listing.pool
        place = pool.hub.grid_province
        factor = factors.get(place) or factors.setdefault(place, grid_factor(place))
        energy = measured.get(rating.delivery.pk)
        it_wh = _it_wh(rating, pool.power_w_per_unit) if energy is None else energy
        records.append(_record(rating, it_wh, pool.pue, factor, is_estimated=energy is None))
    return EmissionRecord.objects.bulk_create(records, batch_size=2000)


def restate_emissions(ratings: Sequence[DeliveryRating]) -> list[EmissionRecord]:
    """Write the next version of the records of deliveries whose energy is found otherwise now.

    Factor and PUE stay those pinned in the first version: only what was metered is corrected.
    """
    measured = _measured_energy(ratings)
    newest = {
        record.delivery_id: record
        for record in EmissionRecord.objects.filter(
            delivery__in=[rating.delivery.pk for rating in ratings]
        )
        .select_related("factor")
        .order_by("version")
    }
    records = []
    for rating in ratings:
        before = newest[rating.delivery.pk]
        energy = measured.get(rating.delivery.pk)
        pool = rating.delivery.allocation.listing.pool
        it_wh = _it_wh(rating, pool.power_w_per_unit) if energy is None else energy
        if (it_wh, energy is None) == (before.it_wh, before.is_estimated):
            continue
        records.append(
            _record(
                rating,
                it_wh,
                before.pue,
                before.factor,
                is_estimated=energy is None,
                version=before.version + 1,
            )
        )
    return EmissionRecord.objects.bulk_create(records, batch_size=2000)


def _it_wh(rating: DeliveryRating, watts: Decimal) -> int:
    return it_energy_wh([(rating.sums.metered_unit_hours, watts)])


def grid_factor(province: str) -> GridEmissionFactor:
    """Return the newest yearly average of a province, or of the nation when it has none.

    Raises:
        GridFactorMissing: there is neither.
    """
    candidates = GridEmissionFactor.objects.filter(basis=_BASIS)
    newest = (
        candidates.filter(level="province", province_en=province).order_by("-year").first()
        or candidates.filter(level="national", province_en=NATIONAL).order_by("-year").first()
    )
    if newest is None:
        raise GridFactorMissing(place=province)
    return newest


def _record(
    rating: DeliveryRating,
    it_wh: int,
    pue: Decimal,
    factor: GridEmissionFactor,
    *,
    is_estimated: bool,
    version: int = 1,
) -> EmissionRecord:
    statement = state_location_based([EnergyInterval(it_wh, pue, factor.kg_per_kwh)])
    return EmissionRecord(
        delivery=rating.delivery,
        version=version,
        it_wh=statement.it_wh,
        facility_wh=statement.facility_wh,
        pue=pue,
        factor=factor,
        factor_kg_per_kwh=factor.kg_per_kwh,
        location_based_t=statement.tonnes,
        is_estimated=is_estimated,
    )


def _measured_energy(ratings: Sequence[DeliveryRating]) -> dict[int, int]:
    """Return metered watt-hours of the deliveries whose readings all carry them."""
    sums: dict[int, int | None] = {}
    rows = MeterReading.objects.filter(delivery__in=[rating.delivery.pk for rating in ratings])
    newest = rows.order_by("delivery_id", "starts_at", "ends_at", "-revision").distinct(
        "delivery_id", "starts_at", "ends_at"
    )
    for delivery_id, energy_wh in newest.values_list("delivery_id", "energy_wh"):
        sofar = sums.get(delivery_id, 0)
        sums[delivery_id] = None if energy_wh is None or sofar is None else sofar + energy_wh
    whole = {r.delivery.pk for r in ratings if all(p.metered is not None for p in r.periods)}
    return {key: total for key, total in sums.items() if total is not None and key in whole}
