"""What an example is: a book, its known answer, and where the answer comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orders.clearing import Auction, Result, auction_from_tables
from tests.clearing.books import META, Row, block, buy, job, sell, tables

Tables = dict[str, list[Row]]
Number = str | int


@dataclass(frozen=True)
class Example:
    """An auction over few hubs and one product, with its answer.

    `prices` and `delivered` are numbers, or (least, most) where the source gives an interval.
    `trades` are accepted quantities by order, `orders` the outcome of indivisible orders: a status
    or an acceptance, by order or order/option. `sums` are fields of the summary.
    """

    title: str
    text: str
    book: Tables
    source: str = ""
    periods: int = 1
    prices: Mapping[str, Number | tuple[Number, Number]] = field(default_factory=dict)
    delivered: Mapping[str, Number] = field(default_factory=dict)
    rents: Mapping[str, Number] = field(default_factory=dict)
    trades: Mapping[str, Number] = field(default_factory=dict)
    orders: Mapping[str, str | Number] = field(default_factory=dict)
    payments: Mapping[str, tuple[Number, Number]] = field(default_factory=dict)
    sums: Mapping[str, Number] = field(default_factory=dict)

    def auction(self) -> Auction:
        """Build the auction."""
        return auction_from_tables({**META, "periods": self.periods}, self.book)

    def answers(self, result: Result) -> dict[str, tuple[Any, Any]]:
        """Return name to (known, found), for everything that the example states."""
        found: dict[str, tuple[Any, Any]] = {}
        found |= _pairs("price", self.prices, prices_of(result))
        found |= _pairs("delivered price", self.delivered, delivered_of(result))
        found |= _pairs("rent", self.rents, rents_of(result))
        found |= _pairs("trade of", self.trades, trades_of(result))
        found |= _pairs("payment, surplus of", self.payments, payments_of(result))
        summary = {name: getattr(result.summary, name) for name in self.sums}
        found |= _pairs("", self.sums, summary)
        statuses, ratios = outcomes_of(result)
        for name, known in self.orders.items():
            is_ratio = not isinstance(known, str) or known[0].isdigit()
            found[name] = (known, (ratios if is_ratio else statuses)[name])
        return found


def holds(known: Any, found: Any) -> bool:
    """Whether a found number is the known one, or inside the known interval."""
    if isinstance(known, tuple) and not isinstance(found, tuple):
        return Decimal(str(known[0])) <= found <= Decimal(str(known[1]))
    if isinstance(known, tuple):
        return all(holds(one, other) for one, other in zip(known, found, strict=True))
    if isinstance(found, str):
        return bool(known == found)
    return found is not None and Decimal(str(known)) == found


def _pairs(kind: str, known: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{kind} {name}".strip(): (value, found.get(name)) for name, value in known.items()}


def _at(hub: str, period: int, *classes: Any) -> str:
    """Name a cell: hub, then what differs from the plain case."""
    extra = [str(item) for item in classes if item is not None]
    return " ".join([hub, *(["at", str(period)] if period > 1 else []), *extra])


def prices_of(result: Result) -> dict[str, Decimal | None]:
    """Return supply prices: `W`, `W at 2`, `W 0` for carbon class 0."""
    return {_at(row.hub, row.period, _gram(row.carbon_class)): row.price for row in result.prices}


def _gram(carbon: Decimal | None) -> str | None:
    return None if carbon is None else f"{carbon.normalize():f} g"


def delivered_of(result: Result) -> dict[str, Decimal | None]:
    """Return delivered prices: `E`, `E 10 ms`, `W 0 g`."""
    return {
        _at(
            row.hub,
            row.period,
            None if row.max_rtt_ms is None else f"{row.max_rtt_ms:f} ms",
            _gram(row.max_carbon),
        ): row.price
        for row in result.delivered_prices
    }


def rents_of(result: Result) -> dict[str, Decimal]:
    """Return rents per Gbit/s by `from-to`."""
    out = {}
    for row in result.link_rents:
        ends = (row.from_hub, row.to_hub)
        start, end = ends if row.direction == "forward" else ends[::-1]
        out[_at(f"{start}-{end}", row.period)] = row.rent
    return out


def trades_of(result: Result) -> dict[str, Decimal]:
    """Return accepted quantities of curve orders, by order and by `order at period`."""
    out: dict[str, Decimal] = {}
    for row in result.curve_results:
        for name in {row.order_id, f"{row.order_id} at {row.period}"}:
            out[name] = out.get(name, Decimal(0)) + row.accepted_quantity
    for row in result.assignments:
        name = f"{row.listing_id} for {row.buy_order_id}"
        out[name] = out.get(name, Decimal(0)) + row.quantity
    return out


def outcomes_of(result: Result) -> tuple[dict[str, str], dict[str, Decimal]]:
    """Return statuses and acceptances of indivisible orders by order and by `order/option`."""
    statuses, ratios = {}, {}
    for row in result.block_results:
        for name in (row.order_id, f"{row.order_id}/{row.option_id}"):
            statuses.setdefault(name, row.status)
            ratios.setdefault(name, row.acceptance)
    for job_row in result.flexible_results:
        statuses[job_row.order_id] = job_row.status
        ratios[job_row.order_id] = job_row.acceptance
    return statuses, ratios


def payments_of(result: Result) -> dict[str, tuple[Decimal, Decimal]]:
    """Return (payment, surplus) of accepted indivisible orders."""
    rows = [row for row in result.block_results if row.acceptance]
    out = {row.order_id: (row.payment, row.surplus) for row in rows}
    jobs = result.flexible_results
    return out | {row.order_id: (row.payment, row.surplus) for row in jobs}


def hourly(make: Any, name: str, prices: list[str], quantity: int, **more: Any) -> list[Row]:
    """Return one step of an order in every period."""
    return [
        make(name, price, quantity, period=t, **more) for t, price in enumerate(prices, start=1)
    ]


__all__ = [
    "Example",
    "block",
    "buy",
    "holds",
    "hourly",
    "job",
    "sell",
    "tables",
]
