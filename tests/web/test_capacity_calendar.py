"""The week of a listing: sold, held, free, maintenance; conflicts are named."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import MaintenanceWindow
from orders.models import CapacityCommitment
from tests.factories.orders import START, stop_clock
from tests.factories.trading import two_hub_market
from tests.web.desks import browser, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor():
    """A listing of 100 units with 40 of them sold for two hours of tomorrow."""
    stop_clock()
    market = two_hub_market()
    listing = market.west_listing
    start = START.replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    for quarter in range(8):
        CapacityCommitment.objects.create(
            listing=listing,
            slot_starts_at=start + quarter * timedelta(minutes=15),
            available=Decimal(100),
            committed=Decimal(40),
        )
    return market, listing, start


def cells(answer):
    return [cell for row in answer.context["grid"] for cell in row["cells"]]


def url_of(listing, start):
    return f"{reverse('capacity-calendar')}?listing={listing.public_id}&day={start:%Y-%m-%d}"


def test_week_tells_sold_from_free(floor):
    market, listing, start = floor

    answer = browser(market.west_seller).get(url_of(listing, start))

    states = [cell["state"] for cell in cells(answer)]
    assert len(states) == 168
    assert states.count("part") == 2
    assert states.count("free") == 166
    assert [c["units"] for c in cells(answer) if c["state"] == "part"] == ["60", "60"]


def test_maintenance_over_sold_hours_names_them(floor):
    market, listing, start = floor
    local = start + timedelta(hours=8)
    data = {
        "starts_at": f"{local:%Y-%m-%dT%H:%M}",
        "ends_at": f"{local + timedelta(hours=3):%Y-%m-%dT%H:%M}",
        "reason": "换电源",
    }
    url = reverse("capacity-maintenance", args=[listing.public_id])

    refused = browser(market.west_seller).post(url, data)
    later = {**data, "starts_at": f"{local + timedelta(hours=2):%Y-%m-%dT%H:%M}"}
    taken = browser(market.west_seller).post(url, later)

    assert refused.status_code == 422
    assert "2 hours of this time are sold" in refused.context["form"].errors["starts_at"][0]
    assert "换电源" in text_of(refused)
    assert taken.status_code == 302
    assert MaintenanceWindow.objects.count() == 1
    week = browser(market.west_seller).get(taken.url)
    assert [cell["state"] for cell in cells(week)].count("maintenance") == 1


def test_hour_in_the_grid_fills_in_the_form(floor):
    market, listing, start = floor

    answer = browser(market.west_seller).get(f"{url_of(listing, start)}&from=2026-12-01T08:00")

    assert 'value="2026-12-01T08:00"' in text_of(answer)
    assert 'value="2026-12-01T09:00"' in text_of(answer)


@pytest.mark.parametrize("day", ["", "gestern", "0001-01-01", "9999-12-31"])
def test_any_day_shows_some_week(floor, day):
    market, listing, _start = floor

    answer = browser(market.west_seller).get(
        reverse("capacity-calendar"), {"listing": str(listing.public_id), "day": day}
    )

    assert answer.status_code == 200


def test_foreign_listing_is_not_found(floor):
    market, listing, start = floor

    assert browser(market.east_seller).get(url_of(listing, start)).status_code == 404


def test_calendar_asks_the_database_a_fixed_number_of_times(floor, django_assert_max_num_queries):
    market, listing, start = floor
    client = browser(market.west_seller)

    with django_assert_max_num_queries(20):
        client.get(url_of(listing, start))
