"""The shape in which pages hand a chart to templates/includes/chart.html."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

ChartKind = Literal["merit_order", "heatmap", "network", "sankey", "price_lines", "stacked_bars"]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart with its sentence and its table; `data` per kind: see the design language page.

    `id` is unique on the page. `summary` is one sentence that says what the chart shows.
    `table_head` and `table_rows` hold the same figures for readers who do not see the drawing;
    the first cell of a row is its head. `csv_url` leads to them as a file.
    """

    id: str
    kind: ChartKind
    title: str
    summary: str
    data: dict[str, Any]
    table_head: Sequence[str] = ()
    table_rows: Sequence[Sequence[Any]] = ()
    height: Literal["sm", "md", "lg"] = "md"
    note: str = ""
    csv_url: str = ""
