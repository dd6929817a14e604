"""From a proposed choice of blocks to the best valid one found within a count of trials."""

from decimal import Decimal

from orders.clearing.block_orders import BlockProgramme, Relaxation
from orders.clearing.placement import place_singles
from orders.clearing.pricing import evaluate
from orders.clearing.state import Book, Outcome, exact_surplus

DEFAULT_TRIALS = 12
_NODE_LIMIT = 500


def choose_blocks(book: Book, base: Outcome, trials: int) -> tuple[Outcome, Relaxation | None]:
    """Return the best valid outcome found, and the relaxed prices for the bound.

    Args:
        book: the auction.
        base: the outcome with every block rejected, which is always valid.
        trials: how many changed choices may be evaluated after the first repair.
    """
    if not book.candidates:
        return base, None
    programme = BlockProgramme(book, base.solutions, base.lots)
    relaxation = programme.relax()
    proposal = programme.choose(_NODE_LIMIT)
    best = base
    repaired = repair(book, proposal)
    if repaired is not None and repaired.welfare > best.welfare:
        best = repaired
    return _reinsert(book, best, trials), relaxation


def repair(book: Book, selection: dict[int, Decimal]) -> Outcome | None:
    """Drop losing orders, the worst first, until the choice is valid; None if nothing is left."""
    current = dict(selection)
    settled: set[int] = set()
    while current:
        outcome = evaluate(book, current)
        if outcome is None:
            _drop(book, current, max(current))
            continue
        if outcome.prices is not None:
            misplaced = place_singles(book, outcome).failed
            if not misplaced:
                return outcome
            _drop(book, current, misplaced[0])
            continue
        loser = outcome.losers[0] if outcome.losers else max(current)
        if (
            current[loser] not in (1, book.candidates[loser].min_acceptance)
            and loser not in settled
        ):
            # Part-filled blocks must be exactly at the money; whole or minimal ones need not.
            current[loser] = Decimal(1)
            settled.add(loser)
            continue
        _drop(book, current, loser)
    return None


def _drop(book: Book, selection: dict[int, Decimal], number: int) -> None:
    """Remove a candidate and everything linked below it."""
    blocks = book.market.auction.blocks
    gone = {blocks[book.candidates[number].order].order_id}
    del selection[number]
    changed = True
    while changed:
        changed = False
        for k in sorted(selection):
            if blocks[book.candidates[k].order].parent_order_id in gone:
                gone.add(blocks[book.candidates[k].order].order_id)
                del selection[k]
                changed = True


def _reinsert(book: Book, best: Outcome, trials: int) -> Outcome:
    """Try rejected orders that are in the money at the current prices, best surplus first."""
    tried: set[tuple[int, ...]] = set()
    while trials > 0:
        found = None
        for number in _tempting(book, best):
            choice = {**best.selection, number: Decimal(1)}
            key = tuple(sorted(choice))
            if key in tried or trials <= 0:
                continue
            tried.add(key)
            trials -= 1
            outcome = repair(book, choice)
            if outcome is not None and outcome.welfare > best.welfare + 1e-9 * abs(best.welfare):
                found = outcome
                break
        if found is None:
            return best
        best = found
    return best


def _tempting(book: Book, outcome: Outcome) -> list[int]:
    prices = outcome.prices
    if prices is None:
        return []
    blocks = book.market.auction.blocks
    taken = {book.candidates[k].order for k in outcome.selection}
    accepted = {
        blocks[book.candidates[k].order].order_id
        for k in outcome.selection
        if outcome.selection[k] == 1
    }
    found = []
    for number, candidate in enumerate(book.candidates):
        order = blocks[candidate.order]
        if candidate.order in taken:
            continue
        if order.parent_order_id is not None and order.parent_order_id not in accepted:
            continue
        if not all(prices.has_price(item.period, item.node) for item in candidate.injections):
            continue
        surplus = exact_surplus(book, number, Decimal(1), prices)
        if surplus > 0:
            found.append((-surplus, number))
    return [number for _, number in sorted(found)]
