"""Races for caps, statements, retirements and cycles, with real commits as the runtime role."""

from decimal import Decimal
from itertools import count

import pytest
from django.db import DatabaseError

from marketplace.domain.errors import RuleBroken
from settlement.domain.carbon.errors import AlreadyRecognised, CapExceeded
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import (
    CapUsage,
    JournalEntry,
    NettingState,
    Recognition,
    RecognitionEvent,
)
from settlement.services.recognition.netting import settle_cycle
from settlement.services.recognition.recognising import recognise, recognise_retirement
from settlement.services.registry.holdings import retire_units
from tests.concurrency.racing import in_parallel
from tests.factories.ledger import make_member
from tests.factories.marketplace import member
from tests.factories.recognition import MONTH, Region, issue, state, terms
from tests.integration.settlement.recognition.test_netting import computed

pytestmark = pytest.mark.runtime_role
_keys = count(1)


def _need(region, organisation, tonnes):
    """Return a call that recognises for a statement of the organisation."""
    actor, statement = member(organisation), state(organisation, tonnes)
    key = f"race-{next(_keys)}"
    return lambda: recognise(
        actor=actor, statement_public_id=statement.public_id, idempotency_key=key
    )


def test_of_many_parties_racing_for_a_cap_none_goes_beyond_it():
    """INV-05: the cap holds under concurrent requests."""
    region = Region()
    region.agree("AGR-P", "PHCER", terms(absolute_cap_t=Decimal("25.5")))
    calls = []
    for _ in range(6):
        centre = region.join(make_member())
        issue(centre, "PHCER", vintage=2023, first=1, last=10)
        calls.append(_need(region, centre, "10"))

    results = in_parallel(calls, workers=6)

    common = CapUsage.objects.get(organisation=None)
    assert common.used_t == 25
    assert sum(row.usage_t for row in RecognitionEvent.objects.all()) == 25
    assert sum(isinstance(result, Recognition) for result in results) == 3
    assert all(
        isinstance(result, CapExceeded) for result in results if not isinstance(result, Recognition)
    )


def test_a_statement_asked_for_by_many_at_once_is_covered_once():
    region = Region()
    region.agree("AGR-P", "PHCER")
    issue(region.centre, "PHCER", vintage=2023, first=1, last=100)
    statement, actor = state(region.centre, "7"), region.person

    results = in_parallel(
        [
            lambda key=key: recognise(
                actor=actor, statement_public_id=statement.public_id, idempotency_key=str(key)
            )
            for key in range(6)
        ],
        workers=6,
    )

    assert sum(isinstance(result, Recognition) for result in results) == 1
    assert sum(row.credits for row in RecognitionEvent.objects.all()) == 7
    assert {r.code for r in results if isinstance(r, RuleBroken)} == {"nothing_needed"}


def test_a_retirement_is_recognised_once_however_many_ask():
    """INV-03: recognised once, however many ask at once."""
    region = Region()
    region.agree("AGR-P", "PHCER")
    batch = issue(region.centre, "PHCER", vintage=2023, first=1, last=10)
    statement, actor = state(region.centre, "100"), region.person
    retirement = retire_units(
        actor=actor,
        ranges=[UnitBlock(batch.pk, 1, 10)],
        beneficiary=region.centre,
        purpose="recognition",
        claim_month=MONTH,
    )

    results = in_parallel(
        [
            lambda key=key: recognise_retirement(
                actor=actor,
                statement_public_id=statement.public_id,
                retirement_public_id=retirement.public_id,
                idempotency_key=f"r{key}",
            )
            for key in range(6)
        ],
        workers=6,
    )

    assert sum(isinstance(result, Recognition) for result in results) == 1
    assert sum(isinstance(result, AlreadyRecognised) for result in results) == 5


def test_a_cycle_settled_by_many_at_once_is_settled_once():
    region = Region()
    for code in "AB":
        issue(make_member(code=code, funds="1000"), "CCER", vintage=2024, first=1, last=20)
    cycle = computed(region, [("A", "B", "2.5")])

    results = in_parallel(
        [lambda: settle_cycle(actor=region.second, cycle_public_id=cycle.public_id)] * 5, workers=5
    )

    assert {result.state for result in results} == {NettingState.SETTLED}
    assert JournalEntry.objects.filter(kind="netting_cash").count() == 1


def test_the_runtime_role_counts_no_cap_by_hand():
    region = Region()
    version = region.agree("AGR-P", "PHCER")

    with pytest.raises(DatabaseError):
        CapUsage.objects.create(agreement=version.agreement, period="2026", used_t=0)
    with pytest.raises(DatabaseError):
        CapUsage.objects.update(used_t=0)
    with pytest.raises(DatabaseError):
        RecognitionEvent.objects.all().delete()
