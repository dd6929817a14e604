"""The merit-order chart: offers and bids of one period, and where they cleared."""

from django.utils.translation import gettext

from marketplace.models import Hub, Product
from marketplace.templatetags.market_ui import figure, localname, unit_text
from marketplace.web.charts import Chart
from orders.models import ClearingRun
from orders.selectors.order_book import CurvePoint, MeritOrder, merit_order
from orders.web.names import PeriodName, unit_price_text

PLACES = 4
TABLE_ROWS = 40


def merit_chart(
    run: ClearingRun, product: Product, hub: Hub | None, period: PeriodName
) -> Chart | None:
    """Draw the curves of a period at a hub, or of the whole market; None without any order."""
    curves = merit_order(run=run, product=product, period=period.number, hub=hub)
    if curves is None or not (curves.supply or curves.demand):
        return None
    unit = unit_price_text(product)
    return Chart(
        id="merit-order",
        kind="merit_order",
        title=_title(curves, period),
        summary=_summary(curves, product),
        data={
            "supply": _steps(curves.supply),
            "demand": _steps(curves.demand),
            "clearing": {"price": curves.price, "quantity": curves.quantity}
            if curves.price is not None and curves.quantity
            else None,
            "price_unit": unit,
            "quantity_unit": gettext("units"),
        },
        table_head=[
            gettext("Side"),
            gettext("Price, %(unit)s") % {"unit": unit},
            gettext("Units"),
            gettext("Units so far"),
        ],
        table_rows=[
            *_rows(gettext("Supply"), curves.supply),
            *_rows(gettext("Demand"), curves.demand),
        ],
        note=_note(curves, hub),
    )


def _title(curves: MeritOrder, period: PeriodName) -> str:
    place = localname(curves.hub) if curves.hub else gettext("All hubs")
    return gettext("Merit order: %(place)s, %(period)s") % {"place": place, "period": period.label}


def _summary(curves: MeritOrder, product: Product) -> str:
    if curves.price is None or not curves.quantity:
        return gettext("Nothing was traded in this period.")
    values = {
        "quantity": figure(curves.quantity, 0),
        "unit": unit_text(product),
        "price": figure(curves.price, PLACES),
        "price_unit": unit_price_text(product),
    }
    if curves.hub:
        return gettext("%(quantity)s units sold at %(price)s %(price_unit)s.") % values
    return (
        gettext("%(quantity)s units sold at %(price)s %(price_unit)s on average of all hubs.")
        % values
    )


def _note(curves: MeritOrder, asked: Hub | None) -> str:
    if asked is not None and curves.hub is None:
        return gettext(
            "Fewer than three members offer at this hub, so the curves of the whole market are "
            "shown: one hub's curve would show a member's costs."
        )
    if curves.hub is not None:
        return gettext(
            "Bids are not tied to one hub, so a single hub shows its offers and the point "
            "where they cleared."
        )
    return gettext(
        "Links, latency limits and blocks keep the averages away from where the curves cross."
    )


def _steps(points: list[CurvePoint]) -> list[dict]:
    return [{"price": point.price, "quantity": point.quantity} for point in points]


def _rows(side: str, points: list[CurvePoint]) -> list[list[str]]:
    rows, total = [], 0
    for point in points[:TABLE_ROWS]:
        total += point.quantity  # type: ignore[assignment]
        rows.append(
            [side, figure(point.price, PLACES), figure(point.quantity, 0), figure(total, 0)]
        )
    return rows
