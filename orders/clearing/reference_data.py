"""Reads terms, hubs, products, links and listings of a bundle."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders.clearing import fields
from orders.clearing.errors import BundleRefused
from orders.clearing.raw_tables import RawTable, refuse_duplicates
from orders.clearing.schema import BUNDLE_VERSION, META_OPTIONAL, META_REQUIRED
from orders.clearing.types import AuctionTerms, Link, Listing, Product

META_FILE = "auction.json"
_OVERRIDES = (
    "price_tick",
    "quantity_tick",
    "price_min",
    "price_max",
    "clearing_price_tick",
    "rtt_classes",
    "carbon_classes",
)


def read_terms(meta: Mapping[str, Any]) -> AuctionTerms:
    """Read `auction.json`; unknown or missing keys are refused."""
    unknown = [key for key in meta if key not in META_REQUIRED and key not in META_OPTIONAL]
    missing = [key for key in META_REQUIRED if meta.get(key) in (None, "")]
    if unknown or missing:
        problem = f"unknown key {unknown[0]!r}" if unknown else f"missing key {missing[0]!r}"
        raise BundleRefused(META_FILE, None, problem)
    text = {
        key: fields.as_text(v, file=META_FILE, line=None, column=key) for key, v in meta.items()
    }
    if text["bundle_version"] != str(BUNDLE_VERSION):
        raise BundleRefused(META_FILE, None, f"bundle_version must be {BUNDLE_VERSION}")
    _check_instant(text["first_period_start"])
    return AuctionTerms(
        auction_id=text["auction_id"],
        currency=text["currency"],
        period_minutes=_whole(text["period_minutes"], "period_minutes", 1, 10**6),
        first_period_start=text["first_period_start"],
        periods=_whole(text["periods"], "periods", 1, 10**4),
        price_min=_number(text["price_min"], "price_min"),
        price_max=_number(text["price_max"], "price_max"),
        price_tick=_positive(text["price_tick"], "price_tick"),
        quantity_tick=_positive(text["quantity_tick"], "quantity_tick"),
        clearing_price_tick=_maybe_positive(text.get("clearing_price_tick", "")),
        rtt_classes=_classes(text, "rtt_classes"),
        carbon_classes=_classes(text, "carbon_classes"),
        work_limit=_whole(text["work_limit"], "work_limit", 0, 10**9)
        if text.get("work_limit")
        else None,
    )


def _classes(text: Mapping[str, str], key: str) -> tuple[Decimal, ...] | None:
    return fields.parse_classes(text.get(key, ""), file=META_FILE, line=None, column=key)


def _check_instant(text: str) -> None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BundleRefused(META_FILE, None, "first_period_start is not ISO 8601") from error
    if instant.utcoffset() is None:
        raise BundleRefused(META_FILE, None, "first_period_start has no offset")


def _whole(text: str, key: str, low: int, high: int) -> int:
    return fields.parse_integer(text, low=low, high=high, file=META_FILE, line=None, column=key)


def _number(text: str, key: str) -> Decimal:
    return fields.parse_decimal(text, file=META_FILE, line=None, column=key)


def _positive(text: str, key: str) -> Decimal:
    return fields.parse_positive(text, file=META_FILE, line=None, column=key)


def _maybe_positive(text: str) -> Decimal | None:
    return _positive(text, "clearing_price_tick") if text else None


def read_hubs(table: RawTable) -> tuple[str, ...]:
    """Return the hubs sorted by name."""
    refuse_duplicates(table, "hub")
    for line, (hub,) in table.rows("hub"):
        if not hub:
            raise BundleRefused(table.file, line, "hub: the name is empty")
    return tuple(sorted(table.column("hub")))


def read_products(table: RawTable, terms: AuctionTerms) -> tuple[Product, ...]:
    """Return the products sorted by name; classes stay open (empty) where no list is given."""
    refuse_duplicates(table, "product")
    found = []
    for line, cells in table.rows("product", "bandwidth_per_unit", *_OVERRIDES):
        given = dict(zip(_OVERRIDES, cells[2:], strict=True))
        found.append(_read_product(table.file, line, cells[0], cells[1], given, terms))
    return tuple(sorted(found, key=lambda product: product.name))


def _read_product(
    file: str, line: int, name: str, bandwidth: str, given: dict[str, str], terms: AuctionTerms
) -> Product:
    def value(key: str) -> Decimal:
        text = given[key]
        parse = fields.parse_positive if key.endswith("tick") else fields.parse_decimal
        return parse(text, file=file, line=line, column=key) if text else getattr(terms, key)

    def classes(key: str) -> tuple[Decimal, ...]:
        own = fields.parse_classes(given[key], file=file, line=line, column=key)
        return (getattr(terms, key) if own is None else own) or ()

    if not name:
        raise BundleRefused(file, line, "product: the name is empty")
    tick = value("price_tick")
    clearing_tick = tick / 100
    if given["clearing_price_tick"] or terms.clearing_price_tick is not None:
        clearing_tick = value("clearing_price_tick")
    product = Product(
        name=name,
        bandwidth=fields.parse_non_negative(
            bandwidth, file=file, line=line, column="bandwidth_per_unit"
        ),
        price_tick=tick,
        quantity_tick=value("quantity_tick"),
        price_min=value("price_min"),
        price_max=value("price_max"),
        clearing_price_tick=clearing_tick,
        rtt_classes=classes("rtt_classes"),
        carbon_classes=classes("carbon_classes"),
        given={key: text for key, text in given.items() if text},
    )
    _check_ticks(file, line, product)
    return product


def _check_ticks(file: str, line: int, product: Product) -> None:
    if product.price_min > product.price_max:
        raise BundleRefused(file, line, "price_min is above price_max")
    for column in ("price_min", "price_max"):
        fields.whole_steps(
            getattr(product, column), product.price_tick, file=file, line=line, column=column
        )
    if product.price_tick % product.clearing_price_tick:
        raise BundleRefused(file, line, "price_tick is not a multiple of clearing_price_tick")


def read_links(
    table: RawTable, capacities: RawTable, hubs: Mapping[str, int], periods: int
) -> tuple[Link, ...]:
    """Return the links sorted by hub names; a link without a capacity row carries nothing."""
    links: dict[tuple[int, int], Link] = {}
    zero = (Decimal(0),) * periods
    for line, (start, end, rtt, tariff) in table.rows("from_hub", "to_hub", "rtt_ms", "tariff"):
        pair = _read_pair(table.file, line, start, end, hubs)
        if pair in links or pair[::-1] in links:
            raise BundleRefused(table.file, line, f"duplicate link {start}/{end}")
        links[pair] = Link(
            *pair,
            fields.parse_non_negative(rtt, file=table.file, line=line, column="rtt_ms"),
            fields.parse_non_negative(tariff, file=table.file, line=line, column="tariff"),
            zero,
            zero,
        )
    for pair, (forward, reverse) in _read_capacities(capacities, links, hubs, periods).items():
        links[pair] = replace(
            links[pair], forward_capacity=tuple(forward), reverse_capacity=tuple(reverse)
        )
    return tuple(link for _, link in sorted(links.items()))


def _read_pair(
    file: str, line: int, start: str, end: str, hubs: Mapping[str, int]
) -> tuple[int, int]:
    first = fields.parse_reference(start, hubs, file=file, line=line, column="from_hub")
    second = fields.parse_reference(end, hubs, file=file, line=line, column="to_hub")
    if first == second:
        raise BundleRefused(file, line, f"a link from {start} to itself")
    return first, second


def _read_capacities(
    table: RawTable,
    links: Mapping[tuple[int, int], Link],
    hubs: Mapping[str, int],
    periods: int,
) -> dict[tuple[int, int], tuple[list[Decimal], list[Decimal]]]:
    zero = Decimal(0)
    found = {pair: ([zero] * periods, [zero] * periods) for pair in links}
    seen: set[tuple[int, int, int]] = set()
    columns = ("from_hub", "to_hub", "period", "forward_capacity", "reverse_capacity")
    for line, (start, end, period, forward, reverse) in table.rows(*columns):
        pair = _read_pair(table.file, line, start, end, hubs)
        if pair not in found:
            raise BundleRefused(table.file, line, f"unknown link {start}/{end}")
        room = [
            fields.parse_non_negative(text, file=table.file, line=line, column=column)
            for text, column in ((forward, columns[3]), (reverse, columns[4]))
        ]
        for index in _read_periods(table.file, line, period, periods):
            if (*pair, index) in seen:
                raise BundleRefused(table.file, line, f"duplicate capacity of {start}/{end}")
            seen.add((*pair, index))
            found[pair][0][index], found[pair][1][index] = room
    return found


def _read_periods(file: str, line: int, text: str, periods: int) -> range:
    if not text:
        return range(periods)
    number = fields.parse_integer(text, low=1, high=periods, file=file, line=line, column="period")
    return range(number - 1, number)


def read_listings(
    table: RawTable,
    capacities: RawTable,
    hubs: Mapping[str, int],
    products: tuple[Product, ...],
    periods: int,
) -> tuple[Listing, ...]:
    """Return the listings sorted by id, each with its capacities in lots."""
    refuse_duplicates(table, "listing_id")
    rooms = _read_listing_capacities(table, capacities, products, periods)
    found = []
    for line, (name, hub, participant, carbon) in table.rows(
        "listing_id", "hub", "participant", "carbon_intensity"
    ):
        if not name:
            raise BundleRefused(table.file, line, "listing_id: the name is empty")
        found.append(
            Listing(
                name,
                fields.parse_reference(hub, hubs, file=table.file, line=line, column="hub"),
                participant,
                fields.parse_optional(
                    carbon, file=table.file, line=line, column="carbon_intensity"
                ),
                rooms.get(name, {}),
            )
        )
    return tuple(sorted(found, key=lambda listing: listing.listing_id))


def _read_listing_capacities(
    listings: RawTable, table: RawTable, products: tuple[Product, ...], periods: int
) -> dict[str, dict[tuple[int, int], int]]:
    known = set(listings.column("listing_id"))
    index = {product.name: number for number, product in enumerate(products)}
    rooms: dict[str, dict[tuple[int, int], int]] = {}
    for line, (name, product_name, period, capacity) in table.rows(
        "listing_id", "product", "period", "capacity"
    ):
        if name not in known:
            raise BundleRefused(table.file, line, f"listing_id: unknown {name!r}")
        product = fields.parse_reference(
            product_name, index, file=table.file, line=line, column="product"
        )
        lots = fields.whole_steps(
            fields.parse_non_negative(capacity, file=table.file, line=line, column="capacity"),
            products[product].quantity_tick,
            file=table.file,
            line=line,
            column="capacity",
        )
        for number in _read_periods(table.file, line, period, periods):
            if (product, number) in rooms.setdefault(name, {}):
                raise BundleRefused(table.file, line, f"duplicate capacity of {name}")
            rooms[name][product, number] = lots
    return rooms
