"""Recognitions and netting cycles that a reader may see: one's own, or all for the platform."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from marketplace.domain.decimals import add_exactly
from marketplace.models import Organisation
from marketplace.permissions import Actor
from settlement.models import (
    CashAdjustment,
    EmissionStatement,
    NetPosition,
    NettingComputation,
    NettingCycle,
    Obligation,
    Recognition,
    RecognitionEvent,
)
from settlement.selectors.recognition.needs import (
    applied_before,
    closed_among,
    is_closed,
    subject_key_of,
)


@dataclass(frozen=True)
class CoveredStatement:
    """A statement with what recognition did for it; its own figures never change."""

    statement: EmissionStatement
    applied_t: Decimal
    is_closed: bool

    @property
    def residual_t(self) -> Decimal:
        """Market-based tonnes that nothing covers yet."""
        return max(Decimal(0), add_exactly([self.statement.market_based_t, -self.applied_t]))


@dataclass(frozen=True)
class PositionRow:
    """A party of a computation with its cash."""

    position: NetPosition
    cash_cny: Decimal


def sees_all(actor: Actor) -> bool:
    """Tell whether the actor reads every member's recognitions and cycles."""
    return actor.is_platform_finance or actor.is_platform_auditor or actor.is_operator


def recognitions_for(actor: Actor) -> QuerySet[Recognition]:
    """Return the recognitions that the actor may see, newest first."""
    rows = Recognition.objects.select_related("organisation", "scheme", "statement")
    rows = rows.defer("statement__inputs")
    if not sees_all(actor):
        rows = rows.filter(organisation=actor.organisation)
    return rows.order_by("-id")


def events_of(recognition: Recognition) -> list[RecognitionEvent]:
    """Return the events of a recognition with agreement, batch and retirement."""
    return list(
        recognition.events.select_related(
            "version__agreement",
            "retirement_line__retirement",
            "retirement_line__batch__registry",
            "retirement_line__batch__project",
        ).order_by("version__priority", "id")
    )


def events_between(actor: Actor, since: date, until: date) -> QuerySet[RecognitionEvent]:
    """Return events recognised between two market dates, both included, in order."""
    rows = RecognitionEvent.objects.filter(recognition__recognised_on__range=(since, until))
    if not sees_all(actor):
        rows = rows.filter(organisation=actor.organisation)
    return rows.select_related(
        "recognition__statement",
        "recognition__scheme",
        "organisation",
        "version__agreement",
        "retirement_line__retirement",
        "retirement_line__batch__registry",
        "retirement_line__batch__programme",
    ).order_by("id")


def cycles_for(actor: Actor) -> QuerySet[NettingCycle]:
    """Return the netting cycles that the actor may see: those of its organisation, or all."""
    rows = NettingCycle.objects.select_related("registry")
    if not sees_all(actor):
        mine = Q(payer=actor.organisation) | Q(payee=actor.organisation)
        rows = rows.filter(pk__in=Obligation.objects.filter(mine).values("cycle"))
    return rows.order_by("-id")


def obligations_for(actor: Actor, cycle: NettingCycle) -> list[Obligation]:
    """Return a cycle's obligations that the actor may see: a member its own only."""
    rows = cycle.obligations.select_related("payer", "payee").order_by("id")
    if not sees_all(actor):
        rows = rows.filter(Q(payer=actor.organisation) | Q(payee=actor.organisation))
    return list(rows)


def newest_computations(cycles: list[NettingCycle]) -> dict[int, NettingComputation]:
    """Return the computation that counts of each cycle that has one."""
    rows = NettingComputation.objects.filter(cycle__in=cycles)
    newest = rows.order_by("cycle_id", "-number").distinct("cycle_id")
    return {row.cycle_id: row for row in newest}


def positions_for(actor: Actor, computation: NettingComputation) -> list[PositionRow]:
    """Return the positions that the actor may see, by code: a member its own only."""
    rows = computation.positions.select_related("organisation").order_by("organisation__code")
    if not sees_all(actor):
        rows = rows.filter(organisation=actor.organisation)
    cash = {
        row.organisation_id: row.amount_cny
        for row in CashAdjustment.objects.filter(computation=computation)
    }
    return [PositionRow(row, cash.get(row.organisation_id, Decimal(0))) for row in rows]


def own_positions(
    organisation: Organisation, computations: Iterable[NettingComputation]
) -> dict[int, PositionRow]:
    """Return an organisation's position in each of these computations that it is a party of."""
    of_these = {"computation__in": list(computations), "organisation": organisation}
    cash = dict(
        CashAdjustment.objects.filter(**of_these).values_list("computation_id", "amount_cny")
    )
    return {
        row.computation_id: PositionRow(row, cash.get(row.computation_id, Decimal(0)))
        for row in NetPosition.objects.filter(**of_these).select_related("organisation")
    }


def covered_statements(organisation: Organisation, *, limit: int = 24) -> list[CoveredStatement]:
    """Return an organisation's newest statements with what recognition applied to each."""
    rows = EmissionStatement.objects.filter(organisation=organisation, superseded_by__isnull=True)
    statements = list(rows.select_related("pool").defer("inputs").order_by("-month", "-id")[:limit])
    keys = [subject_key_of(statement) for statement in statements]
    applied: dict[str, Decimal] = defaultdict(Decimal)
    sums = Recognition.objects.filter(subject_key__in=keys).values_list("subject_key")
    applied.update(dict(sums.annotate(total=Sum("applied_t"))))
    closed = closed_among(statements)
    return [
        CoveredStatement(statement, applied[key], statement.pk in closed)
        for statement, key in zip(statements, keys, strict=True)
    ]


def covered_statement(organisation: Organisation, public_id: UUID | str) -> CoveredStatement | None:
    """Return one of an organisation's own statements with what recognition applied to it."""
    rows = EmissionStatement.objects.filter(organisation=organisation, public_id=public_id)
    statement = rows.select_related("organisation").defer("inputs").first()
    if statement is None:
        return None
    applied = applied_before(subject_key_of(statement))
    return CoveredStatement(statement, applied, is_closed(statement))
