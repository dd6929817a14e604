"""One megawatt-hour, one instrument (R20): CCER registration freezes, CCER issue cancels."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from marketplace.domain.decimals import multiply_exactly
from marketplace.domain.errors import NotFound, RuleBroken, StateForbids, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_range
from settlement.domain.carbon.errors import InstrumentNotEligible
from settlement.domain.carbon.exclusivity import ProjectMonth as EnergyMonth
from settlement.domain.carbon.exclusivity import issue_credits
from settlement.domain.registry.blocks import choose_lowest
from settlement.domain.registry.serial_texts import SerialRun
from settlement.models import (
    BatchKind,
    CcerState,
    CreditingPeriod,
    MovementKind,
    Programme,
    Project,
    ProjectMonth,
    RegistryRuleSet,
    UnitBatch,
    UnitState,
)
from settlement.selectors.registry.energy import (
    certificates_cancelled,
    certificates_frozen,
    certificates_issued,
    certificates_sold,
    frozen_blocks,
)
from settlement.selectors.registry.rules import rule_set_on
from settlement.services.locks import lock_project_energy, lock_unit_batches
from settlement.services.registry.access import admitted, require_keeper
from settlement.services.registry.issuing import BatchFacts, freeze_unsold, issue_batch
from settlement.services.registry.movements import Business, Step, move_units

_FIRST_YEAR, _LAST_YEAR = Decimal(1990), Decimal(2200)


class NoRuleSet(RuleBroken):
    """No dated rules between certificates and credits have begun."""

    code = "no_registry_rules"
    message = gettext_noop("No rule set between certificates and credits is in force.")
    status = 409


class CreditsDoNotFit(RuleBroken):
    """Serials and energy give different numbers of credits."""

    code = "credits_do_not_fit"
    message = gettext_noop("The energy gives %(credits)s credits, the serials are %(serials)s.")


@dataclass(frozen=True)
class CcerIssue:
    """A CCER issue for metered energy of a project.

    Attributes:
        programme: the methodology, of the CCER register.
        issuance_id: the register's id.
        run: serials of the credits.
        mwh_by_month: verified energy by first day of the month, whole MWh.
        baseline_factor: tonnes per MWh, as published (4 decimals).
        issued_on: day of issue.
    """

    programme: Programme
    issuance_id: str
    run: SerialRun
    mwh_by_month: Mapping[date, int]
    baseline_factor: Decimal
    issued_on: date


@transaction.atomic
def register_ccer_project(
    *, actor: Actor, project_id: UUID | str, first_day: date, last_day: date
) -> Project:
    """Record that a project entered CCER; its unsold certificates of the period freeze.

    Raises:
        NotPermitted, NotFound, StateForbids, NoRuleSet: as named.
        OutOfRange: a day lies outside the years of any crediting period.
        InstrumentNotEligible: the rules let no such technology choose CCER.
    """
    platform = require_keeper(actor)
    for name, day in (("first_day", first_day), ("last_day", last_day)):
        check_range(Decimal(day.year), least=_FIRST_YEAR, most=_LAST_YEAR, field=name)
    project = _locked(project_id)
    if project.ccer_state != CcerState.NONE:
        raise StateForbids(state=project.ccer_state)
    today = market_date(market_now())
    rules = _rules(project, today)
    days = DateRange(first_day, date.fromordinal(last_day.toordinal() + 1))
    # The first period of the project: a project that has one is registered.
    CreditingPeriod.objects.create(project=project, days=days)
    project.ccer_state = CcerState.REGISTERED
    project.ccer_registered_on = today
    project.save(update_fields=["ccer_state", "ccer_registered_on"])
    business = Business("ccer_registration", str(project.public_id), actor.user, str(rules))
    frozen = freeze_unsold(project, days=days, business=business)
    record_audit(
        action="ccer.registered",
        subject=project,
        actor=actor.user,
        organisation=platform,
        after={"frozen": frozen, "rules": str(rules), "from": str(first_day), "to": str(last_day)},
    )
    return project


@transaction.atomic
def issue_ccer(
    *, actor: Actor, project_id: UUID | str, issue: CcerIssue, holder: Organisation | None
) -> UnitBatch:
    """Issue CCER credits for energy; as many frozen certificates die as it has MWh.

    Raises:
        NotPermitted, NotFound, StateForbids, NoRuleSet, CreditsDoNotFit: as named.
        MwhAlreadyClaimed: a month has less unsold energy; nothing is issued.
        SerialRangeOverlap, SerialForeign: the serials are not new, or of another registry.
        IssuanceKnown: the register issued under this id before.
    """
    require_keeper(actor)
    project = _locked(project_id)
    owner = admitted(holder, field="holder")
    if project.ccer_state == CcerState.NONE:
        raise StateForbids(state=project.ccer_state)
    rules = _rules(project, market_date(market_now()))
    business = Business("ccer_issue", issue.issuance_id[:64], actor.user, str(rules))
    for month, mwh in sorted(issue.mwh_by_month.items()):
        _spend_energy(project, month, mwh, issue.baseline_factor, business)
    total = Decimal(sum(issue.mwh_by_month.values()))
    credits_due = int(multiply_exactly(total, issue.baseline_factor))
    if credits_due != issue.run.units:
        raise CreditsDoNotFit(credits=credits_due, serials=issue.run.units)
    project.ccer_state = CcerState.CREDITED
    project.save(update_fields=["ccer_state"])
    months = sorted(issue.mwh_by_month)
    facts = BatchFacts(
        registry=issue.programme.registry,
        programme=issue.programme,
        project=project,
        issuance_id=issue.issuance_id,
        run=issue.run,
        starts_on=months[0],
        ends_on=date.fromordinal(_next(months[-1]).toordinal() - 1),
        issued_on=issue.issued_on,
    )
    return issue_batch(
        actor=actor, facts=facts, owner=owner, source_type="ccer_issue", source_id=""
    )


def ccer_programme(code: str) -> Programme:
    """Return a programme of the register that the rule set in use gives credits from.

    Raises:
        NoRuleSet, NotFound: there is none.
    """
    rules = rule_set_on(market_date(market_now()))
    if rules is None:
        raise NoRuleSet
    rows = Programme.objects.select_related("registry__asset")
    found = rows.filter(registry=rules.credits_from, code=code).first()
    if found is None:
        raise NotFound(field="programme")
    return found


def _spend_energy(
    project: Project, month: date, mwh: int, factor: Decimal, business: Business
) -> None:
    """Take energy of a month for credits and cancel its frozen certificates."""
    if not project.crediting_periods.filter(days__contains=month).exists():
        raise NotFound(field="mwh_by_month")
    row = ProjectMonth.objects.filter(project=project, month=month).first()
    if row is None:
        raise NotFound(field="mwh_by_month")
    figures = EnergyMonth(
        metered_mwh=Decimal(row.metered_mwh),
        certificates=certificates_issued(project, month),
        sold=certificates_sold(project, month),
        frozen=certificates_frozen(project, month),
        cancelled=certificates_cancelled(project, month),
        credited_mwh=Decimal(row.credited_mwh),
    )
    issue_credits(figures, mwh=Decimal(mwh), baseline_factor=factor)
    _cancel(project, month, min(mwh, figures.frozen), business)
    row.credited_mwh += mwh
    row.save(update_fields=["credited_mwh"])


def _cancel(project: Project, month: date, units: int, business: Business) -> None:
    left = units
    for (registry, owner), blocks in frozen_blocks(project, month).items():
        taken = choose_lowest(blocks, min(left, sum(block.units for block in blocks)))
        if not taken:
            continue
        move_units(
            kind=MovementKind.CANCEL,
            registry=registry,
            steps=[Step(block, UnitState.FROZEN, UnitState.CANCELLED, owner) for block in taken],
            business=business,
        )
        left -= sum(block.units for block in taken)


def _locked(project_id: UUID | str) -> Project:
    """Return the project with its energy and its certificates locked; raises NotFound."""
    project = Project.objects.filter(public_id=project_id).first()
    if project is None:
        raise NotFound(field="project")
    lock_project_energy(project.pk)
    batches = UnitBatch.objects.filter(project=project, kind=BatchKind.CERTIFICATE)
    lock_unit_batches(batches.values_list("pk", flat=True))
    project.refresh_from_db()
    return project


def _rules(project: Project, today: date) -> RegistryRuleSet:
    rules = rule_set_on(today)
    if rules is None:
        raise NoRuleSet
    if project.technology not in rules.technologies:
        raise InstrumentNotEligible(technology=project.technology)
    return rules


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
