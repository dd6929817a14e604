"""A result that can be falsified: lookups from the raw book, and edits that stay consistent."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from orders.clearing import Auction, Result, auction_from_tables, bundle_sha256, clear

Row = dict[str, Any]
Tables = dict[str, list[Row]]
TABLES = (
    "prices",
    "delivered_prices",
    "curve_results",
    "block_results",
    "flexible_results",
    "assignments",
    "flows",
    "link_rents",
)


class NotHere(Exception):
    """The book has no place where this corruption could be made."""


class Book(NamedTuple):
    """An auction as its raw rows."""

    name: str
    meta: Row
    tables: Tables

    def auction(self) -> Auction:
        """Build the auction."""
        return auction_from_tables(self.meta, self.tables)

    def changed(self, change: Callable[[Tables], None]) -> "Book":
        """Return a copy whose rows were changed."""
        tables = deepcopy(self.tables)
        change(tables)
        return Book(self.name, self.meta, tables)


def pretend(book: Book, other: Book) -> Result:
    """Clear another book and pass its result off as this book's.

    What a result only repeats (prices and quantities of the steps, the digest) is this book's.
    """
    result = clear(other.auction())
    given = sorted(book.tables["curve_orders"], key=_place)
    rows = [
        row._replace(price=Decimal(step["price"]), quantity=Decimal(step["quantity"]))
        for row, step in zip(
            sorted(result.curve_results, key=lambda row: _place(row._asdict())), given, strict=True
        )
    ]
    summary = result.summary._replace(bundle_sha256=bundle_sha256(book.auction()))
    order = [row[:5] for row in result.curve_results]
    rows.sort(key=lambda row: order.index(row[:5]))
    return replace(result, curve_results=tuple(rows), summary=summary)


def _place(row: Row) -> tuple[Any, ...]:
    place = row["order_id"], row["hub"], row["product"], int(row["period"])
    return (*place, Decimal(row["price"]))


def number(text: Any) -> Decimal | None:
    """Read a cell that may be empty."""
    return None if text in ("", None) else Decimal(str(text))


class Forgery:
    """A copy of a result to falsify, with the book it belongs to."""

    def __init__(self, book: Book, result: Result, seed: int) -> None:
        self.book = book
        self.auction = book.auction()
        self.random = Random(f"{book.name}-{seed}")
        self.rows: dict[str, list[Any]] = {name: list(getattr(result, name)) for name in TABLES}
        self.summary = result.summary
        self.bound = result.bound
        self._honest = result
        self._products = {product.name: product for product in self.auction.products}
        self._listings = {row["listing_id"]: row for row in book.tables.get("listings", [])}
        self._terms = {row["order_id"]: row for row in book.tables["curve_orders"]}

    def result(self) -> Result:
        """Return the falsified result."""
        tables = {name: tuple(rows) for name, rows in self.rows.items()}
        return replace(self._honest, summary=self.summary, bound=self.bound, **tables)

    def pick(self, rows: Iterable[Any]) -> Any:
        """Return one of the places found, or say that there is none."""
        found = list(rows)
        if not found:
            raise NotHere
        return self.random.choice(found)

    def edit(self, name: str, row: Any, **values: Any) -> Any:
        """Replace a row of a table; the new row is returned."""
        rows = self.rows[name]
        at = next(number for number, other in enumerate(rows) if other is row)
        rows[at] = row._replace(**values)
        return rows[at]

    def lot(self, product: str) -> Decimal:
        """Return the quantity lot of a product."""
        return self._products[product].quantity_tick

    def order_tick(self, product: str) -> Decimal:
        """Return the price tick of a product's orders."""
        return self._products[product].price_tick

    def fine_tick(self, product: str) -> Decimal:
        """Return the tick of a product's clearing prices."""
        return self._products[product].clearing_price_tick

    def bandwidth(self, product: str) -> Decimal:
        """Return what a unit needs on a link, in Gbit/s."""
        return self._products[product].bandwidth

    def term(self, order_id: str, column: str) -> str:
        """Return a term of a curve order as given, empty for other orders."""
        return str(self._terms.get(order_id, {}).get(column) or "")

    def price(self, step: Any) -> Decimal | None:
        """Return what a step pays or gets per unit."""
        return self.delivered(step) if step.side == "buy" else self.supplied(step)

    def delivered(self, step: Any) -> Decimal | None:
        """Return the delivered price of a buy."""
        limits = (
            number(self.term(step.order_id, "max_rtt_ms")),
            number(self.term(step.order_id, "max_carbon")),
        )
        for row in self.rows["delivered_prices"]:
            if row[:4] == (step.hub, step.product, *limits) and row.period == step.period:
                return row.price
        return None

    def supplied(self, step: Any) -> Decimal | None:
        """Return the supply price of a sell: that of its strictest class."""
        level = self.supply_class(step.order_id, step.product)
        for row in self.rows["prices"]:
            if row[:3] == (step.hub, step.product, level) and row.period == step.period:
                return row.price
        return None

    def is_curve(self, order_id: str) -> bool:
        """Whether an order is a curve order."""
        return order_id in self._terms

    def supply_class(self, order_id: str, product: str) -> Decimal | None:
        """Return the strictest carbon class that a sell serves."""
        own = number(self.term(order_id, "carbon_intensity"))
        if listing := self.term(order_id, "listing_id"):
            own = number(self._listings[listing].get("carbon_intensity"))
        classes = self._products[product].carbon_classes
        fitting = [level for level in classes if own is not None and own <= level]
        return min(fitting, default=None)

    def margin(self, step: Any) -> Decimal | None:
        """Return by how much a step is in the money; None where nothing can be traded."""
        price = self.price(step)
        if price is None:
            return None
        return step.price - price if step.side == "buy" else price - step.price

    def block_orders(self) -> list[Row]:
        """Return the block orders as given."""
        return self.book.tables.get("block_orders", [])

    def steps(self, side: str) -> list[Any]:
        """Return the steps of one side."""
        return [row for row in self.rows["curve_results"] if row.side == side]

    def local_deals(self) -> list[tuple[Any, Any, Any]]:
        """Return (assignment, buy step, sell step) of trades between curve orders at one hub."""
        out = []
        for deal in self.rows["assignments"]:
            if deal.hub == deal.hub_of_supply:
                for bought in self.same_cell(deal, deal.buy_order_id):
                    for sold in self.same_cell(deal, deal.sell_order_id):
                        out.append((deal, bought, sold))
        return out

    def same_cell(self, deal: Any, order_id: str) -> list[Any]:
        """Return the accepted steps of an order in the cell of a local trade."""
        return [
            row
            for row in self.rows["curve_results"]
            if (row.order_id, row.hub) == (order_id, deal.hub)
            and (row.product, row.period) == (deal.product, deal.period)
            and row.accepted_quantity > 0
        ]

    def accept(self, step: Any, change: Decimal) -> None:
        """Change what a step trades and the word for it."""
        quantity = step.accepted_quantity + change
        status = "rejected" if quantity <= 0 else "partly_accepted"
        status = "accepted" if quantity >= step.quantity else status
        self.edit("curve_results", step, accepted_quantity=quantity, status=status)

    def trade(self, deal: Any, bought: Any, sold: Any, lots: int) -> None:
        """Let two steps trade more or less in a local trade; everything stays balanced."""
        change = lots * self.lot(deal.product)
        self.accept(bought, change)
        self.accept(sold, change)
        self.edit("assignments", deal, quantity=deal.quantity + change)

    def reassign(self, deal: Any, old: Any, new: Any, lots: int = 1) -> None:
        """Let another sell serve part of a trade at the same hub."""
        change = lots * self.lot(deal.product)
        self.accept(old, -change)
        self.accept(new, change)
        self.edit("assignments", deal, quantity=deal.quantity - change)
        listing = self.term(new.order_id, "listing_id") or new.order_id
        self.rows["assignments"].append(
            deal._replace(sell_order_id=new.order_id, listing_id=listing, quantity=change)
        )

    def is_idle(self, row: Any) -> bool:
        """Whether nobody buys or sells the product in the period at the hub of a price row."""
        return not any(
            (deal.product, deal.period) == (row.product, row.period)
            and row.hub in (deal.hub, deal.hub_of_supply)
            for deal in self.rows["assignments"]
        )


def swap_suppliers(forgery: Forgery, first: Any, second: Any) -> None:
    """Let two deliveries to one place swap a lot of their suppliers."""
    lot = forgery.lot(first.product)
    seller = ("sell_order_id", "sell_option_id", "listing_id", "hub_of_supply")
    for deal, other in ((first, second), (second, first)):
        forgery.edit("assignments", deal, quantity=deal.quantity - lot)
        taken = {column: getattr(other, column) for column in seller}
        forgery.rows["assignments"].append(deal._replace(quantity=lot, **taken))
    rows = forgery.rows["assignments"]
    forgery.rows["assignments"] = [row for row in rows if row.quantity > 0]


class Corruption(NamedTuple):
    """A named corruption and the rules any of which must be named for it."""

    name: str
    rules: Sequence[str]
    make: Callable[..., Any]


EDITS: list[Corruption] = []
IMPOSTURES: list[Corruption] = []


def corrupts(*rules: str) -> Callable[[Callable[[Forgery], None]], Callable[[Forgery], None]]:
    """Register a corruption that edits a result in place."""

    def register(make: Callable[[Forgery], None]) -> Callable[[Forgery], None]:
        EDITS.append(Corruption(make.__name__, rules, make))
        return make

    return register


def imposture(*rules: str) -> Callable[..., Any]:
    """Register a corruption that passes off the result of another book: () -> (book, result)."""

    def register(make: Callable[[], tuple[Book, Result]]) -> Callable[[], tuple[Book, Result]]:
        IMPOSTURES.append(Corruption(make.__name__, rules, make))
        return make

    return register
