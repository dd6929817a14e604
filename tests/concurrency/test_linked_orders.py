"""A block is linked to the order that is in the book, also while that one is being replaced."""

import time
from decimal import Decimal

import pytest

from orders.models import Order, OrderState
from orders.services import revision, submission
from orders.services.refusals import ParentNotLinkable
from orders.services.revision import OrderChange, revise_order
from orders.services.submission import submit_order
from tests.concurrency.racing import Checkpoint, in_background
from tests.factories.orders import block_request, open_auction_now, stop_clock
from tests.factories.trading import buyer, two_hub_market

pytestmark = pytest.mark.runtime_role


def test_who_links_to_an_order_that_is_replaced_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcome = _link_while_the_parent_is_replaced(monkeypatch)

    assert isinstance(outcome, ParentNotLinkable)


def test_without_the_parents_row_a_block_hangs_on_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(submission, "_require_parent", lambda parent_id: None)

    outcome = _link_while_the_parent_is_replaced(monkeypatch)

    assert isinstance(outcome, Order)
    outcome.refresh_from_db()
    assert outcome.state == OrderState.ACTIVE
    assert outcome.parent.state == OrderState.CANCELLED  # it would be set aside at freezing


def _link_while_the_parent_is_replaced(monkeypatch: pytest.MonkeyPatch) -> object:
    """Enter a block after its parent's links were handed over, before that is committed."""
    stop_clock()
    market = two_hub_market()
    auction = open_auction_now()
    actor = buyer()
    entry = block_request(auction, market.product, market.city)
    parent = submit_order(actor=actor, request=entry)
    checkpoint = Checkpoint()
    hand_over = revision._hand_over_links

    def hand_over_and_wait(old: Order, new: Order) -> None:
        hand_over(old, new)
        checkpoint.reach()

    def replace_it() -> Order:
        change = OrderChange(limit_price=Decimal(9))
        return revise_order(actor=actor, order_public_id=parent.public_id, change=change)

    def link() -> Order:
        linked = block_request(auction, market.product, market.city, parent_order=parent.public_id)
        return submit_order(actor=actor, request=linked)

    monkeypatch.setattr(revision, "_hand_over_links", hand_over_and_wait)
    with in_background(replace_it) as replacing:
        checkpoint.wait_until_reached()
        with in_background(link) as linking:
            time.sleep(0.5)
            checkpoint.let_on()
            assert replacing.result(timeout=20).pk
            error = linking.exception(timeout=20)
            return error or linking.result()
