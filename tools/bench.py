"""Times the clearing engine on seeded instances and writes docs/reference/benchmarks.md.

Each instance runs in a process of its own: columns of a bundle in, cleared, verified. Times are
seconds of one processor (the solver uses one thread), so that a busy machine does not spoil them.
`python -m tools.bench NAME` measures one instance and prints its figures. Those of the
whole market come from `manage.py bench_market`, whose table is handed over with `--market FILE`.
"""

import argparse
import json
import platform
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from orders.clearing import Result, clear, verify
from orders.clearing.types import Auction
from tools.instances import Instance, NeutralMarket
from tools.national import NationalMarket

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "reference" / "benchmarks.md"
HARD = {"share": 1.0, "near": 0.03}
HUGE = "100 huge blocks, hard"
INSTANCES: dict[str, NeutralMarket | NationalMarket] = {
    "10 hubs × 1 × 24 h, 24,000 curve orders": NeutralMarket(1),
    "the same with 1,000 blocks, easy": NeutralMarket(1, blocks=1000),
    "the same with 1,000 blocks, hard": NeutralMarket(1, blocks=1000, **HARD),
    "the same with 5,000 blocks, hard": NeutralMarket(1, blocks=5000, **HARD),
    **{f"{HUGE}, seed {k}": NeutralMarket(k, blocks=100, **HARD) for k in range(1, 6)},
    "10 hubs × 3 × 24 h, 1,000,000 curve orders": NeutralMarket(1, products=3, curves=1_000_000),
    "a demonstration's day: 43 listings, 300 bids, 100 jobs": NationalMarket(
        1, products=7, listings=43, curves=300, blocks=100
    ),
    "a larger day: 635 listings, 950 bids, 200 jobs": NationalMarket(
        1, products=7, listings=635, curves=950, blocks=200
    ),
    "national, a tenth: 8,000 bids, 1,000 jobs": NationalMarket(1, curves=8000, blocks=1000),
}
# Beyond this many rows the simpler methods, which need no search, are not run besides.
_COMPARED_ROWS = 500_000
MOST_S = 240


@dataclass(frozen=True)
class Measure:
    """What one run gave; seconds of one processor, welfare shares of the engine's own welfare."""

    rows: int
    blocks: int
    read: float
    clear: float
    verify: float
    gap: float
    share: float | None
    curves_only: float | None
    uncoupled: float
    violations: int
    peak_mb: float
    stages: dict[str, float]


def measure(instance: Instance) -> Measure:
    """Read, clear and verify an instance."""
    seconds = [time.process_time()]
    auction = instance.auction()
    seconds.append(time.process_time())
    result = clear(auction)
    seconds.append(time.process_time())
    found = verify(auction, result)
    seconds.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    read, cleared, verified = np.diff(seconds).tolist()
    share = result.summary.share_of_block_gain
    return Measure(
        rows=len(auction.curves),
        blocks=len(auction.blocks) + len(auction.flexibles),
        read=read,
        clear=cleared,
        verify=verified,
        gap=float(result.summary.gap),
        share=None if share is None else float(share),
        curves_only=_curves_only(auction, result),
        uncoupled=_uncoupled(auction) / float(result.summary.welfare),
        violations=len(found),
        peak_mb=peak,
        stages=dict(result.timing),
    )


def _curves_only(auction: Auction, result: Result) -> float | None:
    """Return the welfare without indivisible orders, as a share of that with them."""
    if not (auction.blocks or auction.flexibles) or len(auction.curves) > _COMPARED_ROWS:
        return None
    plain = clear(replace(auction, blocks=(), flexibles=()))
    return float(plain.summary.welfare / result.summary.welfare)


def _uncoupled(auction: Auction) -> float:
    """Return the welfare of the simplest method: each hub's merit order on its own."""
    curves = auction.curves
    hubs, products = len(auction.hubs), len(auction.products)
    cell = (curves.period * hubs + curves.hub) * products + curves.product
    tick = np.array([float(p.price_tick * p.quantity_tick) for p in auction.products])
    value = curves.price_ticks * tick[curves.product]
    total = 0.0
    order = np.lexsort((value, cell))
    bounds = np.flatnonzero(np.r_[True, np.diff(cell[order]) != 0, True])
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        own = order[start:end]
        sells, buys = own[~curves.is_buy[own]], own[curves.is_buy[own]][::-1]
        total += _gain(
            curves.quantity_lots[sells], value[sells], curves.quantity_lots[buys], value[buys]
        )
    return total


def _gain(offered: Any, cost: Any, wanted: Any, worth: Any) -> float:
    """Add up worth less cost where the falling demand lies above the rising supply."""
    if not len(offered) or not len(wanted):
        return 0.0
    supply, demand = np.cumsum(offered), np.cumsum(wanted)
    cuts = np.union1d(supply, demand)
    cuts = cuts[cuts <= min(supply[-1], demand[-1])]
    sizes = np.diff(cuts, prepend=0)
    margin = worth[np.searchsorted(demand, cuts)] - cost[np.searchsorted(supply, cuts)]
    return float(np.sum(sizes * np.maximum(margin, 0.0)))


def run_apart(name: str) -> Measure | None:
    """Measure an instance in a process of its own, so that its memory is its own.

    Returns None where it takes more than `MOST_S` seconds of one processor.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench", name],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S + 10)),
    )
    if done.returncode == -signal.SIGXCPU:
        return None
    done.check_returncode()
    return Measure(**json.loads(done.stdout.splitlines()[-1]))


def row_of(name: str, found: Measure | None) -> str:
    """Return an instance's row of the first table."""
    if found is None:
        return f"| {name} | | | not finished in {MOST_S} s | | | | | | | | |"
    return (
        f"| {name} | {found.rows:,} | {found.blocks:,} | {found.read:.2f} | {found.clear:.2f}"
        f" | {found.verify:.2f} | {found.gap:.1e} | {_percent(found.share)}"
        f" | {_percent(found.curves_only)} | {_percent(found.uncoupled)} | {found.violations}"
        f" | {found.peak_mb:.0f} |"
    )


def stage_row(name: str, found: Measure) -> str:
    """Return an instance's row of the table of stages."""
    cells = (f"{found.stages.get(stage, 0.0):.2f}" for stage in STAGES)
    return f"| {name} | {' | '.join(cells)} |"


STAGES = (
    "model",
    "divisible_orders",
    "flexible_orders",
    "block_orders",
    "quantities",
    "publication",
)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"


def _page(rows: list[str], stages: list[str], mean: float, market: str) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    ).stdout.strip()
    return (
        "# Benchmarks\n\n"
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d} at commit {commit or 'unknown'},"
        f" {platform.machine()}, Python {platform.python_version()}.\n"
        "Seconds are of one processor; every instance runs in a process of its own and its peak"
        " memory includes drawing it.\n"
        "The instances are drawn by `tools/instances.py` and `tools/national.py` from fixed"
        " seeds.\n\n"
        "The share of block gain is welfare above a clearing without indivisible orders, over the"
        " upper bound less that. The last two\n"
        "percentages are the welfare of simpler methods on the same orders: the engine without"
        " indivisible orders, and each hub's merit\n"
        "order on its own, without links.\n\n"
        "| instance | curve rows | blocks | read, s | clear, s | verify, s | gap"
        " | share of block gain | curves only | merit order by hub | violations | peak, MB |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\nMean share of block gain over the seeds of “{HUGE}”: {mean:.2%}.\n\n"
        "## Time by stage\n\nWall seconds within `clear`.\n\n"
        f"| instance | {' | '.join(stage.replace('_', ' ') for stage in STAGES)} |\n"
        f"|---|{'---|' * len(STAGES)}\n" + "\n".join(stages) + "\n" + market
    )


def main(market: str) -> None:
    """Measure every instance and write the page, with the table of the market at its end."""
    found = {}
    for name in INSTANCES:
        found[name] = run_apart(name)
        print(row_of(name, found[name]), flush=True)
    shares = [m.share for name, m in found.items() if name.startswith(HUGE) and m and m.share]
    rows = [row_of(name, m) for name, m in found.items()]
    stages = [stage_row(name, m) for name, m in found.items() if m]
    mean = sum(shares) / max(len(shares), 1)
    TARGET.write_text(_page(rows, stages, mean, market), encoding="utf-8")


def _market_section(table: Path | None) -> str:
    if table is None:
        return ""
    return (
        "\n## The market\n\n"
        "Wall time on the service as `make demo` starts it: web server, worker, database and broker"
        " on one machine. A page is asked\nfor over HTTP by a signed-in person; the figure is the"
        " median of 15 whole answers.\n\n" + table.read_text(encoding="utf-8")
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", help="one instance")
    parser.add_argument("--market", type=Path, help="table written by manage.py bench_market")
    chosen = parser.parse_args()
    if chosen.name:
        print(json.dumps(measure(INSTANCES[chosen.name].build()).__dict__))
    else:
        main(_market_section(chosen.market))
