"""Ways to serve a flexible or interruptible order."""

from typing import NamedTuple

Profile = tuple[tuple[int, int], ...]


class Column(NamedTuple):
    """One way to serve an order whole: (period, lots) at a node.

    The node is where the order consumes; for a placement on one listing, where that sells.
    """

    order: int
    profile: Profile
    node: int


class PricedColumn(NamedTuple):
    """A column and its surplus in money at the prices it was made for."""

    surplus: float
    column: Column
