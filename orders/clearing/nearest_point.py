"""The point nearest a target within linear conditions: a dual active-set method.

After D. Goldfarb and A. Idnani, "A numerically stable dual method for solving strictly convex
quadratic programs", Mathematical Programming 27 (1983). Finite, deterministic, and exact to
rounding; it starts at the target and takes in one broken condition after the other. The factors of
the active conditions are updated, not made anew, so a step costs a few products of a matrix and a
vector.
"""

from dataclasses import dataclass

import numpy as np

from orders.clearing.types import BoolArray, FloatArray

_DEPENDENT = 1e-9
_MAX_STEPS = 5000
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
    return _DualMethod(weights, target, conditions, tolerance).solve()


class _DualMethod:
    def __init__(
        self, weights: FloatArray, target: FloatArray, conditions: Conditions, tolerance: float
    ) -> None:
        self._scale = np.sqrt(weights)
        self._rows = conditions.rows / self._scale[None, :]
        self._limits = conditions.limits
        self._equal = conditions.equal
        self._tolerance = tolerance
        self._point = target * self._scale
        self._active: list[int] = []
        self._multipliers = np.zeros(0)
        # Orthonormal base of the active normals and its triangle: base @ triangle = normals.
        self._base = np.zeros((len(target), 0))
        self._triangle = np.zeros((0, 0))

    def solve(self) -> FloatArray | None:
        """Take in equalities first, then the most broken condition, until all hold."""
        for row in np.flatnonzero(self._equal).tolist():
            gap = self._limits[row] - float(self._rows[row] @ self._point)
            if not self._take_in(row, 1.0 if gap >= 0 else -1.0):
                return None
        for _ in range(_MAX_STEPS):
            if not len(self._limits):
                break
            gaps = self._limits - self._rows @ self._point
            gaps[self._equal] = -np.inf
            worst = int(np.argmax(gaps))
            if gaps[worst] <= self._tolerance:
                return self._point / self._scale
            if not self._take_in(worst, 1.0):
                return None
        return None if len(self._limits) else self._point / self._scale

    def _take_in(self, row: int, sign: float) -> bool:
        """Move along the active conditions until the row holds; False if that is impossible."""
        normal = sign * self._rows[row]
        limit = sign * self._limits[row]
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
        for place, row in enumerate(self._active):
            if self._equal[row] or weight[place] <= 1e-12:
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
