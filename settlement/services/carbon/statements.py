"""Issues carbon statements: append-only, versioned, with pinned inputs and their hash."""

import io
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import QuerySet

from marketplace.domain.errors import NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.periods import month_window
from marketplace.models import Organisation, ResourcePool
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from settlement.domain.carbon.errors import StatementClosed
from settlement.domain.carbon.monthly import MonthFigures, state_month
from settlement.models import (
    Delivery,
    DeliveryState,
    EmissionStatement,
    StatementClosing,
    StatementSubject,
)
from settlement.services.carbon.certificates import add_green, statements_of
from settlement.services.carbon.factors import pin_factors
from settlement.services.carbon.gathering import SubjectKey, gather_inputs
from settlement.services.carbon.inputs import (
    PinnedFactors,
    StatementInputs,
    code_version,
    hash_inputs,
    write_inputs,
)
from settlement.services.locks import lock_carbon

_LINE_COLUMNS = (
    *("statement_id", "delivery_id", "hub_id", "hours", "it_wh", "facility_wh"),
    *("location_factor", "location_g", "is_estimated"),
)


class NothingToState(RuleBroken):
    """The subject has no settled delivery in the month."""

    code = "nothing_to_state"
    message = gettext_noop("There is no settled delivery in this month.")
    status = 409


@dataclass
class IssueOutcome:
    """What issuing a month did, by number of subjects."""

    issued: int = 0
    unchanged: int = 0
    closed: int = 0


def issue_statement(
    *, subject: SubjectKey, month: date, actor: Actor | None, reason: str = ""
) -> EmissionStatement:
    """State a subject's month from what is settled now; the same inputs give the same statement.

    A statement whose inputs changed is superseded by a next version. Once it is closed, that takes
    a reason.
    Args:
        subject: buyer, order or data centre.
        month: first day of the month, UTC+8.
        actor: an operator, the market's finance, or the subject's own; None for the clock.
        reason: why a closed statement is corrected.

    Raises:
        NotPermitted: the subject is not the actor's to state.
        FactorsMissing: no factor set is approved.
        NothingToState: there is no settled delivery.
        StatementClosed: the last version is closed and no reason is given.
    """
    _check_actor(subject, actor)
    return _issue(subject, month, pin_factors(month), actor, reason)[0]


def issue_month(*, month: date, only_missing: bool = False) -> IssueOutcome:
    """State the month of every buyer and every data centre; one transaction each.

    Args:
        month: first day of the month, UTC+8.
        only_missing: leave subjects alone that have a statement of the month.

    Raises:
        FactorsMissing: no factor set is approved.
    """
    outcome = IssueOutcome()
    subjects = subjects_of(month, only_missing=only_missing)
    if not subjects:
        return outcome
    factors = pin_factors(month)
    for subject in subjects:
        try:
            _, is_new = _issue(subject, month, factors, None, "")
        except StatementClosed:
            outcome.closed += 1
        except NothingToState:
            continue
        else:
            outcome.issued += is_new
            outcome.unchanged += not is_new
    return outcome


def subjects_of(month: date, *, only_missing: bool = False) -> list[SubjectKey]:
    """Return the buyers, then the data centres with settled deliveries in a month."""
    settled = _settled(month)
    stated = EmissionStatement.objects.filter(month=month)
    buyers = Organisation.objects.filter(pk__in=settled.values("allocation__buyer_id"))
    pools = ResourcePool.objects.filter(pk__in=settled.values("allocation__listing__pool_id"))
    if only_missing:
        done = stated.filter(subject=StatementSubject.BUYER).values("organisation_id")
        buyers = buyers.exclude(pk__in=done)
        pools = pools.exclude(pk__in=stated.filter(pool__isnull=False).values("pool_id"))
    return [
        *map(SubjectKey.of_buyer, buyers.order_by("pk")),
        *map(SubjectKey.of_pool, pools.select_related("organisation").order_by("pk")),
    ]


@transaction.atomic
def _issue(
    subject: SubjectKey,
    month: date,
    factors: PinnedFactors,
    actor: Actor | None,
    reason: str,
) -> tuple[EmissionStatement, bool]:
    lock_carbon(subject.organisation.pk)
    last = statements_of(subject).filter(month=month).order_by("-version").first()
    gathered = gather_inputs(subject, month=month, factors=factors)
    if gathered is None:
        raise NothingToState
    inputs = add_green(subject, gathered)
    text = write_inputs(inputs)
    if last is not None:
        if last.sha256 == hash_inputs(text):
            return last, False
        if not reason and StatementClosing.objects.filter(statement=last).exists():
            raise StatementClosed(statement=str(last.public_id), version=last.version)
    figures = state_month(inputs.deliveries, inputs.green, residual_e4=inputs.factors.residual_e4)
    statement = _store(subject, inputs, text, figures, last=last, actor=actor, reason=reason)
    if actor is not None:
        record_audit(
            action="carbon_statement.issued",
            subject=statement,
            actor=actor.user,
            organisation=subject.organisation,
            after={"version": statement.version, "sha256": statement.sha256},
            reason=reason,
        )
    return statement, True


def _store(
    subject: SubjectKey,
    inputs: StatementInputs,
    text: str,
    figures: MonthFigures,
    *,
    last: EmissionStatement | None,
    actor: Actor | None,
    reason: str,
) -> EmissionStatement:
    statement = EmissionStatement.objects.create(
        subject=subject.kind,
        organisation=subject.organisation,
        order=subject.order,
        pool=subject.pool,
        month=inputs.month,
        version=1 if last is None else last.version + 1,
        supersedes=last,
        reason=reason[:200],
        delivery_count=len(figures.deliveries),
        is_estimated=figures.is_estimated,
        it_wh=figures.it_wh,
        facility_wh=figures.facility_wh,
        slot=inputs.green.slot.value,
        matched_wh=figures.matched_wh,
        residual_wh=figures.residual_wh,
        excess_wh=figures.excess_wh,
        certificates=figures.certificates,
        own_wh=figures.own_wh,
        direct_wh=figures.direct_wh,
        hourly_wh=figures.hourly_wh,
        supply_wh=figures.supply_wh,
        location_g=figures.location_g,
        market_g=figures.market_g,
        location_based_t=figures.location_t,
        market_based_t=figures.market_t,
        factor_set_id=inputs.factors.factor_set_id,
        factor_year=inputs.factors.year,
        announcement=inputs.factors.announcement,
        residual_factor=inputs.factors.residual,
        code_version=code_version(),
        inputs=text,
        sha256=hash_inputs(text),
        issued_by=None if actor is None else actor.user,
    )
    _copy_lines(statement, inputs, figures)
    return statement


def _copy_lines(
    statement: EmissionStatement, inputs: StatementInputs, figures: MonthFigures
) -> None:
    """Write the lines in one go: a big buyer has thousands of deliveries a month."""
    buffer = io.StringIO()
    facts = zip(
        figures.deliveries, inputs.deliveries, inputs.delivery_ids, inputs.hub_ids, strict=True
    )
    for row, delivery, delivery_id, hub_id in facts:
        cells = (
            *(statement.pk, delivery_id, hub_id, len(delivery.intervals), row.it_wh),
            *(row.facility_wh, _e4(delivery.factor_e4), _e4(row.location_e4), row.is_estimated),
        )
        buffer.write("\t".join(map(str, cells)) + "\n")
    buffer.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_from(
            buffer, "settlement_emissionstatementline", columns=_LINE_COLUMNS, size=1 << 20
        )


def _e4(value: int) -> str:
    return f"{value // 10_000}.{value % 10_000:04}"


def _settled(month: date) -> QuerySet[Delivery]:
    window = month_window(month)
    return Delivery.objects.filter(
        state=DeliveryState.SETTLED, starts_at__lt=window.ends_at, ends_at__gt=window.starts_at
    )


def _check_actor(subject: SubjectKey, actor: Actor | None) -> None:
    if actor is None or actor.is_operator or actor.is_platform_finance:
        return
    if not actor.can_see_own_money or actor.organisation != subject.organisation:
        raise NotPermitted
