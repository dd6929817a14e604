"""Defaults: proposed by one operator, declared by another, covered in the written order.

Order: the member's free funds, its security deposit, the bank behind its guarantee, the market's
risk reserve, and what is left is a loss on an account of its own. Suppliers are paid in full all
the while: they are owed by the market and not by the member. Money that comes in later goes back
in the opposite order to what was not the member's own.
"""

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, OrganisationState
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition, require_operator
from marketplace.services.organisations import suspend_organisation
from marketplace.services.outbox import emit_event
from orders.services.member_exit import cancel_open_orders
from settlement.domain.cases.waterfall import penalty_of
from settlement.domain.numbering import DocumentSeries
from settlement.models import DEFAULT_TRANSITIONS, DefaultCase, DefaultState, DunningStep
from settlement.selectors.cases.deadlines import default_terms
from settlement.selectors.cases.debts import PAYABLE, debts_of, open_bills_of
from settlement.services.accounts import account_for, open_member_accounts, open_platform_accounts
from settlement.services.cases.dunning import LAST_STEP
from settlement.services.cases.waterfall import take_debts, take_penalty
from settlement.services.credit_limits import apply_credit_limit
from settlement.services.funds_requests import SamePerson
from settlement.services.locks import lock_balances
from settlement.services.numbering import take_numbers

_ZERO = Decimal("0.00")


class NothingInDefault(RuleBroken):
    """No bill of the member has run through its reminders, and it owes nothing as a supplier."""

    code = "nothing_in_default"
    message = gettext_noop("No bill of this member has run through all of its reminders.")
    status = 409


class DefaultLiveAlready(RuleBroken):
    """A default of the member is declared, or waits for its second person."""

    code = "default_live_already"
    message = gettext_noop("There is a live default of this member.")
    status = 409


@transaction.atomic
def propose_default(*, actor: Actor, organisation: Organisation, reason: str) -> DefaultCase:
    """Propose to declare a member in default; nothing happens until another operator agrees.

    Raises:
        NotPermitted, NothingInDefault, DefaultLiveAlready: it cannot be proposed.
        Missing, TextTooLong: with the field.
    """
    require_operator(actor)
    text = check_text(reason, field="reason", max_length=200, required=True)
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    live = DefaultCase.objects.filter(
        organisation=organisation, state__in=(DefaultState.ENTERED, DefaultState.DECLARED)
    )
    if live.exists():
        raise DefaultLiveAlready
    if not may_be_declared(organisation):
        raise NothingInDefault
    case = DefaultCase.objects.create(
        number=take_numbers(series=DocumentSeries.DEFAULT, day=market_date(market_now()))[0],
        organisation=organisation,
        reason=text,
        entered_by=actor.user,
    )
    _audit("default.entered", case, actor, text)
    return case


@transaction.atomic
def decide_default(
    *, actor: Actor, public_id: UUID | str, approve: bool, reason: str = ""
) -> DefaultCase:
    """Declare a proposed default and cover it at once, or reject it.

    Locks the shared gates of the member's auctions, then its organisation, then its balance.

    Raises:
        NotPermitted, NotFound, SamePerson, StateForbids: the actor may not decide it.
        NothingInDefault: everything was paid meanwhile.
    """
    require_operator(actor)
    case = _locked(public_id)
    target = DefaultState.DECLARED if approve else DefaultState.REJECTED
    case.state = check_transition(DEFAULT_TRANSITIONS, case.state, target)
    if case.entered_by_id == actor.user.pk:
        raise SamePerson
    if approve and not may_be_declared(case.organisation):
        raise NothingInDefault
    case.decided_by, case.decided_at = actor.user, timezone.now()
    case.decision_reason = check_text(reason, field="reason", max_length=200)
    if approve:
        case.declared_on = market_date(market_now())
    case.save(update_fields=["state", "decided_by", "decided_at", "decision_reason", "declared_on"])
    if approve:
        _carry_out(case, actor)
    _audit(f"default.{target.value}", case, actor, case.decision_reason)
    _emit(case, target.value)
    return case


@transaction.atomic
def continue_default(*, actor: Actor, public_id: UUID | str) -> DefaultCase:
    """Cover what became owed after the declaration, such as bills of deliveries under way.

    Raises:
        NotPermitted, NotFound, StateForbids: nothing changed.
    """
    require_operator(actor)
    case = _locked(public_id)
    if case.state != DefaultState.DECLARED:
        check_transition(DEFAULT_TRANSITIONS, case.state, case.state)
    _cover(case)
    _audit("default.continued", case, actor)
    return case


def may_be_declared(organisation: Organisation) -> bool:
    """Tell whether a bill ran through its reminders unpaid, or the member owes as a supplier."""
    unpaid = [each.bill.pk for each in open_bills_of(organisation)]
    if DunningStep.objects.filter(invoice_id__in=unpaid, step=LAST_STEP).exists():
        return True
    return any(debt.name == PAYABLE for debt in debts_of(organisation))


def _carry_out(case: DefaultCase, actor: Actor) -> None:
    open_platform_accounts()
    open_member_accounts(case.organisation)
    cancel_open_orders(case.organisation)
    member = Organisation.objects.get(pk=case.organisation_id)
    if member.state == OrganisationState.APPROVED:
        suspend_organisation(actor=actor, organisation=member, reason=case.number)
    _cover(case)


def _cover(case: DefaultCase) -> None:
    member = case.organisation
    lock_balances([account_for("member_funds", organisation=member).pk])
    today = market_date(market_now())
    dues = [(each.owed_cny, each.bill.due_on) for each in open_bills_of(member)]
    terms = default_terms(today)
    penalty = penalty_of(
        dues, on=today, rate_per_day=terms.penalty_rate_per_day, cap_rate=terms.penalty_cap_rate
    )
    taken = take_debts(case)
    case.owed_cny += taken
    case.penalty_cny += penalty
    case.save(update_fields=["owed_cny", "penalty_cny"])
    take_penalty(case)
    apply_credit_limit(member, today, down_to_use=True)


def _locked(public_id: UUID | str) -> DefaultCase:
    rows = DefaultCase.objects.select_for_update(no_key=True, of=("self",))
    case = rows.select_related("organisation").filter(public_id=public_id).first()
    if case is None:
        raise NotFound
    return case


def _audit(action: str, case: DefaultCase, actor: Actor, reason: str = "") -> None:
    record_audit(
        action=action,
        subject=case,
        actor=actor.user,
        organisation=case.organisation,
        after={
            "number": case.number,
            "state": case.state,
            "owed_cny": format(case.owed_cny, "f"),
        },
        reason=reason,
    )


def _emit(case: DefaultCase, what: str) -> None:
    emit_event(
        topic="default.moved",
        aggregate=f"default:{case.pk}",
        payload={"default_id": case.pk, "what": what},
    )
