"""Energy and location-based emissions of delivered compute.

Energy is whole watt-hours, emissions are exact grams; tonnes are quantised once, at the end. The
worked example of `docs/explanation/carbon.md` is the test of this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_money, round_quotient

TONNE_PLACES = 6
RATIO_PLACES = 4


@dataclass(frozen=True, slots=True)
class EnergyInterval:
    """IT energy of one interval with the PUE and grid factor that held in it.

    Attributes:
        it_wh: energy of the IT equipment, whole watt-hours.
        pue: facility per IT energy, metered for the interval, at least 1, at most 4 decimals.
        factor_kg_per_kwh: location-based grid factor, as published, at most 4 decimals.

    Raises:
        ValueError: when a figure is outside these bounds.
    """

    it_wh: int
    pue: Decimal
    factor_kg_per_kwh: Decimal

    def __post_init__(self) -> None:
        if self.it_wh < 0:
            raise ValueError("energy is never below zero")
        if self.pue < 1:
            raise ValueError("a PUE is at least 1")
        if self.factor_kg_per_kwh < 0:
            raise ValueError("a grid factor is never below zero")
        for figure in (self.pue, self.factor_kg_per_kwh):
            if figure != round_money(figure, RATIO_PLACES):
                raise ValueError("PUE and grid factor have at most 4 decimals")

    @property
    def facility_wh(self) -> int:
        """Energy of the whole facility for this IT energy, whole watt-hours, half-up."""
        return facility_energy_wh(self.it_wh, pue=self.pue)

    @property
    def grams(self) -> Decimal:
        """Location-based emissions, exact: 1 Wh at 1 kg/kWh is 1 g."""
        return multiply_exactly(self.facility_wh, self.factor_kg_per_kwh)


@dataclass(frozen=True, slots=True)
class LocationStatement:
    """Energy and location-based emissions of one subject over its intervals.

    Attributes:
        it_wh: IT energy.
        facility_wh: facility energy.
        grams: exact location-based emissions.
        tonnes: the same in tonnes, 6 decimals, half-up.
    """

    it_wh: int
    facility_wh: int
    grams: Decimal
    tonnes: Decimal

    @property
    def cue_kg_per_kwh(self) -> Decimal | None:
        """Carbon usage effectiveness, 4 decimals; nothing when no IT energy was used."""
        if not self.it_wh:
            return None
        return round_quotient(self.grams, self.it_wh, RATIO_PLACES)


def it_energy_wh(usages: Iterable[tuple[Decimal, Decimal]]) -> int:
    """Return estimated IT energy, whole watt-hours, rounded half-up once over all usages.

    Args:
        usages: pairs of unit-hours delivered and average watts per unit, host share included.
    """
    exact = add_exactly(multiply_exactly(hours, watts) for hours, watts in usages)
    return int(round_money(exact, 0))


def facility_energy_wh(it_wh: int, *, pue: Decimal) -> int:
    """Return facility energy for IT energy, whole watt-hours, half-up."""
    return int(round_money(multiply_exactly(it_wh, pue), 0))


def tonnes_of(grams: Decimal) -> Decimal:
    """Return grams as tonnes with 6 decimals, half-up."""
    return round_money(grams.scaleb(-6), TONNE_PLACES)


def state_location_based(intervals: Iterable[EnergyInterval]) -> LocationStatement:
    """Add up intervals; the tonnes are quantised once from the exact sum."""
    rows = list(intervals)
    grams = add_exactly(row.grams for row in rows)
    return LocationStatement(
        it_wh=sum(row.it_wh for row in rows),
        facility_wh=sum(row.facility_wh for row in rows),
        grams=grams,
        tonnes=tonnes_of(grams),
    )
