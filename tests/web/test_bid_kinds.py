"""Every kind of bid from the form into the book, and what the check before says."""

from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import Role
from orders.models import BidApproval, Order, OrderKind, StandingBid
from orders.services import buying_rules
from tests.factories.marketplace import ProductFactory, member
from tests.factories.orders import block_request, open_auction_now, submission
from tests.factories.trading import buyer, supplier
from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor, published_floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor(db: None) -> Floor:
    return open_floor()


def _place(floor: Floor, client, **changes):
    """Fill in the form, press through the question and return the answer."""
    entry = floor.entry(**changes)
    page = client.post(floor.url("auction-bid"), {**entry, "review": "yes"})
    assert page.status_code == 200, page.context["form"].errors
    return client.post(
        floor.url("auction-bid"), {**entry, "confirmed": "yes", "token": page.context["token"]}
    )


@pytest.mark.parametrize("kind", ["flexible", "interruptible"])
def test_work_that_may_run_at_any_time_of_the_window(floor: Floor, kind: str) -> None:
    done = _place(floor, browser(floor.buyer), kind=kind, duration="2")

    order = Order.objects.latest("id")
    assert done.status_code == 302
    assert (order.kind, order.duration, order.first_period, order.last_period) == (kind, 2, 1, 4)
    # 10 units x 8.5 x 2 h = 170; fee 1.70; tax 10.302 rounded up.
    assert order.worst_case_cny == Decimal("182.01")


def test_a_block_in_parts_holds_each_part_at_the_limit(floor: Floor) -> None:
    parts = {
        "leg_first_1": "1",
        "leg_last_1": "2",
        "leg_quantity_1": "10",
        "leg_first_2": "3",
        "leg_last_2": "4",
        "leg_quantity_2": "4",
    }
    _place(floor, browser(floor.buyer), kind="block", quantity_1="", **parts)

    order = Order.objects.latest("id")
    legs = order.options.get().legs.order_by("first_period")
    assert [(leg.first_period, leg.last_period, leg.quantity) for leg in legs] == [
        (1, 2, 10),
        (3, 4, 4),
    ]


def test_substitutes_are_alternatives_with_their_own_limits(floor: Floor) -> None:
    other = ProductFactory(code="AI-S")
    floor.auction.products.add(other)
    changes = {"other_product_1": "AI-S", "other_price_1": "5", "other_quantity_1": "20"}

    _place(floor, browser(floor.buyer), kind="block", **changes)

    options = Order.objects.latest("id").options.order_by("option_no")
    assert [option.limit_price for option in options] == [Decimal("8.5"), Decimal(5)]
    assert [option.legs.get().product.code for option in options] == ["AI-T", "AI-S"]


def test_a_block_hangs_on_another_one_of_the_same_book(floor: Floor) -> None:
    parent = submission.submit_order(
        actor=floor.buyer,
        request=block_request(floor.auction, floor.market.product, floor.market.city),
    )

    _place(floor, browser(floor.buyer), kind="block", parent_order=str(parent.public_id))

    assert Order.objects.latest("id").parent == parent


def test_a_bid_is_booked_to_a_project(floor: Floor) -> None:
    project = buying_rules.open_project(actor=floor.buyer, name="Training")

    _place(floor, browser(floor.buyer), project=str(project.public_id))

    assert Order.objects.latest("id").project == project


def test_a_repeated_bid_is_in_this_book_and_stands_for_the_next(floor: Floor) -> None:
    _place(floor, browser(floor.buyer), repeat="on", ends_on="2026-12-31", budget="5000")

    standing = StandingBid.objects.get()
    copy = standing.copies.get()
    assert (copy.auction, copy.order) == (floor.auction, Order.objects.latest("id"))
    assert standing.budget_cny == 5000


def test_a_bid_above_the_threshold_is_put_before_a_second_person(floor: Floor) -> None:
    finance = member(floor.buyer.organisation, Role.FINANCE)
    buying_rules.set_approval_threshold(actor=finance, above_cny=Decimal(100))
    before = Order.objects.count()

    done = _place(floor, browser(floor.buyer))

    approval = BidApproval.objects.get()
    assert done.headers["Location"] == reverse("approval", args=[approval.public_id])
    assert Order.objects.count() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "flexible"}, "duration"),
        ({"kind": "flexible", "duration": "0"}, "duration"),
        ({"kind": "flexible", "duration": "5"}, "duration"),
        ({"kind": "interruptible", "duration": "two"}, "duration"),
        ({"kind": "sideways"}, "kind"),
        ({"quantity_1": ""}, "quantity_1"),
        ({"kind": "block", "leg_first_1": "1"}, "leg_last_1"),
        (
            {"kind": "block", "leg_first_1": "3", "leg_last_1": "1", "leg_quantity_1": "1"},
            "leg_last_1",
        ),
        ({"leg_first_1": "1", "leg_last_1": "2", "leg_quantity_1": "1"}, "leg_first_1"),
        ({"other_product_1": "AI-T", "other_price_1": "5"}, "other_product_1"),
        ({"kind": "block", "other_product_1": "AI-T"}, "other_price_1"),
        ({"kind": "block", "parent_order": "00000000"}, "parent_order"),
        ({"project": "00000000"}, "project"),
        ({"repeat": "on", "ends_on": "yesterday"}, "ends_on"),
        ({"repeat": "on", "budget": "-5"}, "budget"),
    ],
)
def test_bad_input_is_refused_at_its_field(floor: Floor, changes, field) -> None:
    page = browser(floor.buyer).post(
        floor.url("auction-bid"), {**floor.entry(note="kept", **changes), "review": "yes"}
    )

    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert 'value="kept"' in text_of(page)


def test_a_repetition_that_ends_in_the_past_puts_nothing_into_the_book(floor: Floor) -> None:
    before = Order.objects.count()

    done = _place(floor, browser(floor.buyer), repeat="on", ends_on="2020-01-01")

    assert done.status_code == 422
    assert "ends_on" in done.context["form"].errors
    assert Order.objects.count() == before


def _findings(floor: Floor, **changes) -> list[str]:
    page = browser(floor.buyer).post(floor.url("auction-bid-preview"), floor.entry(**changes))
    assert page.context["preview"] is not None, page.context["form"].errors
    return page.context["findings"]


def test_the_check_says_what_would_keep_a_bid_from_being_matched(floor: Floor) -> None:
    assert _findings(floor) == []
    # Within 10 ms there is the east alone, with 100 units.
    assert _findings(floor, max_rtt_ms="10", quantity_1="150") == [
        "At most 100 units are free at once in your window; you ask for 150."
    ]
    single = {"kind": "block", "placement": "single", "quantity_1": "120"}
    assert _findings(floor, **single) == [
        "No single listing has 120 units for your whole window; the largest has 100."
    ]
    marked = {"kind": "block", "placement": "single", "min_dengbao_level": "4"}
    assert _findings(floor, **marked) == ["No listing within reach has the marks you ask for."]


def test_the_check_says_when_a_product_is_offered(floor: Floor) -> None:
    other = ProductFactory(code="AI-S")
    floor.auction.products.add(other)

    assert _findings(floor, product="AI-S") == ["No hub offers this product in this auction."]
    supplier(other, floor.market.west, "5")
    assert _findings(floor, product="AI-S") == []
    assert _findings(floor, product="AI-S", max_rtt_ms="10") == [
        "No hub within 10 ms offers this product in this auction."
    ]


def test_prospects_come_from_published_prices() -> None:
    floor = published_floor()
    floor.auction = open_auction_now(calendar=floor.auction.calendar)
    client = browser(floor.buyer)

    low = client.post(floor.url("auction-bid-preview"), floor.entry(price_1="4"))
    fair = client.post(floor.url("auction-bid-preview"), floor.entry(price_1="6"))

    assert (low.context["outlook"].chance, fair.context["outlook"].chance) == (0, 1)
    assert fair.context["outlook"].hub == floor.market.west
    assert low.context["findings"] == [
        "Your limit is below every price of the last 7 days; "
        "the lowest was 5.004 (auctions counted: 1)."
    ]


def test_prospects_do_not_depend_on_sealed_orders(floor: Floor) -> None:
    client = browser(floor.buyer)
    entry = floor.entry(max_rtt_ms="10", quantity_1="150")
    before = text_of(client.post(floor.url("auction-bid-preview"), entry))
    submission.submit_order(
        actor=buyer(),
        request=block_request(floor.auction, floor.market.product, floor.market.city, quantity=90),
    )

    assert text_of(client.post(floor.url("auction-bid-preview"), entry)) == before


def test_every_kind_is_offered(floor: Floor) -> None:
    page = browser(floor.buyer).get(floor.url("auction-bid"))

    offered = {value for value, _ in page.context["form"].fields["kind"].choices}
    assert offered == set(OrderKind.values)
