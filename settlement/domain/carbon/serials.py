"""Inclusive serial ranges: split, merge, lowest first (R15), never overlapping (INV-02)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from settlement.domain.carbon.errors import InsufficientHeld, SerialRangeOverlap


@dataclass(frozen=True, slots=True, order=True)
class SerialRange:
    """Serials `first` to `last` of one batch, both inclusive.

    Raises:
        ValueError: when the range is empty or starts below zero.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.first < 0 or self.last < self.first:
            raise ValueError(f"{self.first}-{self.last} is no range of serials")

    @property
    def count(self) -> int:
        """How many units the range holds."""
        return self.last - self.first + 1

    def overlaps(self, other: SerialRange) -> bool:
        """Say whether the two share a serial."""
        return self.first <= other.last and other.first <= self.last

    def covers(self, other: SerialRange) -> bool:
        """Say whether every serial of the other is one of these."""
        return self.first <= other.first and other.last <= self.last

    def touches(self, other: SerialRange) -> bool:
        """Say whether the other follows or precedes without a gap."""
        return self.last + 1 == other.first or other.last + 1 == self.first

    def split_lowest(self, count: int) -> tuple[SerialRange, SerialRange | None]:
        """Return the lowest `count` serials and what is left above them.

        Raises:
            InsufficientHeld: the range is smaller than that.
            ValueError: when the count is not above zero.
        """
        if count <= 0:
            raise ValueError("at least one serial moves")
        if count > self.count:
            raise InsufficientHeld(asked=count, held=self.count)
        cut = self.first + count
        return SerialRange(self.first, cut - 1), (
            SerialRange(cut, self.last) if cut <= self.last else None
        )

    def without(self, part: SerialRange) -> list[SerialRange]:
        """Return what is left below and above a part.

        Raises:
            InsufficientHeld: the part reaches outside this range.
        """
        if not self.covers(part):
            raise InsufficientHeld(first=part.first, last=part.last)
        left = []
        if self.first < part.first:
            left.append(SerialRange(self.first, part.first - 1))
        if part.last < self.last:
            left.append(SerialRange(part.last + 1, self.last))
        return left

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def count_serials(ranges: Iterable[SerialRange]) -> int:
    """Return how many serials the ranges hold together."""
    return sum(item.count for item in ranges)


def check_disjoint(ranges: Iterable[SerialRange]) -> list[SerialRange]:
    """Return the ranges in order of their serials.

    Raises:
        SerialRangeOverlap: two of them share a serial.
    """
    ordered = sorted(ranges)
    for lower, upper in pairwise(ordered):
        if lower.overlaps(upper):
            raise SerialRangeOverlap(first=upper.first, last=upper.last)
    return ordered


def merge_ranges(ranges: Iterable[SerialRange]) -> list[SerialRange]:
    """Join adjacent ranges; the caller gives those of one batch, account and state (R15).

    Raises:
        SerialRangeOverlap: two of them share a serial.
    """
    merged: list[SerialRange] = []
    for item in check_disjoint(ranges):
        if merged and merged[-1].touches(item):
            merged[-1] = SerialRange(merged[-1].first, item.last)
        else:
            merged.append(item)
    return merged


def take_lowest(
    ranges: Sequence[SerialRange], count: int
) -> tuple[list[SerialRange], list[SerialRange]]:
    """Take the lowest serials of one batch (R15); return what was taken and what is left.

    Raises:
        InsufficientHeld: there are fewer than that.
        SerialRangeOverlap: two of the ranges share a serial.
        ValueError: when the count is below zero.
    """
    if count < 0:
        raise ValueError("a count is never below zero")
    ordered = check_disjoint(ranges)
    held = count_serials(ordered)
    if count > held:
        raise InsufficientHeld(asked=count, held=held)
    taken: list[SerialRange] = []
    left: list[SerialRange] = []
    for item in ordered:
        wanted = count - count_serials(taken)
        if not wanted:
            left.append(item)
            continue
        lower, upper = item.split_lowest(min(wanted, item.count))
        taken.append(lower)
        if upper is not None:
            left.append(upper)
    return merge_ranges(taken), merge_ranges(left)


def covers_exactly(whole: SerialRange, parts: Iterable[SerialRange]) -> bool:
    """Say whether the parts are disjoint and together exactly the whole (INV-02)."""
    try:
        return merge_ranges(parts) == [whole]
    except SerialRangeOverlap:
        return False
