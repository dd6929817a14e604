"""A buyer's usage: volumes and money by product, project and month."""

import csv
import io
from decimal import Decimal

import pytest
from django.urls import reverse

from orders.models import Order
from orders.services.buying_rules import open_project
from settlement.models import Invoice
from settlement.selectors.usage import UsageBy, usage_of
from tests.factories.settlement import DELIVERY_STARTS
from tests.web.desks import Desk, browser, stranger, text_of

pytestmark = pytest.mark.django_db

DAY = {"since": "2026-11-23", "until": "2026-11-23"}


def test_usage_ties_to_the_bill_and_the_meter() -> None:
    desk = Desk().settled()
    project = open_project(actor=desk.buyer, name="Training")
    Order.objects.filter(pk=desk.delivery.allocation.buy_order_id).update(project=project)
    span = {"starts_on": DELIVERY_STARTS.date(), "ends_on": DELIVERY_STARTS.date()}
    span = {name: day.replace(day=23) for name, day in span.items()}  # midnight in Shanghai

    whole = usage_of(organisation=desk.buying, by=UsageBy.PRODUCT, **span)
    by_project = usage_of(organisation=desk.buying, by=UsageBy.PROJECT, **span)
    by_month = usage_of(organisation=desk.buying, by=UsageBy.MONTH, **span)

    # 10 + 10 + 8 and 4 + 4 + 4 units of an hour; the second hour was 4 units short.
    assert [row.bought_unit_hours for row in whole] == [40]
    assert [row.delivered_unit_hours for row in whole] == [36]
    bill = Invoice.objects.get(organisation=desk.buying, direction="receivable")
    assert [row.spent_cny for row in whole] == [bill.gross.amount]
    assert {row.name: row.bought_unit_hours for row in by_project} == {"": 12, "Training": 28}
    assert sum(row.spent_cny for row in by_project) == bill.gross.amount
    assert [row.name for row in by_month] == ["2026-11"]
    assert usage_of(organisation=desk.selling, by=UsageBy.PRODUCT, **span) == []


def test_before_settlement_it_is_bought_and_not_billed() -> None:
    desk = Desk().handed_over()

    page = browser(desk.buyer).get(reverse("usage"), DAY)

    row = page.context["rows"][0]["row"]
    assert (row.bought_unit_hours, row.settled_unit_hours, row.spent_cny) == (40, 0, 0)
    assert row.share_delivered is None


def test_page_and_file_agree_and_others_see_nothing_of_it() -> None:
    desk = Desk().settled()
    client = browser(desk.buyer)

    page = client.get(reverse("usage"), {**DAY, "by": "month"})
    answer = client.get(reverse("usage-csv"), {**DAY, "by": "month"})

    spent = page.context["spent"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [Decimal(row["spent_cny_incl_vat"]) for row in rows] == [spent]
    assert page.context["chart"].data["series"][0]["values"] == [float(spent)]
    empty = browser(stranger()).get(reverse("usage"), DAY)
    assert "Nothing was delivered to you in this span." in text_of(empty)
