"""A supplier's price curve drawn against the last clearing price."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from marketplace.models import Product
from marketplace.templatetags.market_ui import counted, figure, group_digits, unit_text
from marketplace.web.charts import Chart

PLACES = 4


def curve_chart(
    steps: Sequence[tuple[Decimal, Decimal]], *, product: Product | None, last: Any = None
) -> Chart | None:
    """Return the curve, cheapest step first; None when there is no step to draw.

    `last` is the newest clearing price of the same hub and product, with `price`.
    """
    if not steps:
        return None
    ordered = sorted(steps, key=lambda step: step[1])
    total = sum((quantity for quantity, _ in ordered), Decimal(0))
    below = sum((q for q, price in ordered if last is not None and price <= last.price), Decimal(0))
    unit = unit_text(product) if product else ""
    return Chart(
        id="price-curve",
        kind="merit_order",
        title=gettext("Price curve"),
        summary=_summary(total, below, last),
        data={
            "supply": [{"price": price, "quantity": quantity} for quantity, price in ordered],
            "demand": [],
            "clearing": None if last is None else {"price": last.price, "quantity": below},
            "price_unit": gettext("CNY/%(unit)s, excl. VAT") % {"unit": unit},
            "quantity_unit": counted(product) if product else gettext("units"),
        },
        table_head=[gettext("Price"), gettext("Units of the step"), gettext("Units up to here")],
        table_rows=_table(ordered),
        height="sm",
    )


def _summary(total: Decimal, below: Decimal, last: Any) -> str:
    if last is None:
        text = gettext("%(total)s units; this hub and product have no clearing price yet.")
        return text % {"total": group_digits(total, 0, 3)}
    text = gettext(
        "At the last clearing price of %(price)s, %(below)s of %(total)s units would be offered "
        "at or below it."
    )
    return text % {
        "price": figure(last.price, PLACES),
        "below": group_digits(below, 0, 3),
        "total": group_digits(total, 0, 3),
    }


def _table(ordered: Sequence[tuple[Decimal, Decimal]]) -> list[list[str]]:
    rows, reached = [], Decimal(0)
    for quantity, price in ordered:
        reached += quantity
        rows.append(
            [figure(price, PLACES), group_digits(quantity, 0, 3), group_digits(reached, 0, 3)]
        )
    return rows
