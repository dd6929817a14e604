"""File names and columns of the auction bundle and of the result folder (fixed by the format)."""

BUNDLE_VERSION = 1
ENGINE_VERSION = "0.1.0"

META_REQUIRED = (
    "bundle_version",
    "auction_id",
    "currency",
    "period_minutes",
    "first_period_start",
    "periods",
    "price_min",
    "price_max",
    "price_tick",
    "quantity_tick",
)
META_OPTIONAL = ("clearing_price_tick", "rtt_classes", "carbon_classes", "work_limit")

# table -> (columns that must be there, columns that may be absent)
BUNDLE_TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hubs": (("hub",), ()),
    "products": (
        ("product", "bandwidth_per_unit"),
        (
            "price_tick",
            "quantity_tick",
            "price_min",
            "price_max",
            "clearing_price_tick",
            "rtt_classes",
            "carbon_classes",
        ),
    ),
    "links": (("from_hub", "to_hub", "rtt_ms", "tariff"), ()),
    "link_capacities": (
        ("from_hub", "to_hub", "period", "forward_capacity", "reverse_capacity"),
        (),
    ),
    "listings": (("listing_id", "hub"), ("participant", "carbon_intensity")),
    "listing_capacities": (("listing_id", "product", "period", "capacity"), ()),
    "curve_orders": (
        ("order_id", "side", "hub", "product", "period", "price", "quantity"),
        ("max_rtt_ms", "listing_id", "carbon_intensity", "max_carbon", "participant"),
    ),
    "block_orders": (
        ("order_id", "side", "min_acceptance"),
        (
            "parent_order_id",
            "placement",
            "max_rtt_ms",
            "max_carbon",
            "listing_id",
            "carbon_intensity",
            "eligible_listings",
            "participant",
        ),
    ),
    "block_options": (("order_id", "option_id", "limit_price"), ()),
    "block_legs": (("order_id", "option_id", "hub", "product", "period", "quantity"), ()),
    "flexible_orders": (
        (
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
        ),
        ("placement", "max_rtt_ms", "max_carbon", "eligible_listings", "participant"),
    ),
}
REQUIRED_TABLES = ("hubs", "products")

RESULT_TABLES: dict[str, tuple[str, ...]] = {
    "prices": ("hub", "product", "carbon_class", "period", "price"),
    "delivered_prices": ("hub", "product", "max_rtt_ms", "max_carbon", "period", "price"),
    "curve_results": (
        "order_id",
        "side",
        "hub",
        "product",
        "period",
        "price",
        "quantity",
        "accepted_quantity",
        "status",
        "reason",
    ),
    "block_results": (
        "order_id",
        "option_id",
        "acceptance",
        "status",
        "reason",
        "payment",
        "surplus",
    ),
    "flexible_results": ("order_id", "acceptance", "status", "reason", "payment", "surplus"),
    "assignments": (
        "buy_order_id",
        "option_id",
        "sell_order_id",
        "sell_option_id",
        "listing_id",
        "hub_of_supply",
        "hub",
        "product",
        "period",
        "quantity",
    ),
    "flows": ("from_hub", "to_hub", "product", "period", "forward_quantity", "reverse_quantity"),
    "link_rents": ("from_hub", "to_hub", "direction", "period", "rent"),
}
TEXT_COLUMNS = frozenset(
    {
        "hub",
        "product",
        "order_id",
        "side",
        "status",
        "reason",
        "option_id",
        "buy_order_id",
        "sell_order_id",
        "sell_option_id",
        "listing_id",
        "hub_of_supply",
        "from_hub",
        "to_hub",
        "direction",
    }
)
