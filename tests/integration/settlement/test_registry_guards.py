"""Each guarantee about units, broken on purpose by SQL as the role that serves."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.psycopg_any import NumericRange

from settlement.models import (
    ClaimAllocation,
    Retirement,
    RetirementLine,
    SerialRange,
    UnitBatch,
    UnitMovement,
    UnitMovementLine,
)
from settlement.services.registry.holdings import retire_units
from tests.factories.registry import MONTH, block, holder, issue, picture, registries

pytestmark = pytest.mark.runtime_role


@pytest.fixture
def stage(transactional_db: None):
    """A holder with 100 credits and 10 certificates, 40 and 2 of them retired."""
    registries()
    actor = holder()
    credits_, certificates = (
        issue(actor.organisation, units, registry=code)
        for units, code in ((100, "CCER"), (10, "GEC"))
    )
    for batch, units in ((credits_, 40), (certificates, 2)):
        retire_units(
            actor=actor,
            ranges=[block(batch, 1, units)],
            beneficiary="示例受益人",
            purpose="voluntary",
            claim_month=MONTH,
        )
    return actor, credits_, certificates


def _line(batch: UnitBatch, first: int, last: int, movement: UnitMovement, **changes: object):
    return UnitMovementLine.objects.create(
        **{
            "movement": movement,
            "line": UnitMovementLine.objects.filter(movement=movement).count() + 1,
            "batch": batch,
            "serials": NumericRange(first, last + 1),
            "from_state": "held",
            "to_state": "retired",
            "from_organisation": batch.issued_to,
            "to_organisation": batch.issued_to,
            **changes,
        }
    )


def _sqlstate(caught: pytest.ExceptionInfo[DatabaseError]) -> str:
    return caught.value.__cause__.diag.sqlstate


def test_what_guards_units(stage) -> None:
    """One stage for all of them: making it takes most of the time."""
    actor, credits_, certificates = stage
    before = picture(credits_), picture(certificates)
    retired = UnitMovement.objects.filter(kind="retire", registry=credits_.registry).get()
    line = RetirementLine.objects.get(batch=certificates)
    stranger = holder().organisation

    def no_rights() -> None:
        SerialRange.objects.filter(batch=credits_).update(state="held")

    def no_insert() -> None:
        SerialRange.objects.create(
            batch=credits_,
            serials=NumericRange(500, 501),
            organisation=actor.organisation,
            state="held",
        )

    def no_delete() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM settlement_serialrange")

    def history_is_kept() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE settlement_retirement SET units = 1")

    attempts = {
        "42501": [no_rights, no_insert, no_delete, history_is_kept],
        # A step that the table of states does not know, for the kind of the movement.
        "23R01": [lambda: _line(credits_, 41, 41, retired, to_state="cancelled")],
        # Serials of another registry's batch, and beyond the batch.
        "23R02": [
            lambda: _line(certificates, 5, 5, retired),
            lambda: _line(credits_, 100, 101, retired),
        ],
        # Retired before, and held by somebody else.
        "23R03": [
            lambda: _line(credits_, 40, 41, retired),
            lambda: _line(
                credits_, 50, 50, retired, from_organisation=stranger, to_organisation=stranger
            ),
        ],
        # A retirement after the last day.
        "23R04": [
            lambda: _line(
                certificates,
                5,
                5,
                UnitMovement.objects.create(
                    kind="retire",
                    registry=certificates.registry,
                    effective_on=date(2040, 1, 1),
                    source_type="test",
                    source_id="1",
                    idempotency_key="late",
                    entry_id=999_999_999,
                ),
            )
        ],
        # A batch without its ranges.
        "23R06": [
            lambda: UnitBatch.objects.create(
                kind="credit",
                registry=credits_.registry,
                programme=credits_.programme,
                project=credits_.project,
                issuance_id="X",
                vintage_year=2026,
                starts_on=MONTH,
                ends_on=MONTH,
                serials=NumericRange(1, 9),
                serial_prefix="X",
                issued_to=actor.organisation,
                issued_on=MONTH,
            )
        ],
        # More energy than two certificates carry.
        "23R08": [
            lambda: ClaimAllocation.objects.create(
                line=line,
                subject_type="t",
                subject_id="1",
                claim_month=MONTH,
                energy_wh=2_000_001,
            )
        ],
        # A line of a second retirement with the same serials.
        "23P01": [
            lambda: RetirementLine.objects.create(
                retirement=Retirement.objects.exclude(pk=line.retirement_id).get(),
                line=9,
                batch=certificates,
                serials=NumericRange(2, 3),
                units=1,
            )
        ],
    }

    for sqlstate, breaking in attempts.items():
        for attempt in breaking:
            with pytest.raises(DatabaseError) as caught, transaction.atomic():
                attempt()
            assert _sqlstate(caught) == sqlstate

    assert (picture(credits_), picture(certificates)) == before
