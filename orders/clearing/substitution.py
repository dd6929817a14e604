"""Equalities of one or two unknowns, solved by substitution before anything else.

Most equalities among prices say that two prices differ by a tariff, or that a price is known. Each
unknown becomes `factor × representative + shift`; the sum of squares keeps its form.
"""

from dataclasses import dataclass

import numpy as np

from orders.clearing.types import BoolArray, FloatArray, IntArray

_NOTHING = 1e-12
_FIXED = -1


@dataclass(frozen=True, eq=False)
class Substitution:
    """x = spread · z + shift, and the numbers of the conditions that are left."""

    spread: FloatArray
    shift: FloatArray
    rows: IntArray


class _Links:
    """Which unknown stands for which while equalities are taken in."""

    def __init__(self, count: int) -> None:
        self.root = np.arange(count)
        self.factor = np.ones(count)
        self.shift = np.zeros(count)

    def reduce(self, row: FloatArray, limit: float) -> tuple[dict[int, float], float]:
        """Write row · x = limit in representatives."""
        terms: dict[int, float] = {}
        for unknown in np.flatnonzero(row).tolist():
            limit -= float(row[unknown] * self.shift[unknown])
            root = int(self.root[unknown])
            if root != _FIXED:
                terms[root] = terms.get(root, 0.0) + float(row[unknown] * self.factor[unknown])
        return {root: c for root, c in terms.items() if abs(c) > _NOTHING}, limit

    def take_in(self, terms: dict[int, float], limit: float) -> None:
        """Solve an equality of at most two representatives for the later one."""
        if len(terms) == 1:
            ((root, coefficient),) = terms.items()
            self._fix(root, limit / coefficient)
        elif terms:
            (root, first), (other, second) = sorted(terms.items(), reverse=True)
            self._join(root, other, -second / first, limit / first)

    def _fix(self, root: int, value: float) -> None:
        members = self.root == root
        self.shift[members] += self.factor[members] * value
        self.factor[members] = 0.0
        self.root[members] = _FIXED

    def _join(self, root: int, other: int, factor: float, shift: float) -> None:
        members = self.root == root
        self.shift[members] += self.factor[members] * shift
        self.factor[members] *= factor
        self.root[members] = other

    def spread(self) -> FloatArray:
        """Return the matrix from representatives to unknowns."""
        known = self.root != _FIXED
        roots = np.unique(self.root[known])
        found = np.zeros((len(self.root), len(roots)))
        found[np.flatnonzero(known), np.searchsorted(roots, self.root[known])] = self.factor[known]
        return found


def substitute(
    rows: FloatArray, limits: FloatArray, equal: BoolArray, *, tolerance: float
) -> Substitution | None:
    """Take in every equality that leaves one or two unknowns; None if they contradict each other.

    Args:
        rows: conditions, one a row.
        limits: their right-hand sides.
        equal: which of them are equalities.
        tolerance: by how much an equality without unknowns may be missed.
    """
    links = _Links(rows.shape[1])
    waiting = np.flatnonzero(equal).tolist()
    while True:
        left = []
        for number in waiting:
            terms, limit = links.reduce(rows[number], float(limits[number]))
            if len(terms) > 2:
                left.append(number)
            elif not terms and abs(limit) > tolerance:
                return None
            else:
                links.take_in(terms, limit)
        if len(left) == len(waiting):
            break
        waiting = left
    kept = np.sort(np.r_[np.flatnonzero(~equal), np.array(left, dtype=np.int64)])
    return Substitution(links.spread(), links.shift, kept)
