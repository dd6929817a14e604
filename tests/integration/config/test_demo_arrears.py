"""The market's memory as `manage.py demo` begins with it; the test does what the workers would."""

from collections.abc import Callable

import pytest

from config.demo.cast import gather_cast
from config.demo.day import MORNING, prepare_market
from config.demo.defaults import play_default
from marketplace.domain.periods import local_instant, market_date
from marketplace.selectors.clock import market_now
from orders.models import AuctionCalendar, AuctionState, CalendarKind
from orders.services.auctions import advance_auction, claim_due_auctions, create_due_auctions
from settlement.models import BookPeriod, DunningStep, Invoice, InvoiceKind, InvoiceState
from settlement.tasks import consume_outbox
from tests.factories.cases import assert_ledger_clean

pytestmark = [pytest.mark.fuller, pytest.mark.django_db]


class Worked:
    """A stage on which whoever waits does the workers' part."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        """Remember a line."""
        self.said.append(text)

    def watch(self) -> None:
        """Nothing runs beside."""

    def wait_for(self, what: str, done: Callable[[], bool]) -> None:
        """Make, open, close, clear and publish auctions, and deliver messages, until it is done."""
        for _ in range(20):
            if done():
                return
            create_due_auctions(now=market_now())
            for auction_id in claim_due_auctions():
                assert advance_auction(auction_id=auction_id) != AuctionState.PARKED
            consume_outbox()
        pytest.fail(what)


def test_a_market_begins_with_a_bill_that_nobody_paid() -> None:
    stage = Worked()

    day = prepare_market(stage, password="a-sign-in-for-tests-only", has_past=True)

    bill = Invoice.objects.get(kind=InvoiceKind.ADDITIONAL, direction="receivable")
    assert bill.state == InvoiceState.ISSUED
    assert any(bill.number in line and "往期欠款 arrears" in line for line in stage.said)
    steps = DunningStep.objects.order_by("step")
    assert [(step.invoice, step.step) for step in steps] == [(bill, 1), (bill, 2), (bill, 3)]
    today = market_date(market_now())
    assert market_now() >= local_instant(today, MORNING)
    assert (day - today).days == 1
    assert steps[2].due_on < today
    # Months that are over wait to be closed.
    assert BookPeriod.objects.filter(days__fully_lt=(today.replace(day=1), None)).exists()
    active = AuctionCalendar.objects.filter(is_active=True).values_list("kind", flat=True)
    assert set(active) == set(CalendarKind.values) - {CalendarKind.INTRADAY}
    [line] = play_default(gather_cast(), stage)
    assert "违约损失 loss" in line
    assert_ledger_clean()
