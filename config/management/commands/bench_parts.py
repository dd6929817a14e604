"""Times frozen books from the first message to the stored result, with one worker and with two.

Database, broker and workers are the real ones, on a directory of their own; nothing else runs
beside. Run by ``python -m tools.bench_parts``, which draws the books and throws the rest away.
"""

import argparse
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config.benches.database import make_database
from config.embedded import valkey
from config.supervision.programs import worker
from marketplace.services.background import enqueue_on_commit
from marketplace.services.clock import set_clock
from orders import clearing
from orders.models import (
    Auction,
    AuctionCalendar,
    AuctionState,
    CalendarKind,
    ClearingRun,
    RunArchive,
    RunState,
)
from orders.services.clearing_parts import cut_into_parts

GATE = datetime(2031, 3, 3, 4, tzinfo=UTC)
STARTS = datetime(2031, 3, 3, 16, tzinfo=UTC)  # midnight in the market
PATIENCE_S = 600.0
LOOK_S = 0.02
# The shortest of so many times counts: others may use the machine.
REPEATS = 2


@dataclass(frozen=True)
class Timing:
    """One clearing of one book."""

    seconds: float
    shares: tuple[int, ...]
    sha256: str

    @property
    def text(self) -> str:
        """Return the figure, and how many parts each process cleared."""
        shared = f" ({' + '.join(map(str, self.shares))} parts)" if self.shares else ""
        return f"{self.seconds:.1f} s{shared}"


@dataclass(frozen=True)
class Frozen:
    """A book, its hash and its archive."""

    bundle: clearing.Auction
    sha256: str
    archive: bytes


class Bench:
    """Clears the same books again and again, each time as an auction of its own."""

    def __init__(self) -> None:
        """Make the calendar."""
        set_clock(market_at=GATE, speed=Decimal(0), is_demo=True)
        self._calendar = AuctionCalendar.objects.create(
            code="BENCH",
            kind=CalendarKind.DAY_AHEAD,
            name_zh="基准",
            name_en="Bench",
            period_minutes=60,
            gate_opens_lead_minutes=36 * 60,
            gate_closes_lead_minutes=12 * 60,
            no_cancel_minutes=30,
            is_active=False,
        )
        self._count = 0

    def row_of(self, name: str, book: Path) -> str:
        """Return the book's row of the table.

        Raises:
            CommandError: the results are not the same bytes.
        """
        bundle = clearing.read_bundle(book)
        archive = book / "bundle.zip"
        clearing.write_bundle(bundle, archive)
        frozen = Frozen(bundle, clearing.bundle_sha256(bundle), archive.read_bytes())
        found = [self._clear(frozen, workers=workers) for _ in range(REPEATS) for workers in (1, 2)]
        if len({timing.sha256 for timing in found}) > 1:
            raise CommandError(f"{name}: the results differ")
        one, two = (min(found[k::2], key=lambda timing: timing.seconds) for k in (0, 1))
        cells = (one.text, two.text, f"{1 - two.seconds / one.seconds:.0%}", one.sha256[:16])
        return f"| {name} | {len(bundle.curves):,} | {' | '.join(cells)} |"

    def _clear(self, book: Frozen, *, workers: int) -> Timing:
        with _working(workers):
            begun = time.perf_counter()
            run = self._store(book)
            _wait_for_result(run)
            seconds = time.perf_counter() - begun
        Auction.objects.filter(pk=run.auction_id).update(state=AuctionState.CANCELLED)
        owners = list(run.parts.values_list("claimed_by", flat=True))
        counts = tuple(sorted((owners.count(owner) for owner in set(owners)), reverse=True))
        return Timing(seconds, counts, run.result_sha256)

    def _store(self, book: Frozen) -> ClearingRun:
        """Store a book as it is when freezing is over, and tell the workers."""
        self._count += 1
        starts = STARTS + timedelta(days=self._count)
        with transaction.atomic():
            auction = Auction.objects.create(
                code=f"BENCH-{self._count}",
                calendar=self._calendar,
                state=AuctionState.CLOSED,
                period_minutes=book.bundle.terms.period_minutes,
                gate_opens_at=GATE - timedelta(days=1),
                gate_closes_at=GATE,
                no_cancel_from=GATE,
                delivery_starts_at=starts,
                delivery_ends_at=starts + timedelta(hours=book.bundle.terms.periods),
            )
            run = ClearingRun.objects.create(auction=auction, bundle_sha256=book.sha256)
            RunArchive.objects.create(run=run, bundle=book.archive)
            # As who froze the book goes on with it: first, and then whoever is told of parts.
            enqueue_on_commit("orders.tasks.advance_auction", auction_id=auction.pk)
            cut_into_parts(run=run, bundle=book.bundle)
        return run


@contextmanager
def _working(count: int) -> Iterator[None]:
    """Have worker processes that wait for messages."""
    process = subprocess.Popen(
        worker(concurrency=count).command,
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a group of its own, pool included
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not current_app.control.ping(timeout=1):
            if process.poll() is not None or time.monotonic() > deadline:
                raise CommandError("the workers do not start")
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_result(run: ClearingRun) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while run.state == RunState.FROZEN:
        if time.monotonic() > deadline:
            raise CommandError(f"no result: {Auction.objects.get(pk=run.auction_id).last_error}")
        time.sleep(LOOK_S)
        run.refresh_from_db()


def measure(books: Sequence[tuple[str, Path]]) -> Iterator[str]:
    """Return the lines of the table, one by one."""
    yield ("| book | curve rows | one worker | two workers | sooner by | result |")
    yield f"|{'---|' * 6}"
    bench = Bench()
    for name, book in books:
        yield bench.row_of(name, book)


class Command(BaseCommand):
    """Clears books of the engine's benchmarks in the directory of HENGSUAN_VAR."""

    help = "Time frozen books until their result is stored, with one worker and with two."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the books, and where the table goes."""
        parser.add_argument("--book", action="append", default=[], metavar="NAME=FOLDER")
        parser.add_argument("--out", type=Path, help="write the table here as well")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        valkey.ensure_running(bound_to_parent=True)
        make_database()
        books = [one.rsplit("=", 1) for one in options["book"]]
        lines = []
        for line in measure([(name, Path(folder)) for name, folder in books]):
            lines.append(line)
            self.stdout.write(line)
        if options["out"]:
            options["out"].write_text("\n".join(lines) + "\n")
