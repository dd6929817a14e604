"""Every result on random instances is valid; on tiny ones it is measured by the oracle."""

from collections import Counter

import pytest

from orders.clearing import clear, verify
from tests.clearing.books import RandomBook
from tests.clearing.oracle_shares import share_of_exact, shrunk_shares
from tests.clearing.random_instances import FEATURES, cleared, tiny_book

INSTANCES = 1000
CHUNK = 50
SAMPLE = 60


def invalid(seeds: range) -> dict[int, object]:
    """Return the seeds whose result breaks a rule."""
    return {seed: cleared(seed).violations for seed in seeds if cleared(seed).violations}


def test_sixty_random_instances_are_valid() -> None:
    assert invalid(range(SAMPLE)) == {}


def test_a_choice_that_does_not_fit_in_whole_lots_is_left() -> None:
    """The best choice of this book needs a lot more than a narrow link has room for."""
    auction = RandomBook(15, carbon=True).auction()

    assert verify(auction, clear(auction)) == []


@pytest.mark.fuller
@pytest.mark.parametrize("first", range(0, INSTANCES, CHUNK))
def test_a_thousand_random_instances_are_valid(first: int) -> None:
    assert invalid(range(first, first + CHUNK)) == {}


@pytest.mark.fuller
@pytest.mark.timeout(3600)
def test_a_hundred_instances_hold_each_kind_of_order() -> None:
    counted = Counter(name for seed in range(INSTANCES) for name in cleared(seed).features)

    assert {name: counted[name] for name in FEATURES if counted[name] < 100} == {}


def shares(seeds: range, *, most: int) -> list[float]:
    """Return the share of the exact welfare on every book the oracle can try."""
    found = (share_of_exact(tiny_book(seed).auction(), most=most) for seed in seeds)
    return [share for share in found if share is not None]


def test_a_few_tiny_instances_reach_what_the_oracle_finds() -> None:
    found = shares(range(12), most=60)

    assert len(found) >= 6
    assert sum(found) / len(found) >= 0.97


@pytest.mark.fuller
@pytest.mark.timeout(1800)
def test_tiny_instances_reach_99_percent_of_what_the_oracle_finds() -> None:
    found = shares(range(150), most=400)

    assert len(found) >= 140
    assert sum(found) / len(found) >= 0.99


def test_shrunk_national_instances_reach_what_the_oracle_finds() -> None:
    found = list(shrunk_shares(5))

    assert sum(found) / len(found) >= 0.99


@pytest.mark.fuller
@pytest.mark.timeout(1800)
def test_fifty_shrunk_national_instances_reach_99_percent_of_what_the_oracle_finds() -> None:
    found = list(shrunk_shares(50))

    assert len(found) == 50
    assert sum(found) / len(found) >= 0.99
