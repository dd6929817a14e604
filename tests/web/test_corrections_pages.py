"""Runs and what they changed, the parked queue, credit notes, meter keys, counter resets."""

from datetime import timedelta

import pytest
from django.urls import reverse

from marketplace.models import Role
from settlement.models import (
    BookPeriod,
    Invoice,
    MeterReading,
    ParkedItem,
    SettlementRun,
)
from settlement.services.counters import announce_reset
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.settling import settle_differences
from settlement.tasks import settle_due
from settlement.web.corrections import urls
from tests.factories.marketplace import member
from tests.factories.settlement import DELIVERY_STARTS, as_seller, move_clock
from tests.integration.settlement.correcting import AFTER, Floor, promise
from tests.web.desks import browser, platform_people, stranger, text_of

pytestmark = pytest.mark.django_db

WHO = ("visitor", "stranger", "buyer", "supplier", "operator", "finance", "auditor")
BOOKS = "302 403 403 403 403 200 200"
TABLE = {
    "settlement-runs": BOOKS,
    "settlement-run-comparison": BOOKS,
    "parked": BOOKS,
    "parked-retry": "302 403 403 403 403 405 403",
    "parked-resolve": "302 403 403 403 403 200 403",
    "meter-keys": "302 200 403 200 403 403 403",
    "meter-key-end": "302 405 403 405 403 403 403",
    "counter-reset-new": "302 404 403 200 403 403 403",
    "counter-resets": "302 403 403 403 200 403 403",
    "counter-reset-approve": "302 403 403 403 405 403 403",
    "counter-reset-refuse": "302 403 403 403 405 403 403",
}


@pytest.fixture
def floor() -> Floor:
    """A market with a penalty, settled, corrected once and settled again."""
    made = Floor()
    promise([made.market.product, made.rented])
    move_clock(DELIVERY_STARTS + timedelta(hours=2))
    made.read(0, 0, "8", reason="")
    made.settle()
    made.read(0, 1, "4", reason="two nodes were off")
    settle_differences(auction_id=made.auction.pk)
    return made


def test_pages_let_in_whom_they_should(floor: Floor) -> None:
    assert {pattern.name for pattern in urls.urlpatterns} == set(TABLE)
    people = {
        "visitor": None,
        "stranger": stranger(),
        "buyer": member(floor.anna, Role.BUYER),
        "supplier": member(floor.sam, Role.SUPPLIER),
        **platform_people(),
    }
    reset = announce_reset(
        actor=people["supplier"],
        delivery_public_id=floor.deliveries[0].public_id,
        reset_at=DELIVERY_STARTS,
        reason="new meter",
    )
    parked = ParkedItem.objects.create(
        auction=floor.auction, stage="settlement", code="period_closed", last_tried_at=AFTER
    )
    arguments = {
        "settlement-run-comparison": [SettlementRun.objects.latest("sequence").public_id],
        **{name: [parked.public_id] for name in ("parked-retry", "parked-resolve")},
        "meter-key-end": [parked.public_id],
        "counter-reset-new": [floor.deliveries[0].public_id],
        **{f"counter-reset-{verdict}": [reset.public_id] for verdict in ("approve", "refuse")},
    }
    wrong = []
    for who in WHO:
        client = browser(people[who])
        for name, row in TABLE.items():
            expected = row.split()[WHO.index(who)]
            got = str(client.get(reverse(name, args=arguments.get(name, []))).status_code)
            if got != expected:
                wrong.append(f"{who} on {name}: {got}, expected {expected}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_run_says_what_it_changed_and_why(floor: Floor, language: str) -> None:
    client = browser(platform_people()["finance"], language=language)
    run = SettlementRun.objects.latest("sequence")

    page = text_of(client.get(reverse("settlement-run-comparison", args=[run.public_id])))

    assert "two nodes were off" in page
    for figure in ("96.01", "-32.01", "64.00"):  # 18 × 5.3337, then 12 × 5.3337
        assert figure in page.replace("−", "-")
    assert "sla-1" in page
    assert run.number in text_of(client.get(reverse("settlement-runs") + "?only=differences"))
    for figure in ("2.67", "8.00", "10.67"):  # a quarter of 2, of 6, of 8 × 5.3337
        assert figure in page
    assert "8.00" in text_of(client.get(reverse("settlement-run", args=[run.public_id])))


def test_a_credit_note_names_its_bill_and_the_bill_its_credit_note(floor: Floor) -> None:
    client = browser(member(floor.anna, Role.BUYER, Role.FINANCE))
    credit = Invoice.objects.get(kind="credit_note", direction="receivable")

    page = text_of(client.get(reverse("bill", args=[credit.public_id])))
    bill = text_of(client.get(reverse("bill", args=[credit.refers_to.public_id])))
    pdf = client.get(reverse("bill-pdf", args=[credit.public_id]))

    assert credit.refers_to.number in page
    assert credit.number in bill
    assert pdf.status_code == 200
    delivery = text_of(client.get(reverse("delivery", args=[floor.deliveries[0].public_id])))
    assert "two nodes were off" in delivery
    assert 'id="corrections"' in delivery
    assert 'id="penalty"' in delivery


def test_a_supplier_corrects_a_settled_delivery_by_form(floor: Floor) -> None:
    client = browser(member(floor.sam, Role.SUPPLIER))
    url = reverse("delivery-readings", args=[floor.deliveries[0].public_id])
    given = {
        "starts_at": "2026-11-23T00:00",
        "ends_at": "2026-11-23T01:00",
        "quantity": "9",
    }

    refused = client.post(url, given)
    stored = client.post(url, {**given, "reason": "counted again", "counter": "9"})

    assert refused.status_code == 422
    assert stored.status_code == 302
    reading = MeterReading.objects.latest("pk")
    assert (reading.revision, reading.is_late, reading.reason) == (2, True, "counted again")


def test_what_is_refused_is_parked_and_leaves_the_queue_when_it_succeeds() -> None:
    floor = Floor()
    finance = browser(platform_people()["finance"])
    BookPeriod.objects.filter(days__contains=AFTER.date()).update(state="soft_closed")
    move_clock(AFTER)
    complete_due_deliveries(AFTER)

    assert settle_due() == 0
    assert settle_due() == 0
    item = ParkedItem.objects.get()
    assert (item.code, item.attempts, item.state) == ("period_closed", 2, "open")
    page = text_of(finance.get(reverse("parked")))
    assert "period_closed" in page
    again = finance.post(reverse("parked-retry", args=[item.public_id]), follow=True)
    assert "refused again" in text_of(again)
    BookPeriod.objects.update(state="open")

    finance.post(reverse("parked-retry", args=[item.public_id]))

    item.refresh_from_db()
    assert item.state == "resolved"
    assert SettlementRun.objects.filter(auction=floor.auction).exists()
    assert item.auction.code in text_of(finance.get(reverse("parked") + "?state=resolved"))


def test_a_meter_key_is_registered_shown_and_ended() -> None:
    floor = Floor()
    client = browser(as_seller(floor.sam))
    url = reverse("meter-keys")

    wrong = client.post(url, {"name": "hall 3", "public_key": "no key"})
    client.post(url, {"name": "hall 3", "public_key": "ab" * 32})
    page = text_of(client.get(url))

    assert wrong.status_code == 422
    assert "hall 3" in page
