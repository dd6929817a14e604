"""Times the clearing engine on seeded books and writes docs/reference/benchmarks.md.

Each row is one run in this process: bundle in memory, cleared, verified. Prices and sizes are drawn
around a base price a hub, which gives trade between hubs and some full links.
"""

import platform
import random
import resource
import time
from datetime import UTC, datetime
from pathlib import Path

from orders.clearing import auction_from_tables, clear, verify

TARGET = Path(__file__).resolve().parents[1] / "docs" / "reference" / "benchmarks.md"
# Name, hubs, products, periods, curve rows, blocks.
INSTANCES = (
    ("one hub, one product", 1, 1, 24, 10_000, 0),
    ("ten hubs, one product", 10, 1, 24, 24_000, 0),
    ("ten hubs, three products", 10, 3, 24, 50_000, 0),
    ("ten hubs, one product, blocks", 10, 1, 24, 24_000, 60),
    ("ten hubs, three products, blocks", 10, 3, 24, 10_000, 60),
)


def book(hubs: int, products: int, periods: int, rows: int, blocks: int) -> dict:
    """Return the tables of a seeded auction."""
    dice = random.Random(20261122)
    names = [f"H{k}" for k in range(hubs)]
    goods = [f"P{k}" for k in range(products)]
    base = {name: 1 + 0.6 * dice.random() for name in names}
    tables: dict[str, list[dict]] = {
        "hubs": [{"hub": name} for name in names],
        "products": [{"product": name, "bandwidth_per_unit": "0.01"} for name in goods],
        "links": [],
        "link_capacities": [],
        "curve_orders": [],
        "block_orders": [],
        "block_options": [],
        "block_legs": [],
    }
    for k in range(hubs if hubs > 2 else 0):
        ends = {"from_hub": names[k], "to_hub": names[(k + 1) % hubs]}
        tables["links"].append({**ends, "rtt_ms": "5", "tariff": "0.5"})
        tables["link_capacities"].append({**ends, "forward_capacity": "2", "reverse_capacity": "2"})
    for number in range(rows):
        is_buy = dice.random() < 0.5
        hub = dice.choice(names)
        level = base[hub] * dice.lognormvariate(0.4 if is_buy else 0.0, 0.4)
        tables["curve_orders"].append(
            {
                "order_id": f"C{number}",
                "side": "buy" if is_buy else "sell",
                "hub": hub,
                "product": dice.choice(goods),
                "period": dice.randint(1, periods),
                "price": f"{max(level, 0.01):.2f}",
                "quantity": str(1 + round(dice.gammavariate(2, 10))),
            }
        )
    for number in range(blocks):
        order, hub, good = f"B{number}", dice.choice(names), dice.choice(goods)
        length = dice.randint(2, 12)
        first = dice.randint(1, periods - length + 1)
        tables["block_orders"].append(
            {"order_id": order, "side": "buy", "min_acceptance": dice.choice(["1", "0.5"])}
        )
        price = base[hub] * dice.uniform(1.0, 1.5)
        option = {"order_id": order, "option_id": "1"}
        tables["block_options"].append({**option, "limit_price": f"{price:.2f}"})
        quantity = str(dice.randint(20, 200))
        for period in range(first, first + length):
            leg = {"hub": hub, "product": good, "period": period, "quantity": quantity}
            tables["block_legs"].append({**option, **leg})
    return tables


def meta(name: str, periods: int) -> dict:
    """Return the terms of the auction."""
    return {
        "bundle_version": 1,
        "auction_id": name,
        "currency": "CNY",
        "period_minutes": 60,
        "first_period_start": "2026-12-01T00:00:00+08:00",
        "periods": periods,
        "price_min": "0",
        "price_max": "1000",
        "price_tick": "0.01",
        "clearing_price_tick": "0.0001",
        "quantity_tick": "1",
    }


def measure(name: str, hubs: int, products: int, periods: int, rows: int, blocks: int) -> str:
    """Clear and verify one instance and return its row of the table."""
    auction = auction_from_tables(meta(name, periods), book(hubs, products, periods, rows, blocks))
    begun = time.perf_counter()
    result = clear(auction)
    cleared = time.perf_counter()
    found = verify(auction, result)
    verified = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    share = result.summary.share_of_block_gain
    return (
        f"| {name} | {rows:,} | {blocks} | {cleared - begun:.2f} | {verified - cleared:.2f}"
        f" | {float(result.summary.gap):.1e} | {'' if not blocks else f'{float(share):.1%}'}"
        f" | {len(found)} | {peak:.0f} |"
    )


def main() -> None:
    """Measure every instance and write the page."""
    lines = []
    for instance in INSTANCES:
        lines.append(measure(*instance))
        print(lines[-1], flush=True)
    TARGET.write_text(
        "# Benchmarks\n\n"
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python"
        f" {platform.python_version()}. Wall seconds of one run each,\n"
        "whatever else the machine was doing; peak memory is that of the process so far.\n\n"
        "| instance | curve rows | blocks | clear, s | verify, s | gap | share of block gain"
        " | violations | peak, MB |\n|---|---|---|---|---|---|---|---|---|\n"
        + "\n".join(lines)
        + "\n"
    )


if __name__ == "__main__":
    main()
