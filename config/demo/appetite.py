"""What the demonstration's buyers want: orders drawn from a seed, without touching the database.

Sizes follow the capacity listed for a product, limits scatter around its reference price; both are
assumptions of the demonstration, stated in docs/reference/reference-data.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from random import Random

LONG_RUNNING = frozenset({"L3"})
# Of work that can wait and move, so much asks for green capacity only.
GREEN_SHARE = 0.15
CURVE_LADDER = (Decimal("1.06"), Decimal("1.00"), Decimal("0.93"))


@dataclass(frozen=True)
class TradedProduct:
    """A product as the demonstration sees it.

    Attributes:
        listed: units offered in all.
        green_class_g: its strictest carbon class above zero, g per unit-hour, if it has one.
    """

    code: str
    resource_class: str
    reference_price: Decimal
    price_tick: Decimal
    quantity_lot: Decimal
    price_max: Decimal
    listed: Decimal
    green_class_g: Decimal | None = None


@dataclass(frozen=True)
class Scenario:
    """A workload scenario: its latency class and the classes of compute it runs on."""

    code: str
    latency_class: str
    max_rtt_ms: Decimal | None
    resource_classes: frozenset[str]


@dataclass(frozen=True)
class Buyer:
    """A buying member: where it consumes and what it works on."""

    organisation_code: str
    home_hub: str
    scenarios: tuple[str, ...]


@dataclass(frozen=True)
class WantedOrder:
    """An order a buyer would place; prices per unit and hour, periods from 1."""

    organisation_code: str
    hub: str
    product: str
    scenario: Scenario
    is_block: bool
    first_period: int
    last_period: int
    quantity: Decimal
    limit_price: Decimal
    min_acceptance: Decimal
    steps: tuple[tuple[Decimal, Decimal], ...]
    max_carbon_g: Decimal | None = None


@dataclass(frozen=True)
class Appetite:
    """How hungry the buyers are in one auction."""

    periods: int
    orders_per_buyer: int
    block_share: float
    size_share: Decimal


def draw_orders(
    *,
    seed: str,
    buyers: Sequence[Buyer],
    products: Sequence[TradedProduct],
    scenarios: Sequence[Scenario],
    appetite: Appetite,
) -> Iterator[WantedOrder]:
    """Yield the orders of one auction; the same arguments yield the same orders."""
    random = Random(seed)  # noqa: S311 - a demonstration's dice, not a secret
    green = Random(f"{seed}:green")  # noqa: S311 - the same
    by_code = {scenario.code: scenario for scenario in scenarios}
    for buyer in buyers:
        choices = [by_code[code] for code in buyer.scenarios if code in by_code]
        for _number in range(appetite.orders_per_buyer):
            scenario = random.choice(choices)
            usable = [p for p in products if p.resource_class in scenario.resource_classes]
            if usable:
                product = random.choice(usable)
                order = _draw_one(random, buyer, scenario, product, appetite)
                yield replace(order, max_carbon_g=_carbon_limit(green, scenario, product))


def _carbon_limit(random: Random, scenario: Scenario, product: TradedProduct) -> Decimal | None:
    if scenario.latency_class in LONG_RUNNING and random.random() < GREEN_SHARE:
        return product.green_class_g
    return None


def _draw_one(
    random: Random, buyer: Buyer, scenario: Scenario, product: TradedProduct, appetite: Appetite
) -> WantedOrder:
    first, last = _window(random, scenario, appetite.periods)
    is_block = (
        scenario.latency_class in LONG_RUNNING
        and last > first
        and random.random() < appetite.block_share
    )
    # Blocks are few and large, as training jobs are; that is what makes some of them unplaceable.
    size = appetite.size_share * Decimal(3 if is_block else 1)
    quantity = _lots(random, product, size)
    limit = _price(product, random.gauss(1.02 if is_block else 1.04, 0.16))
    min_acceptance = Decimal(1) if is_block and random.random() < 0.7 else Decimal("0.5")
    return WantedOrder(
        organisation_code=buyer.organisation_code,
        hub=buyer.home_hub,
        product=product.code,
        scenario=scenario,
        is_block=is_block,
        first_period=first,
        last_period=last,
        quantity=quantity,
        limit_price=limit,
        min_acceptance=min_acceptance if is_block else Decimal(0),
        steps=() if is_block else _ladder(product, quantity, limit),
    )


def _window(random: Random, scenario: Scenario, periods: int) -> tuple[int, int]:
    """Long work takes a third to all of the day; urgent work follows the working hours."""
    if scenario.latency_class in LONG_RUNNING:
        length = random.randint(max(1, periods // 3), periods)
    else:
        length = random.randint(1, max(1, periods // 3))
    first = random.randint(1, periods - length + 1)
    return first, first + length - 1


def _lots(random: Random, product: TradedProduct, share: Decimal) -> Decimal:
    wished = product.listed * share * Decimal(str(round(random.lognormvariate(0.0, 0.6), 4)))
    lots = (wished / product.quantity_lot).to_integral_value(ROUND_CEILING)
    return max(lots, Decimal(1)) * product.quantity_lot


def _price(product: TradedProduct, factor: float) -> Decimal:
    wished = product.reference_price * Decimal(str(round(max(factor, 0.4), 4)))
    ticks = (wished / product.price_tick).to_integral_value(ROUND_HALF_UP)
    return min(max(ticks, Decimal(1)) * product.price_tick, product.price_max)


def _ladder(
    product: TradedProduct, quantity: Decimal, limit: Decimal
) -> tuple[tuple[Decimal, Decimal], ...]:
    """Split a curve order into falling steps where it is large enough."""
    lots = int(quantity / product.quantity_lot)
    if lots < len(CURVE_LADDER):
        return ((limit, quantity),)
    each = Decimal(lots // len(CURVE_LADDER)) * product.quantity_lot
    shares = [quantity - each * (len(CURVE_LADDER) - 1), each, each]
    prices = [_price(product, float(limit / product.reference_price * f)) for f in CURVE_LADDER]
    merged: dict[Decimal, Decimal] = {}
    for price, share in zip(prices, shares, strict=True):
        merged[price] = merged.get(price, Decimal(0)) + share
    return tuple(merged.items())
