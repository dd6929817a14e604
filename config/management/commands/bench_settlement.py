"""Times the settlement of a day, 10,000 allocations and 240,000 readings, and its corrections.

The database is made on a directory of its own, with the demonstration's members; nothing else runs
beside. Run by ``make bench``, which names a directory that is thrown away.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import gcd
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.benches.database import collect_statistics, make_database, seed_market
from marketplace.models import Listing, Organisation
from marketplace.services.clock import set_clock
from orders.models import (
    Allocation,
    Auction,
    AuctionCalendar,
    AuctionState,
    ClearingRun,
    Order,
    RunState,
)
from settlement.models import MeterReading
from settlement.selectors.rederivation import rederive_run
from settlement.services.deliveries import create_deliveries
from settlement.services.settling import settle_auction, settle_differences

ALLOCATIONS = 10_000
HOURS = 24
GATE = datetime(2031, 3, 3, 4, tzinfo=UTC)
STARTS = datetime(2031, 3, 3, 16, tzinfo=UTC)  # midnight in the market
SETTLED = STARTS + timedelta(hours=HOURS + 12)

_PERIODS = """
INSERT INTO orders_allocationperiod (allocation_id, period, starts_at, ends_at, quantity,
                                     buyer_price, seller_price, tariff_price)
SELECT a.id, h, %(starts)s + (h - 1) * interval '1 hour', %(starts)s + h * interval '1 hour',
       1 + a.id %% 40, 5.3337 + (h %% 7) * 0.113, 5.01 + (h %% 7) * 0.113, 0.2
  FROM orders_allocation a CROSS JOIN generate_series(1, %(hours)s) AS h
 WHERE a.auction_id = %(auction)s
"""
_DELIVERED = """
UPDATE settlement_delivery SET state = 'completed', handed_over_at = %(starts)s,
       accepted_at = %(starts)s, completed_at = %(settled)s
 WHERE allocation_id IN (SELECT id FROM orders_allocation WHERE auction_id = %(auction)s)
"""
# Nine hours in ten as contracted; every tenth a tenth short.
_READINGS = """
INSERT INTO settlement_meterreading (delivery_id, starts_at, ends_at, revision, quantity, quality,
                                     source, is_late, reason, recorded_at)
SELECT d.id, p.starts_at, p.ends_at, 1,
       CASE WHEN (p.id + d.id) %% 10 = 0 THEN round(p.quantity * 0.9, 3) ELSE p.quantity END,
       'measured', 'bench', false, '', now()
  FROM settlement_delivery d JOIN orders_allocationperiod p ON p.allocation_id = d.allocation_id
  JOIN orders_allocation a ON a.id = d.allocation_id WHERE a.auction_id = %(auction)s
"""
_CORRECTIONS = """
INSERT INTO settlement_meterreading (delivery_id, starts_at, ends_at, revision, quantity, quality,
                                     source, is_late, reason, recorded_at)
SELECT r.delivery_id, r.starts_at, r.ends_at, 2, round(r.quantity * 0.8, 3), 'corrected', 'bench',
       true, 'bench', now()
  FROM settlement_meterreading r JOIN settlement_delivery d ON d.id = r.delivery_id
  JOIN orders_allocation a ON a.id = d.allocation_id
 WHERE a.auction_id = %(auction)s AND r.starts_at = %(starts)s AND d.id %% 10 = 0
"""


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was timed, its figure, and what is asked of it."""

    what: str
    figure: str
    wanted: str = ""


def measure(allocations: int, *, say: Callable[[str], None]) -> Iterator[Finding]:
    """Settle a day of so many allocations, then a correction of every tenth."""
    auction = make_day(allocations)
    say(f"{allocations:,} allocations, {allocations * HOURS:,} readings")
    yield Finding(
        f"settlement of a day, {allocations:,} allocations and {allocations * HOURS:,} readings",
        f"{_seconds(lambda: settle_auction(auction_id=auction.pk)):,.1f} s",
        "< 60 s",
    )
    _execute(_CORRECTIONS, auction)
    found: list[Any] = []
    took = _seconds(lambda: found.append(settle_differences(auction_id=auction.pk)))
    late = MeterReading.objects.filter(is_late=True).count()
    yield Finding(f"difference run after {late:,} late corrections", f"{took:,.1f} s")
    again = rederive_run(found[0].pk)
    if again.differences:
        raise CommandError(f"{len(again.differences)} amounts are derived otherwise")
    say(f"{len(again.comparisons):,} amounts derived again, all agree")


def make_day(allocations: int) -> Auction:
    """Return an auction whose deliveries are over and metered."""
    set_clock(market_at=SETTLED, speed=Decimal(0), is_demo=True)
    auction = _auction()
    run = ClearingRun.objects.create(
        auction=auction, state=RunState.PUBLISHED, bundle_sha256="0" * 64, published_at=GATE
    )
    _allocate(run, allocations)
    _execute(_PERIODS, auction)
    create_deliveries(auction.pk)
    _execute(_DELIVERED, auction)
    _execute(_READINGS, auction)
    collect_statistics()
    return auction


def _auction() -> Auction:
    calendar = AuctionCalendar.objects.filter(period_minutes=60).order_by("pk").first()
    if calendar is None:
        raise CommandError("no calendar of hours is seeded")
    return Auction.objects.create(
        code="BENCH-SETTLEMENT",
        calendar=calendar,
        period_minutes=60,
        gate_opens_at=GATE - timedelta(hours=12),
        gate_closes_at=GATE,
        no_cancel_from=GATE,
        delivery_starts_at=STARTS,
        delivery_ends_at=STARTS + timedelta(hours=HOURS),
        state=AuctionState.PUBLISHED,
    )


def _allocate(run: ClearingRun, count: int) -> None:
    listings = list(
        Listing.objects.select_related("pool__organisation", "pool__hub").order_by("pk")
    )
    members = Organisation.objects.filter(is_platform=False, is_buyer=True, state="approved")
    buyers = list(members.order_by("pk"))
    sells = {one.pk: _order(run, one.pool.organisation, "sell", one) for one in listings}
    Order.objects.bulk_create(sells.values())
    # Every pair of a listing and a buyer comes once in a round; each round has bids of its own.
    pairs = len(listings) * len(buyers) // gcd(len(listings), len(buyers))
    buys = {
        (buyer.pk, listing.pool.product_id, number): _order(run, buyer, "buy", listing)
        for buyer in buyers
        for listing in listings
        for number in range(-(-count // pairs))
    }
    Order.objects.bulk_create(buys.values())
    rows = []
    for number in range(count):
        listing, buyer = listings[number % len(listings)], buyers[number * 7 % len(buyers)]
        buy = buys[buyer.pk, listing.pool.product_id, number // pairs]
        rows.append(_allocation(run, number, buy, sells[listing.pk]))
    Allocation.objects.bulk_create(rows, batch_size=2000)


def _order(run: ClearingRun, member: Organisation, side: str, listing: Listing) -> Order:
    return Order(
        auction=run.auction,
        organisation=member,
        source="api",
        side=side,
        kind="curve",
        product_id=listing.pool.product_id,
        hub=listing.pool.hub,
        listing=listing if side == "sell" else None,
        first_period=1,
        last_period=HOURS,
        quantity=1_000_000,
        limit_price=7,
        state="filled",
        submitted_at=GATE,
    )


def _allocation(run: ClearingRun, number: int, buy: Order, sell: Order) -> Allocation:
    listing = sell.listing
    return Allocation(
        number=f"CJ-20310303-{number + 1:06}",
        run=run,
        auction=run.auction,
        buy_order=buy,
        sell_order=sell,
        buyer=buy.organisation,
        seller=sell.organisation,
        listing=listing,
        product_id=sell.product_id,
        supply_hub=sell.hub,
        hub=sell.hub,
        flow_type="local",
        starts_at=STARTS,
        ends_at=STARTS + timedelta(hours=HOURS),
        unit_hours=HOURS,
        buyer_net_cny=HOURS * 6,
        seller_net_cny=HOURS * 5,
    )


def _execute(statement: str, auction: Auction) -> None:
    values: dict[str, Any] = {
        "auction": auction.pk,
        "starts": STARTS,
        "hours": HOURS,
        "settled": SETTLED,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Command(BaseCommand):
    """Makes a market in the directory of HENGSUAN_VAR and settles one large day of it."""

    help = "Time the settlement of a large day on a database of its own."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the size of the day, and where the table goes."""
        parser.add_argument("--allocations", type=int, default=ALLOCATIONS)
        parser.add_argument("--out", type=Path, help="write the table here as well")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        make_database()
        seed_market(self.stdout)
        lines = ["A day of settlement:", "", "| what | figure | asked |", "|---|---|---|"]
        for found in measure(options["allocations"], say=self.stdout.write):
            lines.append(f"| {found.what} | {found.figure} | {found.wanted} |")
            self.stdout.write(lines[-1])
        if options["out"]:
            options["out"].write_text("\n".join(lines) + "\n")
