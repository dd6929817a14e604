"""Calendars make their auctions once, ahead of their gates."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from orders.models import Auction, AuctionCalendar, AuctionState, CalendarKind
from orders.services.auctions import create_due_auctions, ensure_default_calendars
from tests.factories.marketplace import ProductFactory
from tests.factories.orders import START, CalendarFactory, stop_clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still_clock() -> None:
    stop_clock()
    ProductFactory()


def test_the_standard_calendars_make_their_auctions() -> None:
    ensure_default_calendars()
    ensure_default_calendars()

    create_due_auctions(now=START)

    assert AuctionCalendar.objects.count() == 4
    codes = set(Auction.objects.values_list("code", flat=True))
    # Sunday noon in Shanghai: the gate for Monday has just closed, Tuesday's is the next.
    assert codes >= {"DA-20261124", "WK-2026W49", "MO-202612", "ID-20261122-1230"}
    assert "DA-20261123" not in codes


@pytest.mark.parametrize(
    ("code", "periods", "minutes", "closes_at"),
    [
        ("DA-20261124", 24, 60, datetime(2026, 11, 23, 4, 0, tzinfo=UTC)),
        ("WK-2026W49", 168, 60, datetime(2026, 11, 27, 6, 0, tzinfo=UTC)),
        ("MO-202612", 31, 1440, datetime(2026, 11, 26, 6, 0, tzinfo=UTC)),
        ("ID-20261122-1230", 23, 30, datetime(2026, 11, 22, 4, 15, tzinfo=UTC)),
    ],
)
def test_windows_and_gates(code: str, periods: int, minutes: int, closes_at: datetime) -> None:
    ensure_default_calendars()
    create_due_auctions(now=START)

    auction = Auction.objects.get(code=code)

    assert (auction.period_count, auction.period_minutes) == (periods, minutes)
    assert auction.gate_closes_at == closes_at
    assert auction.state == AuctionState.SCHEDULED
    assert auction.products.count() == 1
    assert [row.to_state for row in auction.transitions.all()] == ["scheduled"]


def test_a_repeated_call_makes_nothing_twice(django_assert_max_num_queries: object) -> None:
    ensure_default_calendars()
    made = create_due_auctions(now=START)
    assert made

    with django_assert_max_num_queries(5):  # type: ignore[operator]
        assert create_due_auctions(now=START) == []

    assert Auction.objects.count() == len(made)


def test_a_day_of_intraday_auctions_is_made_as_time_goes_on() -> None:
    CalendarFactory(
        code="ID",
        kind=CalendarKind.INTRADAY,
        period_minutes=15,
        cadence_minutes=15,
        horizon_minutes=120,
        gate_opens_lead_minutes=60,
        gate_closes_lead_minutes=15,
    )
    for quarter in range(96):
        create_due_auctions(now=START + timedelta(minutes=15 * quarter))

    starts = list(
        Auction.objects.order_by("delivery_starts_at").values_list("delivery_starts_at", flat=True)
    )
    steps = {later - earlier for earlier, later in pairwise(starts)}
    assert steps == {timedelta(minutes=15)}
    assert len(starts) >= 96
    assert {auction.period_count for auction in Auction.objects.all()} == {8}


def test_inactive_calendars_make_nothing() -> None:
    CalendarFactory(is_active=False)

    assert create_due_auctions(now=START) == []


def test_a_clock_that_jumps_makes_up_for_nothing() -> None:
    CalendarFactory(code="DA")
    create_due_auctions(now=START)

    made = create_due_auctions(now=START + timedelta(days=30))

    assert min(auction.gate_closes_at for auction in made) > START + timedelta(days=30)
    assert len(made) <= 3
