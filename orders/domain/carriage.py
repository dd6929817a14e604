"""Laying the tariffs of a network on the trades that used it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

_NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True)
class Parcel:
    """Units of one product and period that are carried the same way at the same prices.

    Attributes:
        units: unit-periods.
        spread: what the buyer pays less what the seller gets, CNY per unit and period.
        tariff: tariff of the market's route, CNY per unit and period.
    """

    units: Fraction
    spread: Fraction
    tariff: Fraction


def share_tariffs(parcels: Sequence[Parcel], due: Fraction) -> list[Fraction]:
    """Return each parcel's tariff per unit and period; times the units they add up to `due`.

    A parcel bears the tariff of its route, at most its spread. What these leave open is taken from
    the spreads that are left, in their proportion; what they exceed is scaled down. So nobody's
    congestion rent is below zero as long as the spreads cover what is due and none is negative.
    Where they do not, the missing part is laid on the units evenly.
    """
    rooms = [max(parcel.spread, _NOTHING) for parcel in parcels]
    borne = [min(p.tariff, room) for p, room in zip(parcels, rooms, strict=True)]
    total = _sum(parcels, borne)
    if total >= due:
        return [rate * due / total for rate in borne] if total else [_NOTHING] * len(parcels)
    left = [room - rate for room, rate in zip(rooms, borne, strict=True)]
    space, missing = _sum(parcels, left), due - total
    taken = min(space, missing)
    share = taken / space if space else _NOTHING
    units = sum((parcel.units for parcel in parcels), _NOTHING)
    flat = (missing - taken) / units if units else _NOTHING
    return [rate + room * share + flat for rate, room in zip(borne, left, strict=True)]


def _sum(parcels: Sequence[Parcel], rates: Sequence[Fraction]) -> Fraction:
    pairs = zip(parcels, rates, strict=True)
    return sum((parcel.units * rate for parcel, rate in pairs), _NOTHING)
