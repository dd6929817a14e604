"""Races for the hours of one month's certificates, with real commits as the runtime role."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.db.models import Sum

from marketplace.domain.errors import RuleBroken
from settlement.models import GranularSlice, Retirement, UnitBatch
from settlement.services.registry import granular
from tests.concurrency.racing import PATIENCE_S, in_parallel
from tests.factories.instruments import PRODUCED, bundle
from tests.factories.registry import holder, issue, keeper, picture, registries
from tests.integration.settlement.serial_rules import broken_rules

pytestmark = pytest.mark.runtime_role
HOUR = timedelta(hours=1)


def _codes(results: list[object]) -> list[str]:
    assert not [result for result in results if isinstance(result, DatabaseError)]
    return [result.code for result in results if isinstance(result, RuleBroken)]


def test_the_same_hour_is_issued_once_however_many_ask() -> None:
    registries()
    owner, person = holder(), keeper()
    parent = issue(owner.organisation, 4)

    results = in_parallel(
        [lambda: bundle(parent, owner.organisation, 500_000, actor=person) for _ in range(6)],
        workers=6,
    )

    assert _codes(results) == ["GRANULAR_HOUR_ISSUED"] * 5
    assert UnitBatch.objects.filter(kind="granular").count() == 1
    assert broken_rules() == []


def test_hours_issued_at_once_stay_within_the_month() -> None:
    """INV-12: two connections at once never issue more than the parent holds."""
    registries()
    owner, person = holder(), keeper()
    parent = issue(owner.organisation, 2)

    results = in_parallel(
        [
            lambda number=number: bundle(
                parent,
                owner.organisation,
                900_000,
                actor=person,
                starts_at=PRODUCED + number * HOUR,
            )
            for number in range(6)
        ],
        workers=6,
    )

    assert _codes(results) == ["GRANULAR_EXCEEDS_PARENT"] * 4
    assert GranularSlice.objects.aggregate(wh=Sum("energy_wh"))["wh"] == 1_800_000
    assert broken_rules() == []


def test_without_the_services_locks_the_database_still_refuses(monkeypatch) -> None:
    """The negative control: with the locks off all pass the checks, and the trigger decides.

    The month is used up before, so that no retirement of its certificates decides in its stead.
    """
    registries()
    owner, person = holder(), keeper()
    parent = issue(owner.organisation, 2)
    bundle(parent, owner.organisation, 1_000_001, actor=person, starts_at=PRODUCED - HOUR)
    assert picture(parent) == [(1, 2, "retired", owner.organisation.code)]
    monkeypatch.setattr(granular, "lock_project_energy", lambda _project: None)
    monkeypatch.setattr(granular, "lock_unit_batches", lambda _batches: None)
    everybody_checked = threading.Barrier(4, timeout=PATIENCE_S)
    use_up = granular._use_up_parent

    def use_up_and_wait(*given) -> None:
        use_up(*given)
        everybody_checked.wait()

    monkeypatch.setattr(granular, "_use_up_parent", use_up_and_wait)

    results = in_parallel(
        [
            lambda number=number: bundle(
                parent,
                owner.organisation,
                900_000,
                actor=person,
                starts_at=PRODUCED + number * HOUR,
            )
            for number in range(4)
        ],
        workers=4,
    )

    refused = [result for result in results if isinstance(result, Exception)]
    assert [state_of(error) for error in refused] == ["23L12"] * 3
    assert GranularSlice.objects.aggregate(wh=Sum("energy_wh"))["wh"] == 1_900_001
    assert Retirement.objects.count() == 1
    assert broken_rules() == []


def state_of(error: Exception) -> str:
    """Return the state with which the database refused; a rule of the services has none."""
    return getattr(getattr(error.__cause__, "diag", None), "sqlstate", repr(error))
