"""A small market for page tests: an open auction with a bid in it, or one that is published."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from marketplace.permissions import Actor
from orders.models import Auction, Order
from tests.factories.marketplace import ScenarioFactory
from tests.factories.orders import bid, open_auction_now, published, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market


@dataclass
class Floor:
    """A market whose clock stands still, its buyer, and the buyer's bid in one auction."""

    market: Market
    auction: Auction
    buyer: Actor
    order: Order

    def url(self, name: str) -> str:
        """Return the address of a page of this auction."""
        return reverse(name, args=[self.auction.code])

    def entry(self, **changes: Any) -> dict[str, str]:
        """Return what a buyer types into the bid form."""
        typed = {
            "scenario": "",
            "product": self.market.product.code,
            "hub": self.market.city.code,
            "kind": "curve",
            "first_period": "1",
            "last_period": "4",
            "price_1": "8.5",
            "quantity_1": "10",
            "placement": "any",
            "min_trust_level": "0",
            "min_dengbao_level": "0",
            "min_acceptance": "",
            "max_rtt_ms": "",
            "note": "",
        }
        return {**typed, **{name: str(value) for name, value in changes.items()}}


def open_floor(*steps: tuple[int | str, int | str]) -> Floor:
    """Return a market with an open auction of four hours and one bid in its book."""
    stop_clock()
    market = two_hub_market()
    ScenarioFactory()
    auction = open_auction_now()
    actor = buyer()
    order = bid(actor, auction, market.product, market.city, *(steps or ((8, 10), (6, 5))))
    return Floor(market, auction, actor, order)


def published_floor(*steps: tuple[int | str, int | str]) -> Floor:
    """Return the same market after its auction was cleared, verified and published."""
    floor = open_floor(*steps)
    published(floor.auction)
    floor.order.refresh_from_db()
    return floor
