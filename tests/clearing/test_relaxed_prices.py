"""Relaxed prices in steps: a bound, near the lowest, and a start that leaves the models alone."""

from decimal import Decimal

import numpy as np
import pytest

from orders.clearing import clear, search, verify
from orders.clearing.block_orders import BlockProgramme, Relaxation
from orders.clearing.bound import (
    evaluate_bound,
    supply_nodes_with_sellers,
    vector_of_relaxation,
)
from orders.clearing.capped_period import CappedPeriod
from orders.clearing.choices import Chooser
from orders.clearing.crowd_room import within_listings
from orders.clearing.errors import SolverFailed
from orders.clearing.flexible_pricing import ColumnPricer
from orders.clearing.market import build_market
from orders.clearing.period_solution import PeriodSolution
from orders.clearing.pricing import evaluate
from orders.clearing.relaxed_prices import relax_in_steps
from orders.clearing.state import Book, Outcome, begin_periods, open_book
from orders.clearing.types import Auction
from tests.clearing.books import block, buy, sell, small_auction
from tools.national import NationalMarket

DENSE = NationalMarket(1, products=3, periods=6, curves=2000, blocks=300)
WITH_JOBS = NationalMarket(2, products=3, periods=6, curves=2000, blocks=200, jobs=200)
SPARSE = NationalMarket(1, products=3, periods=6, listings=40, curves=120, blocks=20)


def opened(auction: Auction) -> tuple[Book, Outcome]:
    book = open_book(build_market(auction))
    begin_periods(book, {})
    base = evaluate(book, {})
    assert base is not None
    return book, base


def bound_of(book: Book, relaxation: Relaxation) -> Decimal:
    sellers = supply_nodes_with_sellers(book.market, book.merit)
    vector = vector_of_relaxation(book.market, relaxation.node_price, relaxation.rent, sellers)
    return evaluate_bound(book.market, book.merit, book.offered({}), *vector).value


def test_steps_prove_what_the_relaxed_programme_proves() -> None:
    """Within a hundredth of the gain."""
    book, base = opened(DENSE.build().auction())
    solved = BlockProgramme(book, base.solutions, base.lots).relax()
    assert solved is not None
    lowest = bound_of(book, solved)

    found = relax_in_steps(book, base, None)

    own = bound_of(book, found.relaxation)
    assert float(own - lowest) <= 0.01 * float(lowest - Decimal(base.welfare))
    # The bound in floating point is that of unrounded prices.
    assert found.bound == pytest.approx(float(own), rel=1e-3)


@pytest.mark.parametrize("market", [DENSE, WITH_JOBS, SPARSE], ids=["dense", "jobs", "sparse"])
def test_no_result_is_above_what_the_steps_prove(market: NationalMarket) -> None:
    auction = market.build().auction()
    book, base = opened(auction)
    pricer = ColumnPricer(book) if auction.flexibles else None

    found = relax_in_steps(book, base, pricer)

    assert bound_of(book, found.relaxation) >= clear(auction).summary.welfare


def test_the_models_of_the_book_stand_where_they_stood() -> None:
    auction = SPARSE.build().auction()
    moved, base = opened(auction)
    still, _ = opened(auction)

    relax_in_steps(moved, base, None)

    for number in range(len(moved.candidates)):
        choice = {number: Decimal(1)}
        one, other = evaluate(moved, choice), evaluate(still, choice)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.welfare == other.welfare
            assert all(map(same, one.solutions, other.solutions))


def same(one: PeriodSolution, other: PeriodSolution) -> bool:
    return np.array_equal(one.step_lots, other.step_lots) and np.array_equal(
        one.node_price, other.node_price
    )


def test_what_nobody_sells_costs_the_highest_price_and_what_nobody_buys_the_lowest() -> None:
    """Five units at 2 are on offer; ten are to be taken, then twelve more to be sold."""
    book, base = opened(small_auction([sell("s", "2", 5), buy("b", "9", 4)]))
    (model,) = book.models
    (node,) = set(book.merit.node[book.merit.is_buy == 0].tolist())
    links = np.zeros(len(model.capacity))
    wanted = np.zeros(len(book.market.nodes))

    wanted[node] = -10
    dear = CappedPeriod(model).clear(base.lots, wanted, links)
    wanted[node] = 12
    cheap = CappedPeriod(model).clear(base.lots, wanted, links)

    product = book.market.auction.products[0]
    assert dear.node_price[node] == pytest.approx(float(product.price_max))
    assert cheap.node_price[node] == pytest.approx(float(product.price_min))


def test_a_solver_that_fails_leaves_the_prices_met_so_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    auction = SPARSE.build().auction()
    book, base = opened(auction)

    def fail(*_: object) -> PeriodSolution:
        raise SolverFailed("no answer")

    monkeypatch.setattr(CappedPeriod, "clear", fail)

    found = relax_in_steps(book, base, None)

    assert bound_of(book, found.relaxation) >= clear(auction).summary.welfare


def test_sells_leave_a_start_where_their_listing_is_full() -> None:
    listings = [{"listing_id": "L", "hub": "W"}]
    capacity = [{"listing_id": "L", "product": "gpu", "period": 1, "capacity": 10}]
    sells = [block(f"s{k}", "sell", "2", [("W", 1, 6)], listing_id="L") for k in range(2)]
    auction = small_auction(
        [buy("b", "9", 20)], *sells, listings=listings, listing_capacities=capacity
    )
    book, _ = opened(auction)

    assert within_listings(book, [1, 0]) == [1]


def test_children_leave_a_start_without_their_parents() -> None:
    orders = [
        block("p", "buy", "9", [("W", 1, 2)]),
        block("c", "buy", "9", [("W", 1, 2)], parent_order_id="p"),
        block("g", "buy", "9", [("W", 1, 2)], parent_order_id="c"),
    ]
    book, base = opened(small_auction([sell("s", "2", 10)], *orders))
    number = {
        book.market.auction.blocks[c.order].order_id: k for k, c in enumerate(book.candidates)
    }
    chooser = Chooser(book, base, 1)

    orphans = dict.fromkeys([number["c"], number["g"]], Decimal(1))

    assert chooser.linked(orphans) == {}
    whole = {**orphans, number["p"]: Decimal(1)}
    assert chooser.linked(whole) == whole


def test_a_countless_book_starts_from_the_relaxed_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five sixths of the possible gain are there before the first batch."""
    auction = DENSE.build().auction()
    monkeypatch.setattr(search, "_COUNTLESS", 0)
    monkeypatch.setattr(search, "_COUNTLESS_TRIALS", 0)

    result = clear(auction)

    assert verify(auction, result) == []
    assert float(result.summary.share_of_block_gain or 0) >= 5 / 6
