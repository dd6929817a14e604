"""One example of every chart kind, for the style guide."""

from decimal import Decimal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marketplace.web.charts import Chart

# code, Chinese, English, group, x, y, price
HUBS = (
    ("ZJK", "张家口", "Zhangjiakou", "east", 640, 90, "10.90"),
    ("WUH", "芜湖", "Wuhu", "east", 720, 300, "11.40"),
    ("CSJ", "长三角", "Yangtze Delta", "east", 820, 250, "12.60"),
    ("SGN", "韶关", "Shaoguan", "east", 640, 470, "11.90"),
    ("HLE", "和林格尔", "Horinger", "west", 460, 100, "7.80"),
    ("ZWI", "中卫", "Zhongwei", "west", 280, 170, "7.20"),
    ("QYG", "庆阳", "Qingyang", "west", 390, 240, "7.50"),
    ("TFU", "天府", "Tianfu", "west", 250, 360, "8.60"),
    ("CQG", "重庆", "Chongqing", "west", 390, 380, "9.10"),
    ("GAN", "贵安", "Gui'an", "west", 360, 480, "8.20"),
)
LINKS = (
    ("ZJK", "HLE", 120, 400, False),
    ("HLE", "ZWI", 60, 300, False),
    ("ZWI", "QYG", 0, 300, False),
    ("QYG", "CSJ", 380, 380, True),
    ("CQG", "WUH", 180, 400, False),
    ("WUH", "CSJ", 210, 600, False),
    ("TFU", "CQG", 90, 500, False),
    ("GAN", "SGN", 300, 300, True),
    ("GAN", "CQG", 0, 300, False),
    ("HLE", "CSJ", 260, 500, False),
)


def hub_name(hub: tuple) -> str:
    """Return the hub's name in the page's language."""
    return hub[1] if (get_language() or "").startswith("zh") else hub[2]


def example_charts() -> list[Chart]:
    """Return one chart of each kind."""
    return [merit_order(), heatmap(), network(), sankey(), price_lines(), stacked_bars()]


def merit_order() -> Chart:
    """Supply and demand of one product, hub and hour."""
    supply = [(7.2, 900), (7.8, 640), (8.4, 512), (9.1, 720), (10.2, 400), (12.4, 360), (15, 300)]
    demand = [(18, 500), (15.5, 640), (13, 720), (11.2, 400), (9.6, 640), (8.2, 400), (6.9, 512)]
    unit = _("CNY per card-hour, excl. VAT")
    return Chart(
        id="example-merit",
        kind="merit_order",
        title=_("Merit order"),
        summary=_("At 9.10 CNY per card-hour 2,772 cards were traded."),
        data={
            "supply": [{"price": Decimal(str(p)), "quantity": q} for p, q in supply],
            "demand": [{"price": Decimal(str(p)), "quantity": q} for p, q in demand],
            "clearing": {"price": Decimal("9.1"), "quantity": 2772},
            "price_unit": unit,
            "quantity_unit": _("cards"),
        },
        table_head=[_("Price"), _("Supply"), _("Demand")],
        table_rows=[["7.20", "900", "–"], ["9.10", "2,772", "2,900"], ["18.00", "–", "500"]],
    )


def heatmap() -> Chart:
    """Clearing prices of ten hubs and 24 hours."""
    values = []
    for row, hub in enumerate(HUBS):
        for hour in range(24):
            wave = Decimal(str(((hour * 7 + row * 3) % 11) / 10))
            day = Decimal("2.4") if 9 <= hour <= 21 else Decimal(0)
            traded = (row * 5 + hour) % 29 != 0
            values.append([hour, row, Decimal(hub[6]) + day + wave if traded else None])
    names = [hub_name(hub) for hub in HUBS]
    return Chart(
        id="example-heat",
        kind="heatmap",
        title=_("Prices by hub and hour"),
        summary=_("Dearest between 9 and 21 o'clock in the east; lowest at night in Zhongwei."),
        data={
            "x": [f"{hour:02d}" for hour in range(24)],
            "y": names,
            "values": values,
            "unit": _("CNY/card-hour"),
        },
        table_head=[_("Hub"), "00", "01", "02"],
        table_rows=[
            [name, *(v[2] for v in values[i * 24 : i * 24 + 3])] for i, name in enumerate(names)
        ],
        height="lg",
    )


def network() -> Chart:
    """Hubs as a schematic network with link loads."""
    nodes = [
        {
            "id": hub[0],
            "name": hub_name(hub),
            "group": hub[3],
            "x": hub[4],
            "y": hub[5],
            "value": Decimal(hub[6]),
            "label": hub[6],
            "weight": 100 + index * 40,
        }
        for index, hub in enumerate(HUBS)
    ]
    nodes.append(
        {"id": "BJ", "name": _("Beijing"), "group": "city", "x": 740, "y": 40, "weight": 60}
    )
    links = [
        {"source": a, "target": b, "flow": flow, "capacity": capacity, "full": full}
        for a, b, flow, capacity, full in LINKS
    ]
    links.append({"source": "ZJK", "target": "BJ", "flow": 40, "capacity": 800, "full": False})
    return Chart(
        id="example-network",
        kind="network",
        title=_("Hubs and links"),
        summary=_("Two of eleven links are full; compute flows from west to east."),
        data={
            "nodes": nodes,
            "links": links,
            "flow_unit": "Gbit/s",
            "value_unit": _("CNY/card-hour"),
        },
        table_head=[_("Link"), _("Flow"), _("Capacity")],
        table_rows=[[f"{a} → {b}", flow, capacity] for a, b, flow, capacity, _full in LINKS],
        height="lg",
    )


def sankey() -> Chart:
    """Where work comes from and where it runs."""
    names = {"east": _("East"), "central": _("Central"), "west": _("West")}
    flows = (
        ("east", "west", 4200),
        ("east", "east", 2600),
        ("west", "west", 1500),
        ("central", "west", 700),
    )
    nodes = [
        {"name": f"{side}:{key}", "label": text, "group": key}
        for side, text_of in (("from", _("Demand: %(region)s")), ("to", _("Compute: %(region)s")))
        for key in names
        for text in [text_of % {"region": names[key]}]
        if any(key == flow[0 if side == "from" else 1] for flow in flows)
    ]
    return Chart(
        id="example-sankey",
        kind="sankey",
        title=_("Flows of compute"),
        summary=_("Nearly half of the quantity is east data on west compute."),
        data={
            "nodes": nodes,
            "links": [
                {"source": f"from:{a}", "target": f"to:{b}", "value": value}
                for a, b, value in flows
            ],
            "unit": _("card-hours"),
        },
        table_head=[_("Direction"), _("Quantity")],
        table_rows=[[f"{names[a]} → {names[b]}", f"{value:,}"] for a, b, value in flows],
    )


def price_lines() -> Chart:
    """Prices of three products over a fortnight."""
    days = [f"11-{day:02d}" for day in range(9, 23)]
    series = (("910B", "11.2"), ("H20", "9.4"), ("A800", "12.8"))
    return Chart(
        id="example-lines",
        kind="price_lines",
        title=_("Price history"),
        summary=_("H20 rose slightly in a fortnight."),
        data={
            "x": days,
            "unit": _("CNY/card-hour"),
            "series": [
                {
                    "name": name,
                    "step": True,
                    "values": [Decimal(start) + Decimal((i * (n + 3)) % 7) / 5 for i in range(14)],
                }
                for n, (name, start) in enumerate(series)
            ],
        },
    )


def stacked_bars() -> Chart:
    """Quantities by day and class."""
    names = (_("General compute"), _("AI compute"), _("Supercomputing"))
    return Chart(
        id="example-bars",
        kind="stacked_bars",
        title=_("Traded quantity"),
        summary=_("AI compute is the largest part on every day."),
        data={
            "x": [f"11-{day:02d}" for day in range(16, 23)],
            "unit": _("thousand units"),
            "series": [
                {"name": name, "values": [20 + (i * 7 + n * 11) % 23 for i in range(7)]}
                for n, name in enumerate(names)
            ],
        },
    )
