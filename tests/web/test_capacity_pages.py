"""The supplier's pages: list, pools, the listing editor, pause and withdrawal, CSV in and out."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from marketplace.models import Listing, ListingState, ResourcePool, Role
from marketplace.permissions import Actor
from tests.factories.market import make_actor, make_listing, make_pool, market_with_reference
from tests.web.desks import browser, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller() -> Actor:
    """A supplier in a market with the reference data."""
    market_with_reference()
    return make_actor(Role.SUPPLIER)


def listing_data(pool: ResourcePool, **changes: str) -> dict[str, str]:
    """Return a filled editor: 64 units in two steps, one window."""
    return {
        "pool": str(pool.pk),
        "name": "夜间闲置",
        "quantity": "64",
        "min_run_hours": "1",
        "is_standing": "on",
        "note": "",
        "steps-TOTAL_FORMS": "3",
        "steps-INITIAL_FORMS": "0",
        "steps-0-quantity": "40",
        "steps-0-price": "7.50",
        "steps-1-quantity": "24",
        "steps-1-price": "8.20",
        "windows-TOTAL_FORMS": "2",
        "windows-INITIAL_FORMS": "0",
        "windows-0-starts_at": "2026-12-01T00:00",
        "windows-0-ends_at": "2026-12-08T00:00",
        "save": "1",
        "confirmed": "yes",
        **changes,
    }


def test_pool_gets_its_identifier_and_shows_it(seller):
    client = browser(seller)
    data = {
        "name": "中卫一区",
        "hub": str(make_pool(actor=seller).hub_id),
        "product": str(ResourcePool.objects.get().product_id),
        "unit_count": "128",
        "pue": "1.15",
        "green_share": "62.5",
        "dengbao_level": "3",
        "dengbao_evidence": "备案证明 11000001",
        "dengbao_expires_on": "2027-12-31",
    }

    answer = client.post(reverse("pool-new"), data, follow=True)

    pool = ResourcePool.objects.get(name="中卫一区")
    assert len(pool.identifier) == 22
    assert pool.identifier in text_of(answer)
    assert pool.green_share == Decimal("0.625")


def test_mark_without_evidence_is_refused_beside_its_field(seller):
    pool = make_pool(actor=seller)
    data = {
        "name": "二区",
        "hub": str(pool.hub_id),
        "product": str(pool.product_id),
        "unit_count": "8",
        "is_xinchuang": "on",
    }

    answer = browser(seller).post(reverse("pool-new"), data)

    assert answer.status_code == 422
    assert answer.context["form"].errors["xinchuang_evidence"] == ["Please name the evidence."]
    assert ResourcePool.objects.count() == 1


def test_listing_is_made_with_its_curve_and_calendar(seller):
    pool = make_pool(actor=seller)

    answer = browser(seller).post(reverse("listing-new"), listing_data(pool))

    listing = Listing.objects.get()
    assert answer.url == reverse("my-listing", args=[listing.public_id])
    assert listing.state == ListingState.ACTIVE
    assert [(s.quantity, s.price.amount) for s in listing.price_steps.order_by("step")] == [
        (Decimal(40), Decimal("7.5")),
        (Decimal(24), Decimal("8.2")),
    ]
    window = listing.availability.get()
    assert (window.starts_at.isoformat(), window.quantity) == (
        "2026-11-30T16:00:00+00:00",
        Decimal(64),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", "-8"),
        ("quantity", "NaN"),
        ("quantity", "Infinity"),
        ("quantity", "６４"),
        ("quantity", "1e3"),
        ("quantity", "64.0000001"),
        ("quantity", "99999999999999"),
        ("min_run_hours", "0.5"),
        ("name", ""),
    ],
)
def test_wrong_values_stay_in_their_fields_with_a_reason(seller, field, value):
    pool = make_pool(actor=seller)

    answer = browser(seller).post(reverse("listing-new"), listing_data(pool, **{field: value}))

    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert value in text_of(answer)
    assert not Listing.objects.exists()


@pytest.mark.parametrize(
    ("changes", "part", "message"),
    [
        ({"steps-1-price": "7.00"}, "steps", "The prices of the steps must rise."),
        ({"steps-1-quantity": "8"}, "steps", "The steps hold 48 units, the listing 64."),
        ({"windows-0-starts_at": "2026-11-01T00:00"}, "windows", "must not begin in the past"),
        ({"windows-0-ends_at": "2026-11-30T23:00"}, "windows", "must end after it starts"),
        ({"windows-0-starts_at": "2026-12-01T00:05"}, "windows", "boundary of 15 minutes"),
    ],
)
def test_rules_of_curve_and_calendar_speak_beside_them(seller, changes, part, message):
    pool = make_pool(actor=seller)

    answer = browser(seller).post(reverse("listing-new"), listing_data(pool, **changes))

    assert answer.status_code == 422
    errors = getattr(answer.context["editor"], part).non_form_errors()
    assert message in " ".join(errors)
    assert not Listing.objects.exists()


def test_more_rows_and_drawing_store_nothing_and_lose_nothing(seller):
    pool = make_pool(actor=seller)
    data = {**listing_data(pool, name="", quantity="abc"), "more": "1"}

    answer = browser(seller).post(reverse("listing-new"), data)

    body = text_of(answer)
    assert answer.status_code == 200
    assert 'value="abc"' in body
    assert 'value="7.50"' in body
    assert "This field is required" not in body
    assert answer.context["chart"].table_rows[1] == ["8.2000", "24", "64"]
    assert not Listing.objects.exists()


def test_emptied_row_of_an_edited_listing_goes_away(seller):
    pool = make_pool(actor=seller)
    listing = make_listing(actor=seller, pool=pool, steps=(("32", "7.00"), ("32", "8.00")))
    window = listing.availability.get()
    data = listing_data(
        pool,
        **{
            "steps-0-quantity": "64",
            "steps-0-price": "7.00",
            "steps-1-quantity": "",
            "steps-1-price": "",
            "steps-INITIAL_FORMS": "2",
            "windows-INITIAL_FORMS": "1",
            "windows-0-starts_at": f"{window.starts_at:%Y-%m-%d}T18:00",
        },
    )

    answer = browser(seller).post(reverse("listing-edit", args=[listing.public_id]), data)

    assert answer.status_code == 302
    assert listing.price_steps.count() == 1


def test_pause_asks_first_and_then_pauses(seller):
    listing = make_listing(actor=seller, pool=make_pool(actor=seller))
    client = browser(seller)
    url = reverse("listing-pause", args=[listing.public_id])

    asked = client.get(url)
    listing.refresh_from_db()
    state_after_asking = listing.state
    client.post(url)
    listing.refresh_from_db()

    assert "Pause this listing?" in text_of(asked)
    assert (state_after_asking, listing.state) == ("active", "paused")


def test_somebody_elses_listing_is_not_found(seller):
    listing = make_listing(actor=seller, pool=make_pool(actor=seller))
    other = browser(make_actor(Role.SUPPLIER))

    for name in ("my-listing", "listing-edit", "listing-withdraw"):
        assert other.post(reverse(name, args=[listing.public_id])).status_code in {404, 405}
    listing.refresh_from_db()
    assert listing.state == ListingState.ACTIVE


def upload(client: Client, content: str) -> object:
    """Send a file of listings."""
    file = SimpleUploadedFile("listings.csv", content.encode(), content_type="text/csv")
    return client.post(reverse("capacity-import"), {"file": file})


def test_template_can_be_filled_and_sent_back(seller):
    make_pool(actor=seller)
    client = browser(seller)
    template = client.get(reverse("capacity-template")).content.decode("utf-8-sig")

    answer = upload(client, template)

    assert answer.status_code == 302
    assert Listing.objects.get().source == "csv"


def test_wrong_rows_are_listed_with_line_and_reason_and_nothing_is_stored(seller):
    pool = make_pool(actor=seller)
    head = "pool,name,quantity,price_curve,windows\n"
    window = "2026-12-01T00:00/2026-12-08T00:00"
    rows = [
        f"{pool.identifier},好,64,64@7.50,{window}",
        f"{pool.identifier},坏,-5,64@7.50,{window}",
        f"NOSUCHPOOL,坏,64,64@7.50,{window}",
    ]

    answer = upload(browser(seller, language="zh-hans"), head + "\n".join(rows) + "\n")

    refused = answer.context["refused"]
    assert answer.status_code == 422
    assert [(row.line, row.column) for row in refused] == [(3, "quantity"), (4, "pool")]
    assert "资源池" in refused[1].text
    assert not Listing.objects.exists()


def test_export_holds_what_the_filters_leave(seller):
    pool = make_pool(actor=seller)
    make_listing(actor=seller, pool=pool, name="甲")
    make_listing(actor=seller, pool=pool, name="乙")

    answer = browser(seller).get(reverse("capacity-csv"), {"q": "甲"})

    lines = answer.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "64@7.5" in lines[1]


def test_list_needs_the_same_queries_for_one_listing_and_for_many(
    seller, django_assert_max_num_queries
):
    pool = make_pool(actor=seller)
    for number in range(8):
        make_listing(actor=seller, pool=pool, name=f"供给{number}")
    client = browser(seller)

    with django_assert_max_num_queries(20):
        answer = client.get(reverse("capacity"))

    assert answer.context["page_obj"].paginator.count == 8
