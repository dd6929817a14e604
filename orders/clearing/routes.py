"""Least round-trip-time routes between hubs, with the written tie-break."""

import heapq
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from orders.clearing.types import Link

FORWARD = 0
REVERSE = 1


class Route(NamedTuple):
    """A path: its round-trip time, tariff per Gbit/s, and (link, direction) steps in order."""

    rtt_ms: Decimal
    tariff: Decimal
    steps: tuple[tuple[int, int], ...]


def least_rtt_routes(hubs: Sequence[str], links: Sequence[Link]) -> dict[tuple[int, int], Route]:
    """Return the route for every ordered pair of hubs that are connected.

    Least RTT in exact decimals; ties by fewest links, least tariff, then hub names in order.
    """
    neighbours: list[list[tuple[int, int, int]]] = [[] for _ in hubs]
    for number, link in enumerate(links):
        neighbours[link.from_hub].append((link.to_hub, number, FORWARD))
        neighbours[link.to_hub].append((link.from_hub, number, REVERSE))
    found: dict[tuple[int, int], Route] = {}
    for start in range(len(hubs)):
        found.update(_routes_from(start, hubs, links, neighbours))
    return found


def _routes_from(
    start: int,
    hubs: Sequence[str],
    links: Sequence[Link],
    neighbours: Sequence[Sequence[tuple[int, int, int]]],
) -> dict[tuple[int, int], Route]:
    # The key is additive and keeps its order when both paths are extended by the same link, so the
    # first arrival at a hub is final.
    zero = Decimal(0)
    queue: list[
        tuple[tuple[Decimal, int, Decimal, tuple[str, ...]], int, tuple[tuple[int, int], ...]]
    ]
    queue = [((zero, 0, zero, (hubs[start],)), start, ())]
    done: dict[tuple[int, int], Route] = {}
    while queue:
        (rtt, count, tariff, names), hub, steps = heapq.heappop(queue)
        if (start, hub) in done:
            continue
        done[start, hub] = Route(rtt, tariff, steps)
        for other, number, direction in neighbours[hub]:
            if (start, other) not in done:
                link = links[number]
                key = (rtt + link.rtt_ms, count + 1, tariff + link.tariff, (*names, hubs[other]))
                heapq.heappush(queue, (key, other, (*steps, (number, direction))))
    return done
