"""The books whose valid results are falsified."""

from tests.clearing.books import META, RandomBook, block, buy, sell, tables
from tests.clearing.forgeries.forgery import Book, Row

LINK = [("W", "E", "20", "0.5", "10")]


def book(name: str, curves: list[Row], *blocks: dict[str, list[Row]], **more: object) -> Book:
    """Name a small book over the hubs W and E."""
    periods = more.pop("periods", 1)
    meta = {**META, "periods": periods, "auction_id": name}
    return Book(name, meta, tables(curves, *blocks, **more))  # type: ignore[arg-type]


def scarce_link() -> Book:
    """Cheap W, dear E, a link of ten that is full; one buy must be served nearby."""
    return book(
        "scarce link",
        [
            sell("s1", "2", 30),
            sell("s2", "6", 30, "E"),
            buy("far", "10", 5, "E"),
            buy("near", "10", 5, "E", max_rtt_ms="10"),
            buy("rest", "10", 20, "E"),
            buy("poor", "3", 5, "E"),
            buy("home", "7", 4),
        ],
        links=LINK,
    )


def wide_link() -> Book:
    """The same hubs with a link that is never full; E buys in W."""
    return book(
        "wide link",
        [
            sell("s1", "2", 30),
            sell("s2", "6", 30, "E"),
            buy("b1", "10", 20, "E"),
            buy("near", "10", 5, "E", max_rtt_ms="10"),
            buy("home", "7", 4),
        ],
        links=[("W", "E", "20", "0.5", "100")],
    )


def ties() -> Book:
    """Shares at the margin: three buys at W, two sells at E that tie to the last lot."""
    return book(
        "ties",
        [
            sell("s", "5", 10),
            buy("a", "5", 4),
            buy("b", "5", 7),
            buy("c", "5", 3),
            sell("x", "4", 3, "E"),
            sell("y", "4", 3, "E"),
            buy("z", "9", 3, "E"),
        ],
    )


def listings() -> Book:
    """A listing whose two steps together exceed it."""
    return book(
        "listings",
        [
            sell("l1", "2", 4, listing_id="L1"),
            sell("l2", "3", 4, listing_id="L1"),
            sell("o", "4", 20),
            buy("b", "9", 15),
            buy("last", "3.99", 5),
        ],
        listings=[{"listing_id": "L1", "hub": "W"}],
        listing_capacities=[
            {"listing_id": "L1", "product": "gpu", "period": "", "capacity": "6"},
        ],
    )


def green() -> Book:
    """Scarce wind and plenty of coal."""
    return book(
        "green",
        [
            sell("coal", "2", 20, carbon_intensity="500"),
            sell("wind", "3", 12, carbon_intensity="0"),
            buy("any", "9", 10),
            buy("green", "9", 10, max_carbon="0"),
        ],
        product={"carbon_classes": "0"},
    )


def family() -> Book:
    """A parent that pays for nobody, a child in the money, a rejected block, a curtailed one."""
    curves = [sell(f"s{t}", "5", 30, period=t) for t in (1, 2)]
    curves += [buy(f"b{t}", "8", 6, period=t) for t in (1, 2)]
    curves += [sell(f"d{t}", "9", 30, period=t) for t in (1, 2)]
    return book(
        "family",
        curves,
        block("mother", "buy", "7", [("W", 1, 4), ("W", 2, 5)]),
        block("child", "buy", "6", [("W", 2, 3)], parent_order_id="mother"),
        block("dear", "buy", "4", [("W", 1, 3), ("W", 2, 3)]),
        block("seller", "sell", "4", [("W", 1, 2), ("W", 2, 2)]),
        periods=2,
    )


def paradox() -> Book:
    """A block in the money that would lose if it were accepted."""
    return book(
        "paradox",
        [sell("s1", "2", 10), sell("s2", "8", 10), buy("b1", "10", 5)],
        block("job", "buy", "6", [("W", 1, 10)]),
        block("cheap", "buy", "1", [("W", 1, 3)]),
    )


def curtailed() -> Book:
    """A block of 21 and 10 that can be half filled: one sell at its limit sets the price."""
    return book(
        "curtailed",
        [sell("s", "5", 10), buy("b", "9", 3), buy("e", "9", 8, "E"), sell("f", "5", 20, "E")],
        block("part", "buy", "6", [("W", 1, 9)], min_acceptance="0.25"),
    )


def placed() -> Book:
    """A training job on one listing for the whole window."""
    return book(
        "placed",
        [
            *(sell("small", "2", 12, period=t, listing_id="L1") for t in (1, 2)),
            *(sell("large", "3", 20, period=t, listing_id="L2") for t in (1, 2)),
            *(buy("crowd", "5", 14, period=t) for t in (1, 2)),
        ],
        block(
            "train",
            "buy",
            "9",
            [("W", 1, 10), ("W", 2, 10)],
            placement="single",
            eligible_listings="L2",
        ),
        periods=2,
        listings=[{"listing_id": "L1", "hub": "W"}, {"listing_id": "L2", "hub": "W"}],
    )


def group() -> Book:
    """Substitutes: one of two profiles, both in the money."""
    parts = block("either", "buy", "9", [("W", 1, 4)])
    parts["block_options"].append({"order_id": "either", "option_id": "2", "limit_price": "8"})
    parts["block_legs"].append({**parts["block_legs"][0], "option_id": "2", "hub": "E"})
    return book(
        "group",
        [
            sell("s1", "2", 10),
            sell("s2", "3", 10, "E"),
            buy("b1", "6", 3),
            buy("b2", "6", 3, "E"),
        ],
        parts,
    )


def random_book(seed: int, *, carbon: bool = True) -> Book:
    """A random book with every kind of order, links, listings and carbon classes."""
    made = RandomBook(seed, carbon=carbon, curves=80, blocks=8)
    return Book(f"random {seed}", made.meta, made.tables)


def honest_books() -> list[Book]:
    """Return all books, small ones first."""
    small = [scarce_link(), wide_link(), ties(), listings(), green(), family(), paradox()]
    return [
        *small,
        curtailed(),
        placed(),
        group(),
        *(random_book(seed) for seed in (3, 11)),
        random_book(26, carbon=False),
    ]
