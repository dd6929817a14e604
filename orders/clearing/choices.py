"""Choices of indivisible orders: cleared, changed and kept where they are better and valid."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from orders.clearing.placement import place_singles
from orders.clearing.quantities import fits_whole_lots, whole_lots
from orders.clearing.state import Book, Choice, Outcome, clear_choice

UNLIMITED = 10**9
_BETTER = 1e-9

Progress = Callable[[float], None]


@dataclass
class Chooser:
    """The best valid outcome so far and what is left to spend.

    Attributes:
        book: the auction.
        best: the best valid outcome; at first the one with every block rejected.
        trials: how many more choices may be cleared.
        progress: told the welfare of each better valid outcome.
        tried: the choices that were cleared.
    """

    book: Book
    best: Outcome
    trials: int
    progress: Progress | None = None
    tried: set[tuple[tuple[int, Decimal], ...]] = field(default_factory=set)

    def take(self, outcome: Outcome | None) -> bool:
        """Keep an outcome that is better and can be served in whole lots."""
        if outcome is None or not is_better(outcome.welfare, self.best.welfare):
            return False
        if not fits_whole_lots(self.book, outcome):
            return False
        # What fitted a listing exactly may not in the lots that are published.
        if place_singles(self.book, outcome, whole_lots(self.book, outcome)).failed:
            return False
        self.best = outcome
        if self.progress is not None:
            self.progress(outcome.welfare)
        return True

    def unplaced(self, outcome: Outcome) -> tuple[int, ...]:
        """Return the singles no listing can serve."""
        return place_singles(self.book, outcome).failed

    def first_clearable(self, selection: dict[int, Decimal]) -> Choice | None:
        """Drop from the end until the choice can be served at all."""
        while selection:
            choice = self.clear(selection, None, again=True)
            if choice is not None:
                return choice
            selection = self.without(selection, max(selection))
        return None

    def clear(
        self, selection: dict[int, Decimal], near: Choice | None, *, again: bool = False
    ) -> Choice | None:
        """Clear a changed choice, which is one trial; what was tried is tried again on demand."""
        key = tuple(sorted(selection.items()))
        if self.trials <= 0 or (key in self.tried and not again):
            return None
        self.tried.add(key)
        self.trials -= 1
        return clear_choice(self.book, selection, near)

    def without(self, selection: dict[int, Decimal], *numbers: int) -> dict[int, Decimal]:
        """Return a selection without some candidates and everything linked below them."""
        blocks = self.book.market.auction.blocks
        gone = {blocks[self.book.candidates[k].order].order_id for k in numbers}
        out = dict(selection)
        for number in numbers:
            out.pop(number, None)
        parents = {k: blocks[self.book.candidates[k].order].parent_order_id for k in out}
        linked = sorted(k for k, parent in parents.items() if parent is not None)
        changed = True
        while changed:
            changed = False
            for k in linked:
                if k in out and parents[k] in gone:
                    gone.add(blocks[self.book.candidates[k].order].order_id)
                    del out[k]
                    changed = True
        return out

    def linked(self, selection: dict[int, Decimal]) -> dict[int, Decimal]:
        """Return a selection without orders whose parents are not in it."""
        blocks = self.book.market.auction.blocks
        orders = {k: blocks[self.book.candidates[k].order] for k in selection}
        known = {order.order_id for order in orders.values()} | {None}
        orphans = [k for k, order in orders.items() if order.parent_order_id not in known]
        return self.without(selection, *orphans) if orphans else selection

    def with_whole(self, selection: dict[int, Decimal], number: int) -> dict[int, Decimal]:
        """Return a selection with a candidate whole, instead of others of its order."""
        order = self.book.candidates[number].order
        kept = {k: r for k, r in selection.items() if self.book.candidates[k].order != order}
        return {**kept, number: Decimal(1)}

    def is_settled(self, outcome: Outcome) -> bool:
        """Whether nobody who is left out, or accepted in part, would gain more at the prices.

        Everybody then has what is best for him at them: no choice has a higher welfare. An order at
        a place without a price may yet be the one that makes one.
        """
        if outcome.prices is None:
            return False
        surplus, priced = self.book.table.published_surplus(outcome.prices)
        ratios = self.book.table.ratios(outcome.selection)
        return not np.any(((surplus > 0) | ~priced) & (ratios < 1))

    def tempting(self, outcome: Outcome) -> list[int]:
        """Return candidates that would gain at the prices and are not accepted, best first."""
        if outcome.prices is None:
            return []
        surplus, priced = self.book.table.published_surplus(outcome.prices)
        blocks = self.book.market.auction.blocks
        taken = {self.book.candidates[k].order: k for k in outcome.selection}
        whole = {
            blocks[self.book.candidates[k].order].order_id
            for k, ratio in outcome.selection.items()
            if ratio == 1
        }
        found = []
        for number in np.flatnonzero(priced & (surplus > 0)).tolist():
            candidate = self.book.candidates[number]
            other = taken.get(candidate.order)
            if other == number:
                continue
            parent = blocks[candidate.order].parent_order_id
            if parent is None or parent in whole:
                # Other options of an order that is served come last.
                found.append((other is not None, -round(float(surplus[number]), 6), number))
        return [number for _, _, number in sorted(found)]


def is_better(welfare: float, than: float) -> bool:
    """Whether a welfare is higher by more than rounding."""
    return welfare > than + _BETTER * abs(than)
