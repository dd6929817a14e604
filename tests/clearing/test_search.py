"""What the search may keep, what it tells on the way, and the solver it asks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from orders.clearing import Auction, clear, pricing, solver, verify
from orders.clearing.block_orders import BlockProgramme
from orders.clearing.errors import SolverFailed
from orders.clearing.price_system import PriceSystem
from orders.clearing.result_files import result_files
from orders.clearing.types import FloatArray
from orders.clearing.uniform_price import price_periods
from tests.clearing.books import RandomBook, block, sell, small_auction


def block_in_the_money() -> Auction:
    return small_auction([sell("s", "3", 10)], block("b", "buy", "8", [("W", 1, 5)]))


def test_a_block_in_the_money_is_taken() -> None:
    auction = block_in_the_money()
    told: list[float] = []

    result = clear(auction, told.append)

    assert [row.status for row in result.block_results] == ["accepted"]
    assert told == [0.0, 25.0]


def test_a_choice_without_prices_is_never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices that meet what blocks ask for may not be found although nobody loses at others."""

    def without_demands(
        systems: Sequence[PriceSystem], *demands: object
    ) -> list[FloatArray] | None:
        return None if demands else price_periods(systems)

    def once_the_divisible_are_cleared(_: float) -> None:
        monkeypatch.setattr(pricing, "price_periods", without_demands)

    auction = block_in_the_money()

    result = clear(auction, once_the_divisible_are_cleared)

    assert [row.status for row in result.block_results] == ["paradoxically_rejected"]
    assert verify(auction, result) == []


def test_nothing_is_searched_where_everybody_has_what_is_best_for_him(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("an integer programme was asked")

    monkeypatch.setattr(BlockProgramme, "choose", never)
    blocks = [
        block(name, "buy", limit, [("W", 1, 5)]) for name, limit in (("in", "8"), ("out", "2"))
    ]
    auction = small_auction([sell("s", "3", 10)], *blocks)

    result = clear(auction)

    assert [row.status for row in result.block_results] == ["accepted", "rejected"]
    assert result.summary.gap == 0


# Blocks, flexible orders and placements in all of them, carbon classes in half.
BOOKS = [
    RandomBook(seed, curves=60, blocks=8, flexibles=6, carbon=seed % 2 == 0) for seed in range(6)
]


@pytest.mark.parametrize("book", BOOKS)
def test_results_by_the_interior_point_method_are_valid(
    book: RandomBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    accepts = solver.Solver._set

    def note(self: solver.Solver, name: str, value: object) -> None:
        asked.append(f"{name}={value}")
        accepts(self, name, value)

    monkeypatch.setattr(solver.Solver, "_set", note)
    auction = book.auction()
    by_simplex = clear(auction)
    assert "solver=ipm" not in asked
    monkeypatch.setattr(solver, "_INTERIOR_FROM", 1)

    result = clear(auction)

    assert "solver=ipm" in asked
    assert verify(auction, result) == []
    assert float(result.summary.welfare) >= 0.98 * float(by_simplex.summary.welfare)


@pytest.mark.parametrize("book", BOOKS)
def test_progress_tells_ever_better_results_and_changes_nothing(book: RandomBook) -> None:
    told: list[float] = []
    auction = book.auction()

    result = clear(auction, told.append)

    assert told == sorted(set(told))
    # The first is without blocks and jobs; whole lots cost each a little of what is told.
    first = clear(replace(auction, blocks=(), flexibles=()))
    assert told[0] == pytest.approx(float(first.summary.welfare), rel=0.02)
    assert told[-1] == pytest.approx(float(result.summary.welfare), rel=0.02)
    alone = result_files(clear(auction))
    for name, content in result_files(result).items():
        assert name == "timing.json" or content == alone[name], name


def test_an_option_that_the_solver_refuses_is_an_error() -> None:
    empty = np.zeros(0)
    none = np.zeros(0, dtype=np.int64)
    programme = solver.Programme(empty, empty, empty, empty, empty, none, none, empty)

    with pytest.raises(SolverFailed, match="mip_max_nodes"):
        solver.Solver(programme, node_limit=-1)
