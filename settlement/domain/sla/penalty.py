"""Penalties for short service, by rule from what was metered.

Every period of a delivery falls in one class at most, the first that fits:

- **late**: it began before the hand-over, and the hand-over came later than the grace allows;
- **lost**: nothing of it was delivered;
- **short**: less than the threshold's share of its units was delivered.

A period costs its rate × the units missing × its hours × the buyer's price; of a late period all
units count as missing. The exact sum is rounded once, half-up to the fen, and cut at the cap: a
share of what the delivery is worth as contracted, rounded down. Worked example:
`docs/explanation/sla.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_money
from marketplace.domain.units import unit_hours

FORMULA_VERSION = "sla-1"


class ShortfallKind(StrEnum):
    """Why a period costs a penalty."""

    LATE = "late"
    LOST = "lost"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    """What was promised, as shares between 0 and 1.

    Attributes:
        late_minutes: minutes a hand-over may be late.
        short_threshold: share of a period's units below which it is short.
        late_rate: penalty on the value of a late period.
        short_rate: penalty on the value missing in a short period.
        lost_rate: penalty on the value of a lost period.
        cap_share: most that a delivery can cost, as share of its contracted value.
    """

    late_minutes: int
    short_threshold: Decimal
    late_rate: Decimal
    short_rate: Decimal
    lost_rate: Decimal
    cap_share: Decimal

    def rate_of(self, kind: ShortfallKind) -> Decimal:
        """Return the penalty rate of a class."""
        rates = {
            ShortfallKind.LATE: self.late_rate,
            ShortfallKind.LOST: self.lost_rate,
            ShortfallKind.SHORT: self.short_rate,
        }
        return rates[kind]


@dataclass(frozen=True, slots=True)
class ServedPeriod:
    """A period of a delivery: what was promised and what came, at the buyer's price."""

    starts_at: datetime
    ends_at: datetime
    promised: Decimal
    delivered: Decimal
    price: Decimal

    @property
    def minutes(self) -> int:
        """Length."""
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)

    def value_of(self, units: Decimal) -> Decimal:
        """Return the exact value of units over the period."""
        return multiply_exactly(unit_hours(units, period_minutes=self.minutes), self.price)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A period that costs a penalty, exactly."""

    period: ServedPeriod
    kind: ShortfallKind
    rate: Decimal
    penalty: Decimal


@dataclass(frozen=True, slots=True)
class PenaltyRating:
    """The penalty of a delivery with its arithmetic, CNY before tax."""

    promised_unit_hours: Decimal
    delivered_unit_hours: Decimal
    shortfalls: tuple[Shortfall, ...]
    uncapped: Decimal
    cap: Decimal

    @property
    def amount(self) -> Decimal:
        """What is due: never more than the cap."""
        return min(self.uncapped, self.cap)


def rate_penalty(
    periods: Sequence[ServedPeriod], *, terms: ServiceTerms, handed_over_at: datetime | None
) -> PenaltyRating:
    """Rate the service of one delivery; `delivered` never exceeds `promised`."""
    late_until = _late_until(periods, terms, handed_over_at)
    found = [_shortfall(period, terms, late_until) for period in periods]
    shortfalls = tuple(each for each in found if each is not None)
    contracted = add_exactly(period.value_of(period.promised) for period in periods)
    cap = multiply_exactly(contracted, terms.cap_share).quantize(Decimal("0.01"), ROUND_FLOOR)
    return PenaltyRating(
        promised_unit_hours=_hours(periods, "promised"),
        delivered_unit_hours=_hours(periods, "delivered"),
        shortfalls=shortfalls,
        uncapped=round_money(add_exactly(each.penalty for each in shortfalls)),
        cap=cap,
    )


def _late_until(
    periods: Sequence[ServedPeriod], terms: ServiceTerms, handed_over_at: datetime | None
) -> datetime | None:
    """Return the hand-over when it came later than the grace; one that never came is lost time."""
    if handed_over_at is None or not periods:
        return None
    starts_at = min(period.starts_at for period in periods)
    is_late = handed_over_at > starts_at + timedelta(minutes=terms.late_minutes)
    return handed_over_at if is_late else None


def _shortfall(
    period: ServedPeriod, terms: ServiceTerms, late_until: datetime | None
) -> Shortfall | None:
    kind = _kind(period, terms, late_until)
    if kind is None:
        return None
    missing = period.promised - period.delivered
    base = period.value_of(period.promised if kind is ShortfallKind.LATE else missing)
    rate = terms.rate_of(kind)
    return Shortfall(period, kind, rate, multiply_exactly(base, rate))


def _kind(
    period: ServedPeriod, terms: ServiceTerms, late_until: datetime | None
) -> ShortfallKind | None:
    if not period.promised:
        return None
    if late_until is not None and period.starts_at < late_until:
        return ShortfallKind.LATE
    if not period.delivered:
        return ShortfallKind.LOST
    if period.delivered < multiply_exactly(period.promised, terms.short_threshold):
        return ShortfallKind.SHORT
    return None


def _hours(periods: Sequence[ServedPeriod], what: str) -> Decimal:
    return add_exactly(
        unit_hours(getattr(period, what), period_minutes=period.minutes) for period in periods
    )
