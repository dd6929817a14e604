"""Hubs, and which of them are near enough."""

from decimal import Decimal
from functools import lru_cache

from django.db import connection
from django.db.models import QuerySet

from marketplace.domain.errors import NotFound
from marketplace.domain.routes import Edge, Route, best_routes
from marketplace.models import Hub, HubKind, HubPairing, Link

# The network's fingerprint: any change of a link that matters for routes changes it.
_LINK_VERSION = """
SELECT md5(coalesce(string_agg(
    concat_ws('|', id, from_hub_id, to_hub_id, rtt_ms, tariff_cny_per_gbps_hour), ';' ORDER BY id
), '')) FROM marketplace_link WHERE active
"""


def supply_hubs() -> QuerySet[Hub]:
    """Return the hubs that take listings, by code."""
    return Hub.objects.filter(has_supply=True, trades=True).select_related("parent").order_by("id")


def trading_hubs() -> QuerySet[Hub]:
    """Return every hub that takes part in auctions, clusters before cities."""
    return Hub.objects.filter(trades=True).select_related("parent").order_by("id")


def consumption_hubs() -> QuerySet[Hub]:
    """Return the places a buyer can name as the place of consumption."""
    return trading_hubs().exclude(kind__in=[HubKind.NODE])


def hub_by_code(code: str) -> Hub:
    """Return a hub; raises NotFound."""
    hub = Hub.objects.select_related("parent").filter(code=code).first()
    if hub is None:
        raise NotFound(field="hub")
    return hub


def pairings_of(hub: Hub) -> QuerySet[HubPairing]:
    """Return the dated pairings (结对子) of a hub, newest first."""
    return hub.pairings.select_related("partner_hub").order_by("-since_year", "id")


def link_version() -> str:
    """Return the fingerprint of the active network."""
    with connection.cursor() as cursor:
        cursor.execute(_LINK_VERSION)
        return cursor.fetchone()[0]


def routes_from(hub_code: str) -> dict[str, Route]:
    """Return the market's route from a place of consumption to every hub it can reach, by code."""
    return _routes(link_version(), hub_code)


def hubs_within(
    consumption_hub: Hub, max_rtt_ms: Decimal | None = None
) -> list[tuple[Hub, Decimal]]:
    """Return the supply hubs a latency class reaches, nearest first, with the route's RTT in ms.

    Args:
        consumption_hub: where the work's users or data are.
        max_rtt_ms: the limit, itself included; None for every hub there is a route to.
    """
    routes = routes_from(consumption_hub.code)
    reached = [
        (hub, routes[hub.code].rtt_ms)
        for hub in supply_hubs()
        if hub.code in routes and (max_rtt_ms is None or routes[hub.code].rtt_ms <= max_rtt_ms)
    ]
    return sorted(reached, key=lambda pair: (pair[1], pair[0].code))


@lru_cache(maxsize=256)
def _routes(version: str, hub_code: str) -> dict[str, Route]:
    return best_routes(hub_code, _edges(version))


@lru_cache(maxsize=4)
def _edges(version: str) -> tuple[Edge, ...]:
    links = Link.objects.filter(active=True).order_by("id")
    rows = links.values_list("from_hub__code", "to_hub__code", "rtt_ms", "tariff_cny_per_gbps_hour")
    return tuple(Edge((one, other), rtt, tariff) for one, other, rtt, tariff in rows)
