"""Published flows: load of the links, who served whom, and the directions of work."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext, gettext_lazy

from marketplace.models import Hub, HubKind, Link, Product
from marketplace.templatetags.market_places import shortname
from marketplace.templatetags.market_ui import figure, localname, percent, unit_text
from marketplace.web.charts import Chart
from marketplace.web.hub_pages import place_in_drawing
from orders.models import Allocation, ClearingRun, FlowType, LinkDirection, LinkFlow, LinkRent
from orders.selectors.market_day import flow_values

ZERO = Decimal(0)
Direction = tuple[int, str]


@dataclass
class LinkLoads:
    """Load of every link direction: in one period, or the highest of all periods."""

    links: list[Link]
    load_gbps: dict[Direction, Decimal]
    rented: set[Direction]

    def is_full(self, link: Link, direction: str) -> bool:
        """Tell whether the direction had a congestion rent or is used to the last bit."""
        if (link.pk, direction) in self.rented:
            return True
        load = self.load_gbps.get((link.pk, direction), ZERO)
        return load > 0 and load >= capacity_of(link, direction)


def capacity_of(link: Link, direction: str) -> Decimal:
    """Return the capacity of a direction, Gbit/s."""
    return link.forward_gbps if direction == LinkDirection.FORWARD else link.reverse_gbps


def read_link_loads(run: ClearingRun, period: int | None = None) -> LinkLoads:
    """Read what the links carried; without a period, the highest load over all periods."""
    links = list(
        Link.objects.filter(active=True)
        .select_related("from_hub", "to_hub")
        .order_by("from_hub__code", "to_hub__code")
    )
    flows = LinkFlow.objects.filter(run=run).select_related("product")
    rents = LinkRent.objects.filter(run=run, rent_cny_per_gbps__gt=0)
    if period:
        flows, rents = flows.filter(period=period), rents.filter(period=period)
    sums: dict[tuple[int, str, int], Decimal] = {}
    for flow in flows:
        width = flow.product.bandwidth_gbps_per_unit
        for direction, carried in (
            (LinkDirection.FORWARD.value, flow.forward_quantity),
            (LinkDirection.REVERSE.value, flow.reverse_quantity),
        ):
            key = (flow.link_id, direction, flow.period)
            sums[key] = sums.get(key, ZERO) + carried * width
    peaks: dict[Direction, Decimal] = {}
    for (link_id, direction, _period), load in sums.items():
        peaks[link_id, direction] = max(peaks.get((link_id, direction), ZERO), load)
    return LinkLoads(links, peaks, set(rents.values_list("link_id", "direction")))


def network_chart(loads: LinkLoads, *, at: str = "", busiest: int = 18) -> Chart:
    """Draw the hubs and the busiest links between them; the table holds every direction in use."""
    used = _edges_in_use(loads)
    names = {hub.code: localname(hub) for hub in hubs_of(loads.links)}
    title = gettext("Load of the network, %(period)s") % {"period": at} if at else _PEAK_TITLE
    return Chart(
        id="network",
        kind="network",
        title=str(title),
        summary=_describe_network(used, names),
        data={
            "nodes": [place_in_drawing(hub) for hub in hubs_of(loads.links)],
            "links": used[:busiest],
            "flow_unit": "Gbit/s",
            "value_unit": "",
        },
        table_head=[
            gettext("Direction"),
            gettext("Load, Gbit/s"),
            gettext("Capacity, Gbit/s"),
            gettext("Used"),
            gettext("State"),
        ],
        table_rows=[_edge_row(edge, names) for edge in used],
        height="lg",
        note=gettext(
            "A schematic drawing, not a map. It shows the busiest directions; the table has all."
        ),
    )


def _edges_in_use(loads: LinkLoads) -> list[dict[str, Any]]:
    return sorted(
        (edge for link in loads.links for edge in _edges_of(loads, link)),
        key=lambda edge: (-edge["flow"], edge["source"], edge["target"]),
    )


def edges_of_run(run: ClearingRun) -> list[dict[str, Any]]:
    """Return every link direction in use with its highest load, the busiest first."""
    return _edges_in_use(read_link_loads(run))


_PEAK_TITLE = gettext_lazy("Highest load of the network")


def _edge_row(edge: dict[str, Any], names: dict[str, str]) -> list[str]:
    return [
        _edge_name(edge, names),
        figure(edge["flow"], 3),
        figure(edge["capacity"], 3),
        percent(edge["flow"] / edge["capacity"] if edge["capacity"] else None),
        gettext("full") if edge["full"] else "",
    ]


def _edge_name(edge: dict[str, Any], names: dict[str, str]) -> str:
    return f"{names[edge['source']]} → {names[edge['target']]}"


def _describe_network(used: list[dict[str, Any]], names: dict[str, str]) -> str:
    if not used:
        return gettext("Nothing was carried between the hubs.")
    full = [_edge_name(edge, names) for edge in used if edge["full"]]
    if not full:
        return gettext("%(count)s directions carry work; none is full.") % {"count": len(used)}
    return gettext("%(count)s directions carry work, %(full)s are full, first %(name)s.") % {
        "count": len(used),
        "full": len(full),
        "name": full[0],
    }


def _edges_of(loads: LinkLoads, link: Link) -> list[dict[str, Any]]:
    edges = []
    for direction, source, target in (
        (LinkDirection.FORWARD.value, link.from_hub, link.to_hub),
        (LinkDirection.REVERSE.value, link.to_hub, link.from_hub),
    ):
        load = loads.load_gbps.get((link.pk, direction), ZERO)
        full = loads.is_full(link, direction)
        if load or full:
            edges.append(_edge(source, target, load, capacity_of(link, direction), full=full))
    return edges


def _edge(source: Hub, target: Hub, flow: Decimal, capacity: Decimal, *, full: bool) -> dict:
    return {
        "source": source.code,
        "target": target.code,
        "flow": flow,
        "capacity": capacity,
        "full": full,
    }


def hubs_of(links: list[Link]) -> list[Hub]:
    """Return the hubs at the ends of the links, once each."""
    found = {hub.pk: hub for link in links for hub in (link.from_hub, link.to_hub)}
    return sorted(found.values(), key=lambda hub: hub.code)


def served_by_hub(run: ClearingRun, product: Product) -> list[tuple[str, str, Decimal]]:
    """Return code of the supply hub, code of the place of consumption, and unit-hours."""
    rows = Allocation.objects.filter(run=run, product=product)
    sums = rows.values_list("supply_hub__code", "hub__code").annotate(total=Sum("unit_hours"))
    return [(supply, place, total) for supply, place, total in sums.order_by("-total")]


def sankey_chart(run: ClearingRun, product: Product) -> Chart | None:
    """Draw who served whom for one product, in unit-hours; None when nothing was allocated."""
    rows = list(
        Allocation.objects.filter(run=run, product=product)
        .values("supply_hub_id", "hub_id")
        .annotate(total=Sum("unit_hours"))
        .order_by("-total")
    )
    if not rows:
        return None
    hubs = Hub.objects.in_bulk(
        {row["supply_hub_id"] for row in rows} | {row["hub_id"] for row in rows}
    )
    unit = unit_text(product)
    total = sum((row["total"] for row in rows), ZERO)
    local = sum((row["total"] for row in rows if row["supply_hub_id"] == row["hub_id"]), ZERO)
    return Chart(
        id="served",
        kind="sankey",
        title=gettext("Who serves whom"),
        summary=gettext("%(total)s %(unit)s in all, %(share)s of it served where it is consumed.")
        % {"total": figure(total, 0), "unit": unit, "share": percent(local / total)},
        data={"nodes": _sankey_nodes(rows, hubs), "links": _sankey_links(rows), "unit": unit},
        table_head=[gettext("Supplied at"), gettext("Consumed at"), unit, gettext("Share")],
        table_rows=[
            [
                localname(hubs[row["supply_hub_id"]]),
                localname(hubs[row["hub_id"]]),
                figure(row["total"], 0),
                percent(row["total"] / total),
            ]
            for row in rows
        ],
        height="lg",
    )


def _sankey_nodes(rows: list[dict], hubs: dict[int, Hub]) -> list[dict[str, Any]]:
    supply = dict.fromkeys(row["supply_hub_id"] for row in rows)
    demand = dict.fromkeys(row["hub_id"] for row in rows)
    return [_sankey_node("from", hubs[pk]) for pk in supply] + [
        _sankey_node("to", hubs[pk]) for pk in demand
    ]


def _sankey_node(column: str, hub: Hub) -> dict[str, Any]:
    group = "city" if hub.kind == HubKind.CITY else hub.side
    return {"name": f"{column}:{hub.pk}", "label": shortname(hub), "group": group}


def _sankey_links(rows: list[dict]) -> list[dict[str, Any]]:
    return [
        {
            "source": f"from:{row['supply_hub_id']}",
            "target": f"to:{row['hub_id']}",
            "value": row["total"],
        }
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class FlowShare:
    """One direction of work: its value, its share of all value."""

    code: str
    label: str
    value_cny: Decimal
    share: Decimal
    percentage: int


def flow_shares(run: ClearingRun) -> list[FlowShare]:
    """Return the directions of work by value of what was bought (units of products differ)."""
    return shares_of(flow_values([run]))


def shares_of(values_cny: dict[str, Decimal]) -> list[FlowShare]:
    """Return every direction of work with its share of the value."""
    total = sum(values_cny.values(), ZERO)
    return [
        FlowShare(
            code=code,
            label=str(label),
            value_cny=values_cny.get(code, ZERO),
            share=values_cny.get(code, ZERO) / total if total else ZERO,
            percentage=round(values_cny.get(code, ZERO) * 100 / total) if total else 0,
        )
        for code, label in FlowType.choices
    ]
