"""The demonstration's members leave alone in the live market what a visitor did."""

from datetime import timedelta

import pytest

from config.demo import delivering
from config.demo.cast import gather_cast
from marketplace.models import Listing, Organisation
from marketplace.selectors.clock import market_now
from orders.models import Order, OrderSource
from settlement.models import Delivery, DeliveryState
from tests.factories.settlement import DELIVERY_STARTS, move_clock
from tests.web.desks import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    """Two deliveries between members of the demonstration that begin in an hour."""
    made = Desk()
    Organisation.objects.filter(is_platform=False).update(is_demo_bot=True)
    Order.objects.update(source=OrderSource.DEMO)
    Listing.objects.update(source="seed")
    move_clock(DELIVERY_STARTS - timedelta(hours=1))
    return made


def states():
    return sorted(Delivery.objects.values_list("state", flat=True))


def test_listing_of_a_visitor_is_handed_over_by_hand(desk):
    listing = desk.delivery.allocation.listing
    Listing.objects.filter(pk=listing.pk).update(source="portal")

    delivering.hand_over_due(gather_cast(), now=market_now(), is_live=True)

    assert desk.delivery.state == DeliveryState.SCHEDULED
    assert states() == ["handed_over", "scheduled"]


def test_order_of_a_visitor_is_confirmed_by_hand_and_others_after_a_while(desk):
    order = desk.delivery.allocation.buy_order
    Order.objects.filter(pk=order.pk).update(source=OrderSource.PORTAL)
    cast = gather_cast()
    delivering.hand_over_due(cast, now=market_now(), is_live=True)

    delivering.confirm_handed_over(cast, now=market_now(), is_live=True)
    at_once = states()
    later = market_now() + delivering.PATIENCE
    delivering.confirm_handed_over(cast, now=later, is_live=True)

    assert at_once == ["handed_over", "handed_over"]
    assert desk.delivery.state == DeliveryState.HANDED_OVER
    assert states() == ["accepted", "handed_over"]


def test_played_day_waits_for_nobody(desk):
    Order.objects.update(source=OrderSource.PORTAL)
    cast = gather_cast()

    delivering.hand_over_due(cast, now=market_now())
    delivering.confirm_handed_over(cast, now=market_now())

    assert states() == ["accepted", "accepted"]
