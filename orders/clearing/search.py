"""From a proposed choice of blocks to the best valid one found within a count of trials."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from orders.clearing.block_orders import BlockProgramme, Relaxation
from orders.clearing.choices import UNLIMITED, Chooser, Progress, is_better
from orders.clearing.crowd import CrowdSearch
from orders.clearing.flexible_offers import FlexibleOffers
from orders.clearing.flexible_pricing import ColumnPricer
from orders.clearing.pricing import price_choice
from orders.clearing.relaxed_prices import relax_in_steps
from orders.clearing.state import Book, Choice, Outcome

DEFAULT_TRIALS = 300
# Rows of a period's programme up to which all the trials are made; of larger ones fewer.
_SMALL = 60
_LEAST_TRIALS = 30
_NODE_LIMIT = 500
# Beyond this many candidates nothing is solved over all periods at once.
_COUNTLESS = 8_000
_COUNTLESS_TRIALS = 8
# So many of them are made after a good start.
_ENOUGH_TRIALS = 3
# Losers that are tried for leaving at once, and orders that are tried for coming in.
_LEAVERS = 5
_COMERS = 40
_NEAR_WHOLE = 1e-6
_SHAKE = 0.3
# Rounds in which all losers leave, for an early answer.
_THINNINGS = 8
# Ratios a divisible loser is given in turn.
_EASINGS = 3
_ENOUGH = 1e-6
# Shakes in a row without success after which the search ends.
_PATIENCE = 12
# Flexible orders look for better ways so often, and get this part of the trials besides.
_LOOKS = 3
_LOOK_SHARE = 10
_LEAST_LOOK = 20
_SEED = 4


class Chosen(NamedTuple):
    """The best valid outcome found, its book, and the relaxed prices for the bound if any."""

    book: Book
    outcome: Outcome
    relaxation: Relaxation | None = None


def is_countless(book: Book, base: Outcome) -> bool:
    """Whether nothing should be solved over all periods at once.

    So it is with very many indivisible orders; and with any flexible ones where the network is
    large, since their ways come from such a programme, solved again and again.

    Args:
        book: the auction, its flexible orders not among the candidates.
        base: the outcome with every indivisible order rejected.
    """
    jobs = len(book.market.auction.flexibles)
    if len(book.candidates) + jobs > _COUNTLESS:
        return True
    return jobs > 0 and BlockProgramme(book, base.solutions, base.lots).is_large


def choose_in_crowd(
    book: Book, base: Outcome, trials: int | None = None, progress: Progress | None = None
) -> Chosen:
    """Return the best valid outcome found in a countless book.

    A relaxed programme of all of it takes minutes: its prices are approached in steps. Prices that
    would suit thousands of orders together are not looked for: losers leave.

    Args:
        book: the auction, its flexible orders not among the candidates.
        base: the outcome with every indivisible order rejected, which is always valid.
        trials: how many changed choices may be cleared; a sensible number where none is said.
        progress: told the welfare of each better valid outcome.
    """
    is_vast = len(book.candidates) + len(book.market.auction.flexibles) > _COUNTLESS
    usual = (_COUNTLESS_TRIALS, _ENOUGH_TRIALS) if is_vast else (_default_trials(book),) * 2
    most, enough = usual if trials is None else (trials, trials)
    pricer = ColumnPricer(book) if book.market.auction.flexibles else None
    relaxed = relax_in_steps(book, base, pricer)
    jobs = FlexibleOffers(relaxed.book, pricer)
    crowd = CrowdSearch(relaxed.book, base, most, progress, few=0, jobs=jobs)
    # Where few large orders spoil it for each other, all begins at the divisible orders' prices.
    crowd.run(relaxed.relaxation, least=(base.welfare + relaxed.bound) / 2, enough=enough)
    return Chosen(crowd.book, crowd.best, relaxed.relaxation)


def choose_blocks(
    book: Book, base: Outcome, trials: int | None = None, progress: Progress | None = None
) -> Chosen:
    """Return the best valid outcome found.

    Args:
        book: the auction, its flexible orders among the candidates.
        base: the outcome with every block rejected, which is always valid.
        trials: how many changed choices may be cleared after the first repair; a number that suits
            the book where none is said.
        progress: told the welfare of each better valid outcome.
    """
    if not book.candidates:
        return Chosen(book, base)
    most = _default_trials(book) if trials is None else trials
    programme = BlockProgramme(book, base.solutions, base.lots)
    relaxation = programme.relax()
    if relaxation is not None and programme.is_large:
        crowd = CrowdSearch(book, base, most, progress)
        crowd.run(relaxation)
        return Chosen(book, crowd.best, relaxation)
    search = _Search(book, base, most, progress, programme=programme)
    search.begin(relaxation)
    if not search.is_settled(search.best):
        search.improve(programme.most)
    search.look_again(base, max(_LEAST_LOOK, most // _LOOK_SHARE))
    return Chosen(search.book, search.best, relaxation)


def _default_trials(book: Book) -> int:
    """Return how many trials a book gets: larger ones fewer, since each costs more."""
    rows = len(book.market.nodes) + book.market.capacity.shape[0]
    most = min(DEFAULT_TRIALS, _LEAST_TRIALS + 4 * len(book.candidates))
    return max(_LEAST_TRIALS, min(most, DEFAULT_TRIALS * _SMALL // max(rows, 1)))


@dataclass(kw_only=True)
class _Search(Chooser):
    """Proposals of the programme, repaired, then changed order by order."""

    programme: BlockProgramme
    dice: np.random.Generator = field(default_factory=lambda: np.random.default_rng(_SEED))

    def begin(self, relaxation: Relaxation | None) -> None:
        """Make proposals valid; this much is done whatever the trials.

        First, for an early answer, what the relaxed programme takes whole less all that lose.
        The integer programme's own; the same without orders that lose at the relaxed prices, which
        it takes only to reach the minimum of others; and what the relaxed one takes whole. Each is
        repaired in two ways: the order that costs least is not always the one to blame. Where the
        early answer is settled, nothing is better and nothing else is tried.
        """
        kept, self.trials = self.trials, UNLIMITED
        if relaxation is not None:
            self.take(self._thinned(self._whole(relaxation)))
        settled = self.is_settled(self.best)
        for proposal in () if settled else self._proposals(relaxation):
            choice = self.first_clearable(dict(proposal))
            if choice is None:
                continue
            first = self._repair(choice, -np.inf, leavers=1)
            self.take(first)
            if first is not None and first.selection == choice.selection:
                break
            self.take(self._repair(choice, -np.inf, leavers=_LEAVERS))
        self.trials = kept

    def _proposals(self, relaxation: Relaxation | None) -> Iterator[dict[int, Decimal]]:
        yield self.programme.choose(_NODE_LIMIT)
        if relaxation is None:
            return
        table = self.book.table
        gain = table.surplus(relaxation.node_price, relaxation.rent)
        losing = np.flatnonzero(gain < -_NEAR_WHOLE * (1.0 + np.abs(table.worth)))
        if len(losing):
            yield self.programme.choose(_NODE_LIMIT, losing.tolist())
        yield self._whole(relaxation)

    @staticmethod
    def _whole(relaxation: Relaxation) -> dict[int, Decimal]:
        """Return what the relaxed programme accepts whole."""
        whole = np.flatnonzero(relaxation.ratios > 1 - _NEAR_WHOLE).tolist()
        return {k: Decimal(1) for k in whole}

    def _thinned(self, selection: dict[int, Decimal]) -> Outcome | None:
        """Drop everything that loses, all at once, until the rest is valid."""
        choice = self.first_clearable(selection)
        for _ in range(_THINNINGS):
            if choice is None:
                return None
            outcome = price_choice(self.book, choice)
            losers = outcome.losers if outcome.prices is None else self.unplaced(outcome)
            if not losers:
                return outcome if outcome.prices is not None else None
            left = self.without(choice.selection, *losers)
            choice = self.clear(left, choice, again=True) if left else None
        return None

    def improve(self, most: float) -> None:
        """Let tempting orders in, then shake the choice and try again, while trials last.

        Ends early where welfare is all that the integer programme holds possible.
        """
        enough = most - _ENOUGH * abs(most)
        if self.best.welfare < enough:
            self.take(self._climb(self.best))
        patience = most_patience = self._patience()
        while self.best.welfare < enough and patience > 0 and len(self.best.selection) > 1:
            start = self._shaken()
            better = start is not None and self.take(self._climb(start))
            patience = most_patience if better else patience - 1
            if self.trials <= 0:
                return

    def _patience(self) -> int:
        """Return how many shakes in a row may fail: more of them where more trials are given."""
        usual = min(_PATIENCE, len(self.book.candidates) // 8)
        return usual * max(1, self.trials // DEFAULT_TRIALS)

    def look_again(self, base: Outcome, trials: int) -> None:
        """Offer flexible orders their best ways at the prices found, while that makes it better.

        Args:
            base: the outcome with every indivisible order rejected.
            trials: how many changed choices may be cleared for it each time.
        """
        offers = FlexibleOffers(self.book)
        for _ in range(_LOOKS):
            book = offers.reconsidered(self.book, self.best)
            if book is self.book:
                return
            self.book = book
            self.programme = BlockProgramme(book, base.solutions, base.lots)
            self.trials = trials
            if not self.take(self._climb(self.best)):
                return

    # -- moves -----------------------------------------------------------------------------------

    def _climb(self, outcome: Outcome) -> Outcome:
        """Accept orders that are in the money one by one while the result gets better."""
        while self.trials > 0:
            better = self._insert(outcome)
            if better is None:
                break
            outcome = better
        return outcome

    def _insert(self, outcome: Outcome) -> Outcome | None:
        """Return the first better outcome with one more order, or another option of an order."""
        for number in self.tempting(outcome)[:_COMERS]:
            for selection in self._ways_in(outcome.selection, number):
                choice = self.clear(selection, outcome)
                if choice is None or not is_better(choice.welfare, outcome.welfare):
                    continue
                found = self._repair(choice, outcome.welfare, leavers=_LEAVERS)
                if found is not None and is_better(found.welfare, outcome.welfare):
                    return found
        return None

    def _ways_in(self, selection: dict[int, Decimal], number: int) -> Iterator[dict[int, Decimal]]:
        """Offer a candidate whole, at the ratio that suits the others, and at its minimum."""
        whole = self.with_whole(selection, number)
        yield whole
        least = self.book.candidates[number].min_acceptance
        if least < 1:
            ratio = self.programme.settle(whole, number)
            if ratio is not None and least < ratio < 1:
                yield {**whole, number: ratio}
            if least > 0:
                yield {**whole, number: least}

    def _shaken(self) -> Outcome | None:
        """Take some accepted orders out, the weak ones rather, and price what is left."""
        members = sorted(self.best.selection)
        count = int(self.dice.integers(1, max(2, round(_SHAKE * len(members))) + 1))
        selection = dict(self.best.selection)
        for number in self.dice.choice(members, size=min(count, len(members)), replace=False):
            if int(number) in selection:
                selection = self.without(selection, int(number))
        choice = self.clear(selection, self.best, again=True)
        return None if choice is None else self._repair(choice, -np.inf, leavers=1)

    # -- repair ----------------------------------------------------------------------------------

    def _repair(self, choice: Choice, floor: float, *, leavers: int) -> Outcome | None:
        """Drop orders, of the worst few each time the one that costs least, until all is valid.

        Returns None once welfare is no better than the floor.
        """
        eased: dict[int, int] = {}
        while choice.welfare > floor:
            outcome = price_choice(self.book, choice)
            losers = outcome.losers
            if outcome.prices is not None:
                losers = self.unplaced(outcome)
                if not losers:
                    return outcome
            following = self._eased(choice, losers[:leavers], eased)
            if following is None and choice.selection:
                worst = losers[:leavers] or (max(choice.selection),)
                following = self._least_costly(choice, worst)
            if following is None:
                return None
            choice = following
        return None

    def _eased(
        self, choice: Choice, losers: tuple[int, ...], eased: dict[int, int]
    ) -> Choice | None:
        """Give a divisible loser, one after the other, another ratio before it is dropped.

        The one that suits the others, where it is at the money; whole, since only parts must be
        exactly at the money; and its minimum, which a listing or the market may still hold.
        """
        for loser in losers:
            least, ratio = self.book.candidates[loser].min_acceptance, choice.selection[loser]
            while least < 1 and eased.get(loser, 0) < _EASINGS:
                eased[loser] = eased.get(loser, 0) + 1
                other = self._other_ratio(choice, loser, eased[loser])
                if other is None or other == ratio or other <= 0:
                    continue
                found = self.clear({**choice.selection, loser: other}, choice, again=True)
                if found is not None:
                    return found
        return None

    def _other_ratio(self, choice: Choice, loser: int, turn: int) -> Decimal | None:
        if turn == 1:
            return self.programme.settle(choice.selection, loser)
        return Decimal(1) if turn == 2 else self.book.candidates[loser].min_acceptance

    def _least_costly(self, choice: Choice, losers: tuple[int, ...]) -> Choice | None:
        found: Choice | None = None
        for loser in losers:
            other = self.clear(self.without(choice.selection, loser), choice, again=True)
            if other is not None and (found is None or other.welfare > found.welfare):
                found = other
        return found
