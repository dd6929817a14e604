"""Which indicative figures may be shown, and how coarsely."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

# With fewer members in a cell, a figure could tell what one of them does.
FEWEST_MEMBERS = 5
PRICE_TICKS = 10
QUANTITY_DIGITS = 2
ZERO = Decimal(0)


@dataclass
class CellBook:
    """What stands in the book for a product at a hub in a period.

    Prices are per unit and period or hour alike, as long as all are the same.
    """

    members: set[int] = field(default_factory=set)
    bids: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    asks: list[tuple[Decimal, Decimal]] = field(default_factory=list)

    def imbalance_at(self, price: Decimal) -> Decimal:
        """Return the units that bids take at a price minus those that asks give at it."""
        wanted = sum((units for limit, units in self.bids if limit >= price), ZERO)
        offered = sum((units for limit, units in self.asks if limit <= price), ZERO)
        return wanted - offered


@dataclass(frozen=True)
class Figures:
    """What may be published of a cell: rounded price, units, and signed difference."""

    price: Decimal | None
    volume: Decimal
    imbalance: Decimal


def join_books(books: Mapping[int, CellBook]) -> CellBook:
    """Return the books of several hubs as one."""
    joined = CellBook()
    for book in books.values():
        joined.members |= book.members
        joined.bids += book.bids
        joined.asks += book.asks
    return joined


def shown_hubs(books: Mapping[int, CellBook]) -> set[int]:
    """Return the hubs whose cell enough members stand in."""
    return {hub for hub, book in books.items() if len(book.members) >= FEWEST_MEMBERS}


def may_show_sum(books: Mapping[int, CellBook]) -> bool:
    """Tell whether the sum over all hubs may be shown beside the cells that are.

    Who subtracts the shown hubs from the sum learns about the hidden ones together: so those have
    to be empty, or of enough members themselves.
    """
    if len(join_books(books).members) < FEWEST_MEMBERS:
        return False
    shown = shown_hubs(books)
    hidden = join_books({hub: book for hub, book in books.items() if hub not in shown})
    return not hidden.members or len(hidden.members) >= FEWEST_MEMBERS


def rounded_price(price: Decimal, tick: Decimal) -> Decimal:
    """Return a price to the nearest ten order ticks."""
    step = tick * PRICE_TICKS
    return (price / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * step


def rounded_units(units: Decimal) -> Decimal:
    """Return units to two significant digits, with their sign."""
    if not units:
        return ZERO
    step = Decimal(1).scaleb(units.adjusted() - QUANTITY_DIGITS + 1)
    return (units / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * step
