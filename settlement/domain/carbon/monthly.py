"""A month of one subject: energy and emissions of its deliveries (R1–R6), in whole numbers.

Fractions are carried as integers: units in thousandths, watts in hundredths, PUE and factors in
ten-thousandths. The results are the same as those of `energy` and `matching`, for many intervals
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from settlement.domain.carbon.certificates import certificates_for
from settlement.domain.carbon.energy import tonnes_of
from settlement.domain.carbon.matching import SlotLength, match_arrays
from settlement.domain.carbon.supply import HourSupply, match_on_site

_UNIT_SCALE, _WATT_SCALE, _SECONDS = 1000, 100, 3600
_FACTOR_SCALE = 10_000
_SAFE = 1 << 61
# Start (seconds since 1970), seconds, thousandths of units, metered Wh or None, PUE × 10,000.
Interval = tuple[int, int, int, int | None, int]


@dataclass(frozen=True, slots=True)
class DeliveryInputs:
    """A delivery's part of the month.

    Attributes:
        key: public id of the delivery.
        hub: code of the hub.
        province: province of the hub's grid.
        factor_e4: location factor, kg/kWh × 10,000.
        centiwatts: average watts of a unit × 100.
        intervals: its intervals of at most an hour, in order.
        hardware: hardware model, where its embodied carbon is known and pinned; else empty.
    """

    key: str
    hub: str
    province: str
    factor_e4: int
    centiwatts: int
    intervals: Sequence[Interval]
    hardware: str = ""


@dataclass(frozen=True, slots=True)
class GreenSupply:
    """Green energy of retired certificates, for the whole slot or by the hour, and of own sources.

    Attributes:
        slot: how long load and certificates are balanced.
        whole_wh: energy of the month, or left of the year; unused by the hour.
        hours: start of the hour (seconds since 1970) and watt-hours.
        on_site: metered hours of the data centre's own, direct and contracted supply.
    """

    slot: SlotLength
    whole_wh: int = 0
    hours: Sequence[tuple[int, int]] = ()
    on_site: Sequence[HourSupply] = ()


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """Energy and location-based grams × 10,000 of one delivery."""

    key: str
    it_wh: int
    facility_wh: int
    location_e4: int
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """What a statement states; grams are exact, tonnes are quantised once.

    Own and direct supply are part of what is matched; the rest of it is covered by certificates.
    """

    deliveries: tuple[DeliveryFigures, ...]
    it_wh: int
    facility_wh: int
    matched_wh: int
    excess_wh: int
    location_g: Decimal
    market_g: Decimal
    own_wh: int = 0
    direct_wh: int = 0
    hourly_wh: int = 0
    supply_wh: int = 0

    @property
    def residual_wh(self) -> int:
        """Load that nothing covers."""
        return self.facility_wh - self.matched_wh

    @property
    def certificates(self) -> int:
        """Whole certificates for the energy that certificates cover."""
        return certificates_for(self.matched_wh - self.own_wh - self.direct_wh)

    @property
    def location_t(self) -> Decimal:
        """Location-based tonnes."""
        return tonnes_of(self.location_g)

    @property
    def market_t(self) -> Decimal:
        """Market-based tonnes."""
        return tonnes_of(self.market_g)

    @property
    def is_estimated(self) -> bool:
        """Whether any delivery's energy is estimated."""
        return any(row.is_estimated for row in self.deliveries)


def state_month(
    deliveries: Sequence[DeliveryInputs],
    green: GreenSupply,
    *,
    residual_e4: int,
    certificate_e4: int = 0,
) -> MonthFigures:
    """Compute a month from its deliveries and the green energy of its beneficiary.

    Own and direct supply cover the load of their hour first; certificates cover what is left.
    """
    rows: list[DeliveryFigures] = []
    hours: dict[int, int] = {}
    for delivery in deliveries:
        it_wh = it_energies(delivery)
        facility = facility_energies(it_wh, [row[4] for row in delivery.intervals])
        for interval, wh in zip(delivery.intervals, facility.tolist(), strict=True):
            hour = interval[0] - interval[0] % _SECONDS
            hours[hour] = hours.get(hour, 0) + wh
        total = sum(facility.tolist())
        rows.append(
            DeliveryFigures(
                key=delivery.key,
                it_wh=sum(it_wh.tolist()),
                facility_wh=total,
                location_e4=total * delivery.factor_e4,
                is_estimated=any(row[3] is None for row in delivery.intervals),
            )
        )
    load = sum(row.facility_wh for row in rows)
    site = match_on_site(hours, green.on_site)
    certified, excess = _match({**hours, **site.left_by_hour}, green)
    matched = certified + site.own_wh + site.direct_wh
    market = (load - matched) * residual_e4 + matched * certificate_e4
    return MonthFigures(
        deliveries=tuple(rows),
        it_wh=sum(row.it_wh for row in rows),
        facility_wh=load,
        matched_wh=matched,
        excess_wh=excess + site.unused_wh,
        location_g=_grams(sum(row.location_e4 for row in rows)),
        market_g=_grams(market),
        own_wh=site.own_wh,
        direct_wh=site.direct_wh,
        hourly_wh=site.hourly_wh,
        supply_wh=site.supply_wh,
    )


def it_energies(delivery: DeliveryInputs) -> NDArray[np.int64]:
    """Return IT watt-hours of each interval: metered, else units × hours × watts, half-up (R1)."""
    units = [row[2] for row in delivery.intervals]
    seconds = [row[1] for row in delivery.intervals]
    largest = max(units, default=0) * max(seconds, default=0) * delivery.centiwatts
    # Whole numbers of any size where 64 bits would not do; the results are the same.
    dtype = np.int64 if largest < _SAFE // 4 else object
    exact = np.array(units, dtype) * np.array(seconds, dtype) * delivery.centiwatts
    divisor = _UNIT_SCALE * _WATT_SCALE * _SECONDS
    energies = (2 * exact + divisor) // (2 * divisor)
    for index, row in enumerate(delivery.intervals):
        if row[3] is not None:
            energies[index] = row[3]
    return energies


def facility_energies(it_wh: NDArray[np.int64], pue_e4: Sequence[int]) -> NDArray[np.int64]:
    """Return facility watt-hours of each interval: IT × PUE, half-up (R1)."""
    largest = max(it_wh.tolist(), default=0) * max(pue_e4, default=0)
    dtype = np.int64 if largest < _SAFE // 4 else object
    exact = it_wh.astype(dtype) * np.array(pue_e4, dtype)
    return (2 * exact + _FACTOR_SCALE) // (2 * _FACTOR_SCALE)


def _match(hours: dict[int, int], green: GreenSupply) -> tuple[int, int]:
    """Return what certificates cover of a load and their excess, watt-hours (R4)."""
    if green.slot is not SlotLength.HOUR:
        load = sum(hours.values())
        matched = min(load, green.whole_wh)
        return matched, green.whole_wh - matched
    supply: dict[int, int] = {}
    for hour, wh in green.hours:
        supply[hour] = supply.get(hour, 0) + wh
    slots = sorted({*hours, *supply})
    loads = np.array([hours.get(slot, 0) for slot in slots], np.int64)
    greens = np.array([supply.get(slot, 0) for slot in slots], np.int64)
    matched_by_slot, _ = match_arrays(loads, greens)
    matched = sum(matched_by_slot.tolist())
    return matched, sum(supply.values()) - matched


def _grams(e4: int) -> Decimal:
    return Decimal(e4).scaleb(-4)
