"""The daily bulletin as list, page and PDF, in both languages, for everybody."""

import io
from datetime import timedelta
from decimal import Decimal

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.services.clock import set_clock
from orders.selectors.market_day import green_share
from tests.factories.orders import START, bid, open_auction_now, published
from tests.web.desks import browser, text_of
from tests.web.trading_floor import open_floor, published_floor

pytestmark = pytest.mark.django_db
DAY = "2026-11-22"


def test_without_a_trading_day_the_list_says_so() -> None:
    open_floor()

    assert "No bulletin yet" in text_of(browser().get(reverse("bulletins")))


def test_list_and_page_show_the_trading_day() -> None:
    floor = published_floor()
    run = floor.auction.runs.get()

    listed = browser().get(reverse("bulletins"))
    page = browser().get(reverse("bulletin", args=[DAY]))

    assert reverse("bulletin-pdf", args=[DAY, "zh"]) in text_of(listed)
    (product,) = page.context["day"].products
    assert product.traded.value_cny == 60 * 5
    assert product.traded.price == product.lowest_price == product.highest_price == 5
    assert page.context["day"].value_cny == run.buyer_payments_cny
    assert sum(flow.share for flow in page.context["flows"]) == 1
    assert "The trading day is not over" in text_of(page)


def test_changes_are_against_the_day_the_product_was_sold_before() -> None:
    floor = published_floor()
    set_clock(market_at=START + timedelta(days=2), speed=Decimal(0), is_demo=True)
    auction = open_auction_now()
    bid(floor.buyer, auction, floor.market.product, floor.market.city, (12, 150))
    published(auction)

    page = browser().get(reverse("bulletin", args=["2026-11-24"]))

    (product,) = page.context["day"].products
    assert product.change_percent == (product.traded.price / 5 - 1) * 100 > 0
    assert page.context["day"].composite.change_percent > 0
    assert page.context["index_line"].startswith("<svg")


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "算力市场日报"), ("en", "Daily bulletin of the compute market")]
)
def test_pdf_speaks_the_language_asked_for(language: str, words: str) -> None:
    published_floor()

    answer = browser().get(reverse("bulletin-pdf", args=[DAY, language]))

    text = "".join(
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages
    )
    assert answer.headers["Content-Type"] == "application/pdf"
    assert words in text
    assert DAY in text
    other = "Daily bulletin" if language == "zh" else "交付节点"
    assert other not in text


@pytest.mark.parametrize("day", ["2026-11-21", "yesterday", "2026-13-01"])
def test_days_without_publication_are_not_found(day: str) -> None:
    published_floor()
    client = browser()

    assert client.get(reverse("bulletin", args=[day])).status_code == 404
    assert client.get(reverse("bulletin-pdf", args=[day, "zh"])).status_code == 404
    assert client.get(reverse("bulletin-pdf", args=[DAY, "fr"])).status_code == 404


def test_green_share_is_weighted_by_energy() -> None:
    floor = published_floor()
    pool = floor.market.west_listing.pool

    assert green_share([floor.auction.runs.get()]) == pool.green_share
    assert green_share([]) is None


def test_a_published_day_is_read_once() -> None:
    published_floor()
    client = browser()
    client.get(reverse("bulletin", args=[DAY]))

    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("bulletin", args=[DAY]))

    assert len(queries) <= 9
