"""The wizard of a listing: asked before it counts, drawn while typed, kept when left."""

import pytest
from django.urls import reverse

from marketplace.models import Listing, Role
from marketplace.permissions import Actor
from tests.factories.market import make_actor, make_listing, make_pool, market_with_reference
from tests.web.desks import browser, text_of
from tests.web.test_capacity_pages import listing_data
from tests.web.trading_floor import published_floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller() -> Actor:
    """A supplier in a market with the reference data."""
    market_with_reference()
    return make_actor(Role.SUPPLIER)


def unconfirmed(pool, **changes):
    data = listing_data(pool, **changes)
    del data["confirmed"]
    return data


def test_promise_is_told_before_the_offer_counts(seller):
    client = browser(seller)
    pool = make_pool(actor=seller)

    asked = client.post(reverse("listing-new"), unconfirmed(pool))
    resent = {**dict(asked.context["hidden"]), "confirmed": "yes"}
    stored_before = Listing.objects.count()
    client.post(reverse("listing-new"), resent)

    # 64 units for a week; 40 at 7.50 and 24 at 8.20.
    assert asked.context["promise"].unit_hours == 64 * 168
    assert "83,462.40" in text_of(asked)
    assert stored_before == 0
    assert Listing.objects.get().price_steps.count() == 2


def test_what_is_wrong_is_said_before_the_question(seller):
    pool = make_pool(actor=seller)

    answer = browser(seller).post(reverse("listing-new"), unconfirmed(pool, quantity="12"))

    assert answer.status_code == 422
    assert "hidden" not in answer.context
    assert not Listing.objects.exists()


def test_back_to_the_form_brings_everything_back(seller):
    pool = make_pool(actor=seller)
    client = browser(seller)
    asked = client.post(reverse("listing-new"), unconfirmed(pool, note="夜里便宜"))

    form = client.post(reverse("listing-new"), {**dict(asked.context["hidden"]), "draw": "1"})

    assert "夜里便宜" in text_of(form)
    assert 'value="2026-12-08T00:00"' in text_of(form)


def test_typed_listing_is_kept_until_it_is_thrown_away(seller):
    pool = make_pool(actor=seller)
    client = browser(seller)
    client.post(reverse("listing-preview"), unconfirmed(pool, name="半途"))

    kept = client.get(reverse("listing-new"))
    client.post(reverse("listing-discard"))
    fresh = client.get(reverse("listing-new"))

    assert 'value="半途"' in text_of(kept)
    assert kept.context["is_kept"]
    assert "半途" not in text_of(fresh)


def test_repeated_hours_become_rows(seller):
    pool = make_pool(actor=seller)
    repeat = {
        "repeat": "1",
        "repeat-first_day": "2026-12-10",
        "repeat-last_day": "2026-12-12",
        "repeat-from_clock": "20:00",
        "repeat-until_clock": "08:00",
        "repeat-weekdays": ["0", "1", "2", "3", "4", "5", "6"],
    }

    answer = browser(seller).post(reverse("listing-new"), {**listing_data(pool), **repeat})
    wrong = browser(seller).post(
        reverse("listing-new"), {**listing_data(pool), **repeat, "repeat-last_day": "2026-12-01"}
    )

    body = text_of(answer)
    assert 'value="2026-12-12T20:00"' in body
    assert 'value="2026-12-13T08:00"' in body
    assert "must follow within a year" in text_of(wrong)
    assert not Listing.objects.exists()


def test_preview_of_a_change_keeps_no_draft(seller):
    listing = make_listing(actor=seller, pool=make_pool(actor=seller))
    client = browser(seller)

    answer = client.post(
        reverse("listing-edit-preview", args=[listing.public_id]),
        {"steps-TOTAL_FORMS": "1", "steps-0-quantity": "64", "steps-0-price": "6.10"},
    )

    assert "6.1000" in text_of(answer)
    assert not client.get(reverse("listing-new")).context["is_kept"]


def test_curve_is_held_against_recent_prices():
    floor = published_floor()
    listing = floor.market.west_listing

    answer = browser(floor.market.west_seller).get(
        reverse("listing-edit", args=[listing.public_id])
    )

    prices = {row["label"]: row["price"] for row in answer.context["range"]}
    assert prices["Lowest"] <= prices["Middle"] <= prices["Highest"]
    assert answer.context["range"][0]["units"] == 100
