"""Sums of a published run, and the spot index made of them."""

from decimal import Decimal

import pytest
from django.db import DatabaseError

from marketplace.domain.periods import market_date
from orders.models import PriceSummary
from orders.selectors.price_index import base_prices, composite_days, sold_by_auction, sold_by_day
from tests.factories.orders import START, bid, open_auction_now, published, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db
TODAY = market_date(START)


@pytest.fixture
def market(db: None) -> Market:
    stop_clock()
    return two_hub_market()


def test_publication_sums_up_what_each_hub_supplied(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city, (8, 10))
    run = published(auction).runs.get()

    row = PriceSummary.objects.get(run=run)

    prices = run.prices.filter(is_delivered=False, hub=market.west, supplied__gt=0)
    assert (row.hub, row.product) == (market.west, market.product)
    assert row.unit_hours == sum(price.supplied for price in prices) == 40
    assert row.value_cny == sum(price.supplied * price.price for price in prices)
    assert row.lowest_price == row.highest_price == 5


def test_a_summary_is_never_rewritten(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    published(auction)

    with pytest.raises(DatabaseError, match="append-only"):
        PriceSummary.objects.update(unit_hours=1)


def test_the_first_trading_day_is_the_base_of_the_index(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    published(auction)

    days = sold_by_day(since=TODAY, until=TODAY)
    (auctions,) = sold_by_auction(product_id=market.product.pk, limit=10)

    assert base_prices() == {market.product.pk: Decimal(5)}
    assert [day.label_at for day in days] == [TODAY]
    assert days[0].of_product(market.product.pk) == auctions.of_product(market.product.pk)
    assert [(row.day, row.index, row.change_percent) for row in composite_days(today=TODAY)] == [
        (TODAY, Decimal("100.00"), None)
    ]


def test_without_any_volume_there_is_no_index(market: Market) -> None:
    published(open_auction_now())

    assert PriceSummary.objects.count() == 0
    assert composite_days(today=TODAY) == []
    assert base_prices() == {}
