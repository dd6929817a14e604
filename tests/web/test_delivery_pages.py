"""Deliveries: hand-over, access for the buyer alone, confirmation, readings, documents."""

import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from marketplace.models import AuditEvent
from settlement.models import DeliveryAccess, DeliveryState, MeterReading
from tests.factories.settlement import DELIVERY_STARTS, move_clock
from tests.web.desks import HOUR, Desk, browser, text_of

pytestmark = pytest.mark.django_db
SECRET = "ssh worker@198.51.100.7 -p 2222"


@pytest.fixture
def desk() -> Desk:
    """Two deliveries that wait for hand-over."""
    return Desk()


def page(desk: Desk, name: str = "delivery") -> str:
    """Return the address of the first delivery's page."""
    return reverse(name, args=[desk.delivery.public_id])


def test_supplier_hands_over_and_only_the_buyer_reads_it(desk):
    answer = browser(desk.supplier).post(
        page(desk, "delivery-hand-over"), {"access_text": SECRET}, follow=True
    )

    shown = browser(desk.buyer).post(page(desk, "delivery-access"))
    stored = bytes(DeliveryAccess.objects.get().ciphertext)
    assert SECRET not in text_of(answer)
    assert SECRET in text_of(shown)
    assert "no-store" in shown["Cache-Control"]
    assert SECRET.encode() not in stored
    assert AuditEvent.objects.filter(action="delivery.access_revealed").count() == 1
    assert SECRET not in text_of(browser(desk.people["operator"]).get(page(desk)))


def test_empty_access_is_refused_beside_its_field(desk):
    answer = browser(desk.supplier).post(page(desk, "delivery-hand-over"), {"access_text": "  "})

    assert answer.status_code == 422
    assert answer.context["hand_over_form"].errors["access_text"]
    assert desk.delivery.state == DeliveryState.SCHEDULED


def test_buyer_confirms_after_a_question_with_the_sum(desk):
    browser(desk.supplier).post(page(desk, "delivery-hand-over"), {"access_text": SECRET})
    client = browser(desk.buyer)

    question = client.get(page(desk, "delivery-accept"))
    asked_only = desk.delivery.state
    client.post(page(desk, "delivery-accept"))

    assert "252" in text_of(question)
    assert asked_only == DeliveryState.HANDED_OVER
    assert desk.delivery.state == DeliveryState.ACCEPTED


def test_confirming_too_early_changes_nothing(desk):
    answer = browser(desk.buyer).post(page(desk, "delivery-accept"), follow=True)

    assert "present state" in text_of(answer)
    assert desk.delivery.state == DeliveryState.SCHEDULED


def reading(**changes: str) -> dict[str, str]:
    """Return a reading of the first hour, in market time."""
    return {
        "starts_at": "2026-11-23T00:00",
        "ends_at": "2026-11-23T01:00",
        "quantity": "9.5",
        "energy_wh": "",
        **changes,
    }


def test_reading_is_stored_and_corrected_by_the_same_interval(desk):
    desk.handed_over()
    move_clock(DELIVERY_STARTS + 2 * HOUR)
    client = browser(desk.supplier)

    client.post(page(desk, "delivery-readings"), reading())
    client.post(page(desk, "delivery-readings"), reading(quantity="10"))

    newest = MeterReading.objects.order_by("-revision").first()
    assert (newest.revision, newest.quantity, newest.quality) == (2, Decimal(10), "corrected")
    assert "2026-11-23 00:00–01:00" in text_of(client.get(page(desk)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1.0001"}, "quantity"),
        ({"ends_at": "2026-11-23T03:00"}, "ends_at"),
        ({"ends_at": "2026-11-22T23:00"}, "ends_at"),
        ({"starts_at": "2026-11-22T20:00"}, "starts_at"),
        ({"starts_at": "2026-11-23T00:07"}, "starts_at"),
        ({"starts_at": "gestern"}, "starts_at"),
        ({"energy_wh": "1.5"}, "energy_wh"),
    ],
)
def test_wrong_reading_is_refused_beside_its_field_in_chinese(desk, changes, field):
    desk.handed_over()
    move_clock(DELIVERY_STARTS + 2 * HOUR)

    answer = browser(desk.supplier, language="zh-hans").post(
        page(desk, "delivery-readings"), reading(**changes)
    )

    errors = answer.context["reading_form"].errors
    assert answer.status_code == 422
    assert list(errors) == [field]
    assert not errors[field][0].isascii()
    assert not MeterReading.objects.exists()


def test_template_of_readings_can_be_sent_back(desk):
    desk.handed_over()
    client = browser(desk.supplier)
    template = client.get(reverse("readings-template")).content
    move_clock(DELIVERY_STARTS + 4 * HOUR)

    answer = client.post(
        reverse("readings-import"), {"file": SimpleUploadedFile("r.csv", template)}
    )

    assert answer.status_code == 302
    assert MeterReading.objects.count() == 6


def test_wrong_file_of_readings_stores_nothing_and_names_the_lines(desk):
    desk.handed_over()
    move_clock(DELIVERY_STARTS + 4 * HOUR)
    number = desk.delivery.allocation.number
    content = (
        "delivery,starts_at,ends_at,quantity\n"
        f"{number},2026-11-23T00:00+08:00,2026-11-23T01:00+08:00,9\n"
        f"{number},2026-11-23T01:00+08:00,2026-11-23T02:00+08:00,many\n"
        "CJ-0,2026-11-23T01:00+08:00,2026-11-23T02:00+08:00,9\n"
    )

    answer = browser(desk.supplier).post(
        reverse("readings-import"), {"file": SimpleUploadedFile("r.csv", content.encode())}
    )

    refused = answer.context["refused"]
    assert answer.status_code == 422
    assert [(row.line, row.column) for row in refused] == [(3, "quantity"), (4, "delivery")]
    assert not MeterReading.objects.exists()


def test_settled_delivery_shows_short_hours_energy_and_its_bill(desk):
    desk.settled()

    answer = browser(desk.buyer).get(page(desk))

    body = text_of(answer)
    assert "in 1 of them less was metered than sold" in body
    assert "tCO₂e" in body
    assert answer.context["bill_lines"]
    assert answer.context["net"] == Decimal(252)


def test_each_side_sees_its_own_price_on_the_confirmation(desk):
    buyer = browser(desk.buyer).get(page(desk, "confirmation"))
    supplier = browser(desk.supplier).get(page(desk, "confirmation"))

    assert (buyer.context["net"], buyer.context["gross"]) == (Decimal("252.00"), Decimal("267.12"))
    assert supplier.context["net"] == Decimal("196.00")


def test_confirmation_is_a_pdf(desk):
    answer = browser(desk.buyer).get(page(desk, "confirmation-pdf"))

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert desk.delivery.allocation.number in answer["Content-Disposition"]


def test_lists_are_of_ones_own_side_and_cost_the_same_queries(desk, django_assert_max_num_queries):
    supplier, buyer = browser(desk.supplier), browser(desk.buyer)

    with django_assert_max_num_queries(20):
        to_hand_over = supplier.get(reverse("deliveries"))
    with django_assert_max_num_queries(20):
        bought = buyer.get(reverse("deliveries"))

    assert to_hand_over.context["view"] == "to-hand-over"
    assert bought.context["view"] == "bought"
    assert [row["net"] for row in bought.context["rows"]] == [Decimal(108), Decimal(252)]


def test_export_names_the_partner_and_the_own_sum(desk):
    body = browser(desk.buyer).get(reverse("deliveries-csv")).content.decode("utf-8-sig")

    lines = body.splitlines()
    assert len(lines) == 3
    assert desk.selling.code in lines[1]
    assert "252.000000" in body


def test_list_tells_a_page_that_asks_again_only_what_changed(desk):
    client = browser(desk.supplier)
    live = client.get(f"{reverse('deliveries')}?view=to-hand-over").context["live_url"]
    script = {"HX-Request": "true"}

    same = client.get(live, headers=script)
    followed = client.get(live)
    client.post(page(desk, "delivery-hand-over"), {"access_text": SECRET})
    changed = client.get(live, headers=script)

    assert [each.status_code for each in (same, followed, changed)] == [204, 200, 200]
    assert re.search(r'href="[^"]*seen=', text_of(changed)) is None
    assert changed.context["page_obj"].paginator.count == 1
