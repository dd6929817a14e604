"""Orders by the dozen: what a batch may ask for, and what flexible orders are offered."""

from decimal import Decimal

import numpy as np
import pytest

from orders.clearing import Auction, clear, search, verify
from orders.clearing.crowd_room import Room
from orders.clearing.flexible_offers import FlexibleOffers
from orders.clearing.market import build_market
from orders.clearing.pricing import evaluate
from orders.clearing.state import Book, Outcome, missing_lots, open_book
from tests.clearing.books import block, job, sell, small_auction
from tools.national import NationalMarket

# Ten units are on offer in each of three hours, at these prices.
OFFERS = {1: "2", 2: "3", 3: "4"}
NATIONAL = [
    NationalMarket(seed, products=3, periods=6, listings=40, curves=120, blocks=20, jobs=30)
    for seed in range(1, 5)
]


def three_hours(*jobs: dict[str, object], blocks: int = 0, links: bool = False) -> Auction:
    offers = [sell(f"s{t}", price, 10, period=t) for t, price in OFFERS.items()]
    place = "E" if links else "W"
    buys = [block(f"b{k}", "buy", "9", [(place, 1, 4)]) for k in range(blocks)]
    network = [("W", "E", "5", "0", "6")] if links else None
    return small_auction(offers, *buys, periods=3, links=network, flexible_orders=list(jobs))


def opened(auction: Auction) -> tuple[Book, Outcome]:
    book = open_book(build_market(auction))
    base = evaluate(book, {})
    assert base is not None
    return book, base


def profiles(book: Book) -> list[list[tuple[int, int]]]:
    return [[(item.period, -item.lots) for item in c.injections] for c in book.candidates]


def test_a_batch_asks_for_no_more_than_is_on_offer() -> None:
    book, base = opened(three_hours(blocks=3))
    room = Room(book, base)

    assert [room.take(candidate) for candidate in book.candidates] == [True, True, False]


def test_a_batch_of_placements_carries_no_more_than_a_link_can() -> None:
    offers = [sell("s", "2", 10)]
    blocks = [block(f"b{k}", "buy", "9", [("E", 1, 4)], placement="single") for k in range(2)]
    links = [("W", "E", "5", "0", "6")]
    book, base = opened(small_auction(offers, *blocks, links=links))
    room = Room(book, base)

    assert [room.take(candidate) for candidate in book.candidates] == [True, False]
    assert evaluate(book, {0: Decimal(1), 1: Decimal(1)}) is None


def test_what_nobody_can_serve_is_named() -> None:
    """Eight units are wanted in the east, and the link carries six."""
    book, _ = opened(three_hours(blocks=2, links=True))
    both = dict.fromkeys(range(2), Decimal(1))

    missing = missing_lots(book, both)

    assert evaluate(book, both) is None
    (wanted,) = {item.node for candidate in book.candidates for item in candidate.injections}
    assert missing[0, wanted] == pytest.approx(2)
    assert missing.sum() == pytest.approx(2)
    assert not np.any(missing_lots(book, {0: Decimal(1)}))


def test_orders_that_are_not_served_are_offered_their_best_way_once() -> None:
    auction = three_hours(
        job("f", "5", 4, 2, (1, 3)),
        job("i", "5", 4, 1, (2, 3), interruptible=1),
        job("low", "1", 4, 1, (1, 3)),
    )
    book, base = opened(auction)
    offers = FlexibleOffers(book)

    found = offers.extended(book, base, 10)

    assert sorted(profiles(found)) == [[(0, 4), (1, 4)], [(1, 4)]]
    assert offers.extended(found, base, 10) is found


def test_the_most_tempting_way_is_offered_first() -> None:
    book, base = opened(three_hours(job("f", "5", 4, 2, (1, 3)), job("g", "12", 4, 1, (3, 3))))

    found = FlexibleOffers(book).extended(book, base, 1)

    assert profiles(found) == [[(2, 4)]]


def test_a_served_order_in_pieces_may_move_by_half() -> None:
    """Ten units in the first hour make it dearer than the second: half of them could go there."""
    order = job("i", "9", 10, 1, (1, 2), interruptible=1)
    offers = [sell("s1", "2", 9), sell("s2", "7", 5), sell("s3", "3", 10, period=2)]
    book, base = opened(small_auction(offers, periods=2, flexible_orders=[order]))
    ways = FlexibleOffers(book)
    book = ways.extended(book, base, 1)
    outcome = evaluate(book, {0: Decimal(1)})
    assert outcome is not None
    assert profiles(book) == [[(0, 10)]]

    found = ways.reconsidered(book, outcome)

    assert profiles(found)[1:] == [[(0, 5), (1, 5)], [(1, 10)]]


def test_an_option_added_later_keeps_the_numbers_of_the_first() -> None:
    auction = three_hours(job("i", "9", 10, 1, (1, 2), interruptible=1), blocks=2)
    book, base = opened(auction)
    first = FlexibleOffers(book).extended(book, base, 1)
    outcome = evaluate(first, {2: Decimal(1)})
    assert outcome is not None

    second = FlexibleOffers(first).reconsidered(first, outcome)

    assert second.candidates[:3] == first.candidates
    options = second.market.auction.blocks[second.candidates[2].order].options
    places = [(c.order, c.option) for c in second.candidates[2:]]
    assert places == [(2, k) for k in range(len(options))]
    table = second.table
    assert np.array_equal(table.worth, [c.worth for c in second.candidates])
    assert np.array_equal(np.bincount(table.owner), [len(c.injections) for c in second.candidates])


@pytest.mark.parametrize("market", NATIONAL, ids=lambda market: f"seed {market.seed}")
def test_flexible_orders_come_in_with_the_crowd(
    market: NationalMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction = market.build().auction()
    with_columns = clear(auction)
    monkeypatch.setattr(search, "_COUNTLESS", 0)

    result = clear(auction)

    assert verify(auction, result) == []
    assert any(row.acceptance > 0 for row in result.flexible_results)
    assert float(result.summary.welfare) >= 0.9 * float(with_columns.summary.welfare)
