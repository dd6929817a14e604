"""Thousands of random business operations, one after the other and many at once, break no rule."""

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from settlement.models import BookPeriod, HoldEvent, JournalEntry, PeriodState
from settlement.services.chain import seal_blocks
from settlement.services.invariants import broken_invariants
from tests.concurrency.racing import in_parallel
from tests.integration.settlement.ledger_machine import OPERATIONS, Business

pytestmark = pytest.mark.runtime_role
_DICE = st.integers(min_value=0, max_value=2**32 - 1).map(Random)


class LedgerMachine(RuleBasedStateMachine):
    """Any order of operations on a business of its own; the books are shared and grow."""

    @initialize()
    def open_business(self) -> None:
        """Let four members with money meet."""
        self.business = Business.opened()

    def teardown(self) -> None:
        """After every story the sweep is clean, the sealed chain included."""
        seal_blocks()
        assert broken_invariants() == []


def _add_rule(name: str) -> None:
    def operate(self: LedgerMachine, dice: Random) -> None:
        self.business.run(dice, name)

    operate.__name__ = name.replace(" ", "_")
    setattr(LedgerMachine, operate.__name__, rule(dice=_DICE)(operate))


for _name in OPERATIONS:
    _add_rule(_name)


def _play(*, stories: int, steps: int) -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=stories,
            stateful_step_count=steps,
            # The books of one story are there in the next: a shrunk story would not be the same.
            phases=[Phase.generate],
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_hundreds_of_random_operations_leave_the_sweep_clean() -> None:
    _play(stories=3, steps=100)

    assert JournalEntry.objects.count() > 20


@pytest.mark.fuller
@pytest.mark.timeout(3600)
def test_ten_thousand_random_operations_leave_the_sweep_clean() -> None:
    _play(stories=25, steps=400)

    assert JournalEntry.objects.count() > 1_000


def _race(*, operations: int, clients: int) -> Business:
    business = Business.opened()
    dice = [Random(number) for number in range(operations)]
    results = in_parallel([lambda d=d: business.run(d) for d in dice], workers=clients)
    assert [repr(result) for result in results if result is not None] == []
    seal_blocks()
    assert broken_invariants() == []
    return business


def test_random_operations_of_eight_clients_at_once_leave_the_sweep_clean() -> None:
    business = _race(operations=200, clients=8)

    assert sum(business.outcomes.values()) == 200


@pytest.mark.fuller
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("clients", [4, 16])
def test_thousands_of_operations_at_once_leave_the_sweep_clean(clients: int) -> None:
    business = _race(operations=2_500, clients=clients)

    done = {name.partition(":")[0] for name in business.outcomes if name.endswith("done")}
    assert done == set(OPERATIONS)
    assert HoldEvent.objects.exists()
    assert BookPeriod.objects.exclude(state=PeriodState.OPEN).exists()
