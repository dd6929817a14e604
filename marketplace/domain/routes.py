"""Least-RTT routes over the network of hubs, in exact decimals, with a total order for ties."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Edge:
    """A link, usable in both directions; the tariff is CNY per Gbit/s and hour."""

    ends: tuple[str, str]
    rtt_ms: Decimal
    tariff: Decimal


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """A way through the network. Routes compare as the market's rule says.

    Least round-trip time, then fewest links, then least tariff, then hub names in order.

    Attributes:
        rtt_ms: sum over the links.
        links: how many.
        tariff: sum over the links, CNY per Gbit/s and hour.
        hubs: codes from the place of consumption to the place of supply, both included.
    """

    rtt_ms: Decimal
    links: int
    tariff: Decimal
    hubs: tuple[str, ...]


def best_routes(origin: str, edges: Iterable[Edge]) -> dict[str, Route]:
    """Return the best route from one hub to every hub that can be reached, itself included."""
    neighbours: dict[str, list[tuple[str, Edge]]] = {}
    for edge in edges:
        one, other = edge.ends
        neighbours.setdefault(one, []).append((other, edge))
        neighbours.setdefault(other, []).append((one, edge))
    found: dict[str, Route] = {}
    # Every part of the order only grows along a route, so the first time a hub leaves the heap
    # its route is the best one.
    waiting = [Route(Decimal(0), 0, Decimal(0), (origin,))]
    while waiting:
        route = heapq.heappop(waiting)
        here = route.hubs[-1]
        if here in found:
            continue
        found[here] = route
        for there, edge in neighbours.get(here, []):
            if there not in found:
                heapq.heappush(waiting, _extended(route, edge, there))
    return found


def _extended(route: Route, edge: Edge, there: str) -> Route:
    return Route(
        route.rtt_ms + edge.rtt_ms,
        route.links + 1,
        route.tariff + edge.tariff,
        (*route.hubs, there),
    )
