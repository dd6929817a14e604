"""Charts of a data centre's month: coverage by hour of the day and day, load against supply."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext, pgettext

from marketplace.templatetags.market_ui import figure, percent
from marketplace.web.charts import Chart
from settlement.selectors.carbon.scores import HourOfPool

_HOURS = range(24)
FEW_DAYS = 7  # a chart of so few rows needs little height
_SHARE = Decimal("0.1")


def heat_chart(hours: Sequence[HourOfPool], csv_url: str) -> Chart | None:
    """Return the share of the load that supply of the same hour covers, hour by day."""
    loaded = [row for row in hours if row.load_wh]
    if not loaded:
        return None
    days = sorted({row.starts_at.date() for row in loaded})
    cells = {(row.starts_at.hour, row.starts_at.date()): _percent(row) for row in loaded}
    full = sum(row.covered_wh == row.load_wh for row in loaded)
    return Chart(
        id="coverage",
        kind="heatmap",
        height="sm" if len(days) <= FEW_DAYS else "md",
        title=gettext("Load covered by green supply of the same hour"),
        summary=gettext("%(full)s of %(count)s hours with load are covered in full.")
        % {"full": full, "count": len(loaded)},
        data={
            "x": [f"{hour:02}" for hour in _HOURS],
            "y": [f"{day:%m-%d}" for day in days],
            "values": [
                [hour, index, cells.get((hour, day))]
                for index, day in enumerate(days)
                for hour in _HOURS
            ],
            "unit": "%",
            "is_share": True,
        },
        table_head=[gettext("Day"), *(f"{hour:02}" for hour in _HOURS)],
        table_rows=[
            [f"{day:%m-%d}", *(_shown(cells.get((hour, day))) for hour in _HOURS)] for day in days
        ],
        note=gettext("A dash is an hour without load: it counts for nothing."),
        csv_url=csv_url,
    )


def curve_chart(hours: Sequence[HourOfPool], csv_url: str) -> Chart | None:
    """Return load and supply of the mean day with load, by hour of the day.

    Without any load it is the mean of all days with supply.
    """
    loaded = {row.starts_at.date() for row in hours if row.load_wh}
    hours = [row for row in hours if not loaded or row.starts_at.date() in loaded]
    if not hours:
        return None
    days = len({row.starts_at.date() for row in hours})
    load, supply, covered = ([0] * 24 for _ in range(3))
    for row in hours:
        load[row.starts_at.hour] += row.load_wh
        supply[row.starts_at.hour] += row.supply_wh
        covered[row.starts_at.hour] += row.covered_wh
    names = [
        pgettext("green supply", "Load"),
        gettext("Green supply"),
        gettext("Covered in the same hour"),
    ]
    series = [[_mean_kwh(wh, days) for wh in part] for part in (load, supply, covered)]
    return Chart(
        id="curve",
        kind="price_lines",
        title=gettext("Load and green supply of the mean day"),
        summary=gettext("Of %(load)s kWh, %(covered)s kWh were covered in their own hour.")
        % {
            "load": figure(Decimal(sum(load)) / 1000, 1),
            "covered": figure(Decimal(sum(covered)) / 1000, 1),
        },
        data={
            "x": [f"{hour:02}:00" for hour in _HOURS],
            "series": [
                {"name": name, "values": values, "step": True}
                for name, values in zip(names, series, strict=True)
            ],
            "unit": "kWh",
            "from_zero": True,
        },
        table_head=[gettext("Hour"), *names],
        table_rows=[
            [f"{hour:02}:00", *(figure(values[hour], 3) for values in series)] for hour in _HOURS
        ],
        csv_url=csv_url,
    )


def month_text(month: date) -> str:
    """Return a month as addresses carry it."""
    return f"{month:%Y-%m}"


def _percent(row: HourOfPool) -> str:
    share = Decimal(row.covered_wh * 100) / row.load_wh
    return str(share.quantize(_SHARE))


def _shown(value: str | None) -> str:
    return "–" if value is None else str(percent(Decimal(value) / 100))


def _mean_kwh(wh: int, days: int) -> str:
    return str((Decimal(wh) / 1000 / days).quantize(Decimal("0.001")))
