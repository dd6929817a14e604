"""Uniform prices: the admissible vector nearest the cells' own midpoints, block conditions included."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orders.clearing.nearest_point import Conditions, nearest_point
from orders.clearing.price_system import Affine, PriceSystem, PriceVector
from orders.clearing.types import FloatArray, IntArray

# Unknowns without a target stay near the linear programme's dual; rents stay small.
_ANCHOR_WEIGHT = 1e-6
_MAX_ROUNDS = 40
_TOLERANCE = 1e-7
_PINNED = 1e-9


@dataclass(frozen=True)
class PriceDemand:
    """Σ weight × price ≤ limit over several periods (or =): what an accepted block asks of prices.

    `terms` are (period, affine price, weight).
    """

    terms: tuple[tuple[int, Affine, float], ...]
    limit: float
    equal: bool = False


def price_periods(
    systems: Sequence[PriceSystem], demands: Sequence[PriceDemand] = ()
) -> list[FloatArray] | None:
    """Return the unknowns of every period's system, or None if no admissible vector exists.

    Periods are solved alone first; those that demands touch are solved together only when the
    answers alone break a demand.
    """
    found = []
    for system in systems:
        if not system.solved_alone:
            system.alone = _price_one(system)
            system.solved_alone = True
        if system.alone is None:
            return None
        found.append(system.alone)
    if all(_holds(demand, found) for demand in demands):
        return found
    together = sorted({period for demand in demands for period, _, _ in demand.terms})
    moved = [_moved(demand, {p: k for k, p in enumerate(together)}) for demand in demands]
    parts = _price_jointly([systems[period] for period in together], moved)
    if parts is None:
        return None
    for period, part in zip(together, parts, strict=True):
        found[period] = part
    return found


def _moved(demand: PriceDemand, place: dict[int, int]) -> PriceDemand:
    terms = tuple((place[period], affine, weight) for period, affine, weight in demand.terms)
    return PriceDemand(terms, demand.limit, demand.equal)


def _holds(demand: PriceDemand, found: Sequence[FloatArray]) -> bool:
    value = sum(weight * affine.value(found[period]) for period, affine, weight in demand.terms)
    scale = _TOLERANCE * (1.0 + abs(demand.limit))
    return abs(value - demand.limit) <= scale if demand.equal else value <= demand.limit + scale


def _price_one(system: PriceSystem) -> FloatArray | None:
    if not system.consistent:
        return None
    for _ in range(_MAX_ROUNDS):
        x = _boxed(system)
        if x is None:
            x = _solve([system], ())
        if x is None:
            return None
        if not system.add_broken_conditions(x):
            return x
    return x


def _boxed(system: PriceSystem) -> FloatArray | None:
    """Return the answer when the unknowns do not depend on each other, else None."""
    hessian, gradient = _objective(system)
    x = np.clip(-gradient / hessian, system.lower, system.upper)
    for condition in system.conditions:
        value = sum(c * x[k] for k, c in condition.terms)
        excess = abs(value - condition.limit) if condition.equal else value - condition.limit
        if excess > 1e-9:
            return None
    return x


def _objective(system: PriceSystem) -> tuple[FloatArray, FloatArray]:
    """Return the diagonal and gradient of Σ (unknown − target)² plus the weak anchors."""
    hessian = np.full(system.unknowns, 2 * _ANCHOR_WEIGHT)
    anchors = np.array(system.anchors, dtype=float)
    for unknown in system.rent_unknown.values():
        anchors[unknown] = 0.0
    gradient = -hessian * anchors
    for unknown, target in system.targets:
        hessian[unknown] += 2.0
        gradient[unknown] -= 2.0 * target
    return hessian, gradient


def _price_jointly(
    systems: Sequence[PriceSystem], demands: Sequence[PriceDemand]
) -> list[FloatArray] | None:
    if not all(system.consistent for system in systems):
        return None
    for _ in range(_MAX_ROUNDS):
        x = _solve(systems, demands)
        if x is None:
            return None
        parts = np.split(x, np.cumsum([system.unknowns for system in systems])[:-1])
        added = [
            system.add_broken_conditions(part) for system, part in zip(systems, parts, strict=True)
        ]
        if not any(added):
            return list(parts)
    return None


def _solve(systems: Sequence[PriceSystem], demands: Sequence[PriceDemand]) -> FloatArray | None:
    objectives = [_objective(system) for system in systems]
    weights = np.concatenate([hessian for hessian, _ in objectives])
    gradient = np.concatenate([slope for _, slope in objectives])
    lower = np.concatenate([np.array(system.lower, dtype=float) for system in systems])
    upper = np.concatenate([np.array(system.upper, dtype=float) for system in systems])
    conditions = _conditions(systems, demands, lower, upper)
    x = nearest_point(weights, -gradient / weights, conditions)
    return None if x is None else np.clip(x, lower, upper)


def _conditions(
    systems: Sequence[PriceSystem],
    demands: Sequence[PriceDemand],
    lower: FloatArray,
    upper: FloatArray,
) -> Conditions:
    starts = np.cumsum([0, *(system.unknowns for system in systems)])
    found: list[tuple[list[tuple[int, float]], float, bool]] = []
    for start, system in zip(starts, systems, strict=False):
        for condition in system.conditions:
            terms = [(int(start) + k, c) for k, c in condition.terms]
            found.append((terms, condition.limit, condition.equal))
    for demand in demands:
        found.append(_demand_row(demand, starts))
    count = len(lower)
    rows = np.zeros((len(found), count))
    for number, (terms, _, _) in enumerate(found):
        for unknown, coefficient in terms:
            rows[number, unknown] += coefficient
    limits = np.array([limit for _, limit, _ in found], dtype=float)
    pinned = upper - lower <= _PINNED
    low, high = np.isfinite(lower), np.isfinite(upper) & ~pinned
    identity = np.eye(count)
    equal = [np.array([row[2] for row in found], dtype=bool), pinned[low], np.zeros(high.sum(), bool)]
    return Conditions(
        rows=np.concatenate([-rows, identity[low], -identity[high]]),
        limits=np.concatenate([-limits, lower[low], -upper[high]]),
        equal=np.concatenate(equal),
    )


def _demand_row(
    demand: PriceDemand, starts: IntArray
) -> tuple[list[tuple[int, float]], float, bool]:
    limit = demand.limit
    terms: list[tuple[int, float]] = []
    for period, affine, weight in demand.terms:
        limit -= weight * affine.constant
        terms.extend((int(starts[period]) + k, weight * c) for k, c in affine.terms)
    scale = max((abs(c) for _, c in terms), default=1.0)
    return [(k, c / scale) for k, c in terms], limit / scale, demand.equal


def prices_of(systems: Sequence[PriceSystem], found: Sequence[FloatArray]) -> list[PriceVector]:
    """Return the price vectors of all periods at their unknowns."""
    return [system.prices(x) for system, x in zip(systems, found, strict=True)]
