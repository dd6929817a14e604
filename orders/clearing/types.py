"""Frozen inputs and results of the engine.

Quantities are whole lots and prices whole ticks of their product, so that everything that is
compared or added is an integer; `Product` converts. Indices (hub, product, period, class)
count from 0; `NONE` (-1) means "no limit" or "none".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
# Numbers that stand for values kept elsewhere; 32 bits do.
Codes = npt.NDArray[np.int32] | npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
NONE = -1


@dataclass(frozen=True)
class AuctionTerms:
    """What `auction.json` says, as given; product columns may override part of it."""

    auction_id: str
    currency: str
    period_minutes: int
    first_period_start: str
    periods: int
    price_min: Decimal
    price_max: Decimal
    price_tick: Decimal
    quantity_tick: Decimal
    clearing_price_tick: Decimal | None = None
    rtt_classes: tuple[Decimal, ...] | None = None
    carbon_classes: tuple[Decimal, ...] | None = None
    work_limit: int | None = None


@dataclass(frozen=True)
class Product:
    """A standardised contract with its own ticks, band and lists of classes (all resolved).

    `bandwidth` is Gbit/s per unit when consumer and supply are at different hubs. `given` holds the
    columns of `products.csv` as they were stated, for the canonical form.
    """

    name: str
    bandwidth: Decimal
    price_tick: Decimal
    quantity_tick: Decimal
    price_min: Decimal
    price_max: Decimal
    clearing_price_tick: Decimal
    rtt_classes: tuple[Decimal, ...]
    carbon_classes: tuple[Decimal, ...]
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """A connection between two hubs; capacities in Gbit/s by period and direction."""

    from_hub: int
    to_hub: int
    rtt_ms: Decimal
    tariff: Decimal
    forward_capacity: tuple[Decimal, ...]
    reverse_capacity: tuple[Decimal, ...]


@dataclass(frozen=True)
class Listing:
    """Capacity that orders sell from; `capacity_lots` maps (product, period) to whole lots."""

    listing_id: str
    hub: int
    participant: str
    carbon_intensity: Decimal | None
    capacity_lots: Mapping[tuple[int, int], int]


@dataclass(frozen=True, eq=False)
class CurveOrders:
    """All curve orders, one step per position, as parallel columns in canonical order.

    `carbon_class` is a buy's limit or a sell's strictest class, an index into the product's list.
    """

    order_id: tuple[str, ...]
    is_buy: BoolArray
    hub: IntArray
    product: IntArray
    period: IntArray
    price_ticks: IntArray
    quantity_lots: IntArray
    rtt_class: IntArray
    carbon_class: IntArray
    listing: IntArray
    carbon_intensity: tuple[Decimal | None, ...]
    participant: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.order_id)


@dataclass(frozen=True)
class BlockLeg:
    """Part of a profile: so many lots at one hub, product and period."""

    hub: int
    product: int
    period: int
    quantity_lots: int


@dataclass(frozen=True)
class BlockOption:
    """One profile with its limit price per unit and period."""

    option_id: str
    limit_price: Decimal
    legs: tuple[BlockLeg, ...]


@dataclass(frozen=True)
class BlockOrder:
    """A block (one option) or an exclusive group (several options)."""

    order_id: str
    is_buy: bool
    min_acceptance: Decimal
    options: tuple[BlockOption, ...]
    parent_order_id: str | None = None
    placement: str = "any"
    max_rtt_ms: Decimal | None = None
    max_carbon: Decimal | None = None
    listing_id: str | None = None
    carbon_intensity: Decimal | None = None
    eligible_listings: tuple[str, ...] = ()
    participant: str = ""
    line: int | None = None


@dataclass(frozen=True)
class FlexibleOrder:
    """A buy of `quantity_lots` for `duration` periods somewhere in a window."""

    order_id: str
    hub: int
    product: int
    quantity_lots: int
    duration: int
    earliest_period: int
    latest_period: int
    limit_price: Decimal
    min_acceptance: Decimal
    interruptible: bool
    placement: str = "any"
    max_rtt_ms: Decimal | None = None
    max_carbon: Decimal | None = None
    eligible_listings: tuple[str, ...] = ()
    participant: str = ""
    line: int | None = None


@dataclass(frozen=True, eq=False)
class Auction:
    """The frozen order book of one auction: everything the engine may look at."""

    terms: AuctionTerms
    hubs: tuple[str, ...]
    products: tuple[Product, ...]
    links: tuple[Link, ...]
    listings: tuple[Listing, ...]
    curves: CurveOrders
    blocks: tuple[BlockOrder, ...]
    flexibles: tuple[FlexibleOrder, ...]


class PriceRow(NamedTuple):
    """Supply price of a cell; None where no order can reach."""

    hub: str
    product: str
    carbon_class: Decimal | None
    period: int
    price: Decimal | None


class DeliveredPriceRow(NamedTuple):
    """What a buyer of this class pays; None where nothing can be delivered."""

    hub: str
    product: str
    max_rtt_ms: Decimal | None
    max_carbon: Decimal | None
    period: int
    price: Decimal | None


class CurveResultRow(NamedTuple):
    """Outcome of one step."""

    order_id: str
    side: str
    hub: str
    product: str
    period: int
    price: Decimal
    quantity: Decimal
    accepted_quantity: Decimal
    status: str
    reason: str


class BlockResultRow(NamedTuple):
    """Outcome of one option of a block order."""

    order_id: str
    option_id: str
    acceptance: Decimal
    status: str
    reason: str
    payment: Decimal
    surplus: Decimal


class FlexibleResultRow(NamedTuple):
    """Outcome of one flexible or interruptible order."""

    order_id: str
    acceptance: Decimal
    status: str
    reason: str
    payment: Decimal
    surplus: Decimal


class AssignmentRow(NamedTuple):
    """Who serves whom: one positive quantity for one period."""

    buy_order_id: str
    option_id: str
    sell_order_id: str
    sell_option_id: str
    listing_id: str
    hub_of_supply: str
    hub: str
    product: str
    period: int
    quantity: Decimal


class FlowRow(NamedTuple):
    """Gross flow of a product over a link, in units of the product."""

    from_hub: str
    to_hub: str
    product: str
    period: int
    forward_quantity: Decimal
    reverse_quantity: Decimal


class LinkRentRow(NamedTuple):
    """Congestion rent of a link direction per Gbit/s and period."""

    from_hub: str
    to_hub: str
    direction: str
    period: int
    rent: Decimal


class Bound(NamedTuple):
    """The price and rent vector at which the upper bound is evaluated, and the bound."""

    prices: tuple[PriceRow, ...]
    link_rents: tuple[LinkRentRow, ...]
    upper_bound: Decimal


class Summary(NamedTuple):
    """Key figures; the money figures are exact."""

    status: str
    welfare: Decimal
    upper_bound: Decimal
    gap: Decimal
    share_of_block_gain: Decimal | None
    paradoxically_rejected: int
    buyer_payments: Decimal
    seller_receipts: Decimal
    congestion_rent: Decimal
    tariffs: Decimal
    engine_version: str
    bundle_sha256: str


@dataclass(frozen=True)
class Result:
    """Everything published after a clearing. `timing` is outside the comparison of results."""

    summary: Summary
    bound: Bound
    prices: tuple[PriceRow, ...]
    delivered_prices: tuple[DeliveredPriceRow, ...]
    curve_results: Sequence[CurveResultRow]
    block_results: tuple[BlockResultRow, ...]
    flexible_results: tuple[FlexibleResultRow, ...]
    assignments: Sequence[AssignmentRow]
    flows: tuple[FlowRow, ...]
    link_rents: tuple[LinkRentRow, ...]
    timing: Mapping[str, float] = field(default_factory=dict, compare=False)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the result files as rows with the columns of the format.

        Numbers are Decimal, periods int (from 1), texts str; an empty class or price is None.
        """
        names = (
            "prices",
            "delivered_prices",
            "curve_results",
            "block_results",
            "flexible_results",
            "assignments",
            "flows",
            "link_rents",
        )
        return {name: [row._asdict() for row in getattr(self, name)] for name in names}


class Violation(NamedTuple):
    """A broken rule of the contract: its number, what it concerns, and how."""

    rule: str
    subject: str
    detail: str
