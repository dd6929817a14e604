"""Steering to green hours: surplus for bids and in the search, hours in plans and classes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse

from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.models import Role
from marketplace.selectors.clock import market_now
from marketplace.services.pool_changes import revise_pool
from orders.models import AllocationPeriod
from orders.ports.carbon import carbon_port
from orders.selectors.capacity import period_starts
from orders.selectors.green_hours import green_windows_of_auction
from orders.selectors.listing_carbon import carbon_of_listings
from orders.selectors.supply_in_reach import carbon_profiles, declared_carbon
from settlement.services.carbon.supply import SupplyRow, record_supply, register_source
from tests.factories.marketplace import member
from tests.factories.orders import published
from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def floor() -> Floor:
    return open_floor()


def _seller(floor):
    pool = floor.market.west_listing.pool
    return member(pool.organisation, Role.SUPPLIER), pool


def _forecast(floor, *energies):
    """Forecast green energy at the western hub from the first period of the auction on."""
    actor, pool = _seller(floor)
    source = register_source(
        actor=actor,
        pool=pool.identifier,
        kind="own_solar",
        name="光伏一期",
        capacity_w=10_000_000,
        valid_from=market_date(market_now()) - timedelta(days=1),
        evidence="并网验收意见书 1",
    )
    first = period_starts(floor.auction)[0]
    rows = [
        SupplyRow(number, source.code, first + number * HOUR, "forecast", energy)
        for number, energy in enumerate(energies)
    ]
    record_supply(actor=actor, rows=rows)
    cache.clear()  # a search keeps the hours for a minute
    return pool, first


def test_a_bid_that_may_move_sees_the_hours_with_surplus(floor):
    pool, first = _forecast(floor, 0, 3_000_000, 2_000_000, 0)
    client, url = browser(floor.buyer), floor.url("auction-bid-preview")

    plain = client.post(url, floor.entry())
    moving = client.post(url, floor.entry(kind="flexible", duration="2"))
    (hub,) = moving.context["green_hubs"]
    (window,) = hub.windows

    assert plain.context["green_hubs"] == []
    assert "Hours with expected green surplus" not in text_of(plain)
    assert "Hours with expected green surplus" in text_of(moving)
    assert hub.hub.pk == pool.hub_id
    assert (window.starts_at, window.ends_at) == (first + HOUR, first + 3 * HOUR)
    assert window.surplus_wh == 5_000_000


def test_a_delivery_from_half_past_keeps_the_hour_it_begins_in(floor):
    pool, first = _forecast(floor, 1_000_000, 2_000_000, 4_000_000)
    auction = floor.auction
    auction.delivery_starts_at = first + HOUR / 2
    auction.delivery_ends_at = first + 2 * HOUR
    auction.period_minutes = 30
    (window,) = green_windows_of_auction(auction=auction, hubs=[pool.hub_id])[pool.hub_id]

    assert (window.starts_at, window.ends_at) == (first, first + 2 * HOUR)
    assert window.surplus_wh == 3_000_000


def test_what_is_sold_takes_the_supply_of_its_own_data_centre(floor):
    pool, first = _forecast(floor, 10_000_000, 10_000_000)
    before = green_windows_of_auction(auction=floor.auction, hubs=[pool.hub_id])
    published(floor.auction)
    hours = carbon_port().green_hours([pool.hub_id], starts_at=first, ends_at=first + 2 * HOUR)[
        pool.hub_id
    ]
    periods = AllocationPeriod.objects.filter(allocation__listing__pool=pool, starts_at=first)
    units = sum((row.quantity for row in periods), Decimal(0))
    expected = (units * pool.power_w_per_unit * pool.pue).quantize(Decimal(1))

    assert before[pool.hub_id][0].surplus_wh == 20_000_000
    assert units > 0
    assert hours[0].sold_wh == expected
    assert all(hour.surplus_wh == hour.supply_wh - hour.sold_wh for hour in hours)


def test_the_search_and_the_offer_show_the_hours_of_the_coming_day(floor):
    pool, first = _forecast(floor, 1_000_000, 1_000_000)
    found = browser().get(reverse("market"))
    listing = browser().get(reverse("listing", args=[floor.market.west_listing.public_id]))
    rows = {row["pool"].pk: row["green"] for row in found.context["rows"]}

    within = first < market_now() + timedelta(hours=24)
    assert bool(rows[pool.pk]) is within
    assert rows[floor.market.east_listing.pool.pk] is None
    assert ("Green surplus expected" in text_of(listing)) is within


def _declare(floor, profile, evidence="绿证 1"):
    actor, pool = _seller(floor)
    return revise_pool(
        actor=actor,
        identifier=pool.identifier,
        carbon_profile_g=profile,
        carbon_evidence=evidence,
    )


def test_a_profile_counts_by_its_dirtiest_hour_in_clearing_and_by_its_hours_in_plans(floor):
    profile = [Decimal(200)] * 10 + [Decimal(20)] * 4 + [Decimal(200)] * 10
    pool = _declare(floor, profile)
    listing = floor.market.west_listing
    listing.refresh_from_db()
    listing.pool.refresh_from_db()
    product = floor.market.product
    by_hub = carbon_profiles(product=product)[pool.hub_id]

    assert carbon_of_listings([listing])[listing.pk] == 200
    assert declared_carbon(product=product)[pool.hub_id] == 200
    assert declared_carbon(product=product, max_carbon_g=Decimal(199)).get(pool.hub_id) is None
    assert by_hub.mean([9, 10, 11]) == 80
    assert by_hub.mean(range(10, 14)) == 20


@pytest.mark.parametrize(
    ("profile", "evidence", "code"),
    [
        ([Decimal(1)] * 23, "绿证 1", "carbon_profile_incomplete"),
        ([Decimal(1)] * 24, "", "evidence_missing"),
        ([Decimal(1)] * 23 + [Decimal(100_000_000)], "绿证 1", "out_of_range"),
    ],
)
def test_a_profile_is_whole_and_has_evidence(floor, profile, evidence, code):
    with pytest.raises(RuleBroken) as refusal:
        _declare(floor, profile, evidence)

    assert refusal.value.code == code
    pool = floor.market.west_listing.pool
    pool.refresh_from_db()
    assert pool.carbon_profile_g == []
