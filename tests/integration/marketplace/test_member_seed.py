"""The demonstration's members: complete, admitted, reproducible, cheaper in the west."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db.models import Avg, Min

from marketplace.domain.availability import CapacityWindow, peak_quantity
from marketplace.domain.credit_code import is_credit_code
from marketplace.domain.periods import market_date
from marketplace.models import (
    Listing,
    ListingAvailability,
    Organisation,
    OutboxEvent,
    ResourcePool,
    User,
)
from marketplace.selectors.catalogue import CatalogueFilter, listed
from marketplace.selectors.clock import market_now
from marketplace.services.clock import set_clock
from marketplace.services.member_seed import extend_calendars, seed_members
from marketplace.services.reference_seed import seed_reference

pytestmark = pytest.mark.django_db

PASSWORD = "a password for demonstrations"


@pytest.fixture(autouse=True)
def _market() -> None:
    seed_reference()
    start = datetime(2026, 11, 30, 1, 20, tzinfo=UTC)
    set_clock(market_at=start, speed=Decimal(0), is_demo=True)


def test_all_members_are_admitted_and_can_sign_in() -> None:
    began = time.monotonic()
    seeded = seed_members(password=PASSWORD, days=14)
    assert time.monotonic() - began < 10
    assert seeded.organisations >= 30
    assert seeded.listings == seeded.pools >= 40
    assert all(is_credit_code(org.credit_code) for org in Organisation.objects.all())
    assert User.objects.get(email="operator@hengsuan.example").check_password(PASSWORD)
    members = Organisation.objects.filter(is_platform=False).count()
    assert OutboxEvent.objects.filter(topic="organisation.approved").count() == members


def test_seeding_again_adds_nothing() -> None:
    seed_members(password=PASSWORD, days=14)
    rows = {m: list(m.objects.order_by("pk").values()) for m in _MODELS}
    seed_members(password="another", days=14)
    assert {m: list(m.objects.order_by("pk").values()) for m in _MODELS} == rows


def test_calendars_grow_without_a_gap_or_overlap() -> None:
    seed_members(password=PASSWORD, days=3)
    assert extend_calendars(days=5) > 0
    for listing in Listing.objects.all():
        windows = list(listing.availability.order_by("starts_at"))
        assert windows[0].starts_at <= market_now()
        for before, after in pairwise(windows):
            assert before.ends_at == after.starts_at
        assert windows[-1].ends_at >= market_now() + timedelta(days=5)


def test_no_pool_offers_more_than_it_has() -> None:
    seed_members(password=PASSWORD, days=2)
    for pool in ResourcePool.objects.all():
        rows = ListingAvailability.objects.filter(listing__pool=pool)
        windows = [CapacityWindow(r.starts_at, r.ends_at, r.quantity) for r in rows]
        assert peak_quantity(windows) <= pool.unit_count


def test_western_hubs_ask_less() -> None:
    seed_members(password=PASSWORD, days=1)
    rows = Listing.objects.filter(pool__product__code="AI-910B").annotate(
        best=Min("price_steps__price")
    )
    east = rows.filter(pool__hub__side="east").aggregate(price=Avg("best"))["price"]
    west = rows.filter(pool__hub__side="west").aggregate(price=Avg("best"))["price"]
    assert west < east


def test_the_catalogue_finds_every_seeded_listing() -> None:
    seed_members(password=PASSWORD, days=2)
    on = market_date(market_now())
    assert listed(on=on).count() == Listing.objects.count()
    tomorrow = (market_now() + timedelta(hours=2), market_now() + timedelta(hours=20))
    assert listed(CatalogueFilter(window=tomorrow), on=on).count() == Listing.objects.count()


_MODELS = (Organisation, User, ResourcePool, Listing, ListingAvailability)


def test_pools_and_listings_have_a_name_in_each_language_and_results_behind_them() -> None:
    seed_members(password=PASSWORD, days=3)

    for model in (ResourcePool, Listing):
        for one in model.objects.all():
            assert any(ord(letter) > 0x2E80 for letter in one.name_zh)
            assert one.name_en.isascii()
    measured = ResourcePool.objects.filter(benchmarks__isnull=False)
    assert measured.count() >= 15
    for pool in measured:
        assert pool.benchmarks.get().efficiency == pool.benchmark_efficiency
