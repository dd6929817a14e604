"""The command-centre screen, the downloads and the rule book."""

import io

import pytest
from django.urls import reverse

from orders.clearing import read_bundle
from orders.clearing.bundle import bundle_sha256, result_sha256
from orders.models import AuctionState
from tests.factories.marketplace import operator
from tests.factories.orders import bid, closed
from tests.factories.trading import buyer
from tests.web.desks import browser, text_of
from tests.web.trading_floor import open_floor, published_floor

pytestmark = pytest.mark.django_db


def test_screen_counts_down_to_the_gate_that_closes_next() -> None:
    floor = open_floor()

    page = browser().get(reverse("screen"))

    focus = page.context["board"]["focus"]
    assert (focus.auction, focus.is_closing) == (floor.auction, False)
    assert "data-countdown" in text_of(page)
    assert 'data-chart="network"' in text_of(page)


def test_screen_shows_the_moment_the_gate_closes_and_then_the_result() -> None:
    floor = open_floor()
    client = browser()
    board = client.get(reverse("screen-board"))
    asked = board.context["board"]["poll_url"]

    seen = client.get(asked)
    closed(floor.auction)
    closing = client.get(asked)
    focus = closing.context["board"]["focus"]

    assert (board.status_code, seen.status_code, closing.status_code) == (200, 204, 200)
    assert (focus.auction.state, focus.is_closing) == (AuctionState.CLOSED, True)
    assert "3 orders frozen in the book" in text_of(closing)


def test_screen_shows_trades_of_the_newest_results_without_names() -> None:
    floor = published_floor()

    page = browser().get(reverse("screen"))

    (trade,) = page.context["board"]["trades"]
    assert (trade.supply_hub, trade.hub, trade.unit_hours) == (
        floor.market.west,
        floor.market.city,
        60,
    )
    assert page.context["board"]["just_published"]
    assert floor.buyer.organisation.name_en not in text_of(page)


def test_screen_tells_nothing_of_sealed_orders() -> None:
    floor = open_floor()
    client = browser()
    before = text_of(client.get(reverse("screen-board")))

    bid(buyer(), floor.auction, floor.market.product, floor.market.city, (8, 77))

    assert text_of(client.get(reverse("screen-board"))) == before


def test_downloads_show_hashes_and_commands_and_keep_bundles_back() -> None:
    floor = published_floor()
    run = floor.auction.runs.get()

    public = text_of(browser().get(reverse("downloads")))
    inside = text_of(browser(operator()).get(reverse("downloads")))

    assert run.bundle_sha256 in public
    assert run.result_sha256 in public
    assert f"orders.clearing hash bundle-{floor.auction.code}.zip" in public
    assert floor.url("auction-prices") in public
    assert floor.url("auction-bundle") not in public
    assert floor.url("auction-bundle") in inside


def test_the_hash_command_gives_the_published_hashes_for_the_files() -> None:
    floor = published_floor()
    run, client = floor.auction.runs.get(), browser(operator())

    bundle = client.get(floor.url("auction-bundle")).content
    result = client.get(floor.url("auction-result")).content

    assert bundle_sha256(read_bundle(io.BytesIO(bundle))) == run.bundle_sha256
    assert result_sha256(io.BytesIO(result)) == run.result_sha256


def test_downloads_before_the_first_auction_say_so() -> None:
    open_floor()

    assert "Nothing was published yet" in text_of(browser().get(reverse("downloads")))


def test_rules_are_shown_in_the_readers_language_under_the_same_anchor() -> None:
    address = reverse("rulebook-page", args=["market-rules"])

    english = text_of(browser().get(address))
    chinese = text_of(browser(language="zh-hans").get(address))

    assert browser().get(reverse("rulebook")).headers["Location"] == address
    assert 'id="ties"' in english
    assert 'id="ties"' in chinese
    assert "Strictly in the money is taken" in english
    assert "同价处理" in chinese
    assert browser().get(reverse("rulebook-page", args=["secrets"])).status_code == 404


def test_more_publications_do_not_mean_more_questions(django_assert_max_num_queries) -> None:
    floor = published_floor()
    client = browser(floor.buyer)
    names = ("downloads", "screen", "bulletins", "market-data", "market-volumes", "market-depth")
    most = {"market-data": 22, "market-volumes": 22, "market-depth": 22}
    for name in names:
        client.get(reverse(name))
        with django_assert_max_num_queries(most.get(name, 17)):
            client.get(reverse(name))
