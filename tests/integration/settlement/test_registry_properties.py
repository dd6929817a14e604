"""Whatever members ask for in whatever order: INV-01 to 04, 12 to 14 and 18 on PostgreSQL."""

import contextlib
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.domain.errors import RuleBroken
from settlement.domain.registry.blocks import UnitBlock
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import Programme, Project, Reservation, RetirementLine
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.registry.disputes import lock_units, unlock_units
from settlement.services.registry.exclusivity import CcerIssue, issue_ccer, register_ccer_project
from settlement.services.registry.expiring import expire_units
from settlement.services.registry.holdings import (
    release_reservation,
    reserve_units,
    retire_units,
    transfer_units,
)
from settlement.services.registry.invalidation import invalidate_units
from tests.factories.registry import (
    MONTH,
    NOW,
    allocate,
    holder,
    is_too_much_energy,
    issue,
    keeper,
    make_project,
    registries,
)
from tests.factories.settlement import move_clock
from tests.integration.settlement.serial_rules import broken_rules

UNITS = 12
MONTHS_LATER = (0, 0, 0, 8, 30)


class Stage:
    """Two members, two batches of certificates of one project, one of credits, a keeper."""

    def __init__(self) -> None:
        self.now = NOW
        registries(self.now)
        self.people = [holder(), holder()]
        self.keeper = keeper()
        self.project = make_project()
        owner = self.people[0].organisation
        self.batches = [
            issue(owner, UNITS, project=self.project, metered_mwh=2 * UNITS),
            issue(owner, UNITS, project=self.project, metered_mwh=2 * UNITS),
            issue(owner, UNITS, registry="CCER"),
        ]
        self.count = 0

    def blocks(self, batch: int, first: int, size: int) -> list[UnitBlock]:
        """Return serials of a batch, some of them beyond its end."""
        return [UnitBlock(self.batches[batch].pk, first, first + size)]

    def act(self, name: str, who: int, batch: int, first: int, size: int) -> None:
        """Do what is asked; the refusal of a rule is as good as an outcome."""
        self.count += 1
        with contextlib.suppress(RuleBroken), transaction.atomic():
            getattr(self, name)(self.people[who], self.blocks(batch, first, size), size)

    def transfer(self, actor, ranges, _size) -> None:
        other = self.people[1 - self.people.index(actor)].organisation
        transfer_units(actor=actor, ranges=ranges, to_organisation=other)

    def retire(self, actor, ranges, _size) -> None:
        retire_units(
            actor=actor,
            ranges=ranges,
            beneficiary=actor.organisation,
            purpose="voluntary",
            claim_month=MONTH,
        )

    def reserve(self, actor, ranges, _size) -> None:
        reserve_units(
            actor=actor,
            ranges=ranges,
            expires_at=self.now + timedelta(days=1),
            source_type="p",
            source_id=str(self.count),
        )

    def release(self, actor, _ranges, _size) -> None:
        found = Reservation.objects.filter(state="open", organisation=actor.organisation).first()
        if found is not None:
            release_reservation(actor=actor, reservation=found)

    def lock(self, actor, ranges, _size) -> None:
        lock_units(actor=self.keeper, ranges=ranges, holder=actor.organisation, reason="p")

    def unlock(self, actor, ranges, _size) -> None:
        unlock_units(actor=self.keeper, ranges=ranges, holder=actor.organisation, reason="p")

    def invalidate(self, _actor, ranges, _size) -> None:
        invalidate_units(actor=self.keeper, ranges=ranges, reason="p")

    def register(self, _actor, _ranges, _size) -> None:
        register_ccer_project(
            actor=self.keeper,
            project_id=self.project.public_id,
            first_day=MONTH,
            last_day=MONTH.replace(day=31),
        )

    def credit(self, actor, _ranges, size) -> None:
        issue_ccer(
            actor=self.keeper,
            project_id=self.project.public_id,
            issue=CcerIssue(
                programme=Programme.objects.get(registry__code="CCER", code="OFFSHORE-WIND"),
                issuance_id=f"C-{self.count}",
                run=SerialRun(f"C{self.count}-", "", 3, 1, 3),
                mwh_by_month={MONTH: 4 + size},
                baseline_factor=Decimal(3) / (4 + size),
                issued_on=MONTH,
            ),
            holder=actor.organisation,
        )

    def issue_more(self, actor, _ranges, size) -> None:
        fresh = Project.objects.get(pk=self.project.pk)
        issue(actor.organisation, size + 1, project=fresh, metered_mwh=2 * UNITS)

    def allocate(self, _actor, _ranges, size) -> None:
        line = RetirementLine.objects.order_by("?").first()
        if line is not None:
            try:
                allocate(line, str(self.count), 400_000 * (size + 1))
            except IntegrityError as error:
                if not is_too_much_energy(error):
                    raise

    def pass_time(self, _actor, _ranges, size) -> None:
        self.now += timedelta(days=30 * MONTHS_LATER[size % len(MONTHS_LATER)])
        move_clock(self.now)
        expire_units(self.now)


ACTS = [name for name in vars(Stage) if not name.startswith("_") and name not in ("blocks", "act")]
acts = st.tuples(
    # Moves are asked for more often than what ends the life of everything.
    st.sampled_from([*ACTS, "transfer", "transfer", "retire", "reserve", "lock"]),
    st.integers(0, 1),
    st.integers(0, 2),
    st.integers(1, UNITS),
    st.integers(0, 5),
)


def _play(story: list[tuple[str, int, int, int, int]]) -> None:
    with transaction.atomic():
        stage = Stage()
        for step in story:
            stage.act(*step)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            assert broken_rules() == [], step
        rows = trial_balance(NOW.date().replace(day=1), stage.now.date() + timedelta(days=1))
        assert set(differences_by_asset(rows).values()) == {Decimal(0)}
        transaction.set_rollback(True)


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@pytest.mark.django_db
@settings(max_examples=8, **QUIET)
@given(st.lists(acts, min_size=8, max_size=15))
def test_no_order_of_requests_breaks_a_rule_of_serials(story) -> None:
    """INV-01, INV-02, INV-03, INV-04, INV-12, INV-13, INV-14, INV-18: any story."""
    _play(story)


@pytest.mark.fuller
@pytest.mark.django_db
@settings(max_examples=150, **QUIET)
@given(st.lists(acts, min_size=10, max_size=40))
def test_no_long_order_of_requests_breaks_a_rule_of_serials(story) -> None:
    _play(story)
