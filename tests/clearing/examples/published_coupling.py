"""Published examples of curves, ties and coupled places; numbers only."""

from tests.clearing.books import Row
from tests.clearing.examples.example import Example, buy, sell, tables

WIDE: Row = {"price_max": "5000"}
PYPSA = "PyPSA documentation, Simple electricity market examples (docs.pypsa.org)"
OPEN_EUPHEMIA = "rebase-energy/OpenEUPHEMIA, tests/test_solver.py, 2d3e538"
ASSUME = "ASSUME, tests/test_complex_market_mechanisms.py, 097fce2"
CLEARING = "jabrai-il/wapp-dam-clearing, tests/test_clearing.py, 13cb7ba"
SIMULATOR = "aymardino/wapp-dam-simulator, tests/test_engine.py, 1278ecd"


def link(start: str, end: str, capacity: str) -> tuple[str, str, str, str, str]:
    """A link without tariff."""
    return start, end, "10", "0", capacity


def south_africa(hub: str = "SA") -> list[Row]:
    """Wind, coal, gas and oil of the PyPSA examples, with the fixed load."""
    return [
        sell("wind", "0", 3000, hub),
        sell("coal", "30", 35000, hub),
        sell("gas", "60", 8000, hub),
        sell("oil", "80", 2000, hub),
        buy("load", "3000", 42000, hub),
    ]


def two_zones(capacity: str, *more: Row) -> dict[str, list[Row]]:
    """The two zones of the OpenEUPHEMIA tests."""
    curves = [
        sell("a_s", "10", 100, "A"),
        buy("a_d", "90", 40, "A"),
        sell("b_s", "50", 100, "B"),
        buy("b_d", "90", 60, "B"),
    ]
    return tables([*curves, *more], hubs="A B", links=[link("A", "B", capacity)])


def three_nodes(*links: tuple[str, str, str, str, str]) -> dict[str, list[Row]]:
    """The nodes of the ASSUME tests on market coupling."""
    curves = [
        buy("dem1", "3000", 1000, "n1"),
        buy("dem2", "3000", 200, "n2"),
        buy("dem3", "3000", 500, "n3"),
        sell("gen1", "100", 1000, "n1"),
        sell("gen2", "50", 1000, "n2"),
        sell("gen3", "75", 400, "n3"),
    ]
    return tables(curves, hubs="n1 n2 n3", links=list(links), product=WIDE)


def senegal_mali(capacity: str) -> dict[str, list[Row]]:
    """The two zones of the West African tests."""
    curves = [
        buy("sn_d", "100", 100, "SN"),
        sell("sn_g1", "30", 60, "SN"),
        sell("sn_g2", "80", 60, "SN"),
        buy("ml_d", "100", 50, "ML"),
        sell("ml_g", "20", 200, "ML"),
    ]
    return tables(curves, hubs="ML SN", links=[link("ML", "SN", capacity)])


PUBLISHED_COUPLING = (
    Example(
        "One zone, fixed load",
        "Gas is the last plant needed and sets the price.",
        tables(south_africa(), hubs="SA", product=WIDE),
        source=PYPSA,
        prices={"SA": 60},
        trades={"gas": 4000, "oil": 0},
    ),
    Example(
        "Three zones, links to South Africa full",
        "Water sets the price in both neighbours, gas in South Africa.",
        tables(
            [
                *south_africa(),
                sell("hydro_m", "0", 1200, "M"),
                buy("load_m", "3000", 650, "M"),
                sell("hydro_s", "0", 600, "S"),
                buy("load_s", "3000", 250, "S"),
            ],
            hubs="SA M S",
            links=[link("SA", "M", "500"), link("SA", "S", "250"), link("M", "S", "100")],
            product=WIDE,
        ),
        source=PYPSA,
        prices={"SA": 60, "M": 0, "S": 0},
    ),
    Example(
        "A price-sensitive load",
        "Half of the industrial load of 8,000 at 70 is served; that exhausts gas, and oil is too "
        "dear for it.",
        tables([*south_africa(), buy("industry", "70", 8000, "SA")], hubs="SA", product=WIDE),
        source=PYPSA,
        trades={"industry": 4000, "gas": 8000, "oil": 0},
    ),
    Example(
        "Two zones, room on the link",
        "One price. Supply and demand are equal, so any price from 10 to 50 fits; the source takes "
        "the lowest, here it is another.",
        two_zones("1000"),
        source=OPEN_EUPHEMIA,
        prices={"A": ("10", "50"), "B": ("10", "50")},
    ),
    Example(
        "Two zones, full link",
        "20 units cross; B's own supply is marginal there.",
        two_zones("20"),
        source=OPEN_EUPHEMIA,
        prices={"A": 10, "B": 50},
        trades={"a_s": 60, "b_s": 40},
    ),
    Example(
        "A neighbour that trades at its own price",
        "The neighbour buys and sells up to 500 at 30 in B, which sets the price in both zones.",
        two_zones("1000", sell("x_s", "30", 500, "B"), buy("x_d", "30", 500, "B")),
        source=OPEN_EUPHEMIA,
        prices={"A": 30, "B": 30},
    ),
    Example(
        "Two nodes, line of 500",
        "Node 1 takes 500 from node 2 and makes the rest itself.",
        tables(
            [
                buy("dem1", "3000", 1000, "n1"),
                buy("dem2", "3000", 200, "n2"),
                sell("gen1", "100", 1000, "n1"),
                sell("gen2", "50", 1000, "n2"),
            ],
            hubs="n1 n2",
            links=[link("n1", "n2", "500")],
            product=WIDE,
        ),
        source=ASSUME,
        prices={"n1": 100, "n2": 50},
        trades={"gen1": 500, "gen2": 700, "dem1": 1000, "dem2": 200},
    ),
    Example(
        "An island short of supply",
        "Node 3 has no line: its demand is served in part and sets the price.",
        three_nodes(link("n1", "n2", "500")),
        source=ASSUME,
        prices={"n3": 3000},
        trades={"dem3": 400, "gen1": 500, "gen2": 700, "gen3": 400},
    ),
    Example(
        "The island gets a line of 200",
        "Both lines are full; every node has a price of its own.",
        three_nodes(link("n1", "n2", "500"), link("n2", "n3", "200")),
        source=ASSUME,
        prices={"n1": 100, "n2": 50, "n3": 75},
        trades={"gen1": 500, "gen2": 900, "gen3": 300, "dem3": 500},
    ),
    Example(
        "One zone, two plants",
        "Welfare is 100 × 50 − 60 × 30 − 40 × 40.",
        tables([buy("d", "50", 100), sell("g1", "30", 60), sell("g2", "40", 60)]),
        source=CLEARING,
        prices={"W": 40},
        trades={"g1": 60, "g2": 40},
        sums={"welfare": 1600},
    ),
    Example(
        "Coupling without congestion",
        "Mali's supply serves both zones at 20.",
        senegal_mali("1000"),
        source=CLEARING,
        prices={"ML": 20},
        delivered={"SN": 20, "ML": 20},
        trades={"ml_g": 150},
        sums={"congestion_rent": 0},
    ),
    Example(
        "Market splitting",
        "30 units cross; the rent is (80 − 20) × 30.",
        senegal_mali("30"),
        source=CLEARING,
        prices={"SN": 80, "ML": 20},
        trades={"sn_g2": 10},
        sums={"congestion_rent": 1800},
    ),
    Example(
        "Scarcity shared pro rata",
        "Both demands bid the highest price; 200 units are shared 3 : 1.",
        tables([buy("d1", "100", 300), buy("d2", "100", 100), sell("g", "40", 200)]),
        source=CLEARING,
        prices={"W": 100},
        trades={"d1": 150, "d2": 50},
    ),
    Example(
        "Equal offers shared pro rata",
        "132 units of demand (150 at 88 % of the hour's profile), two offers of 95.",
        tables([sell("a", "50", 95), sell("b", "50", 95), buy("tcn", "100", 132)]),
        source=SIMULATOR,
        prices={"W": 50},
        trades={"a": 66, "b": 66},
    ),
    Example(
        "A marginal plant",
        "37 units of the peaker at 60.",
        tables([sell("base", "30", 95), sell("peaker", "60", 95), buy("tcn", "100", 132)]),
        source=SIMULATOR,
        prices={"W": 60},
        trades={"peaker": 37},
    ),
    Example(
        "No trade",
        "The price lies between the best demand and the best offer.",
        tables([sell("a", "150", 100), buy("b", "100", 100)], product=WIDE),
        source=SIMULATOR,
        prices={"W": ("100", "150")},
        trades={"a": 0, "b": 0},
    ),
)
