"""Times the clearing engine on seeded instances and writes its part of the page of benchmarks.

Each instance is drawn in one process and measured in another: a bundle's files in, cleared, a
result's files out, verified. Times are seconds of one processor (the solver uses one thread), so
that a busy machine does not spoil them. `python -m tools.bench NAME` measures one instance and
prints its figures.
"""

import argparse
import json
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from orders.clearing import Result, clear, read_bundle, verify, write_bundle, write_result
from orders.clearing.search import DEFAULT_TRIALS
from orders.clearing.types import Auction
from tests.clearing.italian_auction import DAYS, FOLDER, ItalianDay
from tools.bench_page import write_part
from tools.instances import NeutralMarket
from tools.national import NationalMarket

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class RealDay:
    """A day of the Italian auction with its blocks left to the engine; needs `MARKET_DATA`."""

    day: str

    def build(self) -> "RealDay":
        """Return itself: what is drawn is read."""
        return self

    def write(self, folder: Path) -> None:
        """Write the bundle's files."""
        write_bundle(ItalianDay(self.day).open(), folder)


HARD = {"share": 1.0, "near": 0.03}
HUGE = "100 huge blocks, hard"
INSTANCES: dict[str, NeutralMarket | NationalMarket | RealDay] = {
    "10 hubs × 1 × 24 h, 24,000 curve orders": NeutralMarket(1),
    "the same with 1,000 blocks, easy": NeutralMarket(1, blocks=1000),
    "the same with 1,000 blocks, hard": NeutralMarket(1, blocks=1000, **HARD),
    "the same with 5,000 blocks, hard": NeutralMarket(1, blocks=5000, **HARD),
    **{f"{HUGE}, seed {k}": NeutralMarket(k, blocks=100, **HARD) for k in range(1, 6)},
    "24,000 curve orders, 5,000 flexible jobs": NeutralMarket(1, jobs=5000),
    "10 hubs × 3 × 24 h, 1,000,000 curve orders": NeutralMarket(1, products=3, curves=1_000_000),
    "a demonstration's day: 43 listings, 300 bids, 100 blocks": NationalMarket(
        1, products=7, listings=43, curves=300, blocks=100
    ),
    "a larger day: 635 listings, 950 bids, 200 blocks": NationalMarket(
        1, products=7, listings=635, curves=950, blocks=200
    ),
    "national, a tenth: 8,000 bids, 1,000 blocks": NationalMarket(1, curves=8000, blocks=1000),
    "the same with 1,000 jobs": NationalMarket(1, curves=8000, blocks=1000, jobs=1000),
    "national: 80,000 bids, 10,000 blocks, 10,000 jobs": NationalMarket(1, jobs=10_000),
    **({f"a real day: GME, {DAYS[1]}": RealDay(DAYS[1])} if FOLDER.is_dir() else {}),
}
# Beyond this many rows the simpler methods, which need no search, are not run besides.
_COMPARED_ROWS = 500_000
# Twice what a national day may take until its result.
MOST_S = 120
_SHRUNK = 50
# Of the search on few huge blocks: this many times the trials, a minute or so, show what more work
# would find.
_LONGER = 40


@dataclass(frozen=True)
class Measure:
    """What one run gave; seconds of one processor, welfare shares of the engine's own welfare.

    Attributes:
        priced: seconds from the orders in memory to prices and flows of what is divisible.
        priced_mb: peak memory by then.
        first_valid: seconds until a valid result with indivisible orders, None without them.
        share_10: share of block gain of the best valid result after ten seconds.
        gap_15: its gap after fifteen.
        share_longer: share of block gain with several times the trials.
    """

    rows: int
    blocks: int
    read: float
    priced: float
    priced_mb: float
    first_valid: float | None
    share_10: float | None
    gap_15: float
    clear: float
    write: float
    verify: float
    gap: float
    share: float | None
    share_longer: float | None
    curves_only: float | None
    uncoupled: float
    violations: int
    peak_mb: float
    stages: dict[str, float]


@dataclass
class Course:
    """The welfare of each better valid result and when it was there."""

    started: float = field(default_factory=time.process_time)
    found: list[tuple[float, float]] = field(default_factory=list)
    first_mb: float = 0.0

    def note(self, welfare: float) -> None:
        """Take down a better result."""
        self.found.append((time.process_time() - self.started, welfare))
        self.first_mb = self.first_mb or _peak_mb()

    def best_by(self, seconds: float) -> float:
        """Return the best welfare that was there by then, none if nothing was."""
        return max((welfare for at, welfare in self.found if at <= seconds), default=0.0)

    def share_by(self, seconds: float, upper: float) -> float | None:
        """Return the share of block gain of what was there by then."""
        base = self.found[0][1]
        return None if upper <= base else max(0.0, self.best_by(seconds) - base) / (upper - base)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(bundle: Path, *, longer: bool) -> Measure:
    """Read a bundle, clear it, write the result and verify it."""
    seconds = [time.process_time()]
    auction = read_bundle(bundle)
    seconds.append(time.process_time())
    course = Course()
    result = clear(auction, course.note)
    seconds.append(time.process_time())
    write_result(result, bundle / "result")
    seconds.append(time.process_time())
    found = verify(auction, result)
    seconds.append(time.process_time())
    peak = _peak_mb()
    read, cleared, written, verified = np.diff(seconds).tolist()
    summary, upper = result.summary, float(result.summary.upper_bound)
    share = summary.share_of_block_gain
    return Measure(
        rows=len(auction.curves),
        blocks=len(auction.blocks) + len(auction.flexibles),
        read=read,
        priced=course.found[0][0],
        priced_mb=course.first_mb,
        first_valid=course.found[1][0] if len(course.found) > 1 else None,
        share_10=None if share is None else course.share_by(10, upper),
        gap_15=max(0.0, (upper - course.best_by(15)) / upper),
        clear=cleared,
        write=written,
        verify=verified,
        gap=float(summary.gap),
        share=None if share is None else float(share),
        share_longer=_share_longer(auction) if longer else None,
        curves_only=_curves_only(auction, result),
        uncoupled=_uncoupled(auction) / float(summary.welfare),
        violations=len(found),
        peak_mb=peak,
        stages=dict(result.timing),
    )


def _share_longer(auction: Auction) -> float:
    """Return the share of block gain that a longer search reaches."""
    terms = replace(auction.terms, work_limit=_LONGER * DEFAULT_TRIALS)
    share = clear(replace(auction, terms=terms)).summary.share_of_block_gain
    return float(share or 0)


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
    with TemporaryDirectory() as folder:
        _run("--draw", folder, name).check_returncode()
        done = _run("--measure", folder, name)
    if done.returncode == -signal.SIGXCPU:
        return None
    done.check_returncode()
    return Measure(**json.loads(done.stdout.splitlines()[-1]))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.bench", *arguments],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S + 10)),
    )


def row_of(name: str, found: Measure | None) -> str:
    """Return an instance's row of the first table."""
    if found is None:
        return f"| {name} | | | not finished in {MOST_S} s{' |' * 12}"
    first = "" if found.first_valid is None else f"{found.first_valid:.2f}"
    return (
        f"| {name} | {found.rows:,} | {found.blocks:,} | {found.priced:.2f}"
        f" | {found.priced_mb:.0f} | {first} | {_percent(found.share_10)} | {found.gap_15:.1e}"
        f" | {found.clear:.2f} | {found.gap:.1e} | {_percent(found.share)}"
        f" | {_percent(found.share_longer)} | {_percent(found.curves_only)}"
        f" | {_percent(found.uncoupled)} | {found.violations} |"
    )


def files_row(name: str, found: Measure) -> str:
    """Return an instance's row of the table of files in and files out."""
    parts = (found.read, found.clear, found.write, found.verify)
    cells = " | ".join(f"{seconds:.2f}" for seconds in (*parts, sum(parts)))
    return f"| {name} | {cells} | {found.peak_mb:.0f} |"


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


def mean_share(found: dict[str, Measure | None]) -> str:
    """Say what the huge blocks reach in ten seconds; a seed without a share counts as nothing."""
    seeds = [measured for name, measured in found.items() if name.startswith(HUGE)]
    soon, later = (
        sum((getattr(measured, name) or 0.0) if measured else 0.0 for measured in seeds)
        for name in ("share_10", "share_longer")
    )
    count = max(len(seeds), 1)
    return (
        f"Mean share at 10 s over the {len(seeds)} seeds of “{HUGE}”: {soon / count:.2%}; of the"
        f" longer search: {later / count:.2%}."
    )


def oracle_line() -> str:
    """Say what share of the exact welfare the engine reaches on shrunk national instances."""
    # The oracle's libraries would count in the memory of whoever measures an instance.
    from tests.clearing.oracle_shares import shrunk_shares  # noqa: PLC0415

    shares = list(shrunk_shares(_SHRUNK))
    return (
        f"{len(shares)} national instances so small that an oracle can try every choice:"
        f" {np.mean(shares):.3%} of the exact welfare in the mean, {min(shares):.2%} at worst."
    )


def _table(found: dict[str, Measure | None], oracle: str) -> str:
    measured = {name: m for name, m in found.items() if m}
    return (
        "Seconds are of one processor. Every instance is drawn by one process as the files of a"
        " bundle and measured by another.\n"
        "They come from `tools/instances.py` and `tools/national.py` and fixed seeds; the real day"
        " from `MARKET_DATA`, where that is at hand.\n\n"
        "“Prices” are the seconds, and the peak memory, from the orders in memory to prices and"
        " flows of everything divisible; “first\n"
        "valid” those to a valid result with indivisible orders. The share of block gain is"
        " welfare above a clearing without indivisible\n"
        "orders, over the upper bound less that; “longer” is what a search with"
        f" {_LONGER} times the trials reaches. The last two percentages\n"
        "are the welfare of simpler methods on the same orders: the engine without indivisible"
        " orders, and each hub's merit order on its\n"
        "own, without links.\n\n"
        "| instance | curve rows | blocks | prices, s | MB | first valid, s | share at 10 s"
        " | gap at 15 s | clear, s | gap | share of block gain | longer | curves only"
        " | merit order by hub | violations |\n"
        f"|{'---|' * 15}\n"
        + "\n".join(row_of(name, m) for name, m in found.items())
        + f"\n\n{mean_share(found)}\n{oracle}\n\n"
        "Files in, result's files out, verified:\n\n"
        "| instance | read, s | clear, s | write, s | verify, s | in all, s | peak, MB |\n"
        f"|{'---|' * 7}\n"
        + "\n".join(files_row(name, m) for name, m in measured.items())
        + "\n\nWall seconds by stage, within `clear`:\n\n"
        f"| instance | {' | '.join(stage.replace('_', ' ') for stage in STAGES)} |\n"
        f"|---|{'---|' * len(STAGES)}\n"
        + "\n".join(stage_row(name, m) for name, m in measured.items())
        + "\n"
    )


def main() -> None:
    """Measure every instance and write the engine's part of the page."""
    found = {}
    for name in INSTANCES:
        found[name] = run_apart(name)
        print(row_of(name, found[name]), flush=True)
    write_part("engine", _table(found, oracle_line()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", help="one instance")
    parser.add_argument("--draw", metavar="FOLDER", type=Path, help="write its bundle")
    parser.add_argument("--measure", metavar="FOLDER", type=Path, help="measure that bundle")
    chosen = parser.parse_args()
    if chosen.draw:
        INSTANCES[chosen.name].build().write(chosen.draw)
    elif chosen.measure:
        own = measure(chosen.measure, longer=chosen.name.startswith(HUGE))
        print(json.dumps(own.__dict__))
    elif chosen.name:
        print(run_apart(chosen.name))
    else:
        main()
