"""Blocks: serials of one batch, inclusive; what every request about units names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from settlement.domain.carbon.errors import InsufficientHeld
from settlement.domain.carbon.serials import SerialRange, check_disjoint, merge_ranges, take_lowest


@dataclass(frozen=True, slots=True, order=True)
class UnitBlock:
    """Serials `first` to `last` of a batch, both inclusive.

    Attributes:
        batch_id: key of the batch.
        first: lowest serial.
        last: highest serial.
    """

    batch_id: int
    first: int
    last: int

    @property
    def serials(self) -> SerialRange:
        """The serials without their batch."""
        return SerialRange(self.first, self.last)

    @property
    def units(self) -> int:
        """How many units."""
        return self.last - self.first + 1


def count_units(blocks: Iterable[UnitBlock]) -> int:
    """Return how many units the blocks hold together."""
    return sum(block.units for block in blocks)


def tidy_blocks(blocks: Iterable[UnitBlock]) -> list[UnitBlock]:
    """Return blocks by batch and serial, adjacent ones joined (R15).

    Raises:
        SerialRangeOverlap: two blocks share a serial.
    """
    by_batch: dict[int, list[SerialRange]] = {}
    for block in blocks:
        by_batch.setdefault(block.batch_id, []).append(block.serials)
    return [
        UnitBlock(batch_id, part.first, part.last)
        for batch_id, parts in sorted(by_batch.items())
        for part in merge_ranges(check_disjoint(parts))
    ]


def choose_lowest(blocks: Sequence[UnitBlock], units: int) -> list[UnitBlock]:
    """Take so many units from blocks in the order given, the lowest serials of each batch (R15).

    Raises:
        InsufficientHeld: the blocks hold fewer.
        SerialRangeOverlap: two blocks of a batch share a serial.
    """
    if units > count_units(blocks):
        raise InsufficientHeld(asked=units, held=count_units(blocks))
    order = list(dict.fromkeys(block.batch_id for block in blocks))
    taken: list[UnitBlock] = []
    for batch_id in order:
        wanted = units - count_units(taken)
        ranges = [block.serials for block in blocks if block.batch_id == batch_id]
        held = sum(part.count for part in ranges)
        lowest, _ = take_lowest(ranges, min(wanted, held))
        taken.extend(UnitBlock(batch_id, part.first, part.last) for part in lowest)
    return taken
