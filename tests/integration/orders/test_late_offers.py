"""A standing listing that is offered while gates are open joins every open book, once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.models import Listing, ListingState, Organisation, OrganisationState, OutboxEvent
from marketplace.services import organisations
from marketplace.services.listing_drafts import ListingDraft, windows_from
from marketplace.services.listings import (
    create_listing,
    create_listings,
    pause_listing,
    resume_listing,
    revise_listing,
    withdraw_listing,
)
from marketplace.services.pool_changes import bring_pool_online, take_pool_offline
from orders.models import Auction, Order, OrderState
from orders.services.auctions import halt_auction, open_auction, resume_auction
from orders.services.cancellation import cancel_order
from orders.services.late_offers import join_open_auctions
from orders.services.member_exit import cancel_open_orders
from tests.factories.marketplace import operator
from tests.factories.orders import (
    START,
    bid,
    closed,
    open_auction_now,
    pass_gate,
    published,
    scheduled_auction,
    stop_clock,
)
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


def _listed(market: Market, **changes) -> Listing:
    """List ten more units of the western pool at 4 CNY for two days."""
    values = {
        "name": "夜间空闲",
        "quantity": Decimal(10),
        "price_steps": [(Decimal(10), Decimal(4))],
        "windows": [(START, START + timedelta(days=2), Decimal(10))],
        **changes,
    }
    return create_listing(actor=market.west_seller, pool=market.west_listing.pool, **values)


def _asks(auction: Auction, listing: Listing) -> list[tuple[str, str, Decimal]]:
    rows = Order.objects.filter(auction=auction, listing=listing).order_by("pk")
    return list(rows.values_list("state", "source", "quantity"))


ONE_ASK = [("active", "standing", Decimal(10))]


def test_a_new_listing_joins_every_open_auction_once_and_is_sold(market: Market) -> None:
    first, second = open_auction_now(), open_auction_now()
    waiting = scheduled_auction(gate_opens_at=START + timedelta(minutes=10))
    listing = _listed(market)

    assert join_open_auctions() == 1
    assert join_open_auctions() == 0
    bid(buyer(), first, market.product, market.city, (8, 10))

    assert _asks(first, listing) == _asks(second, listing) == ONE_ASK
    assert _asks(waiting, listing) == []
    published(first)
    assert Order.objects.get(auction=first, listing=listing).state == OrderState.FILLED


def test_it_joins_in_the_last_phase_but_not_after_the_gate(market: Market) -> None:
    auction = open_auction_now()
    Auction.objects.filter(pk=auction.pk).update(no_cancel_from=START)
    early = _listed(market)
    join_open_auctions()
    late = _listed(market)
    pass_gate(auction)

    assert join_open_auctions() == 1  # seen, and too late for this gate
    closed(auction)

    assert _asks(auction, early) == ONE_ASK
    assert _asks(auction, late) == []


def test_drafts_and_listings_that_do_not_stand_stay_out_until_they_do(market: Market) -> None:
    auction = open_auction_now()
    draft = _listed(market, activate=False)
    single = _listed(market, is_standing=False)
    assert join_open_auctions() == 0

    resume_listing(actor=market.west_seller, public_id=draft.public_id)
    revise_listing(actor=market.west_seller, public_id=single.public_id, is_standing=True)
    assert join_open_auctions() == 2

    assert _asks(auction, draft) == _asks(auction, single) == ONE_ASK


def test_an_open_auction_keeps_the_copy_it_has(market: Market) -> None:
    auction = open_auction_now()
    seller, listing = market.west_seller, market.west_listing
    before = _asks(auction, listing)

    revise_listing(
        actor=seller, public_id=listing.public_id, price_steps=[(Decimal(100), Decimal(3))]
    )
    pause_listing(actor=seller, public_id=listing.public_id)
    resume_listing(actor=seller, public_id=listing.public_id)
    assert join_open_auctions() == 2

    assert _asks(auction, listing) == before
    assert Order.objects.get(auction=auction, listing=listing).limit_price == 5


def test_a_copy_that_its_member_took_out_does_not_come_back(market: Market) -> None:
    auction = open_auction_now()
    seller, listing = market.west_seller, market.west_listing
    copy = Order.objects.get(auction=auction, listing=listing)
    cancel_order(actor=seller, order_public_id=copy.public_id)

    revise_listing(actor=seller, public_id=listing.public_id, note="now with a note")
    join_open_auctions()

    assert [state for state, _, _ in _asks(auction, listing)] == ["cancelled"]


def test_a_listing_withdrawn_before_it_joined_stays_out(market: Market) -> None:
    auction = open_auction_now()
    listing = _listed(market)
    withdraw_listing(actor=market.west_seller, public_id=listing.public_id)

    assert join_open_auctions() == 1

    assert _asks(auction, listing) == []


def test_a_pool_that_comes_back_brings_its_listings(market: Market) -> None:
    seller, pool = market.west_seller, market.west_listing.pool
    take_pool_offline(actor=seller, identifier=pool.identifier, reason="new cooling")
    auction = open_auction_now()
    assert _asks(auction, market.west_listing) == []

    assert bring_pool_online(actor=seller, identifier=pool.identifier) == 1
    join_open_auctions()

    market.west_listing.refresh_from_db()
    assert market.west_listing.state == ListingState.ACTIVE
    assert len(_asks(auction, market.west_listing)) == 1


def test_a_member_that_is_admitted_again_brings_its_listings(market: Market) -> None:
    auction = open_auction_now()
    member = market.west_seller.organisation
    Organisation.objects.filter(pk=member.pk).update(state=OrganisationState.SUSPENDED)
    cancel_open_orders(member)

    organisations.approve_organisation(actor=operator(), organisation=member)
    join_open_auctions()

    states = [state for state, _, _ in _asks(auction, market.west_listing)]
    assert states == ["cancelled", "active"]


def test_a_halted_auction_takes_what_was_offered_meanwhile(market: Market) -> None:
    auction = open_auction_now()
    desk = {"actor": operator(), "auction_id": auction.pk, "reason": "a look at the links"}
    halt_auction(**desk)
    listing = _listed(market)
    join_open_auctions()
    assert _asks(auction, listing) == []

    resume_auction(**desk)

    assert _asks(auction, listing) == ONE_ASK


def test_nothing_is_applied_while_a_gate_is_about_to_open(market: Market) -> None:
    auction = scheduled_auction()
    listing = _listed(market)

    assert join_open_auctions() == 0
    assert open_auction(auction_id=auction.pk)
    assert join_open_auctions() == 1

    assert _asks(auction, listing) == ONE_ASK


def test_many_listings_join_in_as_few_statements_as_one(
    market: Market, django_assert_max_num_queries
) -> None:
    auction = open_auction_now()
    pool = market.west_listing.pool
    days = windows_from([(START, START + timedelta(days=2), Decimal(1))])
    drafts = [
        ListingDraft(
            pool=pool,
            name=f"Slice {number}",
            quantity=Decimal(1),
            price_steps=((Decimal(1), Decimal(4)),),
            windows=days,
        )
        for number in range(600)
    ]
    create_listings(actor=market.west_seller, drafts=drafts)
    # Two events of at most five hundred: no transaction holds a gate for long.
    assert OutboxEvent.objects.filter(topic="listing.offered").count() == 2

    with django_assert_max_num_queries(40):
        join_open_auctions()

    asks = Order.objects.filter(auction=auction, listing__name__startswith="Slice", state="active")
    assert asks.count() == 600
