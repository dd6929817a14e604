"""The merit-order chart: offers and bids of one period, and where they cleared."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext

from marketplace.models import Hub, Product
from marketplace.templatetags.market_ui import counted, figure, localname
from marketplace.web.charts import Chart
from orders.models import ClearingRun
from orders.selectors.order_book import CurvePoint, MeritOrder, merit_order
from orders.web.names import PeriodName, unit_price_text
from orders.web.price_grid import PriceGrid

PLACES = 4
TABLE_ROWS = 40
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Cleared:
    """Where the curves cleared: the hub's price, or the volume-weighted average of all hubs."""

    hub: Hub | None
    price: Decimal | None
    quantity: Decimal


def merit_chart(
    run: ClearingRun, grid: PriceGrid, hub: Hub | None, period: PeriodName
) -> Chart | None:
    """Draw the curves of a period at a hub, or of the whole market; None without any order.

    Where too few members offer at a hub, the whole market is shown instead.
    """
    product = grid.product
    curves = merit_order(run=run, product=product, period=period.number, hub=hub)
    asked = hub
    if hub is not None and not curves.supply:
        hub = None
        curves = merit_order(run=run, product=product, period=period.number)
    if not (curves.supply or curves.demand):
        return None
    cleared = _cleared(grid, period.number, hub)
    unit = unit_price_text(product)
    return Chart(
        id="merit-order",
        kind="merit_order",
        title=_title(hub, period),
        summary=_summary(cleared, product),
        data={
            "supply": _steps(curves.supply),
            "demand": _steps(curves.demand),
            "clearing": {"price": cleared.price, "quantity": cleared.quantity}
            if cleared.price is not None and cleared.quantity
            else None,
            "price_unit": unit,
            "quantity_unit": counted(product),
        },
        table_head=[
            gettext("Side"),
            gettext("Price, %(unit)s") % {"unit": unit},
            gettext("Units"),
            gettext("Units so far"),
        ],
        table_rows=_table(curves),
        note=_note(asked, hub),
    )


def _cleared(grid: PriceGrid, period: int, hub: Hub | None) -> Cleared:
    cells = [
        cell
        for (hub_id, number), cell in grid.cells.items()
        if number == period and (hub is None or hub_id == hub.pk) and cell.price is not None
    ]
    units = sum((cell.supplied for cell in cells), ZERO)
    if not units:
        return Cleared(hub, None, ZERO)
    value = sum(((cell.price or ZERO) * cell.supplied for cell in cells), ZERO)
    return Cleared(hub, round(value / units, 8), units)


def _title(hub: Hub | None, period: PeriodName) -> str:
    place = localname(hub) if hub else gettext("All hubs")
    return gettext("Merit order: %(place)s, %(period)s") % {"place": place, "period": period.label}


def _summary(cleared: Cleared, product: Product) -> str:
    if cleared.price is None:
        return gettext("Nothing was traded in this period.")
    values = {
        "quantity": figure(cleared.quantity, 0),
        "unit": counted(product),
        "price": figure(cleared.price, PLACES),
        "price_unit": unit_price_text(product),
    }
    if cleared.hub:
        return gettext("%(quantity)s %(unit)s sold at %(price)s %(price_unit)s.") % values
    return (
        gettext("%(quantity)s %(unit)s sold at %(price)s %(price_unit)s on average of all hubs.")
        % values
    )


def _note(asked: Hub | None, shown: Hub | None) -> str:
    if asked is not None and shown is None:
        return gettext(
            "Fewer than three members offer at this hub, so the curves of the whole market are "
            "shown: one hub's curve would show a member's costs."
        )
    if shown is not None:
        return gettext(
            "Offers at this hub and the bids made at it. Bids from other places are served from "
            "here too, so the curves need not cross where it cleared."
        )
    return gettext(
        "Links, latency limits and blocks keep the averages away from where the curves cross."
    )


def _steps(points: list[CurvePoint]) -> list[dict]:
    return [{"price": point.price, "quantity": point.quantity} for point in points]


def _table(curves: MeritOrder) -> list[list[str]]:
    return [*_rows(gettext("Supply"), curves.supply), *_rows(gettext("Demand"), curves.demand)]


def _rows(side: str, points: list[CurvePoint]) -> list[list[str]]:
    return [
        [side, figure(p.price, PLACES), figure(p.quantity, 0), figure(p.cumulative, 0)]
        for p in points[:TABLE_ROWS]
    ]
