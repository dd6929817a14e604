"""Events of a meter in any order against a naive reference (S-22): what is billed is the same."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from marketplace.domain.errors import RuleBroken
from settlement.models import RatedPeriod
from settlement.services.metering import record_reading
from settlement.services.settling import settle_differences
from tests.factories.settlement import DELIVERY_STARTS, as_seller, move_clock
from tests.integration.settlement.correcting import AFTER, Floor, assert_sound

pytestmark = pytest.mark.django_db
QUARTER = timedelta(minutes=15)
PERIODS = 2
Interval = tuple[datetime, datetime]


class Reference:
    """What the rule says, quarter by quarter: nothing clever."""

    def __init__(self, sold: list[Decimal]) -> None:
        """Begin without readings."""
        self.sold = sold
        self.taken: list[dict[Interval, Decimal]] = [{} for _ in sold]

    def takes(self, index: int, interval: Interval) -> bool:
        """Tell whether the market must take a reading of an interval."""
        starts, ends = interval
        end = DELIVERY_STARTS + PERIODS * 4 * QUARTER
        if starts >= ends or starts < DELIVERY_STARTS or ends > end:
            return False
        others = [one for one in self.taken[index] if one != interval]
        return all(ends <= one[0] or starts >= one[1] for one in others)

    def billed(self, index: int, period: int) -> Decimal:
        """Return the units billed of a period, from its four quarters."""
        quarters = [DELIVERY_STARTS + (period * 4 + n) * QUARTER for n in range(4)]
        values = [self._of(index, quarter) for quarter in quarters]
        mean = (sum(values) / 4).quantize(Decimal("0.001"), "ROUND_HALF_UP")
        return min(mean, self.sold[index])

    def _of(self, index: int, quarter: datetime) -> Decimal:
        for (starts, ends), quantity in self.taken[index].items():
            if starts <= quarter < ends:
                return quantity
        return self.sold[index]


@pytest.mark.parametrize(
    "events", [120, pytest.param(20_000, marks=pytest.mark.fuller)], ids=["few", "many"]
)
def test_events_in_any_order_bill_what_a_naive_reference_bills(events: int) -> None:
    """S-22: duplicates, corrections and gaps come to what the written rule says."""
    floor = Floor()
    floor.settle()
    dice = Random(20261122)
    reference = Reference([Decimal(10), Decimal(3), Decimal(5), Decimal(1)])
    move_clock(AFTER + timedelta(days=40))
    for number in range(events):
        _event(floor, reference, dice)
        if number in {events // 3, 2 * events // 3}:
            settle_differences(auction_id=floor.auction.pk)
    run = settle_differences(auction_id=floor.auction.pk)

    newest = RatedPeriod.objects.order_by(
        "line__delivery_id", "allocation_period_id", "-line__run__sequence"
    ).distinct("line__delivery_id", "allocation_period_id")
    found = [row.billed for row in newest]
    assert found == [reference.billed(i, p) for i in range(4) for p in range(PERIODS)]
    assert run is not None
    assert_sound(floor.auction, run.pk)


def _event(floor: Floor, reference: Reference, dice: Random) -> None:
    """Send a reading: new, repeated, corrected, overlapping, empty or outside."""
    index = dice.randrange(4)
    known = sorted(reference.taken[index])
    starts = DELIVERY_STARTS + dice.randint(-1, PERIODS * 4) * QUARTER
    interval = (starts, starts + dice.randint(0, 4) * QUARTER)
    if known and dice.random() < 0.4:
        interval = dice.choice(known)
    quantity = Decimal(dice.randint(0, 12_000)).scaleb(-3)
    delivery = floor.deliveries[index]
    try:
        record_reading(
            actor=floor_seller(floor, index),
            delivery_public_id=delivery.public_id,
            starts_at=interval[0],
            ends_at=interval[1],
            quantity=quantity,
            reason="event",
        )
    except RuleBroken:
        assert not reference.takes(index, interval)
    else:
        assert reference.takes(index, interval)
        reference.taken[index][interval] = quantity


def floor_seller(floor: Floor, index: int) -> object:
    """Return one person of each supplier, made once."""
    people = floor.__dict__.setdefault("_people", {})
    seller = floor.deliveries[index].allocation.seller
    if seller.pk not in people:
        people[seller.pk] = as_seller(seller)
    return people[seller.pk]
