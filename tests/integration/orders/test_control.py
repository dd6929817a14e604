"""Acts that take two operators: asked by one, carried out when another approves."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.domain.errors import NotPermitted, RuleBroken
from marketplace.models import AuditEvent, TwoPersonRequest
from marketplace.services.clock import set_clock
from marketplace.services.two_person import (
    expire_requests,
    refuse_request,
    withdraw_request,
)
from orders.models import AuctionState, GateExtension, Order, RunState
from orders.services.control import (
    approve,
    request_cancellation,
    request_extension,
    request_rerun,
)
from orders.services.gates import close_gate
from orders.services.progress import advance_auction
from orders.services.run_checks import ask_for_check, carry_out_check
from tests.factories.marketplace import operator
from tests.factories.orders import (
    bid,
    open_auction_now,
    pass_gate,
    published,
    stop_clock,
    verified,
)
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


def _code(act, **arguments) -> str:
    with pytest.raises(RuleBroken) as caught:
        act(**arguments)
    return caught.value.code


def test_a_cancellation_happens_when_somebody_else_approves(market: Market) -> None:
    auction = open_auction_now()
    asker, second = operator(), operator()
    request = request_cancellation(actor=asker, auction_id=auction.pk, reason="wrong calendar")

    own = _code(approve, actor=asker, public_id=request.public_id)
    auction.refresh_from_db()
    before = auction.state
    approve(actor=second, public_id=request.public_id, note="seen")
    auction.refresh_from_db()

    assert (own, before, auction.state) == ("second_person_needed", "open", "cancelled")
    assert auction.state_reason == "wrong calendar"
    actions = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == [
        "auction.cancel.requested",
        "auction.cancelled",
        "auction.cancel.approved",
    ]
    assert _code(approve, actor=second, public_id=request.public_id) == "state_forbids"


def test_nobody_but_operators_asks_or_decides(market: Market) -> None:
    auction = open_auction_now()
    request = request_cancellation(actor=operator(), auction_id=auction.pk, reason="why")

    with pytest.raises(NotPermitted):
        request_cancellation(actor=buyer(), auction_id=auction.pk, reason="why")
    with pytest.raises(NotPermitted):
        approve(actor=buyer(), public_id=request.public_id)


def test_a_request_is_asked_once_and_can_be_refused_withdrawn_and_run_out(market: Market) -> None:
    auction = open_auction_now()
    asker = operator()
    first = request_cancellation(actor=asker, auction_id=auction.pk, reason="one")
    twice = _code(request_cancellation, actor=operator(), auction_id=auction.pk, reason="two")
    refuse_request(actor=operator(), public_id=first.public_id, note="no need")
    second = request_cancellation(actor=asker, auction_id=auction.pk, reason="again")
    withdraw_request(actor=asker, public_id=second.public_id)
    third = request_cancellation(actor=asker, auction_id=auction.pk, reason="and again")
    TwoPersonRequest.objects.filter(pk=third.pk).update(expires_at=timezone.now())

    late = _code(approve, actor=operator(), public_id=third.public_id)
    expired = expire_requests()

    assert (twice, late, expired) == ("request_pending", "request_expired", 1)
    states = TwoPersonRequest.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["refused", "withdrawn", "expired"]
    auction.refresh_from_db()
    assert auction.state == AuctionState.OPEN


def test_the_database_knows_the_two_person_rule(market: Market) -> None:
    auction = open_auction_now()
    asker = operator()
    request = request_cancellation(actor=asker, auction_id=auction.pk, reason="one")

    with pytest.raises(IntegrityError), transaction.atomic():
        TwoPersonRequest.objects.filter(pk=request.pk).update(
            state="approved", decided_by=asker.user, decided_at=timezone.now()
        )


def test_an_extended_gate_takes_orders_longer_and_closes_once(market: Market) -> None:
    auction = open_auction_now()
    planned = auction.gate_closes_at
    request = request_extension(actor=operator(), auction_id=auction.pk, minutes=30, reason="flood")
    approve(actor=operator(), public_id=request.public_id)
    auction.refresh_from_db()

    assert auction.gate_closes_at == planned + timedelta(minutes=30)
    assert auction.no_cancel_from == auction.gate_closes_at
    set_clock(market_at=planned, speed=Decimal(0), is_demo=True)
    assert close_gate(auction_id=auction.pk) is False
    assert bid(buyer(), auction, market.product, market.city).pk
    pass_gate(auction)
    assert close_gate(auction_id=auction.pk) is True
    assert close_gate(auction_id=auction.pk) is False
    extension = GateExtension.objects.get()
    assert (extension.closes_before, extension.closes_after) == (planned, auction.gate_closes_at)


def test_a_last_phase_that_has_begun_is_not_put_off(market: Market) -> None:
    auction = open_auction_now()
    type(auction).objects.filter(pk=auction.pk).update(
        no_cancel_from=auction.gate_opens_at + timedelta(seconds=30)
    )
    request = request_extension(actor=operator(), auction_id=auction.pk, minutes=15, reason="flood")
    approve(actor=operator(), public_id=request.public_id)

    auction.refresh_from_db()
    assert auction.no_cancel_from == auction.gate_opens_at + timedelta(seconds=30)


def test_a_gate_is_not_extended_into_the_delivery_nor_after_its_time(market: Market) -> None:
    auction = open_auction_now()
    far = _code(
        request_extension, actor=operator(), auction_id=auction.pk, minutes=5000, reason="flood"
    )
    request = request_extension(actor=operator(), auction_id=auction.pk, minutes=15, reason="flood")
    pass_gate(auction)

    assert far == "extension_too_long"
    assert _code(approve, actor=operator(), public_id=request.public_id) == "gate_closed"
    request.refresh_from_db()
    assert request.state == "pending"
    assert not GateExtension.objects.exists()


def test_a_verified_result_can_be_cleared_again_from_the_same_book(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    verified(auction)
    book = (auction.book_order_count, auction.book_sha256)
    request = request_rerun(actor=operator(), auction_id=auction.pk, reason="strange prices")
    approve(actor=operator(), public_id=request.public_id)

    assert advance_auction(auction_id=auction.pk) == AuctionState.PUBLISHED
    auction.refresh_from_db()
    assert (auction.book_order_count, auction.book_sha256) == book
    runs = auction.runs.order_by("version")
    assert [run.state for run in runs] == [RunState.CANCELLED, RunState.PUBLISHED]
    assert runs[0].result_sha256 == runs[1].result_sha256


def test_a_published_auction_is_checked_and_not_changed(market: Market) -> None:
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city)
    published(auction)
    states = list(Order.objects.order_by("id").values_list("state", "accepted_unit_hours"))

    refused = _code(request_rerun, actor=operator(), auction_id=auction.pk, reason="again")
    check = ask_for_check(actor=operator(), auction_id=auction.pk, reason="a member asked")
    assert carry_out_check(check_id=check.pk) is True
    assert carry_out_check(check_id=check.pk) is False

    check.refresh_from_db()
    assert refused == "state_forbids"
    assert check.result_sha256 == auction.runs.get().result_sha256
    assert (check.violations, check.failure) == (0, "")
    assert list(Order.objects.order_by("id").values_list("state", "accepted_unit_hours")) == states
