"""The demonstration's members: fictional organisations with users, pools and standing listings.

Everything follows from the shipped tables and the market's time, so two seeds agree. Running it
again keeps what members changed and only lengthens calendars.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from marketplace.domain.availability import CapacityWindow
from marketplace.domain.benchmarks import KINDS
from marketplace.domain.periods import MARKET_TIME_ZONE, day_window, local_instant, market_date
from marketplace.domain.reference import load_table
from marketplace.models import (
    HardwareModel,
    Hub,
    Listing,
    ListingAvailability,
    ListingPriceStep,
    ListingState,
    Membership,
    Organisation,
    OrganisationState,
    OutboxEvent,
    PoolBenchmark,
    Product,
    ResourcePool,
    User,
)
from marketplace.selectors.clock import market_now
from marketplace.services.benchmarks import nominal_of

# Share of the listed units that is idle by day, for pools whose owner works on them by day.
_DAY_SHARE = Decimal("0.6")
_DAY_BEGINS, _DAY_ENDS = time(8), time(20)

# Benchmarks of the shipped pools that the catalogue has nominal figures for.
_BENCHMARKS = {
    "FlagPerf GEMM FP16": "gemm_fp16",
    "GEMM FP16": "gemm_fp16",
    "GEMM BF16": "gemm_bf16",
    "HPL": "hpl_fp64",
}

_TEXTS = [
    "name_zh",
    "name_en",
    "credit_code",
    "telecom_licence_kind",
    "telecom_licence_number",
    "invoice_title",
    "tax_id",
    "invoice_address",
    "invoice_phone",
    "bank_name",
    "bank_account",
    "contact_name",
    "contact_phone",
]


@dataclass(frozen=True)
class MemberSeed:
    """What was seeded: counts, for the command's output."""

    organisations: int
    users: int
    pools: int
    listings: int
    windows: int


@transaction.atomic
def seed_members(*, password: str, days: int, bots: bool = True) -> MemberSeed:
    """Make the members, users, pools and listings of the shipped tables.

    Args:
        password: sign-in of every demonstration user that is new.
        days: whole days of availability from market time on.
        bots: mark the members as traded by the demonstration.
    """
    _seed_organisations(bots=bots)
    organisations = {org.code: org for org in Organisation.objects.all()}
    _seed_users(organisations, password)
    _seed_pools(organisations)
    _seed_listings(organisations)
    windows = extend_calendars(days=days)
    codes = [row["code"] for row in load_table("members")]
    return MemberSeed(
        organisations=Organisation.objects.filter(code__in=codes).count(),
        users=User.objects.filter(memberships__organisation__code__in=codes).distinct().count(),
        pools=ResourcePool.objects.filter(organisation__code__in=codes).count(),
        listings=Listing.objects.filter(source="seed").count(),
        windows=windows,
    )


@transaction.atomic
def extend_calendars(*, days: int) -> int:
    """Lengthen the seeded listings' calendars to so many days from now; return new windows."""
    now = market_now()
    listings = (
        Listing.objects.filter(source="seed", state=ListingState.ACTIVE)
        .select_related("pool__product")
        .annotate(reaches=Max("availability__ends_at"))
        .order_by("pk")
    )
    rows = [
        ListingAvailability(
            listing=listing,
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            quantity=window.quantity,
        )
        for listing in listings
        for window in _calendar(listing, max(now, listing.reaches or now), now, days)
    ]
    ListingAvailability.objects.bulk_create(rows, batch_size=2000)
    return len(rows)


def _seed_organisations(*, bots: bool) -> None:
    known = set(Organisation.objects.values_list("code", flat=True))
    new = [
        _organisation(row, bots=bots) for row in load_table("members") if row["code"] not in known
    ]
    Organisation.objects.bulk_create(new)
    OutboxEvent.objects.bulk_create(
        OutboxEvent(
            topic="organisation.approved",
            aggregate=f"organisation:{organisation.pk}",
            payload={"organisation_id": organisation.pk},
        )
        for organisation in new
        if not organisation.is_platform
    )


def _organisation(row: dict[str, str], *, bots: bool) -> Organisation:
    expires_on = row["telecom_licence_expires_on"]
    return Organisation(
        code=row["code"],
        city=row["city_zh"],
        is_supplier=row["is_supplier"] == "1",
        is_buyer=row["is_buyer"] == "1",
        is_platform=row["is_platform"] == "1",
        is_demo_bot=bots and row["is_platform"] != "1",
        state=OrganisationState.APPROVED,
        decided_at=timezone.now(),
        telecom_licence_expires_on=date.fromisoformat(expires_on) if expires_on else None,
        **{name: row[name] for name in _TEXTS},
    )


def _seed_users(organisations: dict[str, Organisation], password: str) -> None:
    known = set(User.objects.values_list("email", flat=True))
    # One hash for all: the demonstration's password is no secret, and hashing is slow on purpose.
    hashed = make_password(password)
    User.objects.bulk_create(
        User(
            email=row["email"],
            display_name=row["display_name"],
            mobile=row["mobile"],
            language=row["language"],
            is_staff=row["is_staff"] == "1",
            password=hashed,
        )
        for row in load_table("member_users")
        if row["email"] not in known
    )
    users = dict(User.objects.values_list("email", "pk"))
    Membership.objects.bulk_create(
        [
            Membership(
                user_id=users[row["email"]],
                organisation=organisations[row["member_code"]],
                role=role,
            )
            for row in load_table("member_users")
            for role in row["roles"].split(";")
        ],
        ignore_conflicts=True,
    )


def _seed_pools(organisations: dict[str, Organisation]) -> None:
    known = set(ResourcePool.objects.values_list("identifier", flat=True))
    hubs = {hub.code: hub for hub in Hub.objects.all()}
    products = {product.code: product for product in Product.objects.all()}
    hardware = {model.name: model for model in HardwareModel.objects.all()}
    made = ResourcePool.objects.bulk_create(
        ResourcePool(
            organisation=organisations[row["member_code"]],
            hub=hubs[row["hub_code"]],
            product=products[row["product_code"]],
            hardware=hardware[row["hardware"]],
            name_en=_name_en(row, hubs[row["hub_code"]], products[row["product_code"]]),
            **_pool_figures(row),
        )
        for row in load_table("pools")
        if row["identifier"] not in known
    )
    PoolBenchmark.objects.bulk_create(row for pool in made for row in _benchmark(pool))


def _benchmark(pool: ResourcePool) -> Iterable[PoolBenchmark]:
    """Yield the result behind a pool's efficiency, where the catalogue has a nominal figure."""
    code = _BENCHMARKS.get(pool.benchmark_name)
    nominal = nominal_of(pool, KINDS[code].nominal_field) if code else None
    if code and nominal and pool.benchmark_efficiency:
        yield PoolBenchmark(
            pool=pool,
            benchmark=code,
            value=(nominal * pool.benchmark_efficiency).quantize(Decimal("0.1")),
            nominal=nominal,
            efficiency=pool.benchmark_efficiency,
            units_tested=8,
            measured_on=market_date(market_now()) - timedelta(days=45),
            tool=pool.benchmark_name,
        )


def _name_en(row: dict[str, str], hub: Hub, product: Product) -> str:
    """Return a pool's English name, composed of hub, product and the number in its Chinese one."""
    kind = product.name_en.partition(" (")[0]
    return f"{hub.short_en or hub.name_en} {kind} pool {row['name'][-2:]}"


def _pool_figures(row: dict[str, str]) -> dict[str, object]:
    texts = ("identifier", "name", "interconnect", "benchmark_name", "dengbao_evidence")
    decimals = [
        "unit_count",
        "memory_gib_per_unit",
        "benchmark_efficiency",
        "power_w_per_unit",
        "pue",
        "green_share",
        "carbon_g_per_unit_hour",
    ]
    return {
        **{name: row[name] for name in (*texts, "xinchuang_evidence", "carbon_evidence")},
        **{name: Decimal(row[name]) if row[name] else None for name in decimals},
        "trust_level": int(row["trust_level"]),
        "dengbao_level": int(row["dengbao_level"]),
        "dengbao_expires_on": _date(row["dengbao_expires_on"]),
        "is_xinchuang": row["is_xinchuang"] == "1",
        "xinchuang_expires_on": _date(row["xinchuang_expires_on"]),
    }


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _seed_listings(organisations: dict[str, Organisation]) -> None:
    pools = {pool.identifier: pool for pool in ResourcePool.objects.all()}
    listed = set(Listing.objects.filter(source="seed").values_list("pool_id", flat=True))
    rows = [row for row in load_table("pools") if pools[row["identifier"]].pk not in listed]
    listings = [
        Listing(
            organisation=organisations[row["member_code"]],
            pool=pools[row["identifier"]],
            name=row["name"],
            name_en=pools[row["identifier"]].name_en,
            quantity=Decimal(row["listed_quantity"]),
            min_run_hours=int(row["min_run_hours"]),
            state=ListingState.ACTIVE,
            source="seed",
        )
        for row in rows
    ]
    Listing.objects.bulk_create(listings)
    ListingPriceStep.objects.bulk_create(
        ListingPriceStep(listing=listing, step=number, quantity=quantity, price=price)
        for listing, row in zip(listings, rows, strict=True)
        for number, (quantity, price) in enumerate(_price_steps(row["price_steps"]), start=1)
    )


def _price_steps(text: str) -> Iterator[tuple[Decimal, Decimal]]:
    for part in text.split(";"):
        quantity, price = part.split("@")
        yield Decimal(quantity), Decimal(price)


def _calendar(
    listing: Listing, since: datetime, now: datetime, days: int
) -> Iterable[CapacityWindow]:
    """Yield the windows of a listing from an instant until so many days from now.

    Every third pool is used by its owner by day and has more to offer at night.
    """
    until = day_window(market_date(now) + timedelta(days=days)).ends_at
    lot = listing.pool.product.quantity_lot
    by_day = (listing.quantity * _DAY_SHARE / lot).to_integral_value(ROUND_FLOOR) * lot
    works_by_day = not zlib.crc32(listing.pool.identifier.encode()) % 3 and by_day > 0
    day = since.astimezone(MARKET_TIME_ZONE).date()
    while (window := day_window(day)).starts_at < until:
        edges = [window.starts_at, window.ends_at]
        if works_by_day:
            edges[1:1] = [local_instant(day, _DAY_BEGINS), local_instant(day, _DAY_ENDS)]
        for number, (starts_at, ends_at) in enumerate(pairwise(edges)):
            if starts_at >= since or _running(starts_at, ends_at, since, listing):
                reduced = works_by_day and number == 1
                yield CapacityWindow(starts_at, ends_at, by_day if reduced else listing.quantity)
        day += timedelta(days=1)


def _running(starts_at: datetime, ends_at: datetime, since: datetime, listing: Listing) -> bool:
    """Say whether a window has begun and belongs to a calendar that is still empty."""
    fresh = getattr(listing, "reaches", None) is None
    return fresh and starts_at < since < ends_at
