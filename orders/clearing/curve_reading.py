"""Reads the curve orders of a bundle into columns of integers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from orders.clearing import fields
from orders.clearing.errors import BundleRefused
from orders.clearing.raw_tables import RawTable
from orders.clearing.types import NONE, CurveOrders, IntArray, Listing, Product


@dataclass(frozen=True)
class Names:
    """Positions of everything an order may refer to."""

    hubs: Mapping[str, int]
    products: Mapping[str, int]
    listings: Mapping[str, int]
    periods: int


def class_of_limit(limit: Decimal | None, classes: Sequence[Decimal]) -> int | None:
    """Return the index of a buyer's limit, NONE for no limit, None if it is not in the list."""
    if limit is None:
        return NONE
    return classes.index(limit) if limit in classes else None


def class_of_intensity(intensity: Decimal | None, classes: Sequence[Decimal]) -> int:
    """Return the strictest class a declared intensity serves, NONE if none."""
    if intensity is None:
        return NONE
    return next((k for k, limit in enumerate(classes) if intensity <= limit), NONE)


def read_curves(
    table: RawTable,
    names: Names,
    products: Sequence[Product],
    listings: Sequence[Listing],
) -> CurveOrders:
    """Return the steps in canonical order (order id, hub, product, period, price).

    Raises:
        BundleRefused: anything the format does not allow, with its line.
    """
    reader = _CurveReader(table, names, products, listings)
    return reader.read()


class _CurveReader:
    """Converts column by column; each distinct combination of cells is parsed once."""

    def __init__(
        self,
        table: RawTable,
        names: Names,
        products: Sequence[Product],
        listings: Sequence[Listing],
    ) -> None:
        self._table = table
        self._names = names
        self._products = products
        self._listings = listings

    def read(self) -> CurveOrders:
        """Parse, check and sort."""
        side = self._map(("side",), self._side)
        hub = self._map(("hub",), self._hub)
        product = self._map(("product",), self._product)
        period = self._map(("period",), self._period)
        price = self._map(("product", "price"), self._price)
        quantity = self._map(("product", "quantity"), self._quantity)
        rtt = self._map(("side", "product", "max_rtt_ms"), self._rtt)
        listing = self._map(("side", "hub", "listing_id"), self._listing)
        carbon = self._map(
            ("side", "product", "listing_id", "carbon_intensity", "max_carbon"), self._carbon
        )
        intensity = self._map(("listing_id", "carbon_intensity"), self._intensity)
        ids = list(self._table.column("order_id"))
        self._check_keys(ids, hub, product, period, price)
        self._check_constant(ids)
        order = sorted(
            range(len(ids)), key=lambda i: (ids[i], hub[i], product[i], period[i], price[i])
        )
        return CurveOrders(
            order_id=tuple(ids[i] for i in order),
            is_buy=_frozen(np.array([side[i] for i in order], dtype=np.bool_)),
            hub=_column(hub, order),
            product=_column(product, order),
            period=_column(period, order),
            price_ticks=_column(price, order),
            quantity_lots=_column(quantity, order),
            rtt_class=_column(rtt, order),
            carbon_class=_column(carbon, order),
            listing=_column(listing, order),
            carbon_intensity=tuple(intensity[i][0] for i in order),
            participant=tuple(self._table.column("participant")[i] for i in order),
        )

    def _map(
        self, names: tuple[str, ...], convert: Callable[[int, tuple[str, ...]], Any]
    ) -> list[Any]:
        cache: dict[tuple[str, ...], Any] = {}
        out = []
        for line, cells in self._table.rows(*names):
            if cells not in cache:
                cache[cells] = convert(line, cells)
            out.append(cache[cells])
        return out

    def _refuse(self, line: int, reason: str) -> BundleRefused:
        return BundleRefused(self._table.file, line, reason)

    def _side(self, line: int, cells: tuple[str, ...]) -> bool:
        if cells[0] not in ("buy", "sell"):
            raise self._refuse(line, f"side: {cells[0]!r} is neither buy nor sell")
        return cells[0] == "buy"

    def _reference(self, line: int, text: str, index: Mapping[str, int], column: str) -> int:
        return fields.parse_reference(text, index, file=self._table.file, line=line, column=column)

    def _hub(self, line: int, cells: tuple[str, ...]) -> int:
        return self._reference(line, cells[0], self._names.hubs, "hub")

    def _product(self, line: int, cells: tuple[str, ...]) -> int:
        return self._reference(line, cells[0], self._names.products, "product")

    def _period(self, line: int, cells: tuple[str, ...]) -> int:
        file, high = self._table.file, self._names.periods
        where = {"file": file, "line": line, "column": "period"}
        return fields.parse_integer(cells[0], low=1, high=high, **where) - 1  # type: ignore[arg-type]

    def _price(self, line: int, cells: tuple[str, ...]) -> int:
        product = self._products[self._names.products[cells[0]]]
        return price_in_ticks(cells[1], product, file=self._table.file, line=line, column="price")

    def _quantity(self, line: int, cells: tuple[str, ...]) -> int:
        product = self._products[self._names.products[cells[0]]]
        where = {"file": self._table.file, "line": line, "column": "quantity"}
        number = fields.parse_non_negative(cells[1], **where)  # type: ignore[arg-type]
        return fields.whole_steps(number, product.quantity_tick, **where)  # type: ignore[arg-type]

    def _rtt(self, line: int, cells: tuple[str, ...]) -> int:
        side, product, text = cells
        if text and side == "sell":
            raise self._refuse(line, "max_rtt_ms: a sell order has no latency limit")
        classes = self._products[self._names.products[product]].rtt_classes
        return read_class(text, classes, file=self._table.file, line=line, column="max_rtt_ms")

    def _listing(self, line: int, cells: tuple[str, ...]) -> int:
        side, hub, text = cells
        if not text:
            return NONE
        if side == "buy":
            raise self._refuse(line, "listing_id: a buy order has no listing")
        found = self._reference(line, text, self._names.listings, "listing_id")
        if self._listings[found].hub != self._names.hubs[hub]:
            raise self._refuse(line, f"hub: the listing {text!r} is at another hub")
        return found

    def _intensity(self, line: int, cells: tuple[str, ...]) -> tuple[Decimal | None]:
        where = {"file": self._table.file, "line": line, "column": "carbon_intensity"}
        return (fields.parse_optional(cells[1], **where),)  # type: ignore[arg-type]

    def _carbon(self, line: int, cells: tuple[str, ...]) -> int:
        side, product, listing, intensity, limit = cells
        classes = self._products[self._names.products[product]].carbon_classes
        if side == "buy":
            if intensity:
                raise self._refuse(line, "carbon_intensity: a buy order declares none")
            return read_class(limit, classes, file=self._table.file, line=line, column="max_carbon")
        if limit:
            raise self._refuse(line, "max_carbon: a sell order has no carbon limit")
        declared = self._intensity(line, (listing, intensity))[0]
        if declared is None and listing:
            declared = self._listings[self._names.listings[listing]].carbon_intensity
        return class_of_intensity(declared, classes)

    def _check_keys(self, ids: list[str], *columns: list[int]) -> None:
        seen: set[tuple[Any, ...]] = set()
        for number, key in enumerate(zip(ids, *columns, strict=True)):
            if not key[0]:
                raise self._refuse(number + 2, "order_id: the id is empty")
            if key in seen:
                raise self._refuse(number + 2, f"duplicate step of order {key[0]!r}")
            seen.add(key)

    def _check_constant(self, ids: list[str]) -> None:
        names = (
            "side",
            "max_rtt_ms",
            "max_carbon",
            "listing_id",
            "carbon_intensity",
            "participant",
        )
        first: dict[str, tuple[str, ...]] = {}
        for (line, cells), name in zip(self._table.rows(*names), ids, strict=True):
            if first.setdefault(name, cells) != cells:
                raise self._refuse(line, f"the steps of order {name!r} differ in side or limits")


def read_class(
    text: str, classes: Sequence[Decimal], *, file: str, line: int | None, column: str
) -> int:
    """Return the index of a limit in the product's list, NONE for an empty cell."""
    limit = fields.parse_optional(text, file=file, line=line, column=column)
    found = class_of_limit(limit, classes)
    if found is None:
        raise BundleRefused(file, line, f"{column}: {text} is not in the product's list")
    return found


def price_in_ticks(text: str, product: Product, *, file: str, line: int | None, column: str) -> int:
    """Return a price in ticks, refusing what is off the tick or outside the band."""
    price = fields.parse_decimal(text, file=file, line=line, column=column)
    if not product.price_min <= price <= product.price_max:
        raise BundleRefused(
            file, line, f"{column}: {text} is outside {product.price_min} to {product.price_max}"
        )
    return fields.whole_steps(price, product.price_tick, file=file, line=line, column=column)


def _frozen(array: Any) -> Any:
    array.setflags(write=False)
    return array


def _column(values: list[int], order: list[int]) -> IntArray:
    return _frozen(np.array([values[i] for i in order], dtype=np.int64))
