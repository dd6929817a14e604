"""Money for seven orders buys seven, however many ask at once."""

import threading
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from orders.models import Order
from orders.ports.collateral import InsufficientCollateral, collateral_port
from orders.services import submission
from settlement.services.collateral import LedgerCollateral
from tests.concurrency.racing import in_parallel
from tests.factories.orders import bid, open_auction_now, stop_clock
from tests.factories.trading import buyer, two_hub_market

pytestmark = pytest.mark.runtime_role

ONE_ORDER = Decimal("342.60")  # 40 unit-hours at 8 CNY, 1 % fee, 6 % VAT on both


class CheckThenAct(LedgerCollateral):
    """What the ledger would be without its lock: it looks, and takes what it saw."""

    def __init__(self) -> None:
        self._left: dict[int, Decimal] = {}
        self._both_looked = threading.Barrier(2)

    def place_hold(
        self, *, organisation_id: int, amount_cny: Decimal, source_type: str, source_id: str
    ) -> UUID:
        """Take money that another one is taking too."""
        seen = self._left.setdefault(
            organisation_id, self.available_cny(organisation_id=organisation_id)
        )
        self._both_looked.wait(10)
        if seen < amount_cny:
            raise InsufficientCollateral(required_cny=amount_cny, available_cny=seen)
        self._left[organisation_id] = seen - amount_cny
        return uuid4()


def test_a_hundred_orders_on_money_for_seven() -> None:
    """S-12: 100 parallel orders on a balance for 7: exactly 7 accepted, 93 refused."""
    stop_clock()
    market = two_hub_market()
    auction = open_auction_now()
    actor = buyer(str(7 * ONE_ORDER + 100))

    outcomes = in_parallel(
        [lambda: bid(actor, auction, market.product, market.city, (8, 10))] * 100
    )

    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 7
    refusals = [error for error in outcomes if isinstance(error, InsufficientCollateral)]
    assert len(refusals) == 93
    assert {error.missing_cny for error in refusals if error.available_cny == 100} == {
        ONE_ORDER - 100
    }
    assert Order.objects.filter(organisation=actor.organisation).count() == 7
    available = collateral_port().available_cny(organisation_id=actor.organisation.pk)
    assert available == 100


def test_without_the_ledgers_lock_money_is_spent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock()
    market = two_hub_market()
    auction = open_auction_now()
    actor = buyer(str(ONE_ORDER))
    port = CheckThenAct()
    monkeypatch.setattr(submission, "collateral_port", lambda: port)

    outcomes = in_parallel([lambda: bid(actor, auction, market.product, market.city, (8, 10))] * 2)

    assert [type(outcome) for outcome in outcomes] == [Order, Order]
