"""Energy and location-based emissions (R1–R3), and how figures are rounded (R2).

Energy is whole watt-hours, emissions are exact grams; tonnes are quantised once, at the end. The
worked examples of `docs/explanation/carbon-examples.md` are the test of this package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_money, round_up

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


def floor_tonnes(tonnes: Decimal) -> Decimal:
    """Cut tonnes to 6 decimals: cap room, recognised and applied tonnes (R2)."""
    return -round_up(-tonnes, TONNE_PLACES)


def ceil_tonnes(tonnes: Decimal) -> Decimal:
    """Raise tonnes to 6 decimals: the use of a cap (R2)."""
    return round_up(tonnes, TONNE_PLACES)


def ceil_quotient(dividend: Decimal, divisor: Decimal) -> int:
    """Return the whole units that are enough: credits needed (R2)."""
    return -((-Fraction(dividend)) // Fraction(divisor))


def floor_quotient(dividend: Decimal, divisor: Decimal) -> int:
    """Return the whole units that fit: credits within a cap (R2)."""
    return Fraction(dividend) // Fraction(divisor)


def rounding_difference(total: Decimal, lines: Iterable[Decimal]) -> Decimal:
    """Return what one `rounding` line must carry for displayed lines to add up (R2)."""
    return add_exactly([total, -add_exactly(lines)])
