"""The canonical form of a bundle: rows sorted, decimals normalised, every column present."""

import json
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from orders.clearing.csv_tables import csv_bytes, csv_of_columns
from orders.clearing.fields import format_decimal, parse_decimal
from orders.clearing.row_tables import Column, column_of, numbered
from orders.clearing.schema import BUNDLE_TABLES, BUNDLE_VERSION
from orders.clearing.types import NONE, Auction, IntArray

_Rows = list[tuple[str, ...]]


def json_bytes(value: Any) -> bytes:
    """Return indented JSON with sorted keys and a final line end."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def canonical_files(auction: Auction) -> dict[str, bytes]:
    """Return file name to content; equal auctions give equal bytes, however they were written."""
    with localcontext() as context:
        context.prec = 60
        tables: dict[str, _Rows] = {
            "hubs": [(hub,) for hub in auction.hubs],
            "products": _products(auction),
            "links": _links(auction),
            "link_capacities": _link_capacities(auction),
            "listings": _listings(auction),
            "listing_capacities": _listing_capacities(auction),
            **_blocks(auction),
            "flexible_orders": _flexibles(auction),
        }
    files = {"auction.json": json_bytes(_terms(auction))}
    for name, rows in tables.items():
        required, optional = BUNDLE_TABLES[name]
        files[f"{name}.csv"] = csv_bytes((*required, *optional), sorted(rows))
    with localcontext() as context:
        context.prec = 60
        files["curve_orders.csv"] = _curves(auction)
    return files


def _text(number: Decimal | None) -> str:
    return "" if number is None else format_decimal(number)


def _classes(limits: Sequence[Decimal] | None) -> str:
    return ";".join(map(_text, limits or ()))


def _terms(auction: Auction) -> dict[str, Any]:
    terms = auction.terms
    out: dict[str, Any] = {
        "bundle_version": BUNDLE_VERSION,
        "auction_id": terms.auction_id,
        "currency": terms.currency,
        "period_minutes": terms.period_minutes,
        "first_period_start": terms.first_period_start,
        "periods": terms.periods,
    }
    for key in ("price_min", "price_max", "price_tick", "quantity_tick"):
        out[key] = _text(getattr(terms, key))
    if terms.clearing_price_tick is not None:
        out["clearing_price_tick"] = _text(terms.clearing_price_tick)
    for key in ("rtt_classes", "carbon_classes"):
        limits = getattr(terms, key)
        if limits is not None:
            out[key] = [_text(limit) for limit in limits]
    if terms.work_limit is not None:
        out["work_limit"] = terms.work_limit
    return out


def _products(auction: Auction) -> _Rows:
    columns = BUNDLE_TABLES["products"][1]
    rows: _Rows = []
    for product in auction.products:
        given = {}
        for key, text in product.given.items():
            if key.endswith("classes"):
                given[key] = _classes(getattr(product, key))
            else:
                given[key] = _text(parse_decimal(text, file="", line=None, column=key))
        rows.append(
            (product.name, _text(product.bandwidth), *(given.get(key, "") for key in columns))
        )
    return rows


def _links(auction: Auction) -> _Rows:
    hubs = auction.hubs
    return [
        (hubs[link.from_hub], hubs[link.to_hub], _text(link.rtt_ms), _text(link.tariff))
        for link in auction.links
    ]


def _link_capacities(auction: Auction) -> _Rows:
    hubs = auction.hubs
    rows: _Rows = []
    for link in auction.links:
        pairs = zip(link.forward_capacity, link.reverse_capacity, strict=True)
        for number, (forward, reverse) in enumerate(pairs, start=1):
            ends = (hubs[link.from_hub], hubs[link.to_hub])
            rows.append((*ends, str(number), _text(forward), _text(reverse)))
    return rows


def _listings(auction: Auction) -> _Rows:
    return [
        (
            listing.listing_id,
            auction.hubs[listing.hub],
            listing.participant,
            _text(listing.carbon_intensity),
        )
        for listing in auction.listings
    ]


def _listing_capacities(auction: Auction) -> _Rows:
    rows: _Rows = []
    for listing in auction.listings:
        for (item, period), lots in sorted(listing.capacity_lots.items()):
            product = auction.products[item]
            amount = _text(lots * product.quantity_tick)
            rows.append((listing.listing_id, product.name, str(period + 1), amount))
    return rows


def _curves(auction: Auction) -> bytes:
    """Return the file of the curve orders, as if its rows of texts had been sorted."""
    curves, products = auction.curves, auction.products
    steps = np.arange(len(curves))
    columns = [
        Column(curves.order_id, steps),
        Column(("sell", "buy"), curves.is_buy.astype(np.int64)),
        Column(auction.hubs, curves.hub),
        Column([product.name for product in products], curves.product),
        Column([str(t + 1) for t in range(auction.terms.periods)], curves.period),
        _numbers(curves.product, curves.price_ticks, [p.price_tick for p in products]),
        _numbers(curves.product, curves.quantity_lots, [p.quantity_tick for p in products]),
        _class_texts(auction, "rtt_classes", curves.rtt_class),
        Column(["", *(listing.listing_id for listing in auction.listings)], curves.listing - NONE),
        _as_texts(curves.carbon_intensity),
        _class_texts(auction, "carbon_classes", np.where(curves.is_buy, curves.carbon_class, NONE)),
        column_of(curves.participant),
    ]
    required, optional = BUNDLE_TABLES["curve_orders"]
    order = _order_of_texts(columns) if len(set(curves.order_id)) < len(curves) else steps
    sorted_columns = [Column(column.values, column.codes[order]) for column in columns]
    return csv_of_columns((*required, *optional), sorted_columns, str)


def _order_of_texts(columns: Sequence[Column]) -> IntArray:
    """Sort rows by id, hub, product, period and price as texts: together they are unique."""
    ids = columns[0].values
    change = [a != b for a, b in zip(ids[1:], ids, strict=False)]
    keys = [np.cumsum([0, *change])]
    for column in columns[2:6]:
        place = {text: number for number, text in enumerate(sorted(set(column.values)))}
        keys.append(column.numbers(place.__getitem__))
    return np.lexsort(keys[::-1])


def _numbers(product: IntArray, number: IntArray, ticks: Sequence[Decimal]) -> Column:
    count = max(1, len(ticks))
    found, codes = numbered(number * count + product)
    return Column([_text(key // count * ticks[key % count]) for key in found.tolist()], codes)


def _class_texts(auction: Auction, name: str, classes: IntArray) -> Column:
    """Return limits by product and class, NONE as an empty text."""
    lists = [("", *map(_text, getattr(product, name))) for product in auction.products]
    width = max(map(len, lists), default=1)
    texts = [text for own in lists for text in (*own, *[""] * (width - len(own)))]
    return Column(texts, auction.curves.product * width + classes - NONE)


def _as_texts(numbers: Sequence[Decimal | None]) -> Column:
    column = column_of(numbers)
    return Column([_text(number) for number in column.values], column.codes)


def _blocks(auction: Auction) -> dict[str, _Rows]:
    orders: _Rows = []
    options: _Rows = []
    legs: _Rows = []
    for order in auction.blocks:
        orders.append(
            (
                order.order_id,
                "buy" if order.is_buy else "sell",
                _text(order.min_acceptance),
                order.parent_order_id or "",
                order.placement,
                _text(order.max_rtt_ms),
                _text(order.max_carbon),
                order.listing_id or "",
                _text(order.carbon_intensity),
                ";".join(order.eligible_listings),
                order.participant,
            )
        )
        for option in order.options:
            key = (order.order_id, option.option_id)
            options.append((*key, _text(option.limit_price)))
            for leg in option.legs:
                product = auction.products[leg.product]
                amount = _text(leg.quantity_lots * product.quantity_tick)
                place = (auction.hubs[leg.hub], product.name, str(leg.period + 1))
                legs.append((*key, *place, amount))
    return {"block_orders": orders, "block_options": options, "block_legs": legs}


def _flexibles(auction: Auction) -> _Rows:
    rows: _Rows = []
    for order in auction.flexibles:
        product = auction.products[order.product]
        rows.append(
            (
                order.order_id,
                auction.hubs[order.hub],
                product.name,
                _text(order.quantity_lots * product.quantity_tick),
                str(order.duration),
                str(order.earliest_period + 1),
                str(order.latest_period + 1),
                _text(order.limit_price),
                _text(order.min_acceptance),
                str(int(order.interruptible)),
                order.placement,
                _text(order.max_rtt_ms),
                _text(order.max_carbon),
                ";".join(order.eligible_listings),
                order.participant,
            )
        )
    return rows
