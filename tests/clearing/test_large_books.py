"""What books of thousands of indivisible orders and hundreds of listings are cleared with."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from orders.clearing import Auction, block_orders, clear, search, verify
from orders.clearing.dealing import Dealer, is_whole
from orders.clearing.period_solution import PeriodSolution
from tests.clearing.books import RandomBook
from tools.national import NationalMarket

BOOKS = [
    NationalMarket(seed, products=5, periods=4, listings=40, curves=120, blocks=30)
    for seed in range(1, 4)
]


@pytest.fixture(scope="module", params=BOOKS, ids=lambda market: f"seed {market.seed}")
def auction(request: pytest.FixtureRequest) -> Auction:
    return request.param.build().auction()


def test_orders_in_and_out_by_the_dozen_make_a_valid_result(
    auction: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a relaxed programme to begin with, and without one."""
    monkeypatch.setattr(block_orders, "_LARGE", 0)
    with_relaxation = clear(auction)
    monkeypatch.setattr(search, "_COUNTLESS", 0)
    without = clear(auction)

    for result in (with_relaxation, without):
        assert verify(auction, result) == []
        assert result.summary.share_of_block_gain is not None
        assert result.summary.share_of_block_gain > Decimal("0.5")


def test_a_first_valid_choice_needs_no_trials(
    auction: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_orders, "_LARGE", 0)
    without_trials = replace(auction, terms=replace(auction.terms, work_limit=0))
    result = clear(without_trials)

    assert verify(without_trials, result) == []
    assert any(row.acceptance > 0 for row in result.block_results)


def test_a_crowd_keeps_what_each_kind_of_order_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linked orders, groups, minimum acceptance, placements and flexible orders among it."""
    monkeypatch.setattr(block_orders, "_LARGE", 0)
    for seed in range(40, 52):
        book = RandomBook(seed).auction()

        assert verify(book, clear(book)) == [], seed


def test_links_dealt_out_in_turn_make_a_valid_result(
    auction: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    dealt: list[tuple[Dealer, PeriodSolution]] = []
    in_turn = Dealer.deal_in_turn

    def kept(self: Dealer, limit: np.ndarray, turn: int = 0) -> PeriodSolution | None:
        found = in_turn(self, limit, turn)
        if found is not None:
            dealt.append((self, found))
        return found

    monkeypatch.setattr(Dealer, "deal_at_once", lambda self, limit: None)
    monkeypatch.setattr(Dealer, "deal_in_turn", kept)

    assert verify(auction, clear(auction)) == []
    assert dealt
    for dealer, found in dealt:
        assert is_whole(found)
        assert np.all(found.step_lots <= dealer.lots)
        assert np.all(_left(dealer, found) >= -1e-6)


def _left(dealer: Dealer, found: PeriodSolution) -> np.ndarray:
    """Return the Gbit/s that a whole answer leaves free by link direction."""
    arcs = dealer.model.market.arcs
    used = np.bincount(
        arcs.use_link,
        weights=found.arc_lots[arcs.use_arc] * arcs.use_bandwidth,
        minlength=len(dealer.model.capacity),
    )
    return dealer.model.capacity - dealer.links - used
