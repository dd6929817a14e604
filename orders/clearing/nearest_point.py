"""The point nearest a target within linear conditions: a dual active-set method for small problems.

After D. Goldfarb and A. Idnani, "A numerically stable dual method for solving strictly convex quadratic
programs", Mathematical Programming 27 (1983). Finite, deterministic, and exact to rounding; it starts at
the target and takes in one broken condition after the other.
"""

from dataclasses import dataclass

import numpy as np

from orders.clearing.types import BoolArray, FloatArray

_DEPENDENT = 1e-9
_MAX_STEPS = 5000


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
        self._sign: list[float] = []
        self._multipliers = np.zeros(0)

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
                self._active.append(row)
                self._sign.append(sign)
                self._multipliers = np.append(self._multipliers, own)
                return True
            self._leave(blocked)

    def _split(self, normal: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the part of a normal that active conditions leave free, and their weights in it."""
        if not self._active:
            return normal, np.zeros(0)
        matrix = (self._rows[self._active] * np.array(self._sign)[:, None]).T
        base, triangle = np.linalg.qr(matrix)
        inner = base.T @ normal
        return normal - base @ inner, np.linalg.solve(triangle, inner)

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
        if place is not None:
            del self._active[place]
            del self._sign[place]
            self._multipliers = np.delete(self._multipliers, place)
