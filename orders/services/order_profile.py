"""What an order consists of, as entered and as checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from marketplace.models import Hub, Product
from orders.domain.worst_case import block_worst_case
from orders.models import OrderKind, OrderSource, Placement

WINDOWED = (OrderKind.FLEXIBLE, OrderKind.INTERRUPTIBLE)


@dataclass(frozen=True)
class Step:
    """A step of a curve: its own quantity at CNY per unit and hour, 不含税."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True)
class Leg:
    """Units through a run of periods of a block's profile."""

    first_period: int
    last_period: int
    quantity: Decimal

    @property
    def periods(self) -> range:
        """Periods it covers, counted from 1."""
        return range(self.first_period, self.last_period + 1)


@dataclass(frozen=True)
class Option:
    """One alternative of a block order; at most one of an order's alternatives is taken.

    `product` and `hub` are codes, the order's own where empty. Without `legs` it is `quantity`
    through the order's whole window.
    """

    limit_price: Decimal
    product: str = ""
    hub: str = ""
    quantity: Decimal | None = None
    legs: tuple[Leg, ...] = ()


@dataclass(frozen=True)
class OrderRequest:
    """An order as entered. Prices are CNY per unit and hour, 不含税; periods count from 1.

    Curves have `steps`; blocks have `quantity` through the whole window, or `legs`, and a
    `limit_price`, or else `options`: alternatives of which at most one is taken. A block may hang
    on another of the same member (`parent_order`). Flexible and interruptible bids want
    `quantity` for `duration` periods of the window at `limit_price`: in a row, or any. A scenario
    fills in the latency limit where `max_rtt_ms` is not given. `max_carbon_g` is g per unit-hour;
    0 takes green capacity only.
    """

    auction: UUID
    side: str
    kind: str
    product: str
    hub: str
    first_period: int
    last_period: int
    steps: tuple[Step, ...] = ()
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    min_acceptance: Decimal = Decimal(1)
    placement: str = Placement.ANY
    max_rtt_ms: Decimal | None = None
    scenario: str | None = None
    listing: UUID | None = None
    min_dengbao_level: int = 0
    requires_xinchuang: bool = False
    min_trust_level: int = 0
    note: str = ""
    source: str = OrderSource.PORTAL
    legs: tuple[Leg, ...] = ()
    options: tuple[Option, ...] = ()
    parent_order: UUID | None = None
    duration: int | None = None
    project: UUID | None = None
    max_carbon_g: Decimal | None = None


@dataclass(frozen=True)
class CheckedOption:
    """An alternative whose names are resolved."""

    limit_price: Decimal
    product: Product
    hub: Hub
    legs: tuple[Leg, ...]

    def worst_net_cny(self, period_minutes: int) -> Decimal:
        """Return the most it can cost before fee and tax."""
        legs = [(len(leg.periods), leg.quantity) for leg in self.legs]
        return block_worst_case(self.limit_price, legs, period_minutes=period_minutes)

    @property
    def units(self) -> dict[int, Decimal]:
        """Units by period."""
        return {period: leg.quantity for leg in self.legs for period in leg.periods}


def most_units(options: tuple[CheckedOption, ...]) -> Mapping[int, Decimal]:
    """Return by period the most units any alternative takes."""
    most: dict[int, Decimal] = {}
    for option in options:
        for period, units in option.units.items():
            most[period] = max(units, most.get(period, Decimal(0)))
    return most
