"""A book cleared in parts gives the bytes that one process gives."""

import hashlib
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.clearing import (
    Auction,
    PartClearer,
    PartRefused,
    Result,
    clear,
    clear_part,
    parts,
    read_bundle,
    split,
    verify,
    write_bundle,
    write_result,
)
from tests.clearing.books import RandomBook
from tests.clearing.random_instances import random_book
from tests.clearing.test_same_bytes import shuffle_rows
from tools.instances import NeutralMarket
from tools.national import NationalMarket


def files_of(result: Result, folder: Path) -> dict[str, bytes]:
    """Return the files of a result but its seconds."""
    write_result(result, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "timing.json"}


def cleared_in_parts(auction: Auction, count: int) -> Result:
    """Clear a book whose parts all come as bytes, the last one first."""
    found = [clear_part(auction, periods) for periods in split(auction, count)]
    return clear(auction, parts=found[::-1])


@pytest.fixture(scope="module")
def book() -> Auction:
    """Six periods with links, classes, blocks and jobs."""
    return RandomBook(
        7, periods=6, carbon=True, curves=120, blocks=8, flexibles=6, products=2
    ).auction()


@pytest.mark.parametrize("seed", range(24))
def test_parts_give_the_bytes_that_one_process_gives(seed: int, tmp_path: Path) -> None:
    auction = random_book(seed).auction()

    alone = files_of(clear(auction), tmp_path / "alone")

    for count in (1, 2, auction.terms.periods):
        split_up = cleared_in_parts(auction, count)
        assert files_of(split_up, tmp_path / str(count)) == alone


@pytest.mark.parametrize(
    "market",
    [
        NeutralMarket(3, hubs=4, periods=6, curves=3_000, blocks=20, share=1.0, near=0.03),
        NationalMarket(3, products=3, periods=4, listings=12, curves=60, blocks=8),
    ],
    ids=["neutral", "national"],
)
def test_large_networks_give_the_same_bytes_in_parts(
    market: NeutralMarket | NationalMarket, tmp_path: Path
) -> None:
    auction = market.build().auction()

    split_up = cleared_in_parts(auction, 3)

    assert verify(auction, split_up) == []
    assert files_of(split_up, tmp_path / "parts") == files_of(clear(auction), tmp_path / "alone")


def test_a_book_in_another_order_has_the_same_parts(book: Auction, tmp_path: Path) -> None:
    write_bundle(book, tmp_path)
    shuffle_rows(tmp_path, 5)
    shuffled = read_bundle(tmp_path)

    assert split(shuffled, 3) == split(book, 3)
    assert [clear_part(shuffled, own) for own in split(shuffled, 3)] == [
        clear_part(book, own) for own in split(book, 3)
    ]


def test_it_does_not_matter_which_process_cleared_which_part(book: Auction, tmp_path: Path) -> None:
    first, second, third = split(book, 3)
    worker = PartClearer(book)

    # Another order than that of the periods, a book opened anew, and a part nobody brought.
    brought = [worker.clear(third), worker.clear(first)]

    assert brought == [clear_part(book, third), clear_part(book, first)]
    assert len(second)
    assert files_of(clear(book, parts=brought), tmp_path / "some") == files_of(
        clear(book), tmp_path / "alone"
    )


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_split_covers_each_period_once(periods: int, count: int, seed: int) -> None:
    auction = RandomBook(seed, periods=periods, curves=30, blocks=0, flexibles=0).auction()

    found = split(auction, count)

    assert [period for own in found for period in own] == list(range(periods))
    assert 1 <= len(found) <= min(count, periods)
    assert all(len(own) for own in found)


def test_parts_have_about_as_many_rows_each() -> None:
    auction = NeutralMarket(3, hubs=4, periods=12, curves=4_000).build().auction()

    found = split(auction, 4)

    rows = [int(sum(auction.curves.period == period for period in own).sum()) for own in found]
    assert len(found) == 4
    assert max(rows) < 1.5 * min(rows)


def test_a_damaged_part_is_refused(book: Auction) -> None:
    part = clear_part(book, range(2))
    dice = Random(11)

    for damaged in (
        b"",
        b"{}",
        part[:-20],
        part + b"x",
        *(_flipped(part, dice) for _ in range(40)),
    ):
        with pytest.raises(PartRefused):
            clear(book, parts=[damaged])


def _flipped(part: bytes, dice: Random) -> bytes:
    place = dice.randrange(len(part))
    return part[:place] + bytes([part[place] ^ (1 << dice.randrange(8))]) + part[place + 1 :]


def test_a_part_of_another_book_is_refused(book: Auction) -> None:
    other = RandomBook(8, periods=6, curves=120).auction()

    with pytest.raises(PartRefused, match="another book"):
        clear(book, parts=[clear_part(other, range(2))])


def test_a_part_of_another_engine_is_refused(
    book: Auction, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(parts, "ENGINE_VERSION", "0.0.9")
        old = clear_part(book, range(2))

    with pytest.raises(PartRefused, match=r"engine 0\.0\.9"):
        clear(book, parts=[old])


def test_a_period_that_comes_twice_is_refused(book: Auction) -> None:
    with pytest.raises(PartRefused, match="same period"):
        clear(book, parts=[clear_part(book, range(2)), clear_part(book, range(1, 3))])


def test_a_part_that_names_periods_the_book_does_not_have_is_refused(book: Auction) -> None:
    _, line, packed = clear_part(book, range(2)).split(b"\n", 2)
    head = json.loads(line) | {"periods": [0, 77]}
    rest = json.dumps(head).encode() + b"\n" + packed
    part = hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest

    with pytest.raises(PartRefused, match="period 78"):
        clear(book, parts=[part])
