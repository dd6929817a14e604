"""The point nearest a target within linear conditions: a dual active-set method.

After D. Goldfarb and A. Idnani, "A numerically stable dual method for solving strictly convex
quadratic programs", Mathematical Programming 27 (1983). Finite, deterministic, and exact to
rounding; it starts at the target and takes in one broken condition after the other. The factors of
the active conditions are updated, not made anew, so a step costs a few products of a matrix and a
vector.
"""

from dataclasses import dataclass

import numpy as np

from orders.clearing.substitution import substitute
from orders.clearing.types import BoolArray, FloatArray

_DEPENDENT = 1e-9
_MAX_STEPS = 5000
# By how many tolerances a condition may be missed that nothing can move any more.
_FIXED_MISS = 10
_BLOCK = 32


@dataclass(frozen=True, eq=False)
class Conditions:
    """Rows · x ≥ limits; equal rows hold with equality."""

    rows: FloatArray
    limits: FloatArray
    equal: BoolArray


def nearest_point(
    weights: FloatArray, target: FloatArray, conditions: Conditions, *, tolerance: float = 1e-8
) -> FloatArray | None:
    """Return x with the least Σ weights·(x − target)² that meets the conditions, None if none does.

    Args:
        weights: above zero, one per coordinate.
        target: where the unconstrained optimum lies.
        conditions: linear conditions; each row should be of size about one.
        tolerance: by how much a condition may be missed.
    """
    found = substitute(
        conditions.rows, conditions.limits, conditions.equal, tolerance=_FIXED_MISS * tolerance
    )
    if found is None:
        return None
    rows = conditions.rows[found.rows]
    limits = conditions.limits[found.rows] - rows @ found.shift
    part = Conditions(rows @ found.spread, limits, conditions.equal[found.rows])
    heavier = weights @ found.spread**2
    pull = found.spread.T @ (weights * (target - found.shift)) / heavier
    z = _nearest_free(heavier, pull, part, tolerance)
    return None if z is None else found.spread @ z + found.shift


def _nearest_free(
    weights: FloatArray, target: FloatArray, conditions: Conditions, tolerance: float
) -> FloatArray | None:
    """Take the equalities that are left out of the problem, and solve what they leave free."""
    scale = np.sqrt(weights)
    rows = conditions.rows / scale[None, :]
    frame = _free_space(rows, conditions, target * scale, tolerance)
    if frame is None:
        return None
    origin, directions = frame
    others = ~conditions.equal
    inner = rows[others] @ directions
    limits = conditions.limits[others] - rows[others] @ origin
    fixed = np.linalg.norm(inner, axis=1) <= _DEPENDENT
    if np.any(limits[fixed] > _FIXED_MISS * tolerance):
        return None
    step = _DualMethod(inner[~fixed], limits[~fixed], tolerance).solve()
    return None if step is None else (origin + directions @ step) / scale


def _free_space(
    rows: FloatArray, conditions: Conditions, target: FloatArray, tolerance: float
) -> tuple[FloatArray, FloatArray] | None:
    """Return the point of the equalities nearest the target and an orthonormal base around it."""
    count = len(target)
    equal = rows[conditions.equal]
    if not len(equal):
        return target, np.eye(count)
    left, size, right = np.linalg.svd(equal, full_matrices=True)
    rank = int(np.count_nonzero(size > _DEPENDENT * max(size[0], 1.0)))
    limits = conditions.limits[conditions.equal]
    inner = (left[:, :rank].T @ limits) / size[:rank]
    free = right[rank:].T
    origin = right[:rank].T @ inner + free @ (free.T @ target)
    if np.max(np.abs(equal @ origin - limits)) > _FIXED_MISS * tolerance:
        return None
    return origin, free


class _DualMethod:
    """The point nearest zero with rows · x ≥ limits."""

    def __init__(self, rows: FloatArray, limits: FloatArray, tolerance: float) -> None:
        self._rows = rows
        self._limits = limits
        self._tolerance = tolerance
        self._point = np.zeros(rows.shape[1])
        self._active: list[int] = []
        self._multipliers = np.zeros(0)
        # Orthonormal base of the active normals and its triangle: base @ triangle = normals.
        self._base = np.zeros((rows.shape[1], 0))
        self._triangle = np.zeros((0, 0))

    def solve(self) -> FloatArray | None:
        """Take in the most broken condition until all hold."""
        if not len(self._limits):
            return self._point
        for _ in range(_MAX_STEPS):
            gaps = self._limits - self._rows @ self._point
            worst = int(np.argmax(gaps))
            if gaps[worst] <= self._tolerance:
                return self._point
            if not self._take_in(worst):
                return None
        return None

    def _take_in(self, row: int) -> bool:
        """Move along the active conditions until the row holds; False if that is impossible."""
        normal, limit = self._rows[row], float(self._limits[row])
        own = 0.0
        size = float(np.linalg.norm(normal))
        while True:
            along, weight = self._split(normal)
            gap = limit - float(normal @ self._point)
            blocked = self._first_to_leave(weight)
            free = float(np.linalg.norm(along)) > _DEPENDENT * max(size, 1e-300)
            if not free and abs(gap) <= 10 * self._tolerance:
                return True
            full = gap / float(along @ normal) if free else np.inf
            most = np.inf
            if blocked is not None:
                most = float(self._multipliers[blocked] / weight[blocked])
            step = min(full, most)
            if not np.isfinite(step):
                return False
            if free:
                self._point = self._point + step * along
            self._multipliers = self._multipliers - step * weight
            own += step
            if step == full:
                self._enter(row, normal)
                self._multipliers = np.append(self._multipliers, own)
                return True
            self._leave(blocked)

    def _split(self, normal: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return what active conditions leave free of a normal, and their weights in it."""
        if not self._active:
            return normal, np.zeros(0)
        along, inner = self._project(normal)
        return along, _solve_upper(self._triangle, inner)

    def _project(self, normal: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Split a normal by the base; twice, since once loses digits when little is left."""
        inner = self._base.T @ normal
        along = normal - self._base @ inner
        again = self._base.T @ along
        return along - self._base @ again, inner + again

    def _enter(self, row: int, normal: FloatArray) -> None:
        """Append a condition to the active ones and its direction to the base."""
        along, inner = self._project(normal)
        length = float(np.linalg.norm(along))
        count = len(self._active)
        triangle = np.zeros((count + 1, count + 1))
        triangle[:count, :count] = self._triangle
        triangle[:count, count] = inner
        triangle[count, count] = length
        self._triangle = triangle
        self._base = np.column_stack([self._base, along / length])
        self._active.append(row)

    def _first_to_leave(self, weight: FloatArray) -> int | None:
        best: int | None = None
        for place in range(len(self._active)):
            if weight[place] <= 1e-12:
                continue
            ratio = self._multipliers[place] / weight[place]
            if best is None or ratio < self._multipliers[best] / weight[best]:
                best = place
        return best

    def _leave(self, place: int | None) -> None:
        """Take a condition out and rotate base and triangle back into shape."""
        if place is None:
            return
        del self._active[place]
        self._multipliers = np.delete(self._multipliers, place)
        triangle, base = np.delete(self._triangle, place, axis=1), self._base
        for k in range(place, len(self._active)):
            length = float(np.hypot(triangle[k, k], triangle[k + 1, k]))
            cosine, sine = triangle[k, k] / length, triangle[k + 1, k] / length
            turn = np.array([[cosine, sine], [-sine, cosine]])
            triangle[k : k + 2, k:] = turn @ triangle[k : k + 2, k:]
            base[:, k : k + 2] = base[:, k : k + 2] @ turn.T
        self._triangle = np.triu(triangle[:-1])
        self._base = np.ascontiguousarray(base[:, :-1])


def _solve_upper(triangle: FloatArray, right: FloatArray) -> FloatArray:
    """Solve with an upper triangle, from the last block of rows to the first.

    NumPy alone has no triangular solver, and its general one would factorise again.
    """
    x = right.copy()
    for end in range(len(x), 0, -_BLOCK):
        start = max(0, end - _BLOCK)
        x[start:end] = np.linalg.solve(triangle[start:end, start:end], x[start:end])
        x[:start] -= triangle[:start, start:end] @ x[start:end]
    return x
