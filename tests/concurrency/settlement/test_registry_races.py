"""Races for the same serials, with real commits as the runtime role (S-31)."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from marketplace.domain.errors import RuleBroken
from settlement.models import Retirement, SerialRange, UnitMovement
from settlement.services.registry.exclusivity import register_ccer_project
from settlement.services.registry.holdings import reserve_units, retire_units, transfer_units
from tests.concurrency.racing import in_parallel
from tests.factories.registry import (
    MONTH,
    NOW,
    allocate,
    block,
    holder,
    is_too_much_energy,
    issue,
    keeper,
    make_project,
    picture,
    registries,
)
from tests.integration.settlement.serial_rules import broken_rules

pytestmark = pytest.mark.runtime_role
REFUSALS = {"SERIAL_ALREADY_RETIRED", "INSUFFICIENT_HELD", "NOT_OWNER", "CERTIFICATE_FROZEN"}


def _retire(actor, *ranges):
    return lambda: retire_units(
        actor=actor,
        ranges=list(ranges),
        beneficiary="示例受益人",
        purpose="voluntary",
        claim_month=MONTH,
    )


def _codes(results: list[object]) -> list[str]:
    assert not [result for result in results if isinstance(result, DatabaseError)]
    return [result.code for result in results if isinstance(result, RuleBroken)]


def test_a_serial_is_retired_once_however_many_ask() -> None:
    """INV-03, S-31: retired once, however many ask at once."""
    registries()
    actor = holder()
    batch = issue(actor.organisation, 100)

    results = in_parallel([_retire(actor, block(batch, 10, 60)) for _ in range(10)], workers=10)

    assert _codes(results) == ["SERIAL_ALREADY_RETIRED"] * 9
    assert Retirement.objects.count() == 1
    assert broken_rules() == []


def test_retiring_moving_and_reserving_the_same_units_leave_one_outcome_each() -> None:
    registries()
    actor, buyer = holder(), holder()
    batch = issue(actor.organisation, 100, registry="CCER")
    other = issue(actor.organisation, 100, registry="CCER")

    def move(part):
        return lambda: transfer_units(
            actor=actor, ranges=[part], to_organisation=buyer.organisation
        )

    def reserve(part, number):
        return lambda: reserve_units(
            actor=actor,
            ranges=[part],
            expires_at=NOW + timedelta(hours=1),
            source_type="race",
            source_id=str(number),
        )

    tasks = []
    for number in range(8):
        part = block(batch, number * 10 + 1, number * 10 + 15)
        # Batches in either order: locks are taken in id order, so nobody waits in a circle.
        pair = [part, block(other, number * 10 + 1, number * 10 + 15)]
        pair = pair[:: 1 if number % 2 else -1]
        tasks += [_retire(actor, *pair), move(part), reserve(part, number)]
    results = in_parallel(tasks, workers=12)

    assert set(_codes(results)) <= REFUSALS
    done = [result for result in results if not isinstance(result, Exception)]
    assert UnitMovement.objects.exclude(kind="issue").count() == len(done) > 0
    assert broken_rules() == []


def test_a_certificate_is_sold_or_frozen_but_never_both() -> None:
    """INV-13: sold or frozen at once, never both."""
    registries()
    actor, buyer, person = holder(), holder(), keeper()
    project = make_project()
    batch = issue(actor.organisation, 100, project=project)

    tasks = [
        lambda first=first: transfer_units(
            actor=actor,
            ranges=[block(batch, first, first + 9)],
            to_organisation=buyer.organisation,
        )
        for first in range(1, 100, 10)
    ]
    tasks.insert(
        5,
        lambda: register_ccer_project(
            actor=person,
            project_id=project.public_id,
            first_day=MONTH.replace(month=1),
            last_day=MONTH.replace(month=12, day=31),
        ),
    )
    results = in_parallel(tasks, workers=11)

    assert set(_codes(results)) <= {"CERTIFICATE_FROZEN"}
    sold = sum(row.units for row in SerialRange.objects.filter(organisation=buyer.organisation))
    frozen = sum(last - first + 1 for first, last, state, _ in picture(batch) if state == "frozen")
    assert sold + frozen == 100
    assert broken_rules() == []


def test_the_energy_of_a_certificate_is_given_away_once() -> None:
    registries()
    actor = holder()
    line = _retire(actor, block(issue(actor.organisation, 1)))().lines.get()

    results = in_parallel(
        [lambda n=n: allocate(line, str(n), 300_000) for n in range(8)],
        workers=8,
    )

    assert sum(map(is_too_much_energy, results)) == 5
    assert broken_rules() == []


def test_one_key_makes_one_retirement_even_at_once() -> None:
    registries()
    actor = holder()
    batch = issue(actor.organisation, 50)

    results = in_parallel(
        [
            lambda: retire_units(
                actor=actor,
                ranges=[block(batch, 1, 5)],
                beneficiary="示例受益人",
                purpose="voluntary",
                claim_month=MONTH,
                idempotency_key="once",
            )
            for _ in range(6)
        ],
        workers=6,
    )

    assert len({retirement.pk for retirement in results}) == 1
    assert broken_rules() == []
