"""The negative control: without the lock of the caps the race is lost, so its test would notice."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection

from settlement.models import CapUsage
from tests.concurrency.racing import in_parallel
from tests.concurrency.settlement.test_recognition_races import _need
from tests.factories.ledger import make_member
from tests.factories.recognition import Region, issue, terms

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unguarded() -> Iterator[None]:
    """Take the row locks out of the function and the check off the table; put both back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_functiondef('recognition_lock_caps'::regproc),"
            " (SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            "   WHERE conname = 'cap_not_exceeded')"
        )
        function, check = cursor.fetchone()
        open_function = function.replace("FOR NO KEY UPDATE;", "; PERFORM pg_sleep(0.3);")
        assert open_function != function
        cursor.execute(open_function)
        cursor.execute("ALTER TABLE settlement_capusage DROP CONSTRAINT cap_not_exceeded")
    yield
    CapUsage.objects.update(cap_t=None)
    with connection.cursor() as cursor:
        cursor.execute(function)
        cursor.execute(f"ALTER TABLE settlement_capusage ADD CONSTRAINT cap_not_exceeded {check}")


@pytest.mark.usefixtures("unguarded")
def test_without_lock_and_check_more_is_recognised_than_the_cap():
    region = Region()
    region.agree("AGR-P", "PHCER", terms(absolute_cap_t=Decimal(15)))
    calls = []
    # The counters must be there already: making them waits for whoever makes them first.
    for _ in range(4):
        centre = region.join(make_member())
        issue(centre, "PHCER", vintage=2023, first=1, last=20)
        calls.append(_need(region, centre, "10"))
    calls_before = calls.pop()
    calls_before()

    in_parallel(calls, workers=3)

    assert CapUsage.objects.get(organisation=None).used_t > 15
