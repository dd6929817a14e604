"""Every example has its known answer, and the page in the documentation has the same numbers."""

import pytest

from orders.clearing import clear, verify
from tests.clearing.examples.by_hand import BY_HAND
from tests.clearing.examples.example import Example, holds
from tests.clearing.examples.page import PAGE, PUBLISHED, render


def title_of(example: Example) -> str:
    return example.title


@pytest.mark.parametrize("example", [*BY_HAND, *PUBLISHED], ids=title_of)
def test_example_has_its_known_answer(example: Example) -> None:
    auction = example.auction()

    result = clear(auction)

    wrong = {name: pair for name, pair in example.answers(result).items() if not holds(*pair)}
    assert wrong == {}
    assert verify(auction, result) == []


def test_at_least_twelve_examples_are_published_ones_with_their_source() -> None:
    assert len([example for example in PUBLISHED if example.source]) == len(PUBLISHED) >= 12


def test_page_shows_the_same_numbers() -> None:
    assert PAGE.read_text(encoding="utf-8") == render()
