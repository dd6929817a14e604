"""The operator's page of one auction: what of a large book is cleared already."""

from typing import Any

import pytest
from django.urls import reverse

from orders.models import Auction, ClearingRun
from orders.services import clearing_parts
from orders.services.clearing_parts import FrozenBook
from tests.factories.marketplace import operator
from tests.factories.orders import bid, frozen, open_auction_now, stop_clock
from tests.factories.trading import buyer, two_hub_market
from tests.web.desks import browser, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def auction(settings: Any) -> Auction:
    """A frozen book in four parts, of which one is cleared."""
    settings.CLEARING_PART_SIZE = 1
    stop_clock()
    market = two_hub_market()
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city, (8, 10))
    frozen(auction)
    run = ClearingRun.objects.get(auction=auction)
    part = clearing_parts._claim(run, "worker")
    assert part is not None
    clearing_parts._store(part, "worker", FrozenBook(run).clearer.clear([0]))
    return auction


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "1 of 4 parts cleared"), ("zh-hans", "已出清 1 个时段组，共 4 个")],
)
def test_it_says_how_many_parts_are_cleared(auction: Auction, language: str, words: str) -> None:
    page = reverse("auction-control-detail", args=[auction.code])

    assert words in text_of(browser(operator(), language=language).get(page))
