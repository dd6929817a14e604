"""The published prices of a run, by the classes that buyers ask for and sellers serve."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from orders.services.run_context import Limits, RunContext

# (hub, product, classes, period) to a price per period
PriceBook = Mapping[tuple[str, str, Limits, int], Decimal]


@dataclass(frozen=True)
class PriceBooks:
    """Published prices: delivered for buys, supply for sells."""

    buys: PriceBook
    sells: PriceBook


def price_books(context: RunContext) -> PriceBooks:
    """Index the published prices."""
    buys = {
        (
            *(row.hub, row.product),
            (row.max_rtt_ms, context.hourly_class(row.max_carbon)),
            row.period,
        ): row.price
        for row in context.result.delivered_prices
        if row.price is not None
    }
    sells: PriceBook = {
        (row.hub, row.product, (None, context.hourly_class(row.carbon_class)), row.period): (
            row.price
        )
        for row in context.result.prices
        if row.price is not None
    }
    return PriceBooks(buys, sells)


def price_at(book: PriceBook, limits: Limits) -> Callable[[str, str, int], Decimal | None]:
    """Return what looks a price up by hub, product and period."""

    def look_up(hub: str, product: str, period: int) -> Decimal | None:
        return book.get((hub, product, limits, period))

    return look_up
