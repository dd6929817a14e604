"""Security deposits (保证金): lodged out of a member's own funds, returned by two persons.

A deposit backs no orders; it is what a default takes before anybody else has to pay. When its term
is over it goes back by itself, unless the member owes the market something.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from orders.ports.collateral import InsufficientCollateral
from settlement.models import (
    SECURITY_DEPOSIT_TRANSITIONS,
    JournalEntry,
    SecurityDeposit,
    SecurityDepositState,
)
from settlement.selectors.cases.debts import debts_of, free_funds
from settlement.services.accounts import account_for, open_member_accounts
from settlement.services.funds_requests import SamePerson, checked_amount, require_bookkeeper
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.locks import lock_balances
from settlement.services.receivables import collect_receivable

_DECIDED = ["state", "decided_by", "decided_at", "decision_reason"]


class TermInvalid(RuleBroken):
    """A deposit ends after today."""

    code = "term_invalid"
    message = gettext_noop("The last day must be after today.")


class MemberOwes(RuleBroken):
    """A deposit is not returned while the member owes the market something."""

    code = "member_owes"
    message = gettext_noop("The member owes the market something; the deposit stays.")
    status = 409


@transaction.atomic
def enter_deposit(
    *,
    actor: Actor,
    organisation: Organisation,
    amount_cny: Decimal,
    expires_on: date,
    note: str = "",
) -> SecurityDeposit:
    """Propose to lodge part of a member's own free funds as security.

    Args:
        actor: a finance person of the member, or of the platform.
        organisation: the member.
        amount_cny: in fen.
        expires_on: the last day it is lodged.
        note: for the bookkeepers.

    Raises:
        NotPermitted: the actor may not.
        AmountInvalid, TermInvalid, TextTooLong: with the field.
    """
    _require_finance_of(actor, organisation)
    if expires_on <= market_date(market_now()):
        raise TermInvalid(field="expires_on")
    deposit = SecurityDeposit.objects.create(
        organisation=organisation,
        amount=checked_amount(amount_cny),
        expires_on=expires_on,
        note=check_text(note, field="note", max_length=200),
        entered_by=actor.user,
    )
    _audit("security_deposit.entered", deposit, actor)
    return deposit


@transaction.atomic
def decide_deposit(
    *, actor: Actor, public_id: UUID | str, approve: bool, reason: str = ""
) -> SecurityDeposit:
    """Lodge a proposed deposit, or reject it.

    Raises:
        NotPermitted, NotFound, SamePerson, StateForbids: the actor may not decide it.
        InsufficientCollateral: less of the member's own money is free.
    """
    require_bookkeeper(actor)
    deposit = _locked(public_id)
    target = SecurityDepositState.LODGED if approve else SecurityDepositState.REJECTED
    if deposit.state != SecurityDepositState.ENTERED:
        check_transition(SECURITY_DEPOSIT_TRANSITIONS, deposit.state, deposit.state)
    deposit.state = check_transition(SECURITY_DEPOSIT_TRANSITIONS, deposit.state, target)
    if deposit.entered_by_id == actor.user.pk:
        raise SamePerson
    if approve:
        _lodge(deposit)
    _write_decision(deposit, actor, reason)
    _audit(f"security_deposit.{target.value}", deposit, actor, reason)
    return deposit


@transaction.atomic
def ask_for_return(*, actor: Actor, public_id: UUID | str) -> SecurityDeposit:
    """Ask for a lodged deposit back before its term; raises NotFound, NotPermitted."""
    deposit = _locked(public_id)
    _require_finance_of(actor, deposit.organisation)
    deposit.state = check_transition(
        SECURITY_DEPOSIT_TRANSITIONS, deposit.state, SecurityDepositState.RELEASE_ASKED
    )
    deposit.asked_by = actor.user
    deposit.save(update_fields=["state", "asked_by"])
    _audit("security_deposit.return_asked", deposit, actor)
    return deposit


@transaction.atomic
def decide_return(
    *, actor: Actor, public_id: UUID | str, approve: bool, reason: str = ""
) -> SecurityDeposit:
    """Return a deposit that was asked for, or keep it lodged.

    Raises:
        NotPermitted, NotFound, SamePerson, StateForbids: the actor may not decide it.
        MemberOwes: it stays.
    """
    require_bookkeeper(actor)
    deposit = _locked(public_id)
    if deposit.state != SecurityDepositState.RELEASE_ASKED:
        check_transition(SECURITY_DEPOSIT_TRANSITIONS, deposit.state, deposit.state)
    if deposit.asked_by_id == actor.user.pk:
        raise SamePerson
    if approve:
        if debts_of(deposit.organisation):
            raise MemberOwes
        _return(deposit)
    else:
        deposit.state = SecurityDepositState.LODGED
        deposit.save(update_fields=["state"])
    _audit("security_deposit.return_decided", deposit, actor, reason)
    return deposit


def return_ended_deposits(now: datetime) -> int:
    """Return deposits whose term is over, unless their member owes something; return how many."""
    ended = SecurityDeposit.objects.filter(
        state__in=(SecurityDepositState.LODGED, SecurityDepositState.RELEASE_ASKED),
        expires_on__lt=market_date(now),
    )
    returned = 0
    for public_id in ended.order_by("pk").values_list("public_id", flat=True):
        with transaction.atomic():
            deposit = _locked(public_id)
            if deposit.remaining_cny and not debts_of(deposit.organisation):
                _return(deposit)
                returned += 1
    return returned


def _lodge(deposit: SecurityDeposit) -> None:
    member = deposit.organisation
    open_member_accounts(member)
    funds = account_for("member_funds", organisation=member)
    lock_balances([funds.pk])
    free = free_funds(member)
    if free < deposit.amount.amount:
        raise InsufficientCollateral(required_cny=deposit.amount.amount, available_cny=free)
    deposit.remaining_cny = deposit.amount.amount
    deposit.entry = _post(deposit, "security_deposit", deposit.amount.amount)
    deposit.save(update_fields=["remaining_cny", "entry"])


def _return(deposit: SecurityDeposit) -> None:
    _post(deposit, "security_deposit_returned", -deposit.remaining_cny)
    deposit.state = check_transition(
        SECURITY_DEPOSIT_TRANSITIONS, deposit.state, SecurityDepositState.RELEASED
    )
    deposit.remaining_cny = Decimal("0.00")
    deposit.save(update_fields=["state", "remaining_cny"])
    collect_receivable(deposit.organisation)


def _post(deposit: SecurityDeposit, kind: str, amount: Decimal) -> JournalEntry:
    member = deposit.organisation
    return post_entry(
        kind=kind,
        effective_on=market_date(market_now()),
        source_type="security_deposit",
        source_id=str(deposit.public_id),
        idempotency_key=f"{kind}:{deposit.public_id}",
        postings=[
            PostingLine(account_for("member_funds", organisation=member).pk, amount),
            PostingLine(account_for("member_deposit", organisation=member).pk, -amount),
        ],
    )


def _require_finance_of(actor: Actor, organisation: Organisation) -> None:
    is_own = actor.organisation == organisation and actor.has(Role.FINANCE)
    if not (actor.is_platform_finance or is_own):
        raise NotPermitted


def _locked(public_id: UUID | str) -> SecurityDeposit:
    rows = SecurityDeposit.objects.select_for_update(no_key=True, of=("self",))
    deposit = rows.select_related("organisation").filter(public_id=public_id).first()
    if deposit is None:
        raise NotFound
    return deposit


def _write_decision(deposit: SecurityDeposit, actor: Actor, reason: str) -> None:
    deposit.decided_by, deposit.decided_at = actor.user, timezone.now()
    deposit.decision_reason = check_text(reason, field="reason", max_length=200)
    deposit.save(update_fields=_DECIDED)


def _audit(action: str, deposit: SecurityDeposit, actor: Actor, reason: str = "") -> None:
    record_audit(
        action=action,
        subject=deposit,
        actor=actor.user,
        organisation=deposit.organisation,
        after={"amount": format(deposit.amount.amount, "f"), "state": deposit.state},
        reason=reason,
    )
