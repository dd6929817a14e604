"""Reads the curve orders of a bundle into columns of integers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from orders.clearing import fields
from orders.clearing.errors import BundleRefused
from orders.clearing.raw_tables import RawTable
from orders.clearing.row_tables import Column, combined, first_rows
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
        self._columns: dict[str, Column] = {}

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
        intensity = self._intensities()
        place = self._check_keys(hub, product, period, price)
        self._check_constant()
        order = np.lexsort((price, period, product, hub, place))
        return CurveOrders(
            order_id=_taken(self._column("order_id"), order),
            is_buy=_frozen(side[order].astype(np.bool_)),
            hub=_frozen(hub[order]),
            product=_frozen(product[order]),
            period=_frozen(period[order]),
            price_ticks=_frozen(price[order]),
            quantity_lots=_frozen(quantity[order]),
            rtt_class=_frozen(rtt[order]),
            carbon_class=_frozen(carbon[order]),
            listing=_frozen(listing[order]),
            carbon_intensity=_taken(intensity, order),
            participant=_taken(self._column("participant"), order),
        )

    def _column(self, name: str) -> Column:
        if name not in self._columns:
            self._columns[name] = self._table.coded(name)
        return self._columns[name]

    def _combined(self, names: tuple[str, ...]) -> IntArray:
        """Return a number for each distinct combination of cells."""
        return combined(self._column(name).codes for name in names)

    def _map(
        self, names: tuple[str, ...], convert: Callable[[int, tuple[str, ...]], int]
    ) -> IntArray:
        if not self._table.count:
            return np.zeros(0, dtype=np.int64)
        code = self._combined(names)
        first = first_rows(code)
        columns = [self._column(name) for name in names]
        values = np.zeros(len(first), dtype=np.int64)
        # In the order of their lines: the first broken line is the one refused.
        for number in np.argsort(first, kind="stable").tolist():
            row = int(first[number])
            values[number] = convert(row + 2, tuple(own.values[own.codes[row]] for own in columns))
        return values[code]

    def _intensities(self) -> Column:
        column = self._column("carbon_intensity")
        first = first_rows(column.codes).tolist()
        found = [
            self._intensity(row + 2, ("", text))[0]
            for text, row in zip(column.values, first, strict=False)
        ]
        return Column(found, column.codes)

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

    def _check_keys(self, *columns: IntArray) -> IntArray:
        """Refuse empty ids and repeated steps; return each row's place by order id."""
        ids = self._column("order_id")
        bad = ids.numbers(lambda name: not name).astype(bool)
        if len(ids.values) < self._table.count:
            key = combined((ids.codes, *columns))
            again = np.ones(self._table.count, dtype=bool)
            again[first_rows(key)] = False
            bad |= again
        if bad.any():
            row = int(np.argmax(bad))
            name = ids.values[ids.codes[row]]
            if not name:
                raise self._refuse(row + 2, "order_id: the id is empty")
            raise self._refuse(row + 2, f"duplicate step of order {name!r}")
        rank = np.empty(len(ids.values), dtype=np.int64)
        rank[sorted(range(len(ids.values)), key=ids.values.__getitem__)] = np.arange(len(rank))
        return rank[ids.codes]

    def _check_constant(self) -> None:
        names = (
            "side",
            "max_rtt_ms",
            "max_carbon",
            "listing_id",
            "carbon_intensity",
            "participant",
        )
        ids = self._column("order_id")
        if len(ids.values) == self._table.count:
            return
        terms = self._combined(names)
        differs = terms != terms[first_rows(ids.codes)[ids.codes]]
        if differs.any():
            row = int(np.argmax(differs))
            name = ids.values[ids.codes[row]]
            raise self._refuse(row + 2, f"the steps of order {name!r} differ in side or limits")


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


def _taken(column: Column, order: IntArray) -> tuple[Any, ...]:
    return tuple(Column(column.values, column.codes[order]).cells())
