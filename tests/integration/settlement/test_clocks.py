"""Clocks that are wrong: the database decides, and no history runs backwards."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.utils import timezone

from orders.models import AuctionTransition, Order
from settlement.models import DeliveryTransition
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.invariants import broken_invariants
from settlement.services.settling import settle_auction
from tests.api.callers import open_day, program_of
from tests.factories.orders import pass_gate
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    deliver,
    funded,
    move_clock,
    published_auction,
)
from tests.factories.trading import buyer

pytestmark = pytest.mark.django_db
# A clock of the test's own, which everything in the database finds before the real one.
_SET_BACK = """
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    AS 'SELECT pg_catalog.clock_timestamp() - interval ''5 seconds''';
DO $$ DECLARE found regprocedure; BEGIN
    FOR found IN SELECT oid::regprocedure FROM pg_proc
                  WHERE 'search_path=public, pg_temp' = ANY (proconfig) LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_catalog, pg_temp', found);
    END LOOP;
END $$;
SET LOCAL search_path = public, pg_catalog
"""


@pytest.mark.parametrize("minutes", [-10, 10])
def test_the_gate_is_closed_by_the_database_whatever_the_host_says(minutes, monkeypatch) -> None:
    """S-21: a host ten minutes off accepts before and refuses after the database's gate."""
    day, caller = open_day(), program_of(buyer("100000"))
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(minutes=minutes))

    before = caller.post("orders/", day.curve())
    pass_gate(day.auction)
    after = caller.post("orders/", day.curve())

    assert (before.status_code, after.status_code) == (201, 400), after.content
    assert after.json()["error"]["code"] == "gate_closed"
    assert Order.objects.filter(side="buy").count() == 1
    assert broken_invariants() == []


def test_history_goes_forward_when_the_clock_is_set_back() -> None:
    """S-21: recorded times are at least a microsecond apart; the sweep (I-25) stays clean."""
    auction = published_auction(
        Market(), [Trade(funded("100"), funded(), ["2", "3"], "5.4321", "5", "0.1", hold="40")]
    )
    deliver(auction)
    with connection.cursor() as cursor:
        cursor.execute(_SET_BACK)
    later = DELIVERY_STARTS.replace(day=24)
    move_clock(later)
    complete_due_deliveries(later)
    settle_auction(auction_id=auction.pk)

    for rows in (DeliveryTransition.objects, AuctionTransition.objects):
        times = list(rows.order_by("id").values_list("recorded_at", flat=True))
        assert all(last < newest for last, newest in pairwise(times))
    assert DeliveryTransition.objects.count() > 3
    assert broken_invariants() == []


def test_a_row_of_history_is_stamped_by_the_database(monkeypatch) -> None:
    auction = published_auction(Market(), [Trade(funded("100"), funded(), ["2"], "5", "5")])
    monkeypatch.setattr(timezone, "now", lambda: datetime(2000, 1, 1, tzinfo=UTC))

    made = AuctionTransition.objects.create(
        auction=auction, from_state="a", to_state="b", market_at=DELIVERY_STARTS
    )

    assert made.recorded_at.year > 2000
