"""Matching of consumption with green energy, market-based emissions and shares (R4–R6)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_money, round_quotient
from settlement.domain.carbon.certificates import WH_PER_CERTIFICATE, certificates_for
from settlement.domain.carbon.energy import RATIO_PLACES, tonnes_of
from settlement.domain.carbon.supply import SECONDS

CHINA_TIME = timezone(timedelta(hours=8))
Key = TypeVar("Key", bound=Hashable)


class SlotLength(StrEnum):
    """How long supply and load are balanced; slots do not lend to each other (R4)."""

    HOUR = "hour"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class SlotMatch:
    """Load and green energy of one slot, whole watt-hours; matched + residual = load."""

    load_wh: int
    green_wh: int

    def __post_init__(self) -> None:
        if self.load_wh < 0 or self.green_wh < 0:
            raise ValueError("energy is never below zero")

    @property
    def matched_wh(self) -> int:
        """Load covered by green energy of the same slot."""
        return min(self.load_wh, self.green_wh)

    @property
    def residual_wh(self) -> int:
        """Load that nothing covers."""
        return self.load_wh - self.matched_wh

    @property
    def excess_wh(self) -> int:
        """Green energy beyond the load: it counts nothing."""
        return self.green_wh - self.matched_wh


def slot_start(moment: datetime, length: SlotLength) -> datetime:
    """Return the start of the slot a moment lies in; months and years are those of UTC+8.

    Raises:
        ValueError: when the moment has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs its zone")
    local = moment.astimezone(CHINA_TIME).replace(minute=0, second=0, microsecond=0)
    if length is SlotLength.HOUR:
        return local
    local = local.replace(day=1, hour=0)
    return local if length is SlotLength.MONTH else local.replace(month=1)


def cut_at_hours(starts_at: datetime, ends_at: datetime) -> Iterator[tuple[int, int]]:
    """Cut a period at full hours, so that every piece lies in one slot; seconds since 1970."""
    start, end = int(starts_at.timestamp()), int(ends_at.timestamp())
    while start < end:
        cut = min(end, start - start % SECONDS + SECONDS)
        yield start, cut
        start = cut


def sum_by_slot(
    energies: Iterable[tuple[datetime, int]], length: SlotLength
) -> dict[datetime, int]:
    """Add up watt-hours by the slot in which they start."""
    sums: dict[datetime, int] = {}
    for moment, wh in energies:
        slot = slot_start(moment, length)
        sums[slot] = sums.get(slot, 0) + wh
    return sums


def match_slots(load: Mapping[Key, int], green: Mapping[Key, int]) -> dict[Key, SlotMatch]:
    """Match each slot on its own (R4); a slot of one side only has zero on the other."""
    slots = sorted({*load, *green})  # type: ignore[type-var]
    return {slot: SlotMatch(load.get(slot, 0), green.get(slot, 0)) for slot in slots}


@dataclass(frozen=True, slots=True)
class TargetMatch:
    """Whole certificates towards a target share (R4), watt-hours.

    Attributes:
        load_wh: energy of the claim.
        target_wh: the share of it that is wanted, half-up.
        certificates: how many are retired.
        allocated_wh: their energy, up to the load.
    """

    load_wh: int
    target_wh: int
    certificates: int
    allocated_wh: int

    @property
    def residual_wh(self) -> int:
        """Load that nothing covers."""
        return self.load_wh - self.allocated_wh


def target_certificates(load_wh: int, share: Decimal) -> tuple[int, int]:
    """Return the target in watt-hours and the whole certificates for it (R4).

    Raises:
        ValueError: when the share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError("a target share lies between 0 and 1")
    target = int(round_money(multiply_exactly(load_wh, share), 0))
    return target, certificates_for(target)


def match_target(load_wh: int, *, share: Decimal, retired: int | None = None) -> TargetMatch:
    """Allocate all retired energy up to the load (R4).

    Args:
        load_wh: facility energy of the claim.
        share: target share of it.
        retired: certificates actually retired; as many as the target needs when not given.
    """
    target, needed = target_certificates(load_wh, share)
    count = needed if retired is None else retired
    return TargetMatch(load_wh, target, count, min(load_wh, count * WH_PER_CERTIFICATE))


@dataclass(frozen=True, slots=True)
class MarketStatement:
    """Market-based emissions of one subject over its slots (R5, R6).

    Attributes:
        load_wh: facility energy.
        matched_wh: covered by certificates.
        residual_wh: the rest.
        excess_wh: green energy that counted nothing.
        certificates: whole certificates for the matched energy.
        grams: exact market-based emissions.
    """

    load_wh: int
    matched_wh: int
    residual_wh: int
    excess_wh: int
    certificates: int
    grams: Decimal

    @property
    def tonnes(self) -> Decimal:
        """Market-based tonnes, 6 decimals, half-up once."""
        return tonnes_of(self.grams)

    @property
    def green_share(self) -> Decimal | None:
        """Matched per facility energy, 4 decimals; nothing without load."""
        return _ratio(self.matched_wh, self.load_wh)


def state_market_based(
    matches: Iterable[SlotMatch],
    *,
    residual_factor: Decimal,
    certificate_factor: Decimal = Decimal(0),
) -> MarketStatement:
    """Add up matched slots; factors are kg/kWh, so watt-hours times a factor are grams (R5)."""
    rows = list(matches)
    matched = sum(row.matched_wh for row in rows)
    residual = sum(row.residual_wh for row in rows)
    return MarketStatement(
        load_wh=matched + residual,
        matched_wh=matched,
        residual_wh=residual,
        excess_wh=sum(row.excess_wh for row in rows),
        certificates=certificates_for(matched),
        grams=market_grams(
            residual,
            matched,
            residual_factor=residual_factor,
            certificate_factor=certificate_factor,
        ),
    )


def market_grams(
    residual_wh: int,
    matched_wh: int,
    *,
    residual_factor: Decimal,
    certificate_factor: Decimal = Decimal(0),
) -> Decimal:
    """Return exact market-based grams (R5)."""
    return add_exactly(
        [
            multiply_exactly(residual_wh, residual_factor),
            multiply_exactly(matched_wh, certificate_factor),
        ]
    )


def cfe_score(slots: Iterable[tuple[SlotMatch, Decimal]]) -> Decimal | None:
    """Return the carbon-free share (R6): matched plus the grid's share of the rest, 4 decimals.

    Args:
        slots: matches with the grid's carbon-free share of the slot, 0 to 1.
    """
    rows = list(slots)
    free = add_exactly(
        add_exactly([Decimal(row.matched_wh), multiply_exactly(row.residual_wh, share)])
        for row, share in rows
    )
    return _ratio(free, sum(row.load_wh for row, _ in rows))


def match_arrays(
    load_wh: NDArray[np.int64], green_wh: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match many slots at once; return matched and residual watt-hours, the same as `SlotMatch`.

    Raises:
        ValueError: when the shapes differ, an energy is below zero or the type is not int64.
    """
    if load_wh.shape != green_wh.shape:
        raise ValueError("load and green energy differ in their slots")
    if load_wh.dtype != np.int64 or green_wh.dtype != np.int64:
        raise ValueError("watt-hours are whole numbers of 64 bits")
    if load_wh.size and min(int(load_wh.min()), int(green_wh.min())) < 0:
        raise ValueError("energy is never below zero")
    matched = np.minimum(load_wh, green_wh)
    return matched, load_wh - matched


def _ratio(part: Decimal | int, whole: int) -> Decimal | None:
    return round_quotient(Decimal(part), whole, RATIO_PLACES) if whole else None
