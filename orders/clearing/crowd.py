"""The search in books with very many indivisible orders, in and out by the dozen.

An integer programme over a national day proves nothing in useful time, and trying orders one by one
takes as many clearings as there are orders. The relaxed programme, which the bound needs anyway,
takes nearly all of them whole or not at all: what it takes whole is made valid, then orders that
would gain at the prices come in many at a time, fewer at a time where many spoil each other.
"""

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from orders.clearing.block_orders import Relaxation
from orders.clearing.choices import UNLIMITED, Chooser, is_better
from orders.clearing.crowd_room import Room, within_listings
from orders.clearing.flexible_offers import FlexibleOffers
from orders.clearing.pricing import price_choice
from orders.clearing.state import Choice, Outcome, missing_lots
from orders.clearing.types import FloatArray

_NEAR_WHOLE = 1e-6
_MOST_LEAVINGS = 24
# So few losers, as a share of what is accepted, leave at once where many orders share the gain.
_AT_ONCE = 0.005
# The first batch is this part of what is accepted, or of what is in the money when nothing is yet;
# a batch of the least size that is no better is given up.
_BATCH_SHARE = 48
_FIRST_SHARE = 8
_LEAST_BATCH = 1
_SMALLER = 3
_ANY = 10**9
# How often orders that nobody can serve are left out of a batch.
_MOST_SHORTAGES = 4


@dataclass(kw_only=True)
class CrowdSearch(Chooser):
    """From what the relaxed programme takes whole to a valid choice, then batch by batch.

    Attributes:
        few: more losers than this leave by halves, without asking for prices that suit them all.
        jobs: offers flexible orders ways at the prices of each choice; None where their ways are
            among the candidates.
        unplaceable: candidates that no listing could hold beside others; not tried again.
    """

    few: int = 3
    jobs: FlexibleOffers | None = None
    unplaceable: set[int] = field(default_factory=set)

    def run(self, relaxation: Relaxation, least: float = -np.inf, enough: int = UNLIMITED) -> None:
        """Find a valid choice and better ones while trials last.

        Args:
            relaxation: what it takes whole comes first.
            least: where that gets less welfare, all begins at the prices of the divisible orders.
            enough: after a start with no less, no more than so many trials are made.
        """
        current, found = self.best, []
        # A first valid choice is found whatever the trials; they count from there.
        batches, self.trials = self.trials, UNLIMITED
        start = self._made_valid(self._begun(relaxation), all_leave=True)
        if start is not None and start.welfare >= least and self.take(start):
            current, batches = start, min(batches, enough)
            found.append(start)
        self._offer(current, _ANY)
        size = len(current.selection) // _BATCH_SHARE
        size = size if found else len(self.tempting(current)) // _FIRST_SHARE
        size, given_up = max(_LEAST_BATCH, size), set[int]()
        # A trial is a batch, with all that leaves because of it.
        for _ in range(batches):
            batch = self._batch(current, size, given_up)
            if not batch:
                break
            choice = self._served(current, batch)
            # A batch that harms so many others is not worth making valid.
            is_worse = choice is not None and choice.welfare <= current.welfare
            better = None if is_worse else self._made_valid(choice)
            if better is not None and is_better(better.welfare, current.welfare):
                current = better
                found.append(better)
                self._offer(current, size)
            elif len(batch) > _LEAST_BATCH:
                size = max(_LEAST_BATCH, len(batch) // _SMALLER)
            else:
                given_up.update(batch)
        # What cannot be served in whole lots gives way to what was found before it.
        for outcome in reversed(found):
            if self.take(outcome) or outcome is self.best:
                break

    def _begun(self, relaxation: Relaxation) -> Choice | None:
        """Clear what the relaxed programme takes whole, less what cannot be had together."""
        gain = self.book.table.surplus(relaxation.node_price, relaxation.rent).round(6)
        whole = np.flatnonzero(relaxation.ratios > 1 - _NEAR_WHOLE)
        ranked = within_listings(self.book, whole[np.argsort(-gain[whole], kind="stable")].tolist())
        room = Room(self.book, self.best)
        fitting = [k for k in ranked if room.take(self.book.candidates[k])]
        selection = self.linked(dict.fromkeys(fitting, Decimal(1)))
        while selection:
            batch = {self.book.candidates[k].order: k for k in selection}
            choice = self._served(self.best, batch)
            if choice is not None and choice.selection:
                return choice
            selection = self.linked(dict(list(selection.items())[: len(selection) // 2]))
        return None

    def _served(self, outcome: Outcome, batch: dict[int, int]) -> Choice | None:
        """Clear a batch beside what is accepted, less what nobody could serve."""
        for _ in range(_MOST_SHORTAGES):
            selection = self.linked(self._joined(outcome, batch))
            choice = self.clear(selection, outcome)
            if choice is not None or not batch:
                return choice
            batch = self._less_what_is_missing(batch, missing_lots(self.book, selection))
        return None

    def _less_what_is_missing(self, batch: dict[int, int], missing: FloatArray) -> dict[int, int]:
        """Leave out the least tempting orders where lots are missing until none would be."""
        kept = dict(batch)
        for order, number in reversed(batch.items()):
            items = self.book.candidates[number].injections
            if any(missing[item.period, item.node] > _NEAR_WHOLE for item in items):
                del kept[order]
                for item in items:
                    missing[item.period, item.node] -= abs(item.lots)
        return kept if len(kept) < len(batch) else {}

    def _offer(self, outcome: Outcome, most: int) -> None:
        if self.jobs is not None:
            self.book = self.jobs.extended(self.book, outcome, most)

    def _batch(self, outcome: Outcome, size: int, given_up: set[int]) -> dict[int, int]:
        """Return the most tempting candidate of each of so many orders, by order."""
        batch: dict[int, int] = {}
        room = Room(self.book, outcome)
        for number in self.tempting(outcome):
            candidate = self.book.candidates[number]
            order = candidate.order
            if number in self.unplaceable or order in given_up or order in batch:
                continue
            if room.take(candidate):
                batch[order] = number
            if len(batch) == size:
                break
        return batch

    def _joined(self, outcome: Outcome, batch: dict[int, int]) -> dict[int, Decimal]:
        """Return the selection with a batch whole, instead of others of its orders."""
        kept = {
            k: ratio
            for k, ratio in outcome.selection.items()
            if self.book.candidates[k].order not in batch
        }
        return {**kept, **dict.fromkeys(batch.values(), Decimal(1))}

    def _made_valid(self, choice: Choice | None, *, all_leave: bool = False) -> Outcome | None:
        """Let losers leave, the worse half first or all at once, until nobody loses."""
        for _ in range(_MOST_LEAVINGS):
            if choice is None:
                return None
            outcome = price_choice(self.book, choice, most_losers=self.few)
            losers = outcome.losers
            if outcome.prices is not None:
                losers = self.unplaced(outcome)
                self.unplaceable.update(losers)
                if not losers:
                    return outcome
            if not losers:
                return None
            some = all_leave or len(losers) <= _AT_ONCE * len(choice.selection)
            count = len(losers) if some else (len(losers) + 1) // 2
            left = self.without(choice.selection, *losers[:count])
            choice = self.clear(left, choice, again=True) if left else None
        return None
