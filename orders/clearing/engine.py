"""`clear`: from a frozen auction to a publishable result."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import localcontext
from time import perf_counter

from orders.clearing.block_orders import Relaxation
from orders.clearing.bound import (
    BoundVector,
    evaluate_bound,
    published_vector,
    supply_nodes_with_sellers,
    vector_of_relaxation,
)
from orders.clearing.bundle import bundle_sha256
from orders.clearing.choices import Progress
from orders.clearing.errors import SolverFailed
from orders.clearing.flexible_orders import offer_columns
from orders.clearing.market import build_market
from orders.clearing.parts import read_parts
from orders.clearing.placement import place_singles
from orders.clearing.pricing import evaluate
from orders.clearing.publication import Cleared, publish
from orders.clearing.quantities import whole_lots
from orders.clearing.search import choose_blocks, choose_in_crowd, is_countless
from orders.clearing.state import Book, Outcome, begin_periods, open_book
from orders.clearing.types import Auction, Result
from orders.clearing.validation import DECIMAL_DIGITS


@dataclass
class _Clock:
    """Seconds by stage; outside the comparison of results."""

    started: float
    stages: dict[str, float]

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self.stages[stage] = round(now - self.started, 6)
        self.started = now


def clear(
    auction: Auction, progress: Progress | None = None, parts: Sequence[bytes] = ()
) -> Result:
    """Clear an auction: prices, acceptances, assignments, flows, rents and the bound.

    The same auction gives the same result whatever the order of its rows; effort is limited by
    `work_limit` (trials of changed block choices), never by seconds.

    Args:
        auction: the frozen book.
        progress: told the welfare of the result without indivisible orders, then of each better
            valid result with some of them.
        parts: what `clear_part` gave for some of the periods; the result is the same without.

    Raises:
        PartRefused: a part is damaged, or of another book or engine.
        SolverFailed: the linear programme had no answer, which a valid auction never causes.
    """
    with localcontext() as context:
        context.prec = DECIMAL_DIGITS
        return _clear(auction, progress, parts)


def _clear(auction: Auction, progress: Progress | None, parts: Sequence[bytes]) -> Result:
    clock = _Clock(perf_counter(), {})
    plain = open_book(build_market(auction))
    clock.lap("model")
    sha256 = bundle_sha256(auction) if parts else ""
    begin_periods(plain, read_parts(parts, plain, sha256))
    base = evaluate(plain, {})
    if base is None or base.prices is None:
        raise SolverFailed("the divisible orders have no admissible prices")
    clock.lap("divisible_orders")
    if progress is not None:
        progress(base.welfare)
    limit, offered = auction.terms.work_limit, None
    if is_countless(plain, base):
        chosen = choose_in_crowd(plain, base, limit, progress)
    else:
        book, offered = offer_columns(plain, base)
        clock.lap("flexible_orders")
        chosen = choose_blocks(book, base, limit, progress)
    book, final = chosen.book, chosen.outcome
    clock.lap("block_orders")
    lots = whole_lots(book, final)
    placements = place_singles(book, final, lots)
    clock.lap("quantities")
    bound = _best_bound(plain, final, chosen.relaxation, offered)
    result = publish(
        Cleared(
            book=book,
            base_welfare=base.welfare,
            outcome=final,
            lots=lots,
            placements=placements,
            bound=bound,
            bundle_sha256=sha256 or bundle_sha256(auction),
        )
    )
    clock.lap("publication")
    return result_with_timing(result, clock.stages)


def result_with_timing(result: Result, stages: dict[str, float]) -> Result:
    """Return the result with its seconds by stage."""
    fields = {name: getattr(result, name) for name in result.__dataclass_fields__}
    return Result(**{**fields, "timing": dict(stages)})


def _best_bound(book: Book, final: Outcome, *relaxations: Relaxation | None) -> BoundVector:
    """Return the lowest bound among the vectors at hand; each of them is a valid bound."""
    market, merit = book.market, book.merit
    sellers = supply_nodes_with_sellers(market, merit)
    offered = book.offered({})
    vectors = [
        vector_of_relaxation(market, found.node_price, found.rent, sellers)
        for found in relaxations
        if found is not None
    ]
    if final.prices is not None:
        relaxed = vectors[0][0] if vectors else None
        ticks = published_vector(market, final.prices, sellers, relaxed)
        vectors.insert(0, (ticks, final.prices.rent))
    bounds = [evaluate_bound(market, merit, offered, ticks, rent) for ticks, rent in vectors]
    return min(bounds, key=lambda bound: bound.value)
