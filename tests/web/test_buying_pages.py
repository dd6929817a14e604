"""The buyer's desk: plans, projects, approvals and standing bids, and who may open them."""

from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import OrganisationState, Role
from orders.models import BidApproval, Order, Project, StandingBid
from orders.services import approvals, buying_rules, standing_bids
from orders.web import buying_urls
from tests.factories.marketplace import OrganisationFactory, member, operator
from tests.factories.orders import curve_request, open_auction_now
from tests.factories.trading import buyer
from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor, published_floor

pytestmark = pytest.mark.django_db

WHO = ("visitor", "applicant", "stranger", "buyer", "supplier", "finance", "operator", "auditor")
BUYING_SIDE = "302 403 200 200 403 200 403 403"
OWN = "302 403 404 200 403 200 403 403"
BUYERS = "302 403 200 200 403 403 403 403"
OWN_BUYERS = "302 403 404 200 403 403 403 403"
TABLE = {
    "plans": "200 200 200 200 200 200 200 200",
    "projects": BUYING_SIDE,
    "project-new": BUYING_SIDE,
    "buying-rule": "302 403 200 200 403 200 403 403",
    "project": OWN,
    "project-change": OWN,
    "approvals": BUYING_SIDE,
    "approval": OWN,
    "standing-bids": BUYERS,
    "standing-bid": OWN_BUYERS,
    "standing-bid-change": "302 403 404 404 403 403 403 403",
}


@pytest.fixture
def floor(db: None) -> Floor:
    return open_floor()


def _project(floor: Floor, **fields) -> Project:
    return buying_rules.open_project(actor=floor.buyer, name="Training", **fields)


def _request(floor: Floor, *steps, **fields):
    return curve_request(
        floor.auction, floor.market.product, floor.market.city, steps or ((8, 10),), **fields
    )


def _standing(floor: Floor) -> StandingBid:
    return standing_bids.create_standing_bid(actor=floor.buyer, request=_request(floor))


def _approval(floor: Floor) -> BidApproval:
    return approvals.request_approval(actor=floor.buyer, request=_request(floor))


def test_each_page_opens_for_whom_the_table_says(floor: Floor) -> None:
    ids = {
        "project": _project(floor).public_id,
        "approval": _approval(floor).public_id,
        "standing-bid": _standing(floor).public_id,
    }
    ids["project-change"], ids["standing-bid-change"] = ids["project"], ids["standing-bid"]
    people = {
        "visitor": None,
        "applicant": member(OrganisationFactory(state=OrganisationState.PENDING)),
        "stranger": buyer(),
        "buyer": floor.buyer,
        "supplier": floor.market.west_seller,
        "finance": member(floor.buyer.organisation, Role.FINANCE),
        "operator": operator(Role.OPERATOR),
        "auditor": operator(Role.AUDITOR),
    }
    browsers = [browser(people[who]) for who in WHO]

    found = {
        name: " ".join(
            str(one.get(reverse(name, args=[ids[name]] if name in ids else [])).status_code)
            for one in browsers
        )
        for name in TABLE
    }

    assert found == TABLE
    assert {route.name for route in buying_urls.urlpatterns} == set(TABLE)


def test_three_plans_stand_side_by_side_one_press_from_a_bid() -> None:
    floor = published_floor()
    auction = open_auction_now(calendar=floor.auction.calendar)
    query = {
        "product": floor.market.product.code,
        "hub": floor.market.city.code,
        "scenario": "",
        "quantity": "10",
        "hours": "2",
        "finish_by": "",
        "max_rtt_ms": "",
    }
    client = browser(floor.buyer)

    page = client.get(reverse("plans"), query)

    cards = page.context["cards"]
    assert [card.plan.kind.value for card in cards] == ["cheapest", "fastest"]
    assert {card.auction for card in cards} == {auction}
    # West asks 5; the tariffs of two links come on top: 0.04 CNY per Gbit/s at 0.1 Gbit/s.
    assert cards[0].plan.candidate.expected_price == Decimal("5.0040")
    assert cards[0].hub.code == "WEST"

    form = client.get(cards[0].url)
    assert form.status_code == 200
    assert 'value="5.01"' in text_of(form)
    assert 'value="10"' in text_of(form)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "1.5"}, "quantity"),
        ({"quantity": "x"}, "quantity"),
        ({"hours": "0"}, "hours"),
        ({"hours": "1e9"}, "hours"),
        ({"hub": "NO"}, "hub"),
        ({"product": "NO"}, "product"),
        ({"max_rtt_ms": "0.1"}, "max_rtt_ms"),
        ({"finish_by": "tomorrow"}, "finish_by"),
    ],
)
def test_a_bad_need_is_refused_at_its_field(floor: Floor, changes, field) -> None:
    query = {
        "product": floor.market.product.code,
        "hub": floor.market.city.code,
        "quantity": "8",
        "hours": "2",
        **changes,
    }

    page = browser().get(reverse("plans"), query)

    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]


def test_a_project_is_opened_changed_and_shows_its_use(floor: Floor) -> None:
    client = browser(floor.buyer)
    entry = {"name": "Training", "budget": "1000", "refuses_beyond_budget": "on", "note": ""}

    made = client.post(reverse("project-new"), entry)
    again = client.post(reverse("project-new"), entry)
    project = Project.objects.get()
    changed = client.post(
        reverse("project-change", args=[project.public_id]), {**entry, "budget": "0"}
    )

    assert made.status_code == 302
    assert again.status_code == 422
    assert "name" in again.context["form"].errors
    assert changed.status_code == 422
    assert "budget" in changed.context["form"].errors
    listed = client.get(reverse("projects"))
    assert "1,000.00" in text_of(listed)


def test_a_colleague_approves_and_the_bid_is_in_the_book(floor: Floor) -> None:
    approval = _approval(floor)
    second = member(floor.buyer.organisation, Role.BUYER)
    address = reverse("approval", args=[approval.public_id])
    before = Order.objects.count()

    own = browser(floor.buyer).post(address, {"action": "approve"}, follow=True)
    assert "Another person" in text_of(own)
    assert Order.objects.count() == before

    done = browser(second).post(address, {"action": "approve"}, follow=True)
    assert "is on hold" in text_of(done)
    assert Order.objects.count() == before + 1


def test_a_standing_bid_is_paused_resumed_and_ended_after_a_question(floor: Floor) -> None:
    standing = _standing(floor)
    client = browser(floor.buyer)
    address = reverse("standing-bid-change", args=[standing.public_id])

    client.post(address, {"action": "pause"})
    standing.refresh_from_db()
    assert standing.state == "paused"
    client.post(address, {"action": "resume"})
    question = client.post(address, {"action": "end"})
    assert "End this standing bid?" in text_of(question)
    client.post(address + "?action=end", {"confirmed": "yes"})
    standing.refresh_from_db()
    assert (standing.state, standing.ended_reason) == ("ended", "ended_by_member")


def test_lists_ask_a_fixed_number_of_times(floor: Floor, django_assert_max_num_queries) -> None:
    for number in range(4):
        buying_rules.open_project(
            actor=floor.buyer, name=f"P{number}", budget_cny=Decimal(100 + number)
        )
        _standing(floor)
        _approval(floor)
    client = browser(floor.buyer)
    for name, most in (("projects", 16), ("approvals", 13), ("standing-bids", 12)):
        client.get(reverse(name))
        with django_assert_max_num_queries(most):
            client.get(reverse(name))
