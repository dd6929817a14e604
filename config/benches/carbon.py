"""Times a month of carbon statements: deliveries, hourly matching, their lines and documents.

The month is made by set-based statements on a database of its own: every buyer matches by the hour
and has retired certificates whose hours are known.
"""

import io
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import gcd, lcm
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.models import Sum

from config.benches.database import collect_statistics
from marketplace.models import Listing, Membership, Organisation, Product, Role, User
from marketplace.permissions import Actor
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
from settlement.domain.registry.blocks import UnitBlock
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    Delivery,
    EmissionStatement,
    GranularSlice,
    MatchingPolicy,
    Programme,
    Project,
    RatedLine,
    Registry,
    SettlementRun,
)
from settlement.models.registry_movements import RetirementPurpose
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.statements import issue_statement
from settlement.services.registry.issuing import BatchFacts, hold_units
from settlement.services.registry.retiring import retire_units
from settlement.services.registry.seed import seed_registries

DELIVERIES = 100_000
HOURS = 8  # of a delivery
DAYS = 30
MONTH = date(2031, 4, 1)
STARTS = datetime(2031, 3, 31, 16, tzinfo=UTC)  # midnight in the market
AFTER = datetime(2031, 5, 2, tzinfo=UTC)
CERTIFICATES = 400  # of a buyer
BATCH = 5_000
_STEP = 7

_PERIODS = """
INSERT INTO orders_allocationperiod (allocation_id, period, starts_at, ends_at, quantity,
                                     buyer_price, seller_price, tariff_price)
SELECT a.id, h, a.starts_at + (h - 1) * interval '1 hour', a.starts_at + h * interval '1 hour',
       1 + a.id %% 40, 6, 5, 0.2
  FROM orders_allocation a CROSS JOIN generate_series(1, %(hours)s) AS h
 WHERE a.auction_id = %(auction)s
"""
_DELIVERIES = """
INSERT INTO settlement_delivery (public_id, allocation_id, state, starts_at, ends_at,
                                 handed_over_at, accepted_at, acceptance_timed_out, completed_at,
                                 settled_at, failure_reason)
SELECT gen_random_uuid(), a.id, 'settled', a.starts_at, a.ends_at, a.starts_at, a.starts_at,
       false, a.ends_at, a.ends_at, ''
  FROM orders_allocation a WHERE a.auction_id = %(auction)s
"""
# Every tenth hour a tenth short.
_RATED = """
INSERT INTO settlement_ratedperiod (line_id, allocation_period_id, sold, metered, billed)
SELECT l.id, p.id, p.quantity,
       CASE WHEN p.id %% 10 = 0 THEN round(p.quantity * 0.9, 3) ELSE p.quantity END, p.quantity
  FROM settlement_ratedline l JOIN settlement_delivery d ON d.id = l.delivery_id
  JOIN orders_allocationperiod p ON p.allocation_id = d.allocation_id
 WHERE l.run_id = %(run)s
"""
# Every tenth delivery is metered in watt-hours as well.
_READINGS = """
INSERT INTO settlement_meterreading (delivery_id, starts_at, ends_at, revision, quantity, quality,
                                     source, is_late, reason, recorded_at, energy_wh)
SELECT d.id, p.starts_at, p.ends_at, 1, p.quantity, 'measured', 'bench', false, '', now(),
       (p.quantity * 613)::bigint
  FROM settlement_delivery d JOIN orders_allocationperiod p ON p.allocation_id = d.allocation_id
  JOIN orders_allocation a ON a.id = d.allocation_id
 WHERE a.auction_id = %(auction)s AND d.id %% 10 = 0
"""


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was timed, its figure, and what is asked of it."""

    what: str
    figure: str
    wanted: str


def measure_carbon(
    deliveries: int = DELIVERIES, *, say: Callable[[str], object]
) -> Iterator[Finding]:
    """Make a month of so many deliveries, state it for every buyer, and verify every statement.

    Raises:
        CommandError: a statement is missing or differs from its inputs.
    """
    make_month(deliveries)
    collect_statistics()
    buyers = list(Organisation.objects.filter(is_buyer=True, is_platform=False, state="approved"))
    say(f"{deliveries:,} deliveries of {HOURS} h, {len(buyers)} buyers, matched by the hour")
    begun, worked = time.perf_counter(), time.process_time()
    for buyer in buyers:
        issue_statement(subject=SubjectKey.of_buyer(buyer), month=MONTH, actor=None)
    took, work = time.perf_counter() - begun, time.process_time() - worked
    sums = EmissionStatement.objects.aggregate(
        count=Sum("delivery_count"), load=Sum("facility_wh"), matched=Sum("matched_wh")
    )
    if sums["count"] != deliveries or not 0 < sums["matched"] < sums["load"]:
        raise CommandError(f"the statements do not state the month: {sums}")
    hours = deliveries * HOURS
    yield Finding(
        f"carbon statements of a month, {deliveries:,} deliveries, {hours:,} delivery-hours "
        "matched by the hour",
        f"{took:,.1f} s ({work:,.1f} s of this processor)",
        "< 60 s",
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Finding("its largest memory", f"{peak:,.0f} MB", "< 1 GB")
    begun = time.perf_counter()
    with redirect_stdout(io.StringIO()):
        call_command("verify_statement", "--all", stdout=io.StringIO())
    yield Finding("independent verification", f"{time.perf_counter() - begun:,.1f} s", "all agree")


@transaction.atomic
def make_month(deliveries: int) -> Auction:
    """Return an auction whose deliveries of a month are settled, with certificates retired."""
    set_clock(market_at=AFTER, speed=Decimal(0), is_demo=True)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # for making the month only
    auction = _auction()
    run = ClearingRun.objects.create(
        auction=auction, state=RunState.PUBLISHED, bundle_sha256="0" * 64, published_at=STARTS
    )
    _allocate(run, deliveries)
    settled = SettlementRun.objects.create(
        number="BENCH-CARBON-1", auction=auction, state="posted", settled_on=AFTER.date()
    )
    values = {"auction": auction.pk, "run": settled.pk, "hours": HOURS}
    with connection.cursor() as cursor:
        for statement in (_PERIODS, _DELIVERIES):
            cursor.execute(statement, values)
        _rate(settled)
        for statement in (_RATED, _READINGS):
            cursor.execute(statement, values)
    _retire_certificates()
    return auction


def _auction() -> Auction:
    calendar = AuctionCalendar.objects.filter(period_minutes=60).order_by("pk").first()
    if calendar is None:
        raise CommandError("no calendar of hours is seeded")
    return Auction.objects.create(
        code="BENCH-CARBON",
        calendar=calendar,
        period_minutes=60,
        gate_opens_at=STARTS - timedelta(hours=24),
        gate_closes_at=STARTS - timedelta(hours=12),
        no_cancel_from=STARTS - timedelta(hours=12),
        delivery_starts_at=STARTS,
        delivery_ends_at=STARTS + timedelta(days=DAYS),
        state=AuctionState.PUBLISHED,
    )


def _allocate(run: ClearingRun, count: int) -> None:
    listings = list(Listing.objects.select_related("pool__organisation", "pool__hub"))
    members = Organisation.objects.filter(is_platform=False, is_buyer=True, state="approved")
    buyers = list(members.order_by("pk"))
    products = Product.objects.in_bulk({listing.pool.product_id for listing in listings})
    # An allocation is one of its orders and listing: after all pairs comes another sell order.
    pairs = lcm(len(listings), len(buyers) // gcd(_STEP, len(buyers)))
    sells = {
        (one.pk, round_): _order(run, one.pool.organisation, "sell", one)
        for one in listings
        for round_ in range(count // pairs + 1)
    }
    buys = {
        (buyer.pk, one.pool.product_id): _order(run, buyer, "buy", one)
        for buyer in buyers
        for one in listings
    }
    Order.objects.bulk_create([*sells.values(), *buys.values()])
    made = []
    for number in range(count):
        listing = listings[number % len(listings)]
        buyer = buyers[number * _STEP % len(buyers)]
        starts_at = STARTS + timedelta(hours=number * 11 % (DAYS * 24 - HOURS))
        product = products[listing.pool.product_id]
        made.append(
            Allocation(
                number=f"CJ-20310401-{number + 1:06}",
                run=run,
                auction=run.auction,
                buy_order=buys[buyer.pk, product.pk],
                sell_order=sells[listing.pk, number // pairs],
                buyer=buyer,
                seller=listing.pool.organisation,
                listing=listing,
                product=product,
                supply_hub=listing.pool.hub,
                hub=listing.pool.hub,
                flow_type="local",
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=HOURS),
                unit_hours=HOURS,
                buyer_net_cny=HOURS * 6,
                seller_net_cny=HOURS * 5,
            )
        )
    Allocation.objects.bulk_create(made, batch_size=BATCH)


def _rate(run: SettlementRun) -> None:
    """Write a rated line of no money for every delivery."""
    sums = dict.fromkeys(("sold_unit_hours", "metered_unit_hours", "billed_unit_hours"), HOURS)
    money = dict.fromkeys(
        ("buyer_net_cny", "seller_net_cny", "tariff_cny", "congestion_rent_cny"), Decimal(0)
    )
    deliveries = Delivery.objects.filter(allocation__auction=run.auction).values_list("pk")
    RatedLine.objects.bulk_create(
        [RatedLine(run=run, delivery_id=pk, **sums, **money) for (pk,) in deliveries],
        batch_size=BATCH,
    )


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
        submitted_at=STARTS,
    )


def _retire_certificates() -> None:
    """Issue and retire certificates for every buyer, and say in which hours they were produced."""
    seed_registries()
    registry = Registry.objects.get(code="GEC")
    programme = Programme.objects.filter(registry=registry).order_by("pk")[0]
    keeper = _keeper()
    members = Organisation.objects.filter(is_platform=False, is_buyer=True, state="approved")
    for number, buyer in enumerate(members.order_by("pk"), start=1):
        project = Project.objects.create(
            registry=registry,
            native_id=f"BENCH{number:04}",
            name_zh=f"示例项目{number}",
            name_en=f"Example project {number}",
            province="Ningxia",
            technology="onshore_wind",
        )
        facts = BatchFacts(
            registry=registry,
            programme=programme,
            project=project,
            issuance_id=f"BENCH-{number}",
            run=SerialRun(f"BENCH{number:05}-", "", 7, 1, CERTIFICATES),
            starts_on=MONTH,
            ends_on=MONTH + timedelta(days=DAYS - 1),
            issued_on=MONTH + timedelta(days=DAYS),
            metered_mwh=CERTIFICATES,
        )
        batch = hold_units(actor=keeper, facts=facts, holder=buyer)
        retire_units(
            actor=keeper,
            ranges=[UnitBlock(batch.pk, batch.first_serial, batch.last_serial)],
            beneficiary=buyer,
            purpose=RetirementPurpose.GREEN_POWER,
            claim_month=MONTH,
            on_behalf_of=buyer,
        )
        hourly = CERTIFICATES * 1_000_000 // (DAYS * 24)
        GranularSlice.objects.bulk_create(
            [
                GranularSlice(
                    batch=batch,
                    starts_at=STARTS + timedelta(hours=hour),
                    energy_wh=hourly * (hour % 3) // 2,
                )
                for hour in range(DAYS * 24)
            ],
            batch_size=BATCH,
        )
        MatchingPolicy.objects.create(organisation=buyer, slot="hour", from_month=MONTH)


def _keeper() -> Actor:
    """Return a finance person of the platform."""
    platform = Organisation.objects.get(is_platform=True)
    found: Any = Membership.objects.filter(organisation=platform, role=Role.FINANCE).first()
    user = User.objects.get(pk=found.user_id)
    return Actor(user=user, organisation=platform, roles=frozenset({Role.FINANCE.value}))
