"""The hubs of the market: where capacity is delivered, how far apart, with whom paired."""

from typing import Any

from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from marketplace.context_processors import provided
from marketplace.models import Hub, HubKind, Link, ListingState, Product
from marketplace.selectors.hubs import pairings_of, routes_from, trading_hubs
from marketplace.templatetags.market_places import shortname
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.charts import Chart
from marketplace.web.market_pages import nearest_places


@require_safe
def list_hubs(request: HttpRequest) -> HttpResponse:
    """Show the hubs that take listings, with what is offered there."""
    active = Q(pools__listings__state=ListingState.ACTIVE)
    hubs = list(
        trading_hubs()
        .filter(has_supply=True)
        .annotate(
            offers=Count("pools__listings", filter=active),
            suppliers=Count("pools__organisation", filter=active, distinct=True),
        )
        .order_by("side", "code")
    )
    links = list(Link.objects.filter(active=True).select_related("from_hub", "to_hub"))
    return render(
        request,
        "marketplace/hub_list.html",
        {"hubs": hubs, "network": network_picture(links)},
    )


@require_safe
def show_hub(request: HttpRequest, code: str) -> HttpResponse:
    """Show one hub: facts, links, pairings, offers and last prices by product."""
    hub = Hub.objects.select_related("parent").filter(code=code, trades=True).first()
    if hub is None:
        raise Http404
    prices = provided("recent_prices", request, {})
    products = (
        Product.objects.filter(
            pools__hub=hub, pools__listings__state=ListingState.ACTIVE, active=True
        )
        .annotate(offers=Count("pools__listings"), units=Sum("pools__listings__quantity"))
        .order_by("sort_order", "code")
    )
    context = {
        "hub": hub,
        "pairings": list(pairings_of(hub)),
        "products": [{"product": p, "last": prices.get((hub.pk, p.pk))} for p in products],
        "links": _links_of(hub),
        "reach": nearest_places(hub.code, limit=12),
        "routes": len(routes_from(hub.code)),
    }
    return render(request, "marketplace/hub_detail.html", context)


def _links_of(hub: Hub) -> list[dict[str, Any]]:
    links = (
        Link.objects.filter(Q(from_hub=hub) | Q(to_hub=hub), active=True)
        .select_related("from_hub", "to_hub")
        .order_by("rtt_ms", "id")
    )
    return [_link_row(hub, link) for link in links]


def _link_row(hub: Hub, link: Link) -> dict[str, Any]:
    outward = link.from_hub_id == hub.pk
    return {
        "other": link.to_hub if outward else link.from_hub,
        "rtt": link.rtt_ms,
        "tariff": link.tariff_cny_per_gbps_hour,
        "out_gbps": link.forward_gbps if outward else link.reverse_gbps,
        "in_gbps": link.reverse_gbps if outward else link.forward_gbps,
    }


def network_picture(links: list[Link]) -> Chart:
    """Draw hubs and links without flows."""
    hubs = {hub.pk: hub for link in links for hub in (link.from_hub, link.to_hub)}
    return Chart(
        id="network",
        kind="network",
        title=gettext("Hubs and links"),
        summary=gettext("%(hubs)s places joined by %(links)s links.")
        % {"hubs": len(hubs), "links": len(links)},
        data={
            "nodes": [place_in_drawing(hub) for hub in hubs.values()],
            "links": [
                {
                    "source": link.from_hub.code,
                    "target": link.to_hub.code,
                    "flow": 0,
                    "capacity": link.forward_gbps,
                    "full": False,
                }
                for link in links
            ],
            "flow_unit": "Gbit/s",
            "value_unit": "",
        },
        table_head=[
            gettext("From"),
            gettext("To"),
            gettext("RTT, ms"),
            gettext("Capacity there, Gbit/s"),
            gettext("Capacity back, Gbit/s"),
        ],
        table_rows=[
            [
                localname(link.from_hub),
                localname(link.to_hub),
                figure(link.rtt_ms, 1),
                figure(link.forward_gbps, 0),
                figure(link.reverse_gbps, 0),
            ]
            for link in links
        ],
        height="lg",
        note=gettext("A schematic drawing, not a map. Places are not to scale."),
    )


def place_in_drawing(hub: Hub, **extra: Any) -> dict[str, Any]:
    """Return a hub as a node of a network drawing; cities are smaller than supply hubs."""
    return {
        "id": hub.code,
        "name": shortname(hub),
        "x": hub.schema_x,
        "y": hub.schema_y,
        "group": "city" if hub.kind == HubKind.CITY else hub.side,
        "weight": 1 if hub.has_supply else 0,
        "detail": localname(hub),
        **extra,
    }
