"""The daily bulletin (市场日报): one trading day in figures, for the page and for the PDF.

Everything in it was published; the words are in the language that is active when it is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.utils.html import format_html
from django.utils.safestring import SafeString

from marketplace.models import Hub, Product
from orders.domain.price_index import Traded
from orders.models import ClearingRun, CouplingDividend, DividendState, FlowType
from orders.selectors.market_day import MarketDay
from orders.selectors.price_index import composite_days

INDEX_DAYS = 30
KG_PER_TONNE = 1000
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class HubRow:
    """Average prices of a hub, one for each product of the bulletin."""

    hub: Hub
    cells: list[Traded]


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One direction of work: its value and its share of all value, 0 to 1."""

    label: str
    value_cny: Decimal
    share: Decimal


def bulletin_context(day: MarketDay) -> dict[str, Any]:
    """Return what a bulletin says of a trading day."""
    products = [row.product for row in day.products]
    levels = composite_days(today=day.day)[-INDEX_DAYS:]
    return {
        "day": day,
        "number": bulletin_number(day.day),
        "products": products,
        "hub_rows": _hub_rows(day, products),
        "flows": _flows(day.flow_values_cny),
        "auctions": [run for run in day.runs if _sold(run)],
        "empty_count": sum(1 for run in day.runs if not _sold(run)),
        "dividend": dividend_of_day(day),
        "index_line": line_drawing([row.index for row in levels]),
        "index_from": levels[0] if levels else None,
        "index_to": levels[-1] if levels else None,
    }


@dataclass(frozen=True, slots=True)
class DayDividend:
    """What coupling earned on a trading day: welfare gained, and tonnes avoided where known."""

    welfare_gain_cny: Decimal
    avoided_co2_t: Decimal | None
    runs: int


def dividend_of_day(day: MarketDay) -> DayDividend | None:
    """Return the coupling dividend of a day's auctions; None before any is computed.

    It is computed after publication, so a day that is just over may still lack auctions.
    """
    done = CouplingDividend.objects.filter(
        run__in=[run.pk for run in day.runs], state=DividendState.DONE
    )
    sums = done.aggregate(
        runs=Count("id"), gain=Sum("welfare_gain_cny"), avoided=Sum("avoided_co2_kg")
    )
    if sums["gain"] is None:
        return None
    avoided = None if sums["avoided"] is None else sums["avoided"] / KG_PER_TONNE
    return DayDividend(sums["gain"], avoided, sums["runs"])


def bulletin_number(day: date) -> str:
    """Return the number of a day's bulletin: RB-20261122."""
    return f"RB-{day:%Y%m%d}"


def _sold(run: ClearingRun) -> bool:
    return bool(run.buyer_payments_cny)


def _hub_rows(day: MarketDay, products: Sequence[Product]) -> list[HubRow]:
    return [HubRow(hub, [day.at(product, hub) for product in products]) for hub in day.hubs]


def _flows(values_cny: dict[str, Decimal]) -> list[FlowRow]:
    total = sum(values_cny.values(), _ZERO)
    return [
        FlowRow(
            label=str(label),
            value_cny=values_cny.get(code, _ZERO),
            share=values_cny.get(code, _ZERO) / total if total else _ZERO,
        )
        for code, label in FlowType.choices
    ]


def line_drawing(values: Sequence[Decimal], *, width: int = 480, height: int = 60) -> SafeString:
    """Return the values as a line in SVG, oldest to the left; empty with fewer than two.

    PDF has no scripts, so the line is drawn here; the figures stand beside it.
    """
    if len(values) < 2:
        return SafeString("")
    low, high = min(values), max(values)
    reach = (high - low) or Decimal(1)
    points = " ".join(
        f"{index * width / (len(values) - 1):.1f},{(high - value) / reach * (height - 8) + 4:.1f}"
        for index, value in enumerate(values)
    )
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}">'
        '<polyline points="{2}" fill="none" stroke="#0f766e" stroke-width="1.5"/></svg>',
        width,
        height,
        points,
    )
