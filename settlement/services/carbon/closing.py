"""Closes carbon statements: certificates are allocated for good, what is left of them lapses."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.periods import month_window
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from settlement.domain.carbon.errors import StatementClosed
from settlement.domain.registry.granular import hour_of
from settlement.models import (
    BatchKind,
    ClaimAllocation,
    EmissionStatement,
    MatchingSlot,
    RetirementLine,
    StatementClosing,
    StatementSubject,
)
from settlement.selectors.carbon.statements import load_by_hour
from settlement.services.carbon.certificates import allocation_key
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.locks import lock_carbon


class MonthNotOver(RuleBroken):
    """The month still runs, so its statement stays open."""

    code = "month_not_over"
    message = gettext_noop("The month is not over yet.")
    status = 409


@transaction.atomic
def close_statement(*, actor: Actor, public_id: UUID) -> EmissionStatement:
    """Close the current version of a month that is over.

    Raises:
        NotFound: there is no such statement, or it belongs to somebody else.
        NotPermitted: the actor may not close it.
        MonthNotOver: the month still runs.
        StatementClosed: it is closed or superseded already.
    """
    statement = find_statement(actor=actor, public_id=public_id)
    lock_carbon(statement.organisation_id)
    check_open(statement)
    if market_now() < month_window(statement.month).ends_at:
        raise MonthNotOver
    subject = subject_of(statement)
    if subject.kind != StatementSubject.ORDER:
        _allocate(statement, subject)
    StatementClosing.objects.create(statement=statement, closed_by=actor.user)
    record_audit(
        action="carbon_statement.closed",
        subject=statement,
        actor=actor.user,
        organisation=statement.organisation,
        after={"version": statement.version, "sha256": statement.sha256},
    )
    return statement


def check_open(statement: EmissionStatement) -> None:
    """Refuse a statement that takes no more certificates and no recognition.

    Raises:
        StatementClosed: it is closed, or a newer version superseded it.
    """
    is_closed = StatementClosing.objects.filter(statement=statement).exists()
    if is_closed or EmissionStatement.objects.filter(supersedes=statement).exists():
        raise StatementClosed(statement=str(statement.public_id), version=statement.version)


def find_statement(*, actor: Actor, public_id: UUID) -> EmissionStatement:
    """Return a statement that the actor may change.

    Raises:
        NotFound: there is none, or it belongs to somebody else.
        NotPermitted: the actor's roles do not suffice.
    """
    found = EmissionStatement.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    if actor.is_operator or actor.is_platform_finance:
        return found
    if actor.organisation is None or found.organisation_id != actor.organisation.pk:
        raise NotFound
    if not actor.can_see_own_money:
        raise NotPermitted
    return found


def subject_of(statement: EmissionStatement) -> SubjectKey:
    """Return the subject of a statement."""
    return SubjectKey(
        StatementSubject(statement.subject),
        statement.organisation,
        order=statement.order,
        pool=statement.pool,
    )


def _allocate(statement: EmissionStatement, subject: SubjectKey) -> None:
    """Write down which retired certificates cover the matched energy, oldest first (R15).

    By the hour, granular certificates come first and cover no more than the load of their hour. A
    corrected version adds to what closed versions allocated and is still valid: their lines and
    their part of each hour are taken.
    """
    key = allocation_key(subject, statement.month)
    stated = {
        (row["retirement"], row["line"]): row["available_wh"]
        for row in json.loads(statement.inputs)["matching"]["certificates"]
    }
    kept = _kept(key, stated)
    lines = RetirementLine.objects.filter(retirement__number__in={name for name, _ in stated})
    lines = lines.exclude(pk__in=[line.pk for line in kept])
    lines = lines.annotate(spent=Coalesce(Sum("allocations__energy_wh"), 0))
    left = statement.certified_wh - sum(kept.values())
    by_hour = _open_hours(statement, kept) if statement.slot == MatchingSlot.HOUR else None
    made = []
    for line in _in_order(lines, is_hourly=by_hour is not None):
        available = stated.get((line.retirement.number, line.line), 0)
        energy = min(left, available, line.units * line.batch.wh_per_unit - line.spent)
        if by_hour is not None and line.batch.kind == BatchKind.GRANULAR:
            hour = _hour_of(line)
            energy = min(energy, by_hour.get(hour, 0))
            by_hour[hour] = by_hour.get(hour, 0) - energy
        if energy > 0:
            made.append(ClaimAllocation(line=line, energy_wh=energy, **key))
            left -= energy
    ClaimAllocation.objects.bulk_create(made)


def _in_order(lines: QuerySet[Any], *, is_hourly: bool) -> list[Any]:
    """Return retirement lines with what was spent of them."""
    rows = lines.select_related("retirement", "batch__bundle")
    ordered = list(rows.order_by("batch__starts_on", "serials", "pk"))
    if is_hourly:
        ordered.sort(key=lambda line: line.batch.kind != BatchKind.GRANULAR)
    return ordered


def _kept(key: dict[str, Any], stated: Mapping[tuple[str, int], int]) -> dict[RetirementLine, int]:
    """Return the lines of closed versions with what is still valid of their energy."""
    rows = ClaimAllocation.objects.filter(**key)
    return {
        row.line: min(row.energy_wh, stated.get((row.line.retirement.number, row.line.line), 0))
        for row in rows.select_related("line__retirement", "line__batch__bundle")
    }


def _open_hours(statement: EmissionStatement, kept: Mapping[RetirementLine, int]) -> dict[int, int]:
    """Return what granular certificates may still cover of each hour's load.

    Only buyers match by the hour, and they have no supply of their own that covered load before.
    """
    load = load_by_hour(statement)
    for line, energy_wh in kept.items():
        if line.batch.kind == BatchKind.GRANULAR:
            hour = _hour_of(line)
            load[hour] = max(0, load.get(hour, 0) - energy_wh)
    return load


def _hour_of(line: RetirementLine) -> int:
    """Return the start of the hour of a granular certificate, seconds since 1970."""
    return int(hour_of(line.batch.bundle.starts_at).timestamp())
