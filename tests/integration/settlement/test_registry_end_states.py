"""End states are kept by triggers even from the owner of the tables."""

import pytest
from django.db import DatabaseError, connection, transaction

from settlement.services.registry.holdings import retire_units
from tests.factories.registry import MONTH, block, holder, issue, picture, registries
from tests.integration.settlement.serial_rules import broken_rules

pytestmark = pytest.mark.django_db


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement_serialrange SET state = 'held' WHERE state = 'retired'",
        "UPDATE settlement_serialrange SET organisation_id = {other} WHERE state = 'retired'",
        "DELETE FROM settlement_serialrange",
        "UPDATE settlement_serialrange SET serials = int8range(1, 20) WHERE state = 'retired'",
        "UPDATE settlement_unitmovementline SET to_state = 'held'",
        "DELETE FROM settlement_retirementline",
        "UPDATE settlement_unitbatch SET vintage_year = 1",
        "TRUNCATE settlement_serialrange",
    ],
)
def test_nobody_takes_a_retired_serial_back(statement: str) -> None:
    """INV-04: no move leaves an end state, not even by the owner of the tables."""
    registries()
    actor, other = holder(), holder()
    batch = issue(actor.organisation, 100, registry="CCER")
    retire_units(
        actor=actor,
        ranges=[block(batch, 1, 40)],
        beneficiary="示例受益人",
        purpose="voluntary",
        claim_month=MONTH,
    )

    with pytest.raises(DatabaseError), transaction.atomic():
        _run(statement.format(other=other.organisation.pk), "SET CONSTRAINTS ALL IMMEDIATE")

    assert picture(batch)[0][:3] == (1, 40, "retired")


def test_the_sweep_finds_serials_that_were_moved_past_the_triggers() -> None:
    registries()
    actor, other = holder(), holder()
    batch = issue(actor.organisation, 100, registry="CCER")
    assert broken_rules() == []

    _run(
        "SET CONSTRAINTS ALL IMMEDIATE",
        "ALTER TABLE settlement_serialrange DISABLE TRIGGER USER",
        f"UPDATE settlement_serialrange SET organisation_id = {other.organisation.pk}"
        f" WHERE batch_id = {batch.pk}",
    )

    assert [finding.split()[0] for finding in broken_rules()] == ["INV-01", "INV-02"]
