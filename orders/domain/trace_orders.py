"""From jobs to orders: windows, sizes and prices by stated, seeded assumptions.

The rules are written down in docs/reference/import-mapping.md; nothing here is random beyond what
the seed and the job's own name give.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from orders.domain.job_traces import BEST_EFFORT, BURSTABLE, FIRM, Job

# Limit price as a share of the reference price: from, to (assumed; see the module's page).
PRICE_SHARES = {
    FIRM: (Decimal("0.90"), Decimal("1.10")),
    BURSTABLE: (Decimal("0.60"), Decimal("0.90")),
    BEST_EFFORT: (Decimal("0.25"), Decimal("0.60")),
}
# What a kind of work is; it names the latency class.
SCENARIOS = {
    ("gpu", FIRM): "cross_hub_inference",
    ("gpu", BURSTABLE): "cross_hub_inference",
    ("gpu", BEST_EFFORT): "model_training",
    ("cpu", FIRM): "cloud_desktop",
    ("cpu", BURSTABLE): "offline_analysis",
    ("cpu", BEST_EFFORT): "offline_analysis",
}
HPC_SCENARIO = "scientific_computing"
_INFERENCE_CARDS = {"t4", "p100", "v100m16", "v100m32", "a10", "v100", "a10g", "l4"}
CPU_PRODUCT, HPC_PRODUCT = "GP-VCPU", "HP-CORE"
SMALL_CARD_PRODUCT, LARGE_CARD_PRODUCT = "AI-K100", "AI-P800"
_SCALE = 10**6


@dataclass(frozen=True)
class ProductTerms:
    """What an order for a product must fit, and the price its bids are measured by."""

    price_tick: Decimal
    price_min: Decimal
    price_max: Decimal
    quantity_lot: Decimal
    reference_price: Decimal


@dataclass(frozen=True)
class AuctionWindow:
    """The periods still open to orders; the last is included."""

    first_open: int
    period_count: int
    period_minutes: int

    @property
    def open_count(self) -> int:
        """How many periods are open."""
        return self.period_count - self.first_open + 1


@dataclass(frozen=True)
class TraceOrder:
    """A buy order made from one or more jobs; prices CNY per unit and hour, 不含税."""

    key: str
    buyer: int
    product: str
    hub: str
    scenario: str
    first_period: int
    last_period: int
    quantity: Decimal
    limit_price: Decimal
    is_block: bool
    jobs: int


@dataclass(frozen=True)
class _Group:
    buyer: int
    product: str
    hub: str
    kind: str
    tier: str
    starts_at_period: int
    periods: int
    limit_price: Decimal | None


def orders_from(
    jobs: Iterable[Job],
    *,
    window: AuctionWindow,
    buyers: int,
    products: Mapping[str, ProductTerms],
    seed: int,
    limit: int,
    most_blocks: int,
) -> tuple[list[TraceOrder], Counter[str]]:
    """Return at most `limit` orders, and how many jobs were left out, by reason.

    Jobs of one buyer, product, kind, start and length become one order, rounded up to the lot.

    Args:
        jobs: the trace.
        window: of the auction.
        buyers: how many members share the jobs.
        products: terms by code; jobs for other products are left out.
        seed: of prices, of the choice among more jobs than `limit`, and of who buys.
        limit: most orders.
        most_blocks: most blocks; longer jobs beyond are bid for hour by hour.
    """
    left_out: Counter[str] = Counter()
    groups: dict[_Group, list[Job]] = defaultdict(list)
    for job in jobs:
        product = _product(job)
        if product not in products:
            left_out["product not in this auction"] += 1
            continue
        groups[_group(job, product, window, buyers, seed)].append(job)
    chosen = sorted(groups.items(), key=lambda item: _draw(seed, "choice", item[1][0].key))
    left_out["beyond the limit"] += sum(len(of_group) for _, of_group in chosen[limit:])
    blocks = 0
    orders = []
    for group, of_group in chosen[:limit]:
        is_block = group.periods > 1 and group.tier != BEST_EFFORT and blocks < most_blocks
        blocks += is_block
        orders.append(_order(group, of_group, window, products[group.product], seed, is_block))
    orders.sort(key=lambda order: (order.first_period, order.key))
    return orders, +left_out


def median_price(prices: Sequence[Decimal]) -> Decimal:
    """Return the middle of prices (the lower of two), which a list of asks is measured by."""
    return sorted(prices)[(len(prices) - 1) // 2]


def _product(job: Job) -> str:
    if job.kind == "hpc":
        return HPC_PRODUCT
    if job.kind == "cpu":
        return CPU_PRODUCT
    # A job that names only small cards takes the small class; any other card will do the rest.
    if job.cards and set(job.cards) <= _INFERENCE_CARDS:
        return SMALL_CARD_PRODUCT
    return LARGE_CARD_PRODUCT


def _group(job: Job, product: str, window: AuctionWindow, buyers: int, seed: int) -> _Group:
    period_s = window.period_minutes * 60
    start = int((job.starts_s / period_s).to_integral_value(ROUND_FLOOR))
    periods = int((job.runs_s / period_s).to_integral_value(ROUND_CEILING))
    return _Group(
        buyer=_draw(seed, "buyer", job.user or job.key) % buyers,
        product=product,
        hub=job.hub,
        kind=job.kind,
        tier=job.tier,
        starts_at_period=start,
        periods=max(periods, 1),
        limit_price=job.limit_price,
    )


def _order(
    group: _Group,
    jobs: Sequence[Job],
    window: AuctionWindow,
    terms: ProductTerms,
    seed: int,
    is_block: bool,
) -> TraceOrder:
    key = jobs[0].key
    first = window.first_open + group.starts_at_period % window.open_count
    last = min(first + group.periods - 1, window.period_count)
    units = sum((job.units for job in jobs), Decimal(0))
    lots = (units / terms.quantity_lot).to_integral_value(ROUND_CEILING)
    return TraceOrder(
        key=key,
        buyer=group.buyer,
        product=group.product,
        hub=group.hub,
        scenario=SCENARIOS.get((group.kind, group.tier), HPC_SCENARIO),
        first_period=first,
        last_period=last,
        quantity=max(lots, Decimal(1)) * terms.quantity_lot,
        limit_price=_limit(group, terms, seed, key),
        is_block=is_block and last > first,
        jobs=len(jobs),
    )


def _limit(group: _Group, terms: ProductTerms, seed: int, key: str) -> Decimal:
    wanted = group.limit_price
    if wanted is None:
        least, most = PRICE_SHARES[group.tier]
        drawn = Decimal(_draw(seed, "price", key) % _SCALE) / _SCALE
        wanted = terms.reference_price * (least + (most - least) * drawn)
    on_tick = (wanted / terms.price_tick).to_integral_value(ROUND_FLOOR) * terms.price_tick
    return min(max(on_tick, terms.price_min), terms.price_max)


def _draw(seed: int, purpose: str, key: str) -> int:
    """Return a number that only the seed, the purpose and the name decide."""
    digest = hashlib.sha256(f"{seed}|{purpose}|{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
