"""Turns the raw tables of a bundle into a checked `Auction`, or refuses with file and line."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

from orders.clearing import fields
from orders.clearing.block_reading import read_blocks, read_flexibles
from orders.clearing.curve_reading import Names, read_curves
from orders.clearing.errors import BundleRefused
from orders.clearing.raw_tables import RawTable, raw_table_from_rows, with_absent_tables
from orders.clearing.reference_data import (
    read_hubs,
    read_links,
    read_listings,
    read_products,
    read_terms,
)
from orders.clearing.types import Auction, AuctionTerms, Product

DECIMAL_DIGITS = 60
_MAX_CLASSES = 6


def auction_from_tables(
    meta: Mapping[str, Any], tables: Mapping[str, Iterable[Mapping[str, object]]]
) -> Auction:
    """Build an auction in memory from what the files of a bundle would hold.

    Args:
        meta: the keys of `auction.json`.
        tables: table name (file name without `.csv`) to row dicts with the file's columns. Cells
            may be text, int, Decimal, bool or None; lists become `;`-separated text; floats are
            refused.

    Raises:
        BundleRefused: the first broken rule, with the line the row would have in its file.
    """
    return auction_from_raw_tables(
        meta, {name: raw_table_from_rows(name, rows) for name, rows in tables.items()}
    )


def auction_from_raw_tables(meta: Mapping[str, Any], given: Mapping[str, RawTable]) -> Auction:
    """Check the tables of a bundle and return the auction.

    Raises:
        BundleRefused: the first broken rule, with file and line.
    """
    with localcontext() as context:
        context.prec = DECIMAL_DIGITS
        return _read(meta, with_absent_tables(given))


def _read(meta: Mapping[str, Any], tables: Mapping[str, RawTable]) -> Auction:
    terms = read_terms(meta)
    hubs = read_hubs(tables["hubs"])
    hub_index = {hub: number for number, hub in enumerate(hubs)}
    products = _with_classes(read_products(tables["products"], terms), terms, tables)
    product_index = {product.name: number for number, product in enumerate(products)}
    links = read_links(tables["links"], tables["link_capacities"], hub_index, terms.periods)
    listings = read_listings(
        tables["listings"], tables["listing_capacities"], hub_index, products, terms.periods
    )
    names = Names(
        hubs=hub_index,
        products=product_index,
        listings={listing.listing_id: number for number, listing in enumerate(listings)},
        periods=terms.periods,
    )
    curves = read_curves(tables["curve_orders"], names, products, listings)
    blocks = read_blocks(tables, names, products, listings)
    flexibles = read_flexibles(tables["flexible_orders"], names, products)
    _check_ids_differ(tables)
    return Auction(
        terms=terms,
        hubs=hubs,
        products=products,
        links=links,
        listings=listings,
        curves=curves,
        blocks=blocks,
        flexibles=flexibles,
    )


def _with_classes(
    products: tuple[Product, ...], terms: AuctionTerms, tables: Mapping[str, RawTable]
) -> tuple[Product, ...]:
    found = []
    for product in products:
        for key, column in (("rtt_classes", "max_rtt_ms"), ("carbon_classes", "max_carbon")):
            if key not in product.given and getattr(terms, key) is None:
                limits = _limits_of_orders(product.name, column, tables)
                changes: dict[str, Any] = {key: limits}
                product = replace(product, **changes)
        found.append(product)
    return tuple(found)


def _limits_of_orders(
    product: str, column: str, tables: Mapping[str, RawTable]
) -> tuple[Decimal, ...]:
    """Return the distinct limits that orders of a product state, where no list is given."""
    limits: set[Decimal] = set()
    block_ids = {
        order
        for _, (order, name) in tables["block_legs"].distinct("order_id", "product")
        if name == product
    }
    for name in ("curve_orders", "block_orders", "flexible_orders"):
        table = tables[name]
        owner = "order_id" if name == "block_orders" else "product"
        for line, (key, text) in table.distinct(owner, column):
            if text and (key in block_ids if name == "block_orders" else key == product):
                limits.add(
                    fields.parse_non_negative(text, file=table.file, line=line, column=column)
                )
    if len(limits) > _MAX_CLASSES:
        raise BundleRefused(
            "products.csv",
            None,
            f"{product}: orders state more than six {column} limits and no list is given",
        )
    return tuple(sorted(limits))


def _check_ids_differ(tables: Mapping[str, RawTable]) -> None:
    """Refuse an order id that is used in two files: results name orders by id alone."""
    seen = set(tables["curve_orders"].coded("order_id").values)
    for name in ("block_orders", "flexible_orders"):
        table = tables[name]
        for line, (order,) in table.rows("order_id"):
            if order in seen:
                raise BundleRefused(table.file, line, f"duplicate order_id {order!r}")
        seen.update(table.column("order_id"))
