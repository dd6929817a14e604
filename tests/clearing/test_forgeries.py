"""The verifier rejects every corruption of a valid result and names the broken rule.

The corruptions were written from the market contract by somebody who had not read the verifier.
"""

from collections import defaultdict
from functools import cache

import pytest

from orders.clearing import Result, clear, verify
from tests.clearing.forgeries import (
    balance,
    network_prices,
    promises,
    reach,
    sums,
    surplus,
    windows,
)
from tests.clearing.forgeries.forgery import EDITS, IMPOSTURES, Book, Corruption, Forgery, NotHere
from tests.clearing.forgeries.honest_books import honest_books

MODULES = (balance, reach, surplus, network_prices, promises, windows, sums)
RULES = [str(number) for number in range(1, 9)]
TRIES = 2


@cache
def cleared() -> list[tuple[Book, Result]]:
    books = [*honest_books(), windows.night_work()]
    return [(book, clear(book.auction())) for book in books]


def name_of(corruption: Corruption) -> str:
    return corruption.name


def test_at_least_five_kinds_for_each_rule() -> None:
    assert all(module.__doc__ for module in MODULES)
    by_rule = defaultdict(set)
    for corruption in [*EDITS, *IMPOSTURES]:
        by_rule[corruption.rules[0]].add(corruption.name)

    assert {rule: len(by_rule[rule]) for rule in RULES if len(by_rule[rule]) < 5} == {}


def test_the_honest_results_pass() -> None:
    assert {book.name: verify(book.auction(), result) for book, result in cleared()} == {
        book.name: [] for book, _ in cleared()
    }


@pytest.mark.parametrize("corruption", EDITS, ids=name_of)
def test_a_falsified_result_is_rejected_by_rule(corruption: Corruption) -> None:
    missed, made = [], 0
    for book, result in cleared():
        for seed in range(TRIES):
            forgery = Forgery(book, result, seed)
            try:
                corruption.make(forgery)
            except NotHere:
                break
            made += 1
            named = {violation.rule for violation in verify(forgery.auction, forgery.result())}
            if not named & set(corruption.rules):
                missed.append((book.name, seed, sorted(named)))

    assert made, "no book has a place for this corruption"
    assert missed == []


@pytest.mark.parametrize("corruption", IMPOSTURES, ids=name_of)
def test_the_result_of_another_book_is_rejected_by_rule(corruption: Corruption) -> None:
    book, result = corruption.make()

    violations = verify(book.auction(), result)

    named = {violation.rule for violation in violations}
    assert named & set(corruption.rules), violations
