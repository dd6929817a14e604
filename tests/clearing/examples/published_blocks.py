"""Published examples of blocks, families, exclusive groups and paradoxes; numbers only."""

from tests.clearing.books import Row
from tests.clearing.examples.example import Example, block, buy, hourly, sell, tables
from tests.clearing.examples.published_coupling import ASSUME, CLEARING, WIDE

PAPERS = "ASSUME, tests/test_clearing_paper_examples.py, 1747fc9"
WHITEPAPER = f"Bichler et al. 2021, Electricity spot market design 2030–2050, figure 5; {PAPERS}"
NON_CONVEX = f"Bichler et al. 2021, Pricing in non-convex markets, section 5.1; {PAPERS}"
EQUALITY = "Bichler, Fux, Goeree 2018, A Matter of Equality, doi:10.1287/isre.2017.0766, section 1"
BOTH = [("W", 1, 100), ("W", 2, 100)]
Blocks = dict[str, list[Row]]


def two_hours(cheap: str, limit: str, second: int = 100) -> Blocks:
    """Demand of 1,000 in two hours, a plant at 50 (in hour 1 at `cheap`), a block."""
    return tables(
        [
            *hourly(buy, "dem1", ["3000", "3000"], 1000),
            *hourly(sell, "gen1", ["100", "100"], 1000),
            *hourly(sell, "gen2", [cheap, "50"], 1000),
        ],
        block("block", "sell", limit, [("W", 1, 100), ("W", 2, second)]),
        product=WIDE,
    )


def family(parent: str, child: str, *more: Blocks) -> Blocks:
    """A demand of 999 in two hours, a plant at 100, and a linked family of sold blocks."""
    return tables(
        [
            *hourly(buy, "dem1", ["3000", "3000"], 999),
            *hourly(sell, "gen1", ["100", "100"], 1000),
        ],
        block("parent", "sell", parent, BOTH),
        block("child", "sell", child, BOTH, parent_order_id="parent"),
        *more,
        product=WIDE,
    )


def profile(name: str, *quantities: object, limit: str = "100", **more: str) -> Blocks:
    """A bought profile from period 1 on."""
    legs = [("W", t, str(quantity)) for t, quantity in enumerate(quantities, start=1)]
    return block(name, "buy", limit, legs, **more)  # type: ignore[arg-type]


def plants() -> list[Blocks]:
    """Two plants with a least output, an order for each of three hours."""
    out = []
    for t in (1, 2, 3):
        least = {"min_acceptance": "0.1333333333"}
        out.append(block(f"dear{t}", "sell", "5", [("W", t, 15)], **least))
        out.append(block(f"cheap{t}", "sell", "3", [("W", t, 20)], min_acceptance="0.5"))
    return out


def group() -> Blocks:
    """Two sold blocks of 100 of which at most one is taken, at 20 or at 25."""
    parts = block("E", "sell", "20", [("W", 1, 100)])
    parts["block_options"].append({"order_id": "E", "option_id": "2", "limit_price": "25"})
    parts["block_legs"].append({**parts["block_legs"][0], "option_id": "2"})
    return parts


PUBLISHED_BLOCKS = (
    Example(
        "A block out of the money",
        "The block at 75 is rejected; the plant at 50 serves all and is sold out. Any price from "
        "50 to 100 fits; the source takes 50.",
        two_hours("50", "75"),
        source=ASSUME,
        periods=2,
        prices={"W": ("50", "100"), "W at 2": ("50", "100")},
        orders={"block": 0},
    ),
    Example(
        "A block in the money",
        "At 45 it is accepted beside the plant at 50.",
        two_hours("50", "45"),
        source=ASSUME,
        periods=2,
        prices={"W": 50},
        orders={"block": "accepted"},
    ),
    Example(
        "A block in the money on average",
        "Prices 41 and 50: surplus 91 − 90 = 1 a unit.",
        two_hours("41", "45"),
        source=ASSUME,
        periods=2,
        prices={"W": 41, "W at 2": 50},
        orders={"block": "accepted"},
        payments={"block": (9100, 100)},
    ),
    Example(
        "A block out of the money on average",
        "With it the prices are 39 and 50, and it loses 1 a unit. Without it the cheap plant is "
        "sold out; the source takes the lowest prices that fit.",
        two_hours("39", "45"),
        source=ASSUME,
        periods=2,
        prices={"W": ("39", "100"), "W at 2": ("50", "100")},
        orders={"block": 0},
    ),
    Example(
        "A profile with more in the dear hour",
        "Surplus (40 − 45) × 100 + (50 − 45) × 900.",
        two_hours("40", "45", 900),
        source=ASSUME,
        periods=2,
        prices={"W": 40, "W at 2": 50},
        orders={"block": "accepted"},
        payments={"block": (49000, 4000)},
    ),
    Example(
        "Parent and child in the money",
        "Both are accepted at 100.",
        family("75", "75"),
        source=ASSUME,
        periods=2,
        prices={"W": 100},
        orders={"parent": "accepted", "child": "accepted"},
    ),
    Example(
        "A child saves its parent",
        "The parent at 120 loses 20, its child gains 25.",
        family("120", "75"),
        source=ASSUME,
        periods=2,
        prices={"W": 100},
        orders={"parent": "accepted", "child": "accepted"},
    ),
    Example(
        "A child that cannot save its parent",
        "At 130 the parent loses more than the child gains: both are rejected.",
        family("130", "75"),
        source=ASSUME,
        periods=2,
        prices={"W": 100},
        orders={"parent": 0, "child": 0},
    ),
    Example(
        "A parent does not save its child",
        "The child at 120 is rejected, though the parent at 90 gains.",
        family("90", "120"),
        source=ASSUME,
        periods=2,
        prices={"W": 100},
        orders={"parent": "accepted", "child": 0},
    ),
    Example(
        "A grandchild saves the child",
        "With a grandchild at 50 below it, the child at 120 is accepted.",
        family("90", "120", block("last", "sell", "50", BOTH, parent_order_id="child")),
        source=ASSUME,
        periods=2,
        prices={"W": 100},
        orders={"parent": "accepted", "child": "accepted", "last": "accepted"},
    ),
    Example(
        "A block that may be cut",
        "10 units are sold at 40.",
        tables(
            [
                buy("dem1", "300", 10),
                buy("dem2", "10", 14),
                sell("gen3", "40", 1),
                sell("gen5", "100", 13),
            ],
            block("gen4", "sell", "40", [("W", 1, 11)], min_acceptance="0"),
            product=WIDE,
        ),
        source=WHITEPAPER,
        prices={"W": 40},
        trades={"dem1": 10, "dem2": 0, "gen5": 0},
    ),
    Example(
        "A block that may not be cut enough",
        "At least 11 of 12 must run, for 10 units of demand: the dear plant runs, at 100.",
        tables(
            [buy("dem1", "300", 10), buy("dem2", "10", 14), sell("gen5", "100", 13)],
            block("gen4", "sell", "40", [("W", 1, 12)], min_acceptance="0.9166666667"),
            product=WIDE,
        ),
        source=WHITEPAPER,
        prices={"W": 100},
        trades={"dem1": 10, "gen5": 10},
        orders={"gen4": "paradoxically_rejected"},
    ),
    Example(
        "Two profiles, divisible plants",
        "7, 12 and 22 units; the dear plant is needed in hour 3.",
        tables(
            [*hourly(sell, "g5", ["5"] * 3, 15), *hourly(sell, "g3", ["3"] * 3, 20)],
            profile("B1", 4, 6, 10),
            profile("B2", 3, 6, 12),
        ),
        source=NON_CONVEX,
        periods=3,
        prices={"W": 3, "W at 2": 3, "W at 3": 5},
        trades={"g3 at 1": 7, "g3 at 2": 12, "g3 at 3": 20, "g5 at 3": 2},
        orders={"B1": "accepted", "B2": "accepted"},
    ),
    Example(
        "Two profiles, plants with a least output",
        "The cheap plant cannot run at 7, so hour 1 costs 5; 7, 12 and 23 units.",
        tables(
            [],
            profile("B1", 4, 6, 11, min_acceptance="0"),
            profile("B2", 3, 6, 12, min_acceptance="0"),
            *plants(),
        ),
        source=NON_CONVEX,
        periods=3,
        prices={"W": 5, "W at 2": 3, "W at 3": 5},
        orders={
            "B1": 1,
            "B2": 1,
            "dear1": "0.466666667",
            "cheap1": 0,
            "dear2": 0,
            "cheap2": "0.6",
            "dear3": "0.2",
            "cheap3": 1,
        },
    ),
    Example(
        "Two blocks compete",
        "Both hours by A: 20,000 − 6,000 = 14,000; hour 1 by B and hour 2 by the plant: 13,900. "
        "The price of hour 1 is 30 or more, so B at 26 is rejected paradoxically.",
        tables(
            [*hourly(buy, "d", ["100", "100"], 100), sell("g2", "35", 100, period=2)],
            block("A", "sell", "30", BOTH),
            block("B", "sell", "26", [("W", 1, 100)]),
        ),
        source=CLEARING,
        periods=2,
        orders={"A": "accepted", "B": "paradoxically_rejected"},
        sums={"welfare": 14000},
    ),
    Example(
        "Filled to 70 %",
        "The least is half; demand is for 70 of 100.",
        tables(
            [buy("d", "100", 70)], block("blk", "sell", "30", [("W", 1, 100)], min_acceptance="0.5")
        ),
        source=CLEARING,
        orders={"blk": "0.7"},
    ),
    Example(
        "Below the least acceptance",
        "Demand is for 30 of 100.",
        tables(
            [buy("d", "100", 30)], block("blk", "sell", "30", [("W", 1, 100)], min_acceptance="0.5")
        ),
        source=CLEARING,
        orders={"blk": 0},
    ),
    Example(
        "A family of three",
        "The parent at 150 is carried by child and grandchild at 10: the price is at least 64.",
        tables(
            [buy("d", "100", 250)],
            block("P", "sell", "150", [("W", 1, 100)]),
            block("C", "sell", "10", [("W", 1, 100)], parent_order_id="P"),
            block("GC", "sell", "10", [("W", 1, 50)], parent_order_id="C"),
            product=WIDE,
        ),
        source=CLEARING,
        prices={"W": ("64", "100")},
        orders={"P": "accepted", "C": "accepted", "GC": "accepted"},
    ),
    Example(
        "A leaf out of the money",
        "The child at 120 is rejected though its parent could pay for it.",
        tables(
            [buy("d", "100", 200), sell("g", "50", 100)],
            block("P", "sell", "10", [("W", 1, 100)]),
            block("C", "sell", "120", [("W", 1, 50)], parent_order_id="P"),
            product=WIDE,
        ),
        source=CLEARING,
        orders={"P": "accepted", "C": 0},
    ),
    Example(
        "No price supports the best welfare",
        "With the block welfare would be 6,500 at a price of 50, below its limit of 60: it is "
        "rejected, welfare is 5,000, and demand sets the price.",
        tables(
            [buy("d", "100", 150), sell("g", "50", 100)],
            block("B", "sell", "60", [("W", 1, 100)]),
        ),
        source=CLEARING,
        prices={"W": 100},
        orders={"B": "paradoxically_rejected"},
        sums={"welfare": 5000},
    ),
    Example(
        "An exclusive group",
        "Only the option at 20 is taken, though demand would take both.",
        tables([buy("d", "100", 300)], group()),
        source=CLEARING,
        orders={"E/1": "accepted", "E/2": "rejected"},
    ),
    Example(
        "A bought profile",
        "100 at 20 and 40 at 50 cost 28.6 a unit, within the limit of 30.",
        tables(
            [
                *hourly(sell, "g", ["20", "50"], 100),
                buy("d2", "100", 60, period=2),
            ],
            profile("BB", 100, 40, limit="30"),
        ),
        source=CLEARING,
        periods=2,
        orders={"BB": "accepted"},
    ),
    Example(
        "The bought profile turned round",
        "40 at 20 and 100 at 50 cost 41.4 a unit.",
        tables(
            [
                *hourly(sell, "g", ["20", "50"], 100),
                buy("d2", "100", 60, period=2),
            ],
            profile("BB", 40, 100, limit="30"),
        ),
        source=CLEARING,
        periods=2,
        orders={"BB": 0},
    ),
    Example(
        "One order over two hours, decided on the mean price",
        "It costs 40 × (90 − 50) in hour 1 and saves 40 × (140 − 90) in hour 2.",
        tables(
            [
                *hourly(buy, "d", ["200", "200"], 100),
                sell("g1", "50", 100),
                sell("g2a", "50", 60, period=2),
                sell("g2b", "140", 40, period=2),
            ],
            block("mm", "sell", "90", [("W", 1, 40), ("W", 2, 40)], min_acceptance="0"),
            product=WIDE,
        ),
        source=CLEARING,
        periods=2,
        prices={"W": 50, "W at 2": ("130", "140")},
        trades={"g2b": 0},
        orders={"mm": 1},
        sums={"welfare": 26800},
    ),
    Example(
        "Linear prices forbid a trade",
        "Three shares for 9; one buyer has 8 for two, the other 2 for one. Together they pay, but "
        "no price per share suits all three.",
        tables(
            [],
            block("seller", "sell", "3", [("W", 1, 3)]),
            block("buyer1", "buy", "4", [("W", 1, 2)]),
            block("buyer2", "buy", "2", [("W", 1, 1)]),
        ),
        source=EQUALITY,
        orders={"seller": 0, "buyer1": 0, "buyer2": 0},
        sums={"welfare": 0},
    ),
    Example(
        "An offer of 3 rejected beside one of 2.5",
        "Two items at 1; one buyer has 5 for two, the other 3 for one. The first gets both.",
        tables(
            [sell("seller", "1", 2)],
            block("buyer1", "buy", "2.5", [("W", 1, 2)]),
            block("buyer2", "buy", "3", [("W", 1, 1)]),
        ),
        source=EQUALITY,
        prices={"W": ("1", "2.5")},
        orders={"buyer1": "accepted", "buyer2": "paradoxically_rejected"},
        sums={"welfare": 3},
    ),
)
