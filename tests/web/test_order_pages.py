"""Own orders: list, filters, reasons, price in lines, cancelling, export."""

import csv
import io
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import translation

from orders.models import Order, OrderState
from orders.services.submission import submit_order
from orders.web.order_rows import order_row
from orders.web.reasons import BUY_REASONS, COMMON_REASONS, SELL_REASONS, reason_text
from settlement.models import Invoice
from settlement.services.deliveries import (
    METERING_GRACE,
    complete_due_deliveries,
    create_deliveries,
)
from settlement.services.grid_factors import load_grid_factors
from settlement.services.settling import settle_auction
from tests.factories.orders import curve_request, published
from tests.factories.settlement import deliver, move_clock
from tests.factories.trading import buyer
from tests.web.desks import browser, text_of
from tests.web.trading_floor import Floor, open_floor, published_floor

pytestmark = pytest.mark.django_db

EVERY_PARAM = {
    "limit": "8",
    "price": "9.5",
    "missing": "1.5",
    "price_without_limit": "7",
    "average_price": "6.25",
    "accepted_unit_hours": "40",
}


def test_empty_list_says_what_to_do_next() -> None:
    open_floor()

    text = text_of(browser(buyer()).get(reverse("orders")))

    assert "You have no order yet." in text
    assert reverse("market") in text


def test_list_shows_own_orders_and_nobody_elses() -> None:
    floor = open_floor()

    text = text_of(browser(floor.buyer).get(reverse("orders")))

    assert str(floor.order.public_id) in text
    assert Order.objects.filter(side="sell").count() == 2
    for other in Order.objects.exclude(organisation=floor.buyer.organisation):
        assert str(other.public_id) not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 1),
        ({"state": "active"}, 1),
        ({"state": "filled"}, 0),
        ({"side": "sell"}, 0),
        ({"product": "AI-T"}, 1),
        ({"auction": "own"}, 1),
        ({"auction": "nothing-like-it"}, 1),
        ({"state": "rubbish", "page": "99"}, 1),
    ],
)
def test_filters_narrow_the_list_and_unknown_ones_do_not(query: dict, found: int) -> None:
    floor = open_floor()
    if query.get("auction") == "own":
        query = {"auction": floor.auction.code}

    page = browser(floor.buyer).get(reverse("orders"), query)

    assert page.status_code == 200
    assert len(page.context["rows"]) == found


def test_price_in_five_lines_adds_up_to_the_bill() -> None:
    floor = published_floor()

    page = browser(floor.buyer).get(reverse("order", args=[floor.order.public_id]))

    lines = page.context["outcome"].lines
    assert lines.supply + lines.tariff + lines.congestion == lines.net
    assert lines.net + lines.fee + lines.vat == lines.total
    assert sum(lines.units.values()) == lines.unit_total
    assert "Your price in five lines" in text_of(page)
    assert lines.total == _billed(floor)


def _billed(floor: Floor) -> Decimal:
    """Deliver everything as sold, settle, and return what the buyer is billed."""
    load_grid_factors()
    create_deliveries(floor.auction.pk)
    deliver(floor.auction)
    later = floor.auction.delivery_ends_at + METERING_GRACE
    move_clock(later)
    complete_due_deliveries(later)
    settle_auction(auction_id=floor.auction.pk)
    bill = Invoice.objects.get(organisation=floor.buyer.organisation, direction="receivable")
    return bill.gross.amount


def test_an_unmatched_bid_names_what_would_have_fitted() -> None:
    floor = open_floor((8, 10))
    order = submit_order(
        actor=floor.buyer,
        request=curve_request(
            *(floor.auction, floor.market.product, floor.market.city, ((6, 10),)),
            max_rtt_ms=Decimal(10),
        ),
    )
    published(floor.auction)

    page = browser(floor.buyer).get(reverse("order", args=[order.public_id]))

    # Within 10 ms only the east sells, at 9; the west, at 5, is 25 ms away.
    texts = [row.text for row in page.context["substitutes"]]
    assert len(texts) == 1
    assert "Without a latency limit the same hours cost 5.00" in texts[0]


def test_partly_bought_order_says_what_was_missing() -> None:
    floor = published_floor((8, 10), (3, 5))

    text = text_of(browser(floor.buyer).get(reverse("order", args=[floor.order.public_id])))

    assert floor.order.state == OrderState.PARTLY_FILLED
    assert "the next step needed" in text


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_every_reason_has_a_sentence_with_all_its_figures(side: str) -> None:
    floor = open_floor()
    floor.order.side = side
    floor.order.state = OrderState.REJECTED
    table = BUY_REASONS if side == "buy" else SELL_REASONS

    for code in (*table, *COMMON_REASONS):
        floor.order.reason_code, floor.order.reason_params = code, EVERY_PARAM
        text = reason_text(floor.order)
        assert text, code
        assert "%(" not in text, code


def test_a_rest_within_the_limit_is_not_said_to_have_missed_the_price() -> None:
    floor = open_floor()
    floor.order.state = OrderState.PARTLY_FILLED
    floor.order.reason_code = "partly_in_the_money"
    floor.order.reason_params = {"limit": "6.92", "price": "6.2984", "missing": "0"}

    with translation.override("en"):
        text = reason_text(floor.order)

    assert "6.2984 CNY/" in text
    assert "within your limit of 6.92, but not all units could be supplied" in text


def test_a_share_short_of_all_is_not_shown_as_all() -> None:
    floor = open_floor()
    floor.order.state, floor.order.acceptance = OrderState.PARTLY_FILLED, Decimal("0.9996")

    assert order_row(floor.order).share == Decimal("0.999")


def test_an_unknown_reason_still_says_the_state() -> None:
    floor = open_floor()
    floor.order.state, floor.order.reason_code = OrderState.REJECTED, "from_the_future"

    with translation.override("en"):
        assert reason_text(floor.order) == "Not matched; the hold is free."
    with translation.override("zh-hans"):
        assert reason_text(floor.order) == "未成交，冻结资金已解冻。"


def test_cancelling_asks_first_then_frees_the_hold() -> None:
    floor = open_floor()
    client = browser(floor.buyer)
    url = reverse("order-cancel", args=[floor.order.public_id])

    question = client.get(url)
    unconfirmed = client.post(url)
    done = client.post(url, {"confirmed": "yes"}, follow=True)

    floor.order.refresh_from_db()
    assert "Cancel this order?" in text_of(question)
    assert unconfirmed.status_code == 200
    assert floor.order.state == OrderState.CANCELLED
    assert "cancelled and its hold is free" in text_of(done)


def test_export_has_machine_names_plain_numbers_and_the_same_orders() -> None:
    floor = published_floor()

    answer = browser(floor.buyer).get(reverse("orders-csv"))

    rows = list(csv.DictReader(io.StringIO(text_of(answer).lstrip("\ufeff"))))
    assert [row["order_id"] for row in rows] == [str(floor.order.public_id)]
    assert rows[0]["limit_price_cny_per_unit_hour_excl_vat"] == "8.000000"
    assert rows[0]["reason_code"] == floor.order.reason_code
    assert rows[0]["reason"]
