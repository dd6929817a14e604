"""Auctions and orders in named states, made by the services that make them in the market."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from marketplace.models import Hub, Product
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.clock import set_clock
from orders.models import Auction, AuctionCalendar, AuctionState, CalendarKind, Order
from orders.services import submission
from orders.services.clearing import compute_run, verify_run
from orders.services.freezing import freeze_book
from orders.services.gates import close_gate, open_auction
from orders.services.publication import publish_run
from tests.factories.marketplace import MarketRulesFactory

# Sunday noon in Shanghai; the clock of a test stands still unless the test moves it.
START = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


class CalendarFactory(DjangoModelFactory):
    """Day-ahead: 24 hours, closing at noon of the day before."""

    class Meta:
        model = AuctionCalendar
        django_get_or_create = ("code",)

    code = factory.Sequence(lambda n: f"DA{n}")
    kind = CalendarKind.DAY_AHEAD
    name_zh = "日前"
    name_en = "Day-ahead"
    period_minutes = 60
    gate_opens_lead_minutes = 36 * 60
    gate_closes_lead_minutes = 12 * 60
    no_cancel_minutes = 30


class AuctionFactory(DjangoModelFactory):
    """A scheduled auction of four hours whose gate has just opened and stays so for an hour."""

    class Meta:
        model = Auction
        skip_postgeneration_save = True

    class Params:
        periods = 4

    code = factory.Sequence(lambda n: f"T-{n}")
    calendar = factory.SubFactory(CalendarFactory)
    period_minutes = 60
    gate_opens_at = factory.LazyFunction(lambda: market_now() - timedelta(minutes=1))
    gate_closes_at = factory.LazyAttribute(lambda a: a.gate_opens_at + timedelta(minutes=61))
    no_cancel_from = factory.LazyAttribute(lambda a: a.gate_closes_at)
    delivery_starts_at = factory.LazyAttribute(
        lambda a: a.gate_closes_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    )
    delivery_ends_at = factory.LazyAttribute(
        lambda a: a.delivery_starts_at + timedelta(minutes=a.period_minutes * a.periods)
    )
    state = AuctionState.SCHEDULED

    @factory.post_generation
    def products(self: Auction, create: bool, extracted: Any, **_: Any) -> None:
        """Trade the products given, else all there are."""
        self.products.set(extracted or Product.objects.filter(active=True))


def stop_clock(at: datetime = START) -> None:
    """Set market time and let it stand still."""
    set_clock(market_at=at, speed=Decimal(0), is_demo=True)


def scheduled_auction(**fields: Any) -> Auction:
    """Return an auction whose gate may open now."""
    MarketRulesFactory()
    return AuctionFactory(**fields)


def open_auction_now(**fields: Any) -> Auction:
    """Return an auction that takes orders, with the standing offers in its book."""
    auction = scheduled_auction(**fields)
    assert open_auction(auction_id=auction.pk)
    auction.refresh_from_db()
    return auction


def pass_gate(auction: Auction) -> None:
    """Move market time to gate closure."""
    set_clock(market_at=auction.gate_closes_at, speed=Decimal(0), is_demo=True)


def closed(auction: Auction) -> Auction:
    """Pass gate closure and close the gate."""
    pass_gate(auction)
    assert close_gate(auction_id=auction.pk)
    auction.refresh_from_db()
    return auction


def frozen(auction: Auction) -> Auction:
    """Close the gate and freeze the book."""
    closed(auction)
    assert freeze_book(auction_id=auction.pk)
    auction.refresh_from_db()
    return auction


def verified(auction: Auction) -> Auction:
    """Close, freeze, clear and verify."""
    frozen(auction)
    assert compute_run(auction_id=auction.pk)
    assert verify_run(auction_id=auction.pk)
    auction.refresh_from_db()
    return auction


def published(auction: Auction) -> Auction:
    """Run the whole life of an open auction."""
    verified(auction)
    assert publish_run(auction_id=auction.pk)
    auction.refresh_from_db()
    return auction


def curve_request(
    auction: Auction,
    product: Product,
    hub: Hub,
    steps: Iterable[tuple[int | str, int | str]] = ((8, 10),),
    **fields: Any,
) -> submission.OrderRequest:
    """Return a curve bid over the whole auction; steps are (price, quantity)."""
    values: dict[str, Any] = {
        "auction": auction.public_id,
        "side": "buy",
        "kind": "curve",
        "product": product.code,
        "hub": hub.code,
        "first_period": 1,
        "last_period": auction.period_count,
        "steps": tuple(submission.Step(Decimal(p), Decimal(q)) for p, q in steps),
    }
    return submission.OrderRequest(**{**values, **fields})


def block_request(
    auction: Auction,
    product: Product,
    hub: Hub,
    *,
    quantity: int | str = 10,
    limit: int | str = 8,
    **fields: Any,
) -> submission.OrderRequest:
    """Return a block bid over the whole auction."""
    values: dict[str, Any] = {
        "auction": auction.public_id,
        "side": "buy",
        "kind": "block",
        "product": product.code,
        "hub": hub.code,
        "first_period": 1,
        "last_period": auction.period_count,
        "quantity": Decimal(quantity),
        "limit_price": Decimal(limit),
    }
    return submission.OrderRequest(**{**values, **fields})


def bid(actor: Actor, auction: Auction, product: Product, hub: Hub, *steps: Any) -> Order:
    """Submit a curve bid over the whole auction."""
    request = curve_request(auction, product, hub, steps or ((8, 10),))
    return submission.submit_order(actor=actor, request=request)
