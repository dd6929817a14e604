"""Catalogue filters give what plain Python gives, on random data; reach follows the routes."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.timezone import localtime

from marketplace.domain.periods import MARKET_TIME_ZONE, Period, market_date
from marketplace.models import (
    Hub,
    Link,
    Listing,
    ListingAvailability,
    MaintenanceWindow,
    Organisation,
    OrganisationState,
    ResourcePool,
)
from marketplace.selectors.catalogue import CatalogueFilter, listed, listing_detail
from marketplace.selectors.hubs import hubs_within, routes_from
from marketplace.web.market_filter import DENGBAO_LEVELS, MarketFilter, search
from tests.factories.market import MARKET_START

pytestmark = pytest.mark.usefixtures("market")

ON = market_date(MARKET_START)
START = MARKET_START.replace(minute=0)


@pytest.fixture
def catalogue(market: None) -> list[Listing]:
    """The seeded listings with random marks, states, calendars and expiries."""
    call_command("seed_members", password="a password", days=4, verbosity=0)
    chance = random.Random(20261122)
    for pool in ResourcePool.objects.all():
        pool.dengbao_level = chance.randint(0, 4)
        pool.dengbao_expires_on = chance.choice([None, ON, ON - timedelta(days=1)])
        pool.is_xinchuang = chance.random() < 0.5
        pool.xinchuang_expires_on = chance.choice([None, ON, ON - timedelta(days=1)])
        pool.trust_level = chance.randint(0, 2)
        pool.save()
    for listing in Listing.objects.all():
        listing.state = chance.choice(["active", "active", "active", "paused", "draft"])
        listing.save()
        if chance.random() < 0.3:
            begin = START + timedelta(hours=chance.randint(1, 60))
            MaintenanceWindow.objects.create(
                listing=listing, starts_at=begin, ends_at=begin + timedelta(hours=3)
            )
    for window in ListingAvailability.objects.all():
        if chance.random() < 0.15:
            window.delete()
    suspended = Organisation.objects.filter(is_supplier=True).order_by("code").first()
    assert suspended is not None
    Organisation.objects.filter(pk=suspended.pk).update(state=OrganisationState.SUSPENDED)
    return list(
        Listing.objects.select_related(
            "organisation", "pool__hub__parent", "pool__product", "pool__hardware"
        ).prefetch_related("price_steps", "availability", "maintenance")
    )


def _random_filter(chance: random.Random, rows: list[Listing]) -> CatalogueFilter:
    some = chance.choice(rows)
    begin = START + timedelta(hours=chance.randint(1, 60))
    wanted: dict[str, Any] = {
        "product": some.pool.product.code,
        "resource_class": some.pool.product.resource_class,
        "hardware": some.pool.hardware and some.pool.hardware.name,
        "hub": chance.choice([some.pool.hub.code, some.pool.hub.parent.code]),
        "max_price": _best(some),
        "min_quantity": some.quantity,
        "min_trust": chance.randint(0, 2),
        "min_dengbao": chance.randint(0, 4),
        "xinchuang": chance.choice([True, False]),
        "min_green_share": some.pool.green_share,
        "window": (begin, begin + timedelta(hours=chance.randint(1, 30))),
        "supplier": some.organisation.name_zh[:2],
        "from_hub": Hub.objects.get(code=chance.choice(["BJ", "SH", "SZ"])),
    }
    if chance.random() < 0.7:
        wanted["max_rtt_ms"] = Decimal(chance.choice(["5", "12.5", "20"]))
    kept = chance.sample(sorted(wanted), chance.randint(0, 4))
    return CatalogueFilter(**{name: wanted[name] for name in kept})


def _best(listing: Listing) -> Decimal:
    return min(step.price.amount for step in listing.price_steps.all())


def _fresh(expires_on: Any) -> bool:
    return expires_on is None or expires_on >= ON


def _covers(listing: Listing, start: datetime, end: datetime) -> bool:
    """Walk through the time in quarter hours; each must lie in a window and outside every pause."""
    quarter = timedelta(minutes=15)
    while start < end:
        slot = Period(start, start + quarter)
        open_now = any(
            w.starts_at <= slot.starts_at and slot.ends_at <= w.ends_at
            for w in listing.availability.all()
        )
        paused = any(
            Period(m.starts_at, m.ends_at).overlaps(slot) for m in listing.maintenance.all()
        )
        if paused or not open_now:
            return False
        start += quarter
    return True


def _matches(listing: Listing, wanted: CatalogueFilter) -> bool:
    pool = listing.pool
    tests = {
        "product": lambda v: pool.product.code == v,
        "resource_class": lambda v: pool.product.resource_class == v,
        "hardware": lambda v: pool.hardware is not None and pool.hardware.name == v,
        "hub": lambda v: v in (pool.hub.code, pool.hub.parent.code),
        "max_price": lambda v: _best(listing) <= v,
        "min_quantity": lambda v: listing.quantity >= v,
        "min_trust": lambda v: pool.trust_level >= v,
        "min_dengbao": lambda v: (
            v == 0 or (pool.dengbao_level >= v and _fresh(pool.dengbao_expires_on))
        ),
        "xinchuang": lambda v: not v or (pool.is_xinchuang and _fresh(pool.xinchuang_expires_on)),
        "min_green_share": lambda v: pool.green_share >= v,
        "window": lambda v: _covers(listing, *v),
        "supplier": lambda v: v in listing.organisation.name_zh,
        "from_hub": lambda v: _near(pool.hub.code, v, wanted.max_rtt_ms),
    }
    shown = listing.state == "active" and listing.organisation.state == "approved"
    return shown and all(
        test(getattr(wanted, name))
        for name, test in tests.items()
        if getattr(wanted, name) is not None
    )


def _near(code: str, place: Hub, limit: Decimal | None) -> bool:
    routes = routes_from(place.code)
    return code in routes and (limit is None or routes[code].rtt_ms <= limit)


def test_filters_agree_with_plain_python(catalogue: list[Listing]) -> None:
    chance = random.Random(7)
    sizes = []
    for _ in range(150):
        wanted = _random_filter(chance, catalogue)
        expected = {row.pk for row in catalogue if _matches(row, wanted)}
        found = list(listed(wanted, on=ON))
        assert {row.pk for row in found} == expected, wanted
        assert [row.best_price for row in found] == sorted(_best(row) for row in found)
        sizes.append(len(found))
    assert 0 in sizes
    assert max(sizes) > 20


def _typed(wanted: CatalogueFilter) -> dict[str, str]:
    """Return what a visitor types and chooses for a filter; every field of the form is there."""
    window = wanted.window or ("", "")
    green = wanted.min_green_share
    typed = {
        "product": wanted.product,
        "resource_class": wanted.resource_class,
        "hardware": wanted.hardware,
        "city": wanted.from_hub and wanted.from_hub.code,
        "max_rtt": wanted.max_rtt_ms if wanted.from_hub else None,
        "max_price": wanted.max_price,
        "min_units": wanted.min_quantity,
        "free_from": window[0] and f"{localtime(window[0], MARKET_TIME_ZONE):%Y-%m-%dT%H:%M}",
        "free_until": window[1] and f"{localtime(window[1], MARKET_TIME_ZONE):%Y-%m-%dT%H:%M}",
        "trust": wanted.min_trust or None,
        "dengbao": wanted.min_dengbao if (wanted.min_dengbao or 0) in DENGBAO_LEVELS else None,
        "green": None if green is None else f"{(green * 100).normalize():f}",
        "xinchuang": "1" if wanted.xinchuang else None,
        "supplier": wanted.supplier,
    }
    return {name: "" if value is None else str(value) for name, value in typed.items()}


def test_the_search_page_agrees_with_plain_python(catalogue: list[Listing]) -> None:
    """What is typed into the form finds what plain Python finds, in the order asked for."""
    chance = random.Random(11)
    with timezone.override(MARKET_TIME_ZONE):
        for _ in range(120):
            wanted = replace(_random_filter(chance, catalogue), hub=None)
            if wanted.min_dengbao is not None and wanted.min_dengbao not in DENGBAO_LEVELS:
                wanted = replace(wanted, min_dengbao=None)
            typed = _typed(wanted)
            form = MarketFilter(typed)
            found = search(form, on=ON, sort=chance.choice(["price", "-price", "quantity", ""]))
            expected = {row.pk for row in catalogue if _matches(row, wanted)}
            assert form.is_valid(), (typed, form.errors)
            assert {row.pk for row in found.rows} == expected, typed


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"free_from": "2026-11-23T00:00"}, "free_until"),
        ({"free_from": "2026-11-23T02:00", "free_until": "2026-11-23T01:00"}, "free_until"),
        ({"min_units": "-1"}, "min_units"),
        ({"max_price": "NaN"}, "max_price"),
        ({"green": "101"}, "green"),
    ],
)
def test_a_refused_search_names_its_field(market: None, typed: dict[str, str], field: str) -> None:
    assert list(MarketFilter(typed).errors) == [field]


def test_a_page_of_the_catalogue_needs_one_query(catalogue: list[Listing]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for row in listed(on=ON):
            assert row.pool.hub.parent.code
            assert row.organisation.name_zh
            assert row.pool.product.code
    assert len(queries) == 1


def test_drafts_and_suspended_members_are_not_shown(catalogue: list[Listing]) -> None:
    for row in catalogue:
        shown = row.organisation.state == "approved" and row.state in ("active", "paused")
        assert (listing_detail(row.public_id) is not None) == shown


def test_reach_is_measured_along_active_links(market: None) -> None:
    beijing = Hub.objects.get(code="BJ")
    near = hubs_within(beijing, Decimal(5))
    assert next((hub.code, rtt) for hub, rtt in near)[0] == "JJJ-ZJK"
    assert all(rtt <= 5 for _, rtt in near)
    assert {hub.code for hub, _ in hubs_within(beijing)} == set(
        Hub.objects.filter(has_supply=True).values_list("code", flat=True)
    )


def test_reach_follows_a_changed_link_at_once(market: None) -> None:
    beijing = Hub.objects.get(code="BJ")
    before = {hub.code: rtt for hub, rtt in hubs_within(beijing)}
    link = Link.objects.get(from_hub__code="JJJ-ZJK", to_hub__code="BJ")
    link.rtt_ms = before["JJJ-ZJK"] - Decimal("0.5")
    link.save()
    after = {hub.code: rtt for hub, rtt in hubs_within(beijing)}
    assert after["JJJ-ZJK"] == link.rtt_ms
