"""A request with a key has its effect once (and the other ways a client retries)."""

import threading
from typing import Any

import pytest
from django.db import close_old_connections

from marketplace.models import AuditEvent, IdempotencyRecord, Listing
from orders.models import Order
from orders.ports.collateral import collateral_port
from orders.services import submission
from settlement.models import Hold
from tests.api.callers import Caller, open_day, program_of
from tests.factories.ledger import deposit
from tests.factories.trading import buyer

KEY = {"Idempotency_Key": "order-1"}


def _bids() -> int:
    return Order.objects.filter(side="buy").count()


@pytest.mark.django_db
def test_a_retry_gets_the_first_answer_and_has_no_effect(day) -> None:
    caller = program_of(buyer())

    first = caller.post("orders/", day.curve(), **KEY)
    again = caller.post("orders/", dict(reversed(day.curve().items())), **KEY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (_bids(), Hold.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_the_same_key_with_another_content_is_refused(day) -> None:
    """S-10: same key, other payload: 422, no second effect."""
    caller = program_of(buyer())
    caller.post("orders/", day.curve(), **KEY)

    answer = caller.post("orders/", day.curve(note="another"), **KEY)

    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "idempotency_key_reused"
    assert _bids() == 1


@pytest.mark.django_db
def test_the_same_key_of_another_user_or_operation_is_another_key(day) -> None:
    """S-10: a key of another user has no effect across users."""
    caller, other = program_of(buyer()), program_of(buyer())
    first = caller.post("orders/", day.curve(), **KEY).json()

    theirs = other.post("orders/", day.curve(), **KEY)
    cancelled = caller.post(f"orders/{first['id']}/cancel/", **KEY)

    assert theirs.status_code == 201
    assert theirs.json()["id"] != first["id"]
    assert "Idempotency-Replayed" not in theirs.headers
    assert cancelled.status_code == 200
    assert cancelled.json()["state"] == "cancelled"


@pytest.mark.django_db
def test_a_refusal_stays_one_for_its_key(day) -> None:
    actor = buyer("100")
    caller = program_of(actor)
    first = caller.post("orders/", day.curve(), **KEY)
    deposit(actor.organisation, "1000")

    again = caller.post("orders/", day.curve(), **KEY)
    fresh = caller.post("orders/", day.curve(), Idempotency_Key="order-2")

    assert (first.status_code, again.status_code, fresh.status_code) == (400, 400, 201)
    errors = [answer.json()["error"] for answer in (first, again)]
    assert errors[0].pop("request_id") != errors[1].pop("request_id")
    assert errors[0] == errors[1]
    assert errors[0]["params"]["missing_cny"] == "242.60"
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.django_db
def test_a_failure_of_ours_leaves_nothing_so_that_the_retry_is_a_first_try(
    day, monkeypatch
) -> None:
    caller = program_of(buyer())
    caller.client.raise_request_exception = False
    original = submission._insert_parts

    def fail(*args: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(submission, "_insert_parts", fail)
    failed = caller.post("orders/", day.curve(), **KEY)
    assert (failed.status_code, failed.json()["error"]["code"]) == (500, "internal_error")
    assert (_bids(), Hold.objects.count(), IdempotencyRecord.objects.count()) == (0, 0, 0)
    monkeypatch.setattr(submission, "_insert_parts", original)

    answer = caller.post("orders/", day.curve(), **KEY)

    assert answer.status_code == 201
    assert (_bids(), Hold.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 121, "线", "a\tb"])
def test_keys_that_are_not_one(day, key) -> None:
    answer = program_of(buyer()).post("orders/", day.curve(), Idempotency_Key=key)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "idempotency_key_malformed"
    assert _bids() == 0


@pytest.mark.django_db
def test_listings_and_their_moves_take_keys(day) -> None:
    listing = day.market.west_listing
    caller = program_of(day.market.west_seller)
    address = f"listings/{listing.public_id}/pause/"

    first, again = (caller.post(address, **KEY) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert AuditEvent.objects.filter(action="listing.paused").count() == 1
    body = {
        "pool": listing.pool.identifier,
        "name": "夜间闲置",
        "quantity": "10",
        "price_steps": [{"quantity": "10", "price": "5"}],
        "windows": [
            {
                "starts_at": "2026-12-01T00:00:00+08:00",
                "ends_at": "2026-12-02T00:00:00+08:00",
                "quantity": "10",
            }
        ],
    }
    created = [caller.post("listings/", body, **KEY) for _ in range(2)]
    assert [answer.status_code for answer in created] == [201, 201], created[0].content
    assert created[0].content == created[1].content
    assert Listing.objects.filter(name="夜间闲置").count() == 1


@pytest.mark.runtime_role
def test_parallel_requests_with_one_key_make_one_order() -> None:
    """S-10: same key in parallel: one 201, the others 409 or the same answer."""
    day = open_day()
    actor = buyer("10000")
    callers = [program_of(actor) for _ in range(6)]
    barrier = threading.Barrier(len(callers))
    answers: list[Any] = []

    def send(caller: Caller) -> None:
        barrier.wait()
        answers.append(caller.post("orders/", day.curve(), **KEY))
        close_old_connections()

    _in_parallel(send, callers)

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) >= 1
    assert set(statuses) <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert _bids() == 1
    held = 10000 - collateral_port().available_cny(organisation_id=actor.organisation.pk)
    assert str(held) == "342.60"


@pytest.mark.runtime_role
def test_parallel_requests_without_a_key_make_an_order_each() -> None:
    # The control: without the key nothing tells a retry from a second order.
    day = open_day()
    actor = buyer("10000")
    callers = [program_of(actor) for _ in range(3)]

    def send(caller: Caller) -> None:
        caller.post("orders/", day.curve())
        close_old_connections()

    _in_parallel(send, callers)

    assert _bids() == 3


def _in_parallel(work: Any, items: list[Any]) -> None:
    threads = [threading.Thread(target=_closing, args=(work, item)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def _closing(work: Any, item: Any) -> None:
    from django.db import connection  # noqa: PLC0415 - this thread's own

    try:
        work(item)
    finally:
        connection.close()
