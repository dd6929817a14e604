"""The negative control: without lock and check the race is lost, so its test would notice."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection

from orders.ports.collateral import InsufficientCollateral
from settlement.models import AccountBalance, Hold
from settlement.services.collateral import LedgerCollateral
from settlement.services.invariants import broken_invariants
from tests.concurrency.settlement.threads import WORKERS, run_at_once
from tests.factories.ledger import make_member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unguarded() -> Iterator[None]:
    """Take the row lock out of the function and the check off the table; put both back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_functiondef('ledger_place_hold'::regproc),"
            " (SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            "   WHERE conname = 'available_not_negative')"
        )
        function, check = cursor.fetchone()
        slow = function.replace("FOR NO KEY UPDATE;", "; PERFORM pg_sleep(0.2);", 1)
        assert slow != function
        cursor.execute(slow)
        cursor.execute(
            "ALTER TABLE settlement_accountbalance DROP CONSTRAINT available_not_negative"
        )
    yield
    AccountBalance.objects.update(credit=1_000_000)
    with connection.cursor() as cursor:
        cursor.execute(function)
        cursor.execute(
            f"ALTER TABLE settlement_accountbalance ADD CONSTRAINT available_not_negative {check}"
        )


@pytest.mark.usefixtures("unguarded")
def test_without_lock_and_check_more_is_held_than_there_is() -> None:
    member = make_member(funds="79.99")

    results = run_at_once(
        lambda n: LedgerCollateral().place_hold(
            organisation_id=member.pk,
            amount_cny=Decimal(10),
            source_type="order",
            source_id=str(n),
        ),
        WORKERS,
    )

    assert not any(isinstance(r, InsufficientCollateral) for r in results)
    assert Hold.objects.count() == WORKERS
    assert [finding["code"] for finding in broken_invariants()] == ["I-05"]
