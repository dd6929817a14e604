"""Public market data: charts with tables, files, and nothing of an unpublished auction."""

import csv
import io

import pytest
from django.urls import reverse

from orders.web.market_files import FILES
from tests.factories.orders import bid, open_auction_now, published, stop_clock
from tests.factories.trading import buyer, supplier, two_hub_market
from tests.web.desks import browser, text_of
from tests.web.trading_floor import open_floor, published_floor

pytestmark = pytest.mark.django_db
VIEWS = ("market-data", "market-volumes", "market-depth")


def _publish_with_many_members() -> None:
    """Publish an auction with three members on each side."""
    stop_clock()
    market = two_hub_market()
    for price in ("5.5", "6"):
        supplier(market.product, market.west, price)
    auction = open_auction_now()
    for _number in range(3):
        bid(buyer(), auction, market.product, market.city, (8, 20))
    published(auction)


def test_before_the_first_auction_each_page_says_what_to_do() -> None:
    open_floor()

    for language in ("en", "zh-hans"):
        client = browser(language=language)
        for page in [client.get(reverse(view)) for view in VIEWS]:
            assert page.status_code == 200
            assert reverse("market") in text_of(page)
            assert "data-chart" not in text_of(page)


def test_prices_show_heat_map_history_and_index_with_tables() -> None:
    floor = published_floor()

    page = browser().get(reverse("market-data"))

    heat, prices, index = page.context["charts"]
    assert (heat.kind, prices.kind, index.kind) == ("heatmap", "price_lines", "price_lines")
    assert index.data["series"][0]["values"] == [100]
    assert all(chart.table_rows and chart.csv_url for chart in page.context["charts"])
    assert page.context["figures"]["unit_hours"] == 60
    assert floor.market.product.code in heat.csv_url


def test_history_by_days_has_a_bucket_a_trading_day() -> None:
    published_floor()

    page = browser().get(reverse("market-data"), {"span": "30"})

    assert page.context["charts"][1].data["x"] == ["2026-11-22"]


def test_volumes_show_flows_and_directions() -> None:
    published_floor()

    page = browser().get(reverse("market-volumes"))

    assert page.context["charts"][0].data["series"][0]["values"] == [60]
    assert page.context["served"].table_rows
    assert sum(share.percentage for share in page.context["shares"]) == 100


def test_depth_shows_both_curves_and_the_point_where_they_cleared() -> None:
    _publish_with_many_members()

    page = browser().get(reverse("market-depth"))

    (curves,) = page.context["charts"]
    assert curves.data["supply"]
    assert curves.data["demand"]
    assert curves.data["clearing"]


def test_depth_of_few_members_stays_private_and_says_so() -> None:
    published_floor()

    page = browser().get(reverse("market-depth"))

    assert page.context["charts"] == []
    assert "their curves stay private" in text_of(page)


def test_each_chart_has_its_figures_as_a_file() -> None:
    _publish_with_many_members()

    for dataset, (_rows, names) in FILES.items():
        answer = browser().get(reverse("market-data-file", args=[dataset]))

        head, *rows = csv.reader(io.StringIO(text_of(answer).lstrip("\ufeff")))
        assert tuple(head) == names
        assert rows, dataset
        assert {len(row) for row in rows} == {len(head)}


def test_files_before_publication_and_unknown_ones_are_not_found() -> None:
    open_floor()
    client = browser()

    answers = [client.get(reverse("market-data-file", args=[name])) for name in ("depth", "none")]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_odd_choices_fall_back_instead_of_failing() -> None:
    published_floor()
    client = browser()

    queries = ({"product": "x", "hub": "x", "span": "x"}, {"auction": "x"}, {"period": "²"})
    answers = [client.get(reverse(view), query) for view in VIEWS for query in queries]

    assert {answer.status_code for answer in answers} == {200}
