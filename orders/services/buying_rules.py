"""A member's own brakes on its bids: the budget of a project, and a second person's consent."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.money import round_up
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.outbox import emit_event
from orders.models import BudgetAlert, BuyingRule, Project
from orders.selectors.projects import project_commitments

ALERT_PERCENTS = (80, 100)
MOST_CNY = Decimal(10**12)


class ApprovalRequired(RuleBroken):
    """The bid could cost more than one person may spend alone."""

    code = "approval_required"
    message = gettext_noop(
        "A bid that can cost more than %(limit)s CNY, incl. VAT, needs the approval of a second"
        " person of your organisation; this one can cost %(sum)s CNY."
    )
    status = 409


class BudgetExceeded(RuleBroken):
    """The bid could cost more than is left of its project's budget."""

    code = "budget_exceeded"
    message = gettext_noop(
        "The project has %(left)s CNY of its budget left, incl. VAT; this bid can cost %(sum)s CNY."
    )
    status = 409


class ProjectNotFound(NotFound):
    """The organisation has no such open project."""

    message = gettext_noop("There is no such open project.")


class ProjectNameTaken(RuleBroken):
    """Another project of the member has this name."""

    code = "project_name_taken"
    message = gettext_noop("A project of this name exists already.")
    status = 409


class SumOutOfRange(RuleBroken):
    """A sum is in whole fen, above zero, and below a trillion."""

    code = "sum_out_of_range"
    message = gettext_noop("Enter a sum in whole fen, above zero and below a trillion.")


def find_project(*, owner: Organisation, public_id: UUID | None) -> Project | None:
    """Return the open project that a request names; None when it names none.

    Raises:
        ProjectNotFound: the member has no such open project.
    """
    if public_id is None:
        return None
    own = Project.objects.filter(organisation=owner, is_open=True)
    project = own.filter(public_id=public_id).first()
    if project is None:
        raise ProjectNotFound(field="project")
    return project


def require_consent(*, owner: Organisation, total_cny: Decimal, has_consent: bool) -> None:
    """Refuse a bid above the member's threshold that no second person has agreed to.

    Raises:
        ApprovalRequired: nothing was changed.
    """
    limit = approval_threshold(owner)
    if limit is not None and total_cny > limit and not has_consent:
        raise ApprovalRequired(limit=limit, sum=total_cny)


def approval_threshold(owner: Organisation) -> Decimal | None:
    """Return the sum above which a member's bids need a second person; None for never."""
    rule = BuyingRule.objects.filter(organisation=owner)
    return rule.values_list("approval_above_cny", flat=True).first()


def approval_thresholds(organisation_ids: Iterable[int]) -> dict[int, Decimal]:
    """Return the thresholds of those members that have one, by the member's key."""
    rules = BuyingRule.objects.filter(
        organisation__in=list(organisation_ids), approval_above_cny__isnull=False
    )
    return {rule.organisation_id: rule.approval_above_cny or Decimal(0) for rule in rules}


def charge_project(*, project_id: int, total_cny: Decimal) -> None:
    """Check that a new order fits its project's budget, and raise the alerts it causes.

    Locks the project, so that two orders never share what is left. Call before the order is
    stored, in its transaction.

    Raises:
        BudgetExceeded: the project refuses bids beyond its budget.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
    if project.budget_cny is None:
        return
    before = project_commitments(projects=[project]).get(project.pk)
    used = before.total_cny if before else Decimal(0)
    left = max(project.budget_cny - used, Decimal(0))
    if project.refuses_beyond_budget and total_cny > left:
        raise BudgetExceeded(field="project", left=left, sum=total_cny)
    _raise_alerts(project, used + total_cny)


def _raise_alerts(project: Project, used_cny: Decimal) -> None:
    budget = project.budget_cny
    if budget is None:
        return
    raised = set(
        project.alerts.filter(budget_cny=budget).values_list("percent", flat=True)  # type: ignore[attr-defined]
    )
    for percent in ALERT_PERCENTS:
        if used_cny * 100 < budget * percent or percent in raised:
            continue
        BudgetAlert.objects.create(
            project=project,
            percent=percent,
            budget_cny=budget,
            used_cny=used_cny,
            raised_at=market_now(),
        )
        emit_event(
            topic="project.budget_reached",
            aggregate=f"project:{project.pk}",
            payload={
                "project_id": project.pk,
                "organisation_id": project.organisation_id,
                "percent": percent,
            },
        )


@transaction.atomic
def open_project(
    *,
    actor: Actor,
    name: str,
    budget_cny: Decimal | None = None,
    refuses_beyond_budget: bool = True,
    note: str = "",
) -> Project:
    """Make a project of the actor's organisation.

    Raises:
        NotPermitted: the actor neither buys nor keeps the books here.
        ProjectNameTaken, SumOutOfRange: nothing was changed.
    """
    owner = _require_buying_side(actor)
    _require_name_free(owner, name)
    project = Project.objects.create(
        organisation=owner,
        name=name.strip()[:80],
        budget_cny=_checked_sum(budget_cny, "budget"),
        refuses_beyond_budget=refuses_beyond_budget,
        note=note[:200],
        created_by=actor.user,
    )
    _audit(actor, "project.opened", project, None)
    return project


@transaction.atomic
def change_project(
    *,
    actor: Actor,
    public_id: UUID,
    name: str,
    budget_cny: Decimal | None,
    refuses_beyond_budget: bool,
    is_open: bool,
    note: str = "",
) -> Project:
    """Change name, budget and state of an own project; what is booked to it stays.

    Raises:
        NotPermitted, ProjectNotFound, ProjectNameTaken, SumOutOfRange: nothing was changed.
    """
    owner = _require_buying_side(actor)
    own = Project.objects.select_for_update(no_key=True).filter(organisation=owner)
    project = own.filter(public_id=public_id).first()
    if project is None:
        raise ProjectNotFound(field="project")
    before = _facts(project)
    _require_name_free(owner, name, except_id=project.pk)
    project.name = name.strip()[:80]
    project.budget_cny = _checked_sum(budget_cny, "budget")
    project.refuses_beyond_budget = refuses_beyond_budget
    project.is_open = is_open
    project.note = note[:200]
    project.save()
    _audit(actor, "project.changed", project, before)
    return project


@transaction.atomic
def set_approval_threshold(*, actor: Actor, above_cny: Decimal | None) -> BuyingRule:
    """Say above which sum a second person must agree to a bid; None for never.

    Only those who keep the member's books may: a buyer must not lift the limit alone.

    Raises:
        NotPermitted, SumOutOfRange: nothing was changed.
    """
    owner = actor.organisation
    if owner is None or not actor.is_trading_member or not actor.has(Role.FINANCE):
        raise NotPermitted
    if above_cny != 0:
        above_cny = _checked_sum(above_cny, "approval_above")
    before = approval_threshold(owner)
    rule, _ = BuyingRule.objects.update_or_create(
        organisation=owner, defaults={"approval_above_cny": above_cny, "changed_by": actor.user}
    )
    record_audit(
        action="buying_rule.changed",
        subject=rule,
        actor=actor.user,
        organisation=owner,
        before={"approval_above_cny": None if before is None else str(before)},
        after={"approval_above_cny": None if above_cny is None else str(above_cny)},
    )
    return rule


def _require_buying_side(actor: Actor) -> Organisation:
    owner = actor.organisation
    if owner is None or not actor.is_trading_member:
        raise NotPermitted
    if not owner.is_buyer or not actor.has(Role.BUYER, Role.FINANCE):
        raise NotPermitted
    return owner


def _require_name_free(owner: Organisation, name: str, *, except_id: int | None = None) -> None:
    own = Project.objects.filter(organisation=owner, name=name.strip()[:80])
    others = own if except_id is None else own.exclude(pk=except_id)
    if others.exists():
        raise ProjectNameTaken(field="name")


def _checked_sum(sum_cny: Decimal | None, field: str) -> Decimal | None:
    if sum_cny is None:
        return None
    if not sum_cny.is_finite() or not 0 < sum_cny < MOST_CNY or sum_cny != round_up(sum_cny):
        raise SumOutOfRange(field=field)
    return sum_cny


def _facts(project: Project) -> dict[str, object]:
    budget = project.budget_cny
    return {
        "name": project.name,
        "budget_cny": None if budget is None else str(budget),
        "refuses_beyond_budget": project.refuses_beyond_budget,
        "is_open": project.is_open,
    }


def _audit(actor: Actor, action: str, project: Project, before: dict[str, object] | None) -> None:
    record_audit(
        action=action,
        subject=project,
        actor=actor.user,
        organisation=actor.organisation,
        before=before,
        after=_facts(project),
    )
