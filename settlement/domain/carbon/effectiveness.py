"""How well a data centre uses energy and carbon, and what a unit of its work emits.

Pure functions; each names the standard whose rule it is. A figure that nothing is known for is
None, never zero. Credits and certificates reduce none of these figures except the renewable share
itself: there is no argument through which they could.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import round_quotient

PLACES = 4
SCI_PLACES = 3
EMBODIED_PLACES = 6
# Work is counted in thousandths of a unit times seconds, as statements store it.
WORK_PER_UNIT_HOUR = 1000 * 3600


@dataclass(frozen=True, slots=True)
class EmbodiedCarbon:
    """What making one unit of a hardware model emitted, and over which life it is spread.

    Attributes:
        grams: gCO2e of one unit.
        lifetime_h: hours of its expected life.
    """

    grams: int
    lifetime_h: int


@dataclass(frozen=True, slots=True)
class Work:
    """Work of one delivery: what it did and what it emitted.

    Attributes:
        amount: thousandths of units × seconds.
        operational_g: location-based grams of its facility energy (E × I).
        hardware: name of the hardware model, or empty.
        embodied: embodied carbon of the hardware model; None when none is known.
    """

    amount: int
    operational_g: Decimal
    hardware: str = ""
    embodied: EmbodiedCarbon | None = None


@dataclass(frozen=True, slots=True)
class Intensity:
    """Software carbon intensity of some work.

    Attributes:
        amount: thousandths of units × seconds; the functional unit R is the unit-hour.
        operational_g: grams of operation, E × I.
        embodied_g: share of embodied carbon M; None when it is not known for all of the work.
        missing: hardware models without a known embodied carbon.
    """

    amount: int
    operational_g: Decimal
    embodied_g: Decimal | None
    missing: tuple[str, ...] = ()

    @property
    def unit_hours(self) -> Decimal:
        """The work in unit-hours, 3 decimals."""
        return round_quotient(Decimal(self.amount), WORK_PER_UNIT_HOUR, SCI_PLACES)

    @property
    def operational_g_per_unit_hour(self) -> Decimal | None:
        """Grams of operation per unit-hour; this is not an SCI, which includes M."""
        return _per_unit_hour(self.operational_g, self.amount)

    @property
    def sci_g(self) -> Decimal | None:
        """SCI = ((E × I) + M) per R (ISO/IEC 21031:2024); nothing while M is not known."""
        if self.embodied_g is None:
            return None
        return _per_unit_hour(add_exactly([self.operational_g, self.embodied_g]), self.amount)


def pue_of(facility_wh: int, it_wh: int) -> Decimal | None:
    """Return power usage effectiveness, E_DC / E_IT (ISO/IEC 30134-2), of a month's energy."""
    return round_quotient(Decimal(facility_wh), it_wh, PLACES) if it_wh else None


def cue_of(location_g: Decimal, it_wh: int) -> Decimal | None:
    """Return carbon usage effectiveness, kg of use-phase CO2 / kWh of IT (ISO/IEC 30134-8).

    The emissions are location-based; 1 g/Wh is 1 kg/kWh.
    """
    return round_quotient(location_g, it_wh, PLACES) if it_wh else None


def ref_of(renewable_wh: int, facility_wh: int) -> Decimal | None:
    """Return the renewable energy factor, E_ren / E_DC, at most 1 (ISO/IEC 30134-3).

    Renewable energy is what certificates retired for the same slots cover.
    """
    if not facility_wh:
        return None
    return round_quotient(Decimal(min(renewable_wh, facility_wh)), facility_wh, PLACES)


def embodied_grams(amount: int, embodied: EmbodiedCarbon) -> Decimal:
    """Return M of some work: embodied carbon × its share of the hardware's life, 6 decimals.

    A unit of work has a whole unit of hardware while it runs, so the resource share is 1
    (ISO/IEC 21031:2024, M = TE × TS × RS).
    """
    lifetime = WORK_PER_UNIT_HOUR * embodied.lifetime_h
    return round_quotient(Decimal(amount * embodied.grams), lifetime, EMBODIED_PLACES)


def intensity_of(works: Iterable[Work]) -> Intensity:
    """Return the intensity of work of one functional unit.

    Work on hardware of one model is added before M is rounded once.
    """
    rows = list(works)
    amounts: dict[EmbodiedCarbon, int] = {}
    for row in rows:
        if row.embodied is not None:
            amounts[row.embodied] = amounts.get(row.embodied, 0) + row.amount
    missing = sorted({row.hardware for row in rows if row.embodied is None and row.amount})
    embodied = add_exactly(embodied_grams(amount, of) for of, amount in amounts.items())
    return Intensity(
        amount=sum(row.amount for row in rows),
        operational_g=add_exactly(row.operational_g for row in rows),
        embodied_g=None if missing else embodied,
        missing=tuple(missing),
    )


def _per_unit_hour(grams: Decimal, amount: int) -> Decimal | None:
    if not amount:
        return None
    return round_quotient(grams * WORK_PER_UNIT_HOUR, amount, SCI_PLACES)
