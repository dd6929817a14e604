"""Reads block and flexible orders of a bundle."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from orders.clearing import fields
from orders.clearing.curve_reading import Names, class_of_limit
from orders.clearing.errors import BundleRefused
from orders.clearing.raw_tables import RawTable, refuse_duplicates
from orders.clearing.types import (
    BlockLeg,
    BlockOption,
    BlockOrder,
    FlexibleOrder,
    Listing,
    Product,
)

PLACEMENTS = ("any", "single")
_BLOCK_COLUMNS = (
    "order_id",
    "side",
    "min_acceptance",
    "parent_order_id",
    "placement",
    "max_rtt_ms",
    "max_carbon",
    "listing_id",
    "carbon_intensity",
    "eligible_listings",
    "participant",
)


def read_blocks(
    tables: Mapping[str, RawTable],
    names: Names,
    products: Sequence[Product],
    listings: Sequence[Listing],
) -> tuple[BlockOrder, ...]:
    """Return the block orders sorted by id."""
    orders, options, legs = (
        tables["block_orders"],
        tables["block_options"],
        tables["block_legs"],
    )
    refuse_duplicates(orders, "order_id")
    refuse_duplicates(options, "order_id", "option_id")
    refuse_duplicates(legs, "order_id", "option_id", "hub", "product", "period")
    profiles = _read_legs(legs, options, names, products)
    choices = _read_options(options, orders, profiles, products)
    found = [
        _read_block(orders.file, line, cells, choices, names, products, listings)
        for line, cells in orders.rows(*_BLOCK_COLUMNS)
    ]
    _check_forest(orders.file, found)
    return tuple(sorted(found, key=lambda order: order.order_id))


def _read_legs(
    table: RawTable, options: RawTable, names: Names, products: Sequence[Product]
) -> dict[tuple[str, str], list[BlockLeg]]:
    known = {cells for _, cells in options.rows("order_id", "option_id")}
    profiles: dict[tuple[str, str], list[BlockLeg]] = {}
    file = table.file
    for line, (order, option, hub, product, period, quantity) in table.rows(
        "order_id", "option_id", "hub", "product", "period", "quantity"
    ):
        if (order, option) not in known:
            raise BundleRefused(file, line, f"unknown option {order}/{option}")
        item = fields.parse_reference(
            product, names.products, file=file, line=line, column="product"
        )
        amount = fields.parse_non_negative(quantity, file=file, line=line, column="quantity")
        lots = fields.whole_steps(
            amount, products[item].quantity_tick, file=file, line=line, column="quantity"
        )
        leg = BlockLeg(
            fields.parse_reference(hub, names.hubs, file=file, line=line, column="hub"),
            item,
            fields.parse_integer(
                period, low=1, high=names.periods, file=file, line=line, column="period"
            )
            - 1,
            lots,
        )
        profiles.setdefault((order, option), []).append(leg)
    return profiles


def _read_options(
    table: RawTable,
    orders: RawTable,
    profiles: Mapping[tuple[str, str], list[BlockLeg]],
    products: Sequence[Product],
) -> dict[str, list[BlockOption]]:
    known = set(orders.column("order_id"))
    choices: dict[str, list[BlockOption]] = {}
    for line, (order, option, limit) in table.rows("order_id", "option_id", "limit_price"):
        if order not in known:
            raise BundleRefused(table.file, line, f"order_id: unknown {order!r}")
        legs = profiles.get((order, option), [])
        if not any(leg.quantity_lots for leg in legs):
            raise BundleRefused(table.file, line, f"option {order}/{option} has no quantity")
        price = _read_limit(table.file, line, limit, [products[leg.product] for leg in legs])
        choices.setdefault(order, []).append(
            BlockOption(option, price, tuple(sorted(legs, key=_place)))
        )
    return {order: sorted(found, key=lambda o: o.option_id) for order, found in choices.items()}


def _place(leg: BlockLeg) -> tuple[int, int, int]:
    return leg.period, leg.product, leg.hub


def _read_limit(file: str, line: int, text: str, products: Sequence[Product]) -> Decimal:
    """Read a limit price; over several products it must fit one of their ticks and bands."""
    price = fields.parse_decimal(text, file=file, line=line, column="limit_price")
    if not any(p.price_min <= price <= p.price_max for p in products):
        raise BundleRefused(file, line, f"limit_price: {text} is out of band")
    if all(price % p.price_tick for p in products):
        raise BundleRefused(file, line, f"limit_price: {text} is off the tick")
    return price


def _read_share(file: str, line: int, text: str) -> Decimal:
    share = fields.parse_non_negative(text or "1", file=file, line=line, column="min_acceptance")
    if share > 1:
        raise BundleRefused(file, line, f"min_acceptance: {text} is above 1")
    return share


def _read_placement(file: str, line: int, text: str) -> str:
    placement = text or "any"
    if placement not in PLACEMENTS:
        raise BundleRefused(file, line, f"placement: {text!r} is neither any nor single")
    return placement


def _read_eligible(file: str, line: int, text: str, names: Names) -> tuple[str, ...]:
    eligible = tuple(sorted({part.strip() for part in text.split(";") if part.strip()}))
    for name in eligible:
        fields.parse_reference(
            name, names.listings, file=file, line=line, column="eligible_listings"
        )
    return eligible


def _read_class_limit(
    file: str, line: int, text: str, column: str, products: Sequence[Product]
) -> Decimal | None:
    limit = fields.parse_optional(text, file=file, line=line, column=column)
    for product in products:
        classes = product.rtt_classes if column == "max_rtt_ms" else product.carbon_classes
        if class_of_limit(limit, classes) is None:
            raise BundleRefused(file, line, f"{column}: {text} is not in the product's list")
    return limit


def _read_block(
    file: str,
    line: int,
    cells: tuple[str, ...],
    choices: Mapping[str, list[BlockOption]],
    names: Names,
    products: Sequence[Product],
    listings: Sequence[Listing],
) -> BlockOrder:
    name, side, share, parent, placement, rtt, carbon, listing, intensity, eligible, who = cells
    if not name or name not in choices:
        raise BundleRefused(file, line, f"order {name!r} has no option")
    if side not in ("buy", "sell"):
        raise BundleRefused(file, line, f"side: {side!r} is neither buy nor sell")
    used = {leg.product for option in choices[name] for leg in option.legs}
    traded = [products[k] for k in sorted(used)]
    order = BlockOrder(
        order_id=name,
        is_buy=side == "buy",
        min_acceptance=_read_share(file, line, share),
        options=tuple(choices[name]),
        parent_order_id=parent or None,
        placement=_read_placement(file, line, placement),
        max_rtt_ms=_read_class_limit(file, line, rtt, "max_rtt_ms", traded),
        max_carbon=_read_class_limit(file, line, carbon, "max_carbon", traded),
        listing_id=listing or None,
        carbon_intensity=fields.parse_optional(
            intensity, file=file, line=line, column="carbon_intensity"
        ),
        eligible_listings=_read_eligible(file, line, eligible, names),
        participant=who,
        line=line,
    )
    _check_side(file, line, order)
    _check_listing(file, line, order, names, listings)
    return order


def _check_side(file: str, line: int, order: BlockOrder) -> None:
    if order.is_buy and (order.listing_id or order.carbon_intensity is not None):
        raise BundleRefused(file, line, "a buy order has no listing and declares no carbon")
    limits = (order.max_rtt_ms, order.max_carbon)
    if not order.is_buy and (any(v is not None for v in limits) or order.eligible_listings):
        raise BundleRefused(file, line, "a sell order has no latency, carbon or listing limits")


def _check_listing(
    file: str, line: int, order: BlockOrder, names: Names, listings: Sequence[Listing]
) -> None:
    if order.listing_id is None:
        return
    found = fields.parse_reference(
        order.listing_id, names.listings, file=file, line=line, column="listing_id"
    )
    if any(leg.hub != listings[found].hub for option in order.options for leg in option.legs):
        raise BundleRefused(file, line, f"the listing {order.listing_id!r} is at another hub")


def _check_forest(file: str, orders: Sequence[BlockOrder]) -> None:
    by_id = {order.order_id: order for order in orders}
    for order in orders:
        seen = {order.order_id}
        current = order
        while current.parent_order_id is not None:
            parent = by_id.get(current.parent_order_id)
            if parent is None:
                raise BundleRefused(
                    file, current.line, f"parent_order_id: unknown {current.parent_order_id!r}"
                )
            if parent.order_id in seen:
                raise BundleRefused(file, order.line, "parent_order_id: the links form a circle")
            if parent.participant != order.participant:
                raise BundleRefused(file, order.line, "linked orders have different participants")
            seen.add(parent.order_id)
            current = parent


def read_flexibles(
    table: RawTable, names: Names, products: Sequence[Product]
) -> tuple[FlexibleOrder, ...]:
    """Return the flexible and interruptible orders sorted by id."""
    refuse_duplicates(table, "order_id")
    columns = (
        "order_id",
        "hub",
        "product",
        "quantity",
        "duration",
        "earliest_period",
        "latest_period",
        "limit_price",
        "min_acceptance",
        "interruptible",
        "placement",
        "max_rtt_ms",
        "max_carbon",
        "eligible_listings",
        "participant",
    )
    found = [
        _read_flexible(table.file, line, dict(zip(columns, cells, strict=True)), names, products)
        for line, cells in table.rows(*columns)
    ]
    return tuple(sorted(found, key=lambda order: order.order_id))


def _read_flexible(
    file: str, line: int, cells: Mapping[str, str], names: Names, products: Sequence[Product]
) -> FlexibleOrder:
    def whole(column: str, low: int, high: int) -> int:
        return fields.parse_integer(
            cells[column], low=low, high=high, file=file, line=line, column=column
        )

    if not cells["order_id"]:
        raise BundleRefused(file, line, "order_id: the id is empty")
    item = fields.parse_reference(
        cells["product"], names.products, file=file, line=line, column="product"
    )
    product = products[item]
    amount = fields.parse_positive(cells["quantity"], file=file, line=line, column="quantity")
    first = whole("earliest_period", 1, names.periods)
    last = whole("latest_period", first, names.periods)
    return FlexibleOrder(
        order_id=cells["order_id"],
        hub=fields.parse_reference(cells["hub"], names.hubs, file=file, line=line, column="hub"),
        product=item,
        quantity_lots=fields.whole_steps(
            amount, product.quantity_tick, file=file, line=line, column="quantity"
        ),
        duration=whole("duration", 1, last - first + 1),
        earliest_period=first - 1,
        latest_period=last - 1,
        limit_price=_read_limit(file, line, cells["limit_price"], [product]),
        min_acceptance=_read_share(file, line, cells["min_acceptance"]),
        interruptible=bool(whole("interruptible", 0, 1)),
        placement=_read_placement(file, line, cells["placement"]),
        max_rtt_ms=_read_class_limit(file, line, cells["max_rtt_ms"], "max_rtt_ms", [product]),
        max_carbon=_read_class_limit(file, line, cells["max_carbon"], "max_carbon", [product]),
        eligible_listings=_read_eligible(file, line, cells["eligible_listings"], names),
        participant=cells["participant"],
        line=line,
    )
