"""Examples worked by hand. Hubs W and E, link of 20 ms, 10 Gbit/s each way, tariff 0.5."""

from tests.clearing.examples.example import Example, block, buy, hourly, job, sell, tables

LINK = [("W", "E", "20", "0.5", "10")]
LISTINGS = [{"listing_id": "L1", "hub": "W"}, {"listing_id": "L2", "hub": "W"}]

BY_HAND = (
    Example(
        "A full link: price difference = tariff + rent",
        "Cheap supply fills the link with 10; the rest is local. s1 and s2 are marginal, so the "
        "prices are 2 and 6, and 6 − 2 = 0.5 (tariff) + 3.5 (rent). Buyers pay 25 × 6 = 150, "
        "sellers get 10 × 2 + 15 × 6 = 110, tariffs take 5 and the rent is 35: "
        "150 = 110 + 5 + 35. Welfare 250 − 110 − 5 = 135 is also the bound.",
        tables(
            [sell("s1", "2", 30), sell("s2", "6", 30, "E"), buy("b1", "10", 25, "E")], links=LINK
        ),
        prices={"W": 2, "E": 6},
        rents={"W-E": "3.5", "E-W": 0},
        trades={"s1": 10, "s2": 15, "b1": 25},
        sums={
            "welfare": 135,
            "upper_bound": 135,
            "buyer_payments": 150,
            "seller_receipts": 110,
            "congestion_rent": 35,
            "tariffs": 5,
        },
    ),
    Example(
        "A latency limit",
        "Sells as above; at E `far` has no limit and `near` one of 10 ms. The way takes 20 ms, so "
        "`near` is served at E and pays 6; `far` is served from W and pays 2 + 0.5.",
        tables(
            [
                sell("s1", "2", 30),
                sell("s2", "6", 30, "E"),
                buy("far", "10", 5, "E"),
                buy("near", "10", 5, "E", max_rtt_ms="10"),
            ],
            links=LINK,
        ),
        delivered={"E": "2.5", "E 10 ms": 6},
        trades={"s1": 5, "s2": 5, "s1 for far": 5, "s2 for near": 5},
    ),
    Example(
        "A paradoxically rejected block",
        "With the block, 15 units are needed and the price is 8: the block, worth 60, pays 80. "
        "So it is rejected, although at the price without it, 2, it is in the money. With half of "
        "it the price could be 6: the bound is 10 × (6 − 2) + 5 × (10 − 6).",
        tables(
            [sell("s1", "2", 10), sell("s2", "8", 10), buy("b1", "10", 5)],
            block("job", "buy", "6", [("W", 1, 10)]),
        ),
        prices={"W": 2},
        orders={"job": "paradoxically_rejected"},
        sums={"welfare": 40, "upper_bound": 60, "paradoxically_rejected": 1},
    ),
    Example(
        "A profile over two periods",
        "The block pays 6 × 2 + 4 × 5 = 32 for a value of 40, though period 2 alone is above its "
        "limit.",
        tables(
            hourly(sell, "s", ["2", "5"], 10),
            block("job", "buy", "4", [("W", 1, 6), ("W", 2, 4)]),
        ),
        periods=2,
        orders={"job": "accepted"},
        payments={"job": (32, 8)},
    ),
    Example(
        "Pro rata at the margin",
        "Shares of 10 in 4 : 7 : 3 are 2.857, 5 and 2.143: floors 2, 5, 2, and the last lot goes "
        "to the largest remainder.",
        tables([sell("s", "5", 10), buy("a", "5", 4), buy("b", "5", 7), buy("c", "5", 3)]),
        prices={"W": 5},
        trades={"s": 10, "a": 3, "b": 5, "c": 2},
    ),
    Example(
        "Midpoint",
        "Ten units trade; any price from 4 (the rejected buy) to 8 (the next sell) fits.",
        tables([sell("s1", "2", 10), sell("s2", "8", 10), buy("b1", "10", 10), buy("b2", "4", 5)]),
        prices={"W": 6},
        trades={"s1": 10, "s2": 0, "b1": 10, "b2": 0},
    ),
    Example(
        "A green premium",
        "Coal is marginal without a carbon limit. Wind is sold out to the green buyer: any price "
        "from 3 to 9 fits, so 6; the premium is 4.",
        tables(
            [
                sell("coal", "2", 20, carbon_intensity="500"),
                sell("wind", "3", 10, carbon_intensity="0"),
                buy("any", "9", 15),
                buy("green", "9", 10, max_carbon="0"),
            ],
            product={"carbon_classes": "0"},
        ),
        prices={"W": 2, "W 0 g": 6},
        trades={"coal for any": 15, "wind for green": 10},
    ),
    Example(
        "One listing for the whole window",
        "L1 is too small for the job, which must be on one listing; L2 is marginal at 3 and sells "
        "14 in each period, of which 10 go to the job and 4 to the crowd. The job pays 2 × 10 × 3.",
        tables(
            [
                *hourly(sell, "small", ["2", "2"], 6, listing_id="L1"),
                *hourly(sell, "large", ["3", "3"], 20, listing_id="L2"),
                *hourly(buy, "crowd", ["5", "5"], 10),
            ],
            block("train", "buy", "9", [("W", 1, 10), ("W", 2, 10)], placement="single"),
            listings=LISTINGS,
        ),
        periods=2,
        trades={"L2 for train": 20},
        payments={"train": (60, 120)},
    ),
    Example(
        "No listing is large enough",
        "Two sells of 6 could serve the job of 10 together, but not one of them: the upper bound "
        "does not count what it would gain.",
        tables(
            [sell("a", "2", 6), sell("b", "2", 6)],
            block("train", "buy", "9", [("W", 1, 10)], placement="single"),
        ),
        orders={"train": "not_placeable"},
        sums={"welfare": 0, "upper_bound": 0},
    ),
    Example(
        "A run of two periods",
        "Runs of two cost 8, 9 and 7; at a limit of 4 the job is worth 8 and takes the last.",
        tables(
            hourly(sell, "s", ["2", "6", "3", "4"], 10),
            flexible_orders=[job("run", "4", 5, 2, (1, 4))],
        ),
        periods=4,
        trades={"s at 3": 5, "s at 4": 5},
        payments={"run": (35, 5)},
    ),
    Example(
        "The same work, interruptible",
        "Without the need for a run the job takes the two cheapest periods, 1 and 3.",
        tables(
            hourly(sell, "s", ["2", "6", "3", "4"], 10),
            flexible_orders=[job("work", "4", 5, 2, (1, 4), interruptible="1")],
        ),
        periods=4,
        trades={"s at 1": 5, "s at 3": 5},
        payments={"work": (25, 15)},
    ),
    Example(
        "Interruptible, and scarce",
        "Six units are to be had in each of periods 2, 3 and 4; eight units for two periods need "
        "all three, the dear one last.",
        tables(
            hourly(sell, "s", ["2", "6", "3", "4"], 6),
            flexible_orders=[job("work", "9", 8, 2, (2, 4), interruptible="1")],
        ),
        periods=4,
        trades={"s at 2": 4, "s at 3": 6, "s at 4": 6},
        orders={"work": "accepted"},
    ),
)
