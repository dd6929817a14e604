"""Uniform prices: the admissible vector nearest the cells' own midpoints, blocks included."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from orders.clearing.nearest_point import Conditions, nearest_point
from orders.clearing.price_system import Affine, PriceSystem, PriceVector
from orders.clearing.types import BoolArray, FloatArray, IntArray

# Unknowns without a target stay near the linear programme's dual; rents stay small.
_ANCHOR_WEIGHT = 1e-6
_MAX_ROUNDS = 40
_PINNED = 1e-9
_MISSED = 1e-7


@dataclass(frozen=True)
class PriceDemand:
    """Σ weight × price ≤ limit over several periods (or =): what an accepted block asks of prices.

    `terms` are (period, affine price, weight).
    """

    terms: tuple[tuple[int, Affine, float], ...]
    limit: float
    equal: bool = False


def price_periods(
    systems: Sequence[PriceSystem],
    broken: Callable[[Sequence[FloatArray]], list[PriceDemand]] | None = None,
) -> list[FloatArray] | None:
    """Return the unknowns of every period's system, or None if no admissible vector exists.

    Periods are solved alone first; those that demands touch are solved together only when the
    answers alone break a demand.

    Args:
        systems: one by period.
        broken: which demands given unknowns break.
    """
    found = []
    for system in systems:
        if not system.solved_alone:
            system.alone = _price_one(system)
            system.solved_alone = True
        if system.alone is None:
            return None
        found.append(system.alone)
    wanted: list[PriceDemand] = []
    for _ in range(_MAX_ROUNDS):
        more = [] if broken is None else [d for d in broken(found) if d not in wanted]
        if not more:
            return found
        wanted += more
        joint = _price_jointly(systems, found, wanted)
        if joint is None:
            return None
        found = joint
    return None


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
    systems: Sequence[PriceSystem], found: Sequence[FloatArray], demands: Sequence[PriceDemand]
) -> list[FloatArray] | None:
    """Solve the unknowns that some demands tie together, leaving all others as they are."""
    if not all(system.consistent for system in systems):
        return None
    starts = np.cumsum([0, *(system.unknowns for system in systems)])
    alone = np.concatenate(found)
    for _ in range(_MAX_ROUNDS):
        x = _solve_tied(systems, demands, starts, alone)
        if x is None:
            return None
        parts = np.split(x, starts[1:-1])
        touched = [k for k, part in enumerate(parts) if not np.array_equal(part, found[k])]
        added = [systems[k].add_broken_conditions(parts[k]) for k in touched]
        if not any(added):
            return list(parts)
    return None


def _solve(systems: Sequence[PriceSystem], demands: Sequence[PriceDemand]) -> FloatArray | None:
    starts = np.cumsum([0, *(system.unknowns for system in systems)])
    return _solve_rows(systems, starts, _all_rows(systems, demands, starts), None, None)


def _solve_tied(
    systems: Sequence[PriceSystem],
    demands: Sequence[PriceDemand],
    starts: IntArray,
    alone: FloatArray,
) -> FloatArray | None:
    rows = _all_rows(systems, demands, starts)
    group = _groups(rows, int(starts[-1]))
    tied = {group[k] for terms, _, _ in rows[len(rows) - len(demands) :] for k, _ in terms}
    chosen = np.array([group[k] in tied for k in range(int(starts[-1]))], dtype=bool)
    return _solve_rows(systems, starts, rows, chosen, alone)


_Row = tuple[list[tuple[int, float]], float, bool]


def _all_rows(
    systems: Sequence[PriceSystem], demands: Sequence[PriceDemand], starts: IntArray
) -> list[_Row]:
    rows: list[_Row] = []
    for start, system in zip(starts.tolist(), systems, strict=False):
        for condition in system.conditions:
            terms = [(start + k, c) for k, c in condition.terms]
            rows.append((terms, condition.limit, condition.equal))
    return rows + [_demand_row(demand, starts) for demand in demands]


def _groups(rows: Sequence[_Row], count: int) -> list[int]:
    """Return for every unknown a representative of those that rows connect it with."""
    root = list(range(count))

    def find(k: int) -> int:
        while root[k] != k:
            root[k] = root[root[k]]
            k = root[k]
        return k

    for terms, _, _ in rows:
        for k, _ in terms[1:]:
            root[find(k)] = find(terms[0][0])
    return [find(k) for k in range(count)]


def _solve_rows(
    systems: Sequence[PriceSystem],
    starts: IntArray,
    rows: Sequence[_Row],
    chosen: BoolArray | None,
    alone: FloatArray | None,
) -> FloatArray | None:
    objectives = [_objective(system) for system in systems]
    weights = np.concatenate([hessian for hessian, _ in objectives])
    target = -np.concatenate([slope for _, slope in objectives]) / weights
    lower = np.concatenate([np.array(system.lower, dtype=float) for system in systems])
    upper = np.concatenate([np.array(system.upper, dtype=float) for system in systems])
    if chosen is None or alone is None:
        chosen, alone = np.ones(int(starts[-1]), dtype=bool), np.zeros(int(starts[-1]))
    # Unknowns without any room are constants of the conditions they stand in.
    pinned = chosen & (upper - lower <= _PINNED)
    fixed = np.where(pinned, lower, 0.0)
    chosen = chosen & ~pinned
    place = np.cumsum(chosen) - 1
    kept: list[_Row] = []
    for terms, limit, equal in rows:
        if not terms or not (chosen[terms[0][0]] or pinned[terms[0][0]]):
            continue
        free = [(int(place[k]), c) for k, c in terms if chosen[k]]
        limit -= sum(c * float(fixed[k]) for k, c in terms if not chosen[k])
        if free:
            kept.append((free, limit, equal))
        elif limit < -_MISSED or (equal and limit > _MISSED):
            return None
    x = np.where(pinned, lower, alone)
    if chosen.any():
        conditions = _conditions(kept, lower[chosen], upper[chosen])
        part = nearest_point(weights[chosen], target[chosen], conditions)
        if part is None:
            return None
        x[chosen] = np.clip(part, lower[chosen], upper[chosen])
    return x


def _conditions(found: Sequence[_Row], lower: FloatArray, upper: FloatArray) -> Conditions:
    count = len(lower)
    rows = np.zeros((len(found), count))
    for number, (terms, _, _) in enumerate(found):
        for unknown, coefficient in terms:
            rows[number, unknown] += coefficient
    limits = np.array([limit for _, limit, _ in found], dtype=float)
    pinned = upper - lower <= _PINNED
    low, high = np.isfinite(lower), np.isfinite(upper) & ~pinned
    identity = np.eye(count)
    equal = [
        np.array([row[2] for row in found], dtype=bool),
        pinned[low],
        np.zeros(int(high.sum()), dtype=bool),
    ]
    return Conditions(
        rows=np.concatenate([-rows, identity[low], -identity[high]]),
        limits=np.concatenate([-limits, lower[low], -upper[high]]),
        equal=np.concatenate(equal),
    )


def _demand_row(demand: PriceDemand, starts: IntArray) -> _Row:
    limit = demand.limit
    terms: dict[int, float] = {}
    for period, affine, weight in demand.terms:
        limit -= weight * affine.constant
        for k, c in affine.terms:
            unknown = int(starts[period]) + k
            terms[unknown] = terms.get(unknown, 0.0) + weight * c
    scale = max((abs(c) for c in terms.values()), default=1.0) or 1.0
    return [(k, c / scale) for k, c in terms.items()], limit / scale, demand.equal


def prices_of(systems: Sequence[PriceSystem], found: Sequence[FloatArray]) -> list[PriceVector]:
    """Return the price vectors of all periods at their unknowns."""
    return [system.prices(x) for system, x in zip(systems, found, strict=True)]
