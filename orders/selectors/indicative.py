"""Published indicative figures of an auction."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from marketplace.models import Hub, Product
from orders.models import Auction, IndicativeCell, IndicativeMark


@dataclass(frozen=True)
class IndicativeRow:
    """A product at a hub (None: all hubs) over the periods that are shown of it.

    Price is the average over those periods, CNY per unit and hour (不含税); volume and imbalance
    are unit-hours.
    """

    product: Product
    hub: Hub | None
    price: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None
    volume: Decimal
    imbalance: Decimal
    periods: int


def latest_mark(auction: Auction) -> IndicativeMark | None:
    """Return the newest mark of an auction."""
    return auction.marks.order_by("-marked_at").first()


def mark_times(auction: Auction) -> list[datetime]:
    """Return all marks of an auction, newest first."""
    return list(auction.marks.order_by("-marked_at").values_list("marked_at", flat=True))


def cells_of(mark: IndicativeMark) -> list[IndicativeCell]:
    """Return the cells of a mark by product, hub (all hubs first) and period, in one query."""
    rows = mark.cells.select_related("product", "hub")
    return sorted(
        rows,
        key=lambda cell: (
            (cell.product.sort_order, cell.product.code),
            cell.hub.code if cell.hub else "",
            cell.period,
        ),
    )


def indicative_rows(mark: IndicativeMark) -> list[IndicativeRow]:
    """Return one row for each product and hub of a mark, all hubs together first."""
    grouped: dict[tuple[int, int | None], list[IndicativeCell]] = {}
    for cell in cells_of(mark):
        grouped.setdefault((cell.product_id, cell.hub_id), []).append(cell)
    hours = Decimal(mark.auction.period_minutes) / 60
    return [_row(cells, hours) for cells in grouped.values()]


def _row(cells: list[IndicativeCell], hours: Decimal) -> IndicativeRow:
    prices = [cell.price for cell in cells if cell.price is not None]
    average = sum(prices, Decimal(0)) / len(prices) if prices else None
    return IndicativeRow(
        product=cells[0].product,
        hub=cells[0].hub,
        price=None if average is None else average.quantize(Decimal("0.0001")),
        lowest=min(prices, default=None),
        highest=max(prices, default=None),
        volume=sum((cell.volume for cell in cells), Decimal(0)) * hours,
        imbalance=sum((cell.imbalance for cell in cells), Decimal(0)) * hours,
        periods=len(cells),
    )
