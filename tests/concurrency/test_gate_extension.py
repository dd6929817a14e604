"""A closer that waits behind an extension looks at the time again: the gate stays open."""

import time
from datetime import datetime

import pytest

from orders.models import Auction, AuctionState
from orders.services import interventions
from orders.services.gates import close_gate
from tests.concurrency.racing import Checkpoint, in_background
from tests.factories.marketplace import operator
from tests.factories.orders import open_auction_now, pass_gate, stop_clock
from tests.factories.trading import two_hub_market

pytestmark = pytest.mark.runtime_role


def test_a_gate_that_is_being_extended_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock()
    two_hub_market()
    auction = open_auction_now()
    checkpoint = Checkpoint()
    check = interventions.check_extension

    def check_and_wait(auction: Auction, minutes: int, now: datetime) -> None:
        check(auction, minutes, now)
        checkpoint.reach()

    monkeypatch.setattr(interventions, "check_extension", check_and_wait)
    arguments = {"actor": operator(), "auction_id": auction.pk, "minutes": 30, "reason": "flood"}
    with in_background(lambda: interventions.extend_gate(**arguments)) as extension:
        checkpoint.wait_until_reached()
        pass_gate(auction)
        with in_background(lambda: close_gate(auction_id=auction.pk)) as closing:
            time.sleep(0.5)
            checkpoint.let_on()
            assert extension.result(timeout=20).pk == auction.pk
            assert closing.result(timeout=20) is False

    auction.refresh_from_db()
    assert auction.state == AuctionState.OPEN
    pass_gate(auction)
    assert close_gate(auction_id=auction.pk) is True
