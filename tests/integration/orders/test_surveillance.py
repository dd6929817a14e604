"""Surveillance finds what it is meant to find, once, and people close the cases."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.domain.errors import NotPermitted, RuleBroken
from marketplace.models import AuditEvent, Membership, Role
from marketplace.services.clock import set_clock
from orders.models import AlertComment, AlertKind, Auction, SurveillanceAlert
from orders.services.cancellation import cancel_order
from orders.services.surveillance import comment_on_alert, surveil_auction, watch_published
from tests.factories.ledger import deposit
from tests.factories.marketplace import operator
from tests.factories.orders import START, bid, open_auction_now, published, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


def _kinds() -> list[str]:
    return sorted(SurveillanceAlert.objects.values_list("kind", flat=True))


def test_a_sound_auction_raises_concentration_alone(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    published(auction)

    assert watch_published() == 1
    assert _kinds() == [AlertKind.CONCENTRATION]  # one seller sold everything
    assert SurveillanceAlert.objects.get().figures["hhi"] == "1"
    assert watch_published() == 0
    assert surveil_auction(auction_id=auction.pk) == 0


def test_buying_from_oneself_and_from_ones_own_people_is_found(market: Market) -> None:
    auction = open_auction_now()
    seller = market.west_seller
    seller.organisation.is_buyer = True
    seller.organisation.save()
    deposit(seller.organisation, "100000")
    bid(seller, auction, market.product, market.city, (8, 10))
    related = buyer()
    Membership.objects.create(
        user=seller.user, organisation=related.organisation, role=Role.AUDITOR
    )
    bid(related, auction, market.product, market.city, (8, 20))
    bid(buyer(), auction, market.product, market.city, (8, 30))
    published(auction)
    surveil_auction(auction_id=auction.pk)

    own = SurveillanceAlert.objects.get(kind=AlertKind.SELF_TRADE)
    linked = SurveillanceAlert.objects.get(kind=AlertKind.LINKED_TRADE)
    assert own.organisation == own.counterparty == seller.organisation
    assert own.figures["unit_hours"] == "40"
    assert (linked.organisation, linked.counterparty) == (
        related.organisation,
        seller.organisation,
    )
    assert linked.figures["people"] == "1"


def test_a_late_rush_and_a_retreat_just_before_are_found(market: Market) -> None:
    auction = open_auction_now()
    binding = START + timedelta(minutes=20)
    Auction.objects.filter(pk=auction.pk).update(no_cancel_from=binding)
    loud = buyer()
    order = bid(loud, auction, market.product, market.city, (8, 60))
    for _ in range(3):
        bid(buyer(), auction, market.product, market.city, (8, 5))
    set_clock(market_at=binding - timedelta(minutes=3), speed=Decimal(0), is_demo=True)
    cancel_order(actor=loud, order_public_id=order.public_id)
    set_clock(market_at=binding + timedelta(minutes=1), speed=Decimal(0), is_demo=True)
    late = buyer()
    bid(late, auction, market.product, market.city, (8, 30))
    auction.refresh_from_db()
    published(auction)
    surveil_auction(auction_id=auction.pk)

    retreat = SurveillanceAlert.objects.get(kind=AlertKind.LATE_WITHDRAWAL)
    rush = SurveillanceAlert.objects.get(kind=AlertKind.LATE_VOLUME)
    assert (retreat.organisation, retreat.figures["units"]) == (loud.organisation, "240")
    assert rush.organisation == late.organisation
    assert rush.figures["share"] == "0.6667"


def test_a_case_is_commented_and_closed_by_a_person(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    published(auction)
    surveil_auction(auction_id=auction.pk)
    case = SurveillanceAlert.objects.get()
    actor = operator()

    with pytest.raises(NotPermitted):
        comment_on_alert(actor=buyer(), public_id=case.public_id, text="mine")
    with pytest.raises(RuleBroken):
        comment_on_alert(actor=actor, public_id=case.public_id, text=" ", to_state="closed")
    comment_on_alert(actor=actor, public_id=case.public_id, text="asked the seller")
    comment_on_alert(actor=actor, public_id=case.public_id, text="new market", to_state="closed")

    case.refresh_from_db()
    assert (case.state, case.closed_by) == ("closed", actor.user)
    assert AlertComment.objects.filter(alert=case).count() == 2
    assert AuditEvent.objects.filter(action="surveillance.commented").count() == 2
