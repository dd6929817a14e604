"""Published supply prices of one product as hub × period, for the heat map and its table."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext

from marketplace.models import Hub, Product
from marketplace.templatetags.market_places import shortname
from marketplace.templatetags.market_ui import figure, localname
from marketplace.web.charts import Chart
from orders.models import ClearingPrice, ClearingRun
from orders.web.names import PeriodName, unit_price_text

PLACES = 4


@dataclass(frozen=True, slots=True)
class PriceCell:
    """Supply price of a hub in a period, CNY per unit and hour, with the units supplied."""

    price: Decimal | None
    supplied: Decimal
    consumed: Decimal


@dataclass
class PriceGrid:
    """The supply prices of one product in one run."""

    product: Product
    hubs: list[Hub] = field(default_factory=list)
    cells: dict[tuple[int, int], PriceCell] = field(default_factory=dict)

    def priced(self) -> list[tuple[Decimal, Hub, int]]:
        """Return every price with its hub and period, cheapest first."""
        places = {hub.pk: hub for hub in self.hubs}
        found = [
            (cell.price, places[hub_id], period)
            for (hub_id, period), cell in self.cells.items()
            if hub_id in places and cell.price is not None
        ]
        return sorted(found, key=lambda entry: (entry[0], entry[1].code, entry[2]))

    def supplied(self) -> Decimal:
        """Return units supplied, summed over hubs and periods."""
        return sum((cell.supplied for cell in self.cells.values()), Decimal(0))

    def busiest(self) -> tuple[int, int] | None:
        """Return hub id and period with the largest supply; where a chart should start."""
        traded = [(cell.supplied, key) for key, cell in self.cells.items() if cell.supplied > 0]
        if not traded:
            return None
        return max(traded, key=lambda entry: (entry[0], -entry[1][1], -entry[1][0]))[1]


def read_price_grid(run: ClearingRun, product: Product) -> PriceGrid:
    """Read the supply prices of a product; hubs without any price are left out."""
    rows = (
        ClearingPrice.objects.filter(run=run, product=product, is_delivered=False)
        .filter(carbon_class_g__isnull=True, hub__has_supply=True)
        .select_related("hub")
        .order_by("hub__side", "hub__code", "period")
    )
    grid = PriceGrid(product=product)
    for row in rows:
        if not grid.hubs or grid.hubs[-1].pk != row.hub_id:
            grid.hubs.append(row.hub)
        grid.cells[row.hub_id, row.period] = PriceCell(row.price, row.supplied, row.consumed)
    priced = {hub for (hub, _period), cell in grid.cells.items() if cell.price is not None}
    grid.hubs = [hub for hub in grid.hubs if hub.pk in priced]
    return grid


def heat_map(grid: PriceGrid, periods: list[PeriodName]) -> Chart:
    """Draw the grid; its table holds the same prices."""
    unit = unit_price_text(grid.product)
    values = [
        [x, y, _price_at(grid, hub, period)]
        for y, hub in enumerate(grid.hubs)
        for x, period in enumerate(periods)
    ]
    return Chart(
        id="price-map",
        kind="heatmap",
        title=gettext("Supply prices by hub and period"),
        summary=describe(grid, periods),
        data={
            "x": [period.label for period in periods],
            "y": [shortname(hub) for hub in grid.hubs],
            "values": values,
            "unit": unit,
        },
        table_head=[gettext("Hub"), *(period.label for period in periods)],
        table_rows=[
            [localname(hub), *(figure(_price_at(grid, hub, p), PLACES) for p in periods)]
            for hub in grid.hubs
        ],
        height="lg" if len(grid.hubs) > 8 else "md",
        note=gettext("Prices in %(unit)s, VAT excluded. A dash: no trade possible.")
        % {"unit": unit},
    )


def _price_at(grid: PriceGrid, hub: Hub, period: PeriodName) -> Decimal | None:
    cell = grid.cells.get((hub.pk, period.number))
    return cell.price if cell else None


def describe(grid: PriceGrid, periods: list[PeriodName]) -> str:
    """Return one sentence on the lowest and the highest price."""
    priced = grid.priced()
    if not priced:
        return gettext("No supply price was found for this product.")
    labels = {period.number: period.label for period in periods}
    low, high = priced[0], priced[-1]
    values = {
        "low": figure(low[0], PLACES),
        "low_hub": localname(low[1]),
        "low_time": labels.get(low[2], ""),
        "high": figure(high[0], PLACES),
        "high_hub": localname(high[1]),
        "high_time": labels.get(high[2], ""),
        "unit": unit_price_text(grid.product),
    }
    if low[0] == high[0]:
        return gettext("One price everywhere: %(low)s %(unit)s.") % values
    return (
        gettext(
            "From %(low)s %(unit)s (%(low_hub)s, %(low_time)s) "
            "to %(high)s %(unit)s (%(high_hub)s, %(high_time)s)."
        )
        % values
    )
