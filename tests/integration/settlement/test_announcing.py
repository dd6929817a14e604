"""What members are told of auctions, deliveries, bills, money and papers: each thing once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import translation

from marketplace.models import Notification, NotificationCopy, Organisation, WebhookDelivery
from marketplace.selectors.clock import market_now
from marketplace.services.notification_texts import notification_text
from marketplace.services.organisations import approve_organisation
from marketplace.services.webhooks import add_webhook
from settlement.models import AccountBalance, Delivery, Invoice
from settlement.services.announcing import announce_pending
from settlement.services.deliveries import fail_delivery, hand_over
from settlement.services.reminding import announce_due
from tests.factories.marketplace import OrganisationFactory, operator
from tests.factories.orders import open_auction_now, stop_clock
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    deliver,
    funded,
    move_clock,
    published_auction,
)
from tests.web.desks import Desk, browser
from tests.web.trading_floor import published_floor

pytestmark = pytest.mark.django_db


def told(organisation: Organisation) -> dict[str, int]:
    topics = Notification.objects.filter(organisation=organisation).values_list("topic", flat=True)
    return {topic: list(topics).count(topic) for topic in set(topics)}


def _in_english(notification: Notification) -> str:
    with translation.override("en"):
        return notification_text(notification)


def test_admitted_member_is_told() -> None:
    applicant = OrganisationFactory(state="pending", is_supplier=False)
    approve_organisation(actor=operator(), organisation=applicant)

    announce_pending()
    announce_pending()

    assert told(applicant) == {"organisation.approved": 1}


def test_results_deliveries_and_bills_are_told_once() -> None:
    desk = Desk().settled()

    while announce_pending():
        pass
    before = Notification.objects.count()
    announce_pending()

    assert Notification.objects.count() == before
    assert told(desk.buying) == {
        "delivery.handed_over": 1,
        "delivery.short": 1,
        "bill.issued": 1,
    }
    assert told(desk.selling) == {"delivery.short": 1, "bill.issued": 1}
    short = Notification.objects.get(organisation=desk.buying, topic="delivery.short")
    assert (short.params["missing"], short.params["contracted"]) == ("4", "28")


@pytest.mark.parametrize(("limit", "topic"), [(8, "order.accepted"), (1, "order.rejected")])
def test_buyer_reads_what_became_of_its_orders(limit: int, topic: str) -> None:
    floor = published_floor((limit, 10))

    announce_pending()

    assert told(floor.buyer.organisation) == {topic: 1}


def test_hand_overs_of_an_auction_are_one_notice_that_grows() -> None:
    desk = Desk()
    first, second = Delivery.objects.order_by("pk")

    hand_over(actor=desk.supplier, delivery_public_id=first.public_id, access_text="ssh")
    announce_pending()
    notice = Notification.objects.get(organisation=desk.buying)
    assert notice.path == reverse("delivery", args=[first.public_id])
    assert "28 card·h" in _in_english(notice)

    hand_over(actor=desk.supplier, delivery_public_id=second.public_id, access_text="ssh")
    announce_pending()
    notice = Notification.objects.get(organisation=desk.buying)
    assert _in_english(notice) == ("Day-ahead 11-23: access is given to 2 of your 2 deliveries.")
    page = browser(desk.buyer).get(notice.path)
    assert {row["delivery"] for row in page.context["rows"]} == {first, second}


def test_each_buyer_of_an_auction_has_a_notice_of_its_own() -> None:
    market, selling = Market(), funded("0", is_buyer=False)
    buyers = [funded("100000", is_supplier=False) for _ in range(3)]
    trades = [Trade(buying, selling, ["4"], "9", "7") for buying in [*buyers, *buyers[:2]]]
    auction = published_auction(market, trades)

    deliver(auction)
    while announce_pending():
        pass

    assert [told(one) for one in buyers] == [{"delivery.handed_over": 1}] * 3
    counts = Notification.objects.order_by("organisation_id").values_list(
        "params__deliveries", "params__bought"
    )
    assert list(counts) == [(2, 2), (2, 2), (1, 1)]


def test_systems_hear_of_each_hand_over() -> None:
    desk = Desk()
    add_webhook(actor=desk.buyer, url="https://example.com/hook", topics=["delivery.handed_over"])

    desk.handed_over()
    announce_pending()

    sent = WebhookDelivery.objects.order_by("pk").values_list("notification__params", flat=True)
    public_ids = Delivery.objects.order_by("pk").values_list("public_id", flat=True)
    assert [params["delivery"] for params in sent] == [str(each) for each in public_ids]
    copies = NotificationCopy.objects.filter(user=desk.buyer.user)
    assert copies.filter(notification__topic="delivery.handed_over").count() == 1


def test_hand_overs_that_are_due_at_one_time_are_one_reminder() -> None:
    desk = Desk()
    move_clock(DELIVERY_STARTS - timedelta(hours=1))

    counts = [announce_due(market_now()), announce_due(market_now())]

    reminder = Notification.objects.get(topic="delivery.due")
    assert counts == [1, 0]
    assert reminder.organisation == desk.selling
    assert "hand over 2 deliveries before" in _in_english(reminder)
    assert browser(desk.supplier).get(reminder.path).status_code == 200


def test_failed_delivery_is_told_to_both() -> None:
    desk = Desk()
    fail_delivery(
        actor=desk.people["operator"], delivery_public_id=desk.delivery.public_id, reason="fire"
    )
    announce_pending()

    assert told(desk.buying)["delivery.failed"] == 1
    assert told(desk.selling)["delivery.failed"] == 1


def test_supplier_is_reminded_of_the_hand_over_until_it_is_done() -> None:
    desk = Desk()
    first, second = Delivery.objects.order_by("pk")
    hand_over(actor=desk.supplier, delivery_public_id=first.public_id, access_text="ssh")
    move_clock(DELIVERY_STARTS - timedelta(hours=1))

    counts = [announce_due(market_now()), announce_due(market_now())]

    reminder = Notification.objects.get(topic="delivery.due")
    assert counts == [1, 0]
    assert reminder.organisation == desk.selling
    assert reminder.params["delivery"] == str(second.public_id)


def test_closing_gate_is_told_half_an_hour_before() -> None:
    stop_clock()
    member = OrganisationFactory()
    auction = open_auction_now()

    early = announce_due(auction.gate_closes_at - timedelta(minutes=31))
    near = announce_due(auction.gate_closes_at - timedelta(minutes=29))

    assert (early, near) == (0, Organisation.objects.filter(is_platform=False).count())
    assert told(member) == {"gate.closing": 1}


def test_money_that_lasts_two_days_is_told_every_day() -> None:
    desk = Desk().settled()
    now = market_now()
    quiet = announce_due(now)
    row = AccountBalance.objects.get(
        account__purpose="member_funds", account__organisation=desk.buying
    )
    pace = _bills_of(desk.buying) / 7
    AccountBalance.objects.filter(pk=row.pk).update(
        credit=row.debit + row.pending - row.credit_limit + pace
    )

    counts = [announce_due(now), announce_due(now), announce_due(now + timedelta(days=1))]

    assert quiet == 0
    assert counts == [1, 0, 1]
    assert told(desk.buying) == {"money.low": 2}


def _bills_of(organisation: Organisation) -> Decimal:
    rows = Invoice.objects.filter(organisation=organisation, direction="receivable")
    return sum((row.gross.amount for row in rows), Decimal(0))


def test_licence_is_told_a_month_and_a_week_before_it_expires() -> None:
    member = OrganisationFactory(telecom_licence_expires_on=date(2027, 1, 31))
    now = market_now()
    days = [40, 30, 29, 7, 6]

    counts = [
        announce_due(now.replace(year=2027, month=1, day=31) - timedelta(days=left))
        for left in days
    ]

    assert counts == [0, 1, 0, 1, 0]
    assert told(member) == {"certificate.expiring": 2}
