"""Random instances of many shapes, what each of them holds, and whether its result is valid."""

from collections import Counter
from functools import cache
from typing import NamedTuple

from orders.clearing import Result, Violation, clear, verify
from tests.clearing.books import RandomBook

FEATURES = (
    "curve",
    "block",
    "linked",
    "options",
    "minimum",
    "sell block",
    "flexible",
    "interruptible",
    "full link",
    "carbon class",
    "placement",
)


class Instance(NamedTuple):
    """One instance, cleared and verified."""

    features: frozenset[str]
    violations: tuple[Violation, ...]


def random_book(seed: int) -> RandomBook:
    """Return a book whose size and mix follow from the seed."""
    return RandomBook(
        seed,
        hubs=2 + seed % 4,
        products=1 + seed % 3,
        periods=1 + seed % 5,
        curves=20 + 17 * (seed % 6),
        blocks=seed % 9,
        flexibles=(seed // 2) % 7,
        carbon=seed % 2 == 0,
    )


def tiny_book(seed: int) -> RandomBook:
    """Return a book that the oracle can try in every way."""
    return RandomBook(
        seed,
        hubs=2 + seed % 2,
        products=1 + seed % 2,
        periods=1 + seed % 3,
        curves=14,
        blocks=1 + seed % 3,
        flexibles=seed % 2,
        carbon=seed % 3 == 0,
    )


@cache
def cleared(seed: int) -> Instance:
    """Clear and verify the random book of a seed."""
    book = random_book(seed)
    auction = book.auction()
    result = clear(auction)
    return Instance(features_of(book, result), tuple(verify(auction, result)))


def features_of(book: RandomBook, result: Result) -> frozenset[str]:
    """Return what a book holds; a full link is one whose direction earns a rent."""
    tables = book.tables
    blocks, jobs = tables["block_orders"], tables["flexible_orders"]
    options = Counter(row["order_id"] for row in tables["block_options"])
    buyers = [*tables["curve_orders"], *blocks, *jobs]
    found = {
        "curve": bool(tables["curve_orders"]),
        "block": bool(blocks),
        "linked": any(row["parent_order_id"] for row in blocks),
        "options": any(count > 1 for count in options.values()),
        "minimum": any(row["min_acceptance"] != "1" for row in [*blocks, *jobs]),
        "sell block": any(row["side"] == "sell" for row in blocks),
        "flexible": any(row["interruptible"] == "0" for row in jobs),
        "interruptible": any(row["interruptible"] == "1" for row in jobs),
        "full link": any(row.rent > 0 for row in result.link_rents),
        "carbon class": any(row.get("max_carbon") for row in buyers),
        "placement": any(row["placement"] == "single" for row in [*blocks, *jobs]),
    }
    return frozenset(name for name, there in found.items() if there)
