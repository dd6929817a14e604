"""The canonical form of a bundle: rows sorted, decimals normalised, every column present."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Any

from orders.clearing.fields import format_decimal, parse_decimal
from orders.clearing.schema import BUNDLE_TABLES, BUNDLE_VERSION
from orders.clearing.types import Auction, Product

_Rows = list[tuple[str, ...]]


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file with `\\n` line ends, quoted only where needed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


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
            "curve_orders": _curves(auction),
            **_blocks(auction),
            "flexible_orders": _flexibles(auction),
        }
    files = {"auction.json": json_bytes(_terms(auction))}
    for name, rows in tables.items():
        required, optional = BUNDLE_TABLES[name]
        files[f"{name}.csv"] = csv_bytes((*required, *optional), sorted(rows))
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


class _Texts:
    """Number texts of one product, made once per distinct value."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._prices: dict[int, str] = {}
        self._quantities: dict[int, str] = {}

    def price(self, ticks: int) -> str:
        """Return the text of a price in ticks."""
        if ticks not in self._prices:
            self._prices[ticks] = _text(ticks * self._product.price_tick)
        return self._prices[ticks]

    def quantity(self, lots: int) -> str:
        """Return the text of a quantity in lots."""
        if lots not in self._quantities:
            self._quantities[lots] = _text(lots * self._product.quantity_tick)
        return self._quantities[lots]


def _curves(auction: Auction) -> _Rows:
    curves, products = auction.curves, auction.products
    texts = [_Texts(product) for product in products]
    rtt = [[_text(limit) for limit in (*p.rtt_classes, None)] for p in products]
    carbon = [[_text(limit) for limit in (*p.carbon_classes, None)] for p in products]
    listing_ids = [*(listing.listing_id for listing in auction.listings), ""]
    columns = zip(
        curves.order_id,
        curves.is_buy.tolist(),
        curves.hub.tolist(),
        curves.product.tolist(),
        curves.period.tolist(),
        curves.price_ticks.tolist(),
        curves.quantity_lots.tolist(),
        curves.rtt_class.tolist(),
        curves.listing.tolist(),
        curves.carbon_intensity,
        curves.carbon_class.tolist(),
        curves.participant,
        strict=True,
    )
    rows: _Rows = []
    for name, buy, hub, p, period, price, lots, limit, listing, intensity, green, who in columns:
        rows.append(
            (
                name,
                "buy" if buy else "sell",
                auction.hubs[hub],
                products[p].name,
                str(period + 1),
                texts[p].price(price),
                texts[p].quantity(lots),
                rtt[p][limit],
                listing_ids[listing],
                _text(intensity),
                carbon[p][green] if buy else "",
                who,
            )
        )
    return rows


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
