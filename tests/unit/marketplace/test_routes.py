"""Least-RTT routes: against a plain enumeration of all paths, ties by the market's rule."""

from decimal import Decimal
from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.routes import Edge, Route, best_routes

HUBS = "ABCDE"
edges_of_small_networks = st.lists(
    st.builds(
        lambda ends, rtt, tariff: Edge(ends, Decimal(rtt) / 10, Decimal(tariff)),
        st.sampled_from([(a, b) for a in HUBS for b in HUBS if a < b]),
        # Few values, so that ties are common.
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=8,
)


def _all_routes(origin: str, edges: list[Edge]) -> dict[str, Route]:
    best: dict[str, Route] = {origin: Route(Decimal(0), 0, Decimal(0), (origin,))}
    others = [hub for hub in HUBS if hub != origin]
    for length in range(1, len(HUBS)):
        for middle in permutations(others, length):
            path = (origin, *middle)
            for route in _walks(path, edges):
                known = best.get(path[-1])
                best[path[-1]] = route if known is None else min(known, route)
    return best


def _walks(path: tuple[str, ...], edges: list[Edge]) -> list[Route]:
    routes = [Route(Decimal(0), 0, Decimal(0), path[:1])]
    for here, there in pairwise(path):
        routes = [
            Route(r.rtt_ms + e.rtt_ms, r.links + 1, r.tariff + e.tariff, (*r.hubs, there))
            for r in routes
            for e in edges
            if set(e.ends) == {here, there}
        ]
    return routes


@given(edges_of_small_networks)
def test_routes_equal_the_best_of_all_paths(edges: list[Edge]) -> None:
    assert best_routes("A", edges) == _all_routes("A", edges)


def test_ties_go_to_fewest_links_then_least_tariff_then_names() -> None:
    def edge(ends: str, rtt: str, tariff: str) -> Edge:
        return Edge((ends[0], ends[1]), Decimal(rtt), Decimal(tariff))

    direct = [edge("AD", "4.0", "9"), edge("AB", "2.0", "1"), edge("BD", "2.0", "1")]
    assert best_routes("A", direct)["D"].hubs == ("A", "D")
    cheap = [
        edge("AB", "2.0", "2"),
        edge("BD", "2.0", "2"),
        edge("AC", "2.0", "1"),
        edge("CD", "2.0", "1"),
    ]
    assert best_routes("A", cheap)["D"].hubs == ("A", "C", "D")
    equal = [edge(ends, "2.0", "1") for ends in ("AC", "CD", "AB", "BD")]
    assert best_routes("A", equal)["D"].hubs == ("A", "B", "D")


def test_round_trip_times_add_up_without_a_trace_of_binary() -> None:
    edges = [Edge((a, b), Decimal("0.1"), Decimal(0)) for a, b in ("AB", "BC", "CD")]
    assert best_routes("A", edges)["D"].rtt_ms == Decimal("0.3")
    assert "E" not in best_routes("A", edges)
