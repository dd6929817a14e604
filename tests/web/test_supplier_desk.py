"""The supplier's overview, checklist, payouts, delivery record, and giving up a delivery."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import OrganisationState, Role
from marketplace.services.pool_changes import take_pool_offline
from settlement.models import Delivery, DeliveryState
from tests.factories.market import make_actor, make_listing, make_pool, market_with_reference
from tests.factories.marketplace import OrganisationFactory, member
from tests.factories.settlement import move_clock
from tests.web.desks import Desk, browser, stranger, text_of

pytestmark = pytest.mark.django_db


def test_overview_follows_the_money():
    desk = Desk()
    before = browser(desk.supplier).get(reverse("dashboard")).context["supplier"]["money"]
    desk.settled()
    after = browser(desk.supplier).get(reverse("dashboard")).context["supplier"]["money"]

    assert (before.sold_cny, before.billed_cny) == (Decimal(280), Decimal(0))
    assert after.sold_cny == after.delivered_cny == 0
    # Short by four card-hours in the second hour, and one half of a percent is our fee.
    assert after.billed_cny == Decimal("250.74")
    assert after.unpaid_cny > after.billed_cny


def test_overview_warns_about_what_needs_care():
    market_with_reference()
    seller = make_actor(Role.SUPPLIER)
    pool = make_pool(actor=seller)
    make_listing(actor=seller, pool=pool, hours=48)

    ending = text_of(browser(seller).get(reverse("dashboard")))
    take_pool_offline(actor=seller, identifier=pool.identifier, reason="换电源")
    offline = text_of(browser(seller, language="zh-hans").get(reverse("dashboard")))

    assert "later auctions sell nothing" in ending
    assert "换电源" in offline


def test_delivery_waits_for_hand_over_only_until_it_ends():
    desk = Desk()
    supplier = browser(desk.supplier)
    ends_at = max(Delivery.objects.values_list("ends_at", flat=True))

    move_clock(ends_at - timedelta(minutes=1))
    begun = supplier.get(reverse("dashboard"))
    move_clock(ends_at)  # nobody has written down yet that they failed
    ended = supplier.get(reverse("dashboard"))
    listed = supplier.get(f"{reverse('deliveries')}?view=to-hand-over")

    states = set(Delivery.objects.values_list("state", flat=True))
    assert states == {DeliveryState.SCHEDULED}
    assert begun.context["supplier"]["waiting_count"] == 2
    assert "2 deliveries have begun and are not handed over" in text_of(begun)
    assert ended.context["supplier"]["waiting_count"] == 0
    assert "are not handed over" not in text_of(ended)
    assert listed.context["rows"] == []


def test_idle_hours_are_counted_by_product_and_day():
    market_with_reference()
    seller = make_actor(Role.SUPPLIER)
    make_listing(actor=seller, pool=make_pool(actor=seller), hours=24 * 30)

    supplier = browser(seller).get(reverse("dashboard")).context["supplier"]

    row = supplier["outlook"][0]
    assert sum(day.free for day in row.days) == row.free == row.offered
    assert row.free_day == 64 * Decimal("23.25")  # the listing begins in three quarters
    assert supplier["chart"].table_rows


def test_checklist_says_who_acts_next():
    waiting = OrganisationFactory(state=OrganisationState.PENDING, is_buyer=False)
    applicant = member(waiting, Role.SUPPLIER)
    desk = Desk().handed_over()

    pending = browser(applicant).get(reverse("sign-up-status")).context["progress"]
    selling = browser(desk.supplier).get(reverse("sign-up-status")).context["progress"]

    assert pending["next"].who == "you"
    assert pending["next"].url == f"{reverse('documents')}?kind=business_licence"
    assert [t.is_done for t in selling["tasks"] if t.label == "First sale"] == [True]
    assert [t.is_done for t in selling["tasks"] if t.label == "First hand-over"] == [True]


def test_giving_up_tells_the_price_and_bills_nothing():
    desk = Desk()
    url = reverse("delivery-give-up", args=[desk.delivery.public_id])
    client = browser(desk.supplier)

    asked = client.get(url)
    refused = client.post(url, {"reason": " "})
    client.post(url, {"reason": "机房停电"})

    delivery = Delivery.objects.get(pk=desk.delivery.pk)
    assert "196.00" in text_of(asked)
    assert refused.status_code == 422
    assert (delivery.state, delivery.failure_reason) == (DeliveryState.FAILED, "机房停电")
    page = text_of(browser(desk.buyer).get(reverse("delivery", args=[delivery.public_id])))
    assert "机房停电" in page


def test_only_the_supplier_gives_up_and_only_before_the_confirmation():
    desk = Desk()
    url = reverse("delivery-give-up", args=[desk.delivery.public_id])

    assert browser(stranger()).post(url, {"reason": "x"}).status_code == 404
    assert browser(desk.buyer).post(url, {"reason": "x"}).status_code == 403
    desk.handed_over()
    browser(desk.supplier).post(url, {"reason": "x"})

    assert desk.delivery.state == DeliveryState.ACCEPTED


def test_record_counts_shortfall_and_stands_on_the_listing():
    desk = Desk().settled()
    listing = desk.delivery.allocation.listing

    own = browser(desk.supplier).get(reverse("delivery-record"))
    public = text_of(browser().get(reverse("listing", args=[listing.public_id])))

    record = own.context["rows"][0]["record"]
    assert (record.deliveries, record.on_time, record.failed) == (2, 2, 0)
    assert (record.sold_unit_hours, record.shortfall_unit_hours) == (Decimal(40), Decimal(4))
    assert "90.00 %" in public


def test_payouts_name_the_step_and_who_acts():
    desk = Desk().settled()

    answer = browser(desk.supplier).get(reverse("payouts"))
    table = browser(desk.supplier).get(reverse("payouts-csv")).content.decode("utf-8-sig")

    assert [row["step"] for row in answer.context["rows"]] == ["tax_invoice"]
    assert "Enter the tax invoice" in text_of(answer)
    assert table.splitlines()[1].endswith("tax_invoice")


def test_member_without_sales_learns_what_to_do():
    market_with_reference()
    seller = make_actor(Role.SUPPLIER)
    for name in ("payouts", "delivery-record", "capacity-calendar", "documents", "dashboard"):
        answer = browser(seller, language="zh-hans").get(reverse(name))

        assert answer.status_code == 200
