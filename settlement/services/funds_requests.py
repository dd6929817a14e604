"""What receipts, credit limits and withdrawals share: two persons, checked sums, audit."""

from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from django.utils import timezone

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.money import round_money
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text, check_transition
from settlement.models import (
    REQUEST_TRANSITIONS,
    CreditLimit,
    DepositReceipt,
    RequestState,
    WithdrawalRequest,
)

Request = TypeVar("Request", DepositReceipt, CreditLimit, WithdrawalRequest)
_LARGEST = Decimal(1_000_000_000_000)


class AmountInvalid(RuleBroken):
    """An amount is above zero, below a million million, in whole fen."""

    code = "amount_invalid"
    message = gettext_noop("Enter an amount above zero in whole fen.")


class SamePerson(RuleBroken):
    """Who entered a request may not decide it."""

    code = "same_person"
    message = gettext_noop("Another person than the one who entered this must decide.")
    status = 403


def require_bookkeeper(actor: Actor, *, operator_too: bool = False) -> None:
    """Let the platform's finance pass, and its operators where they may; raises NotPermitted."""
    if not (actor.is_platform_finance or (operator_too and actor.is_operator)):
        raise NotPermitted


def checked_amount(amount: Decimal, *, zero_allowed: bool = False) -> Decimal:
    """Return the amount in fen; raises AmountInvalid."""
    if (
        not amount.is_finite()
        or not 0 <= amount < _LARGEST
        or (not amount and not zero_allowed)
        or amount != round_money(amount)
    ):
        raise AmountInvalid(field="amount")
    return round_money(amount)


def decide_request(
    model: type[Request],
    public_id: UUID | str,
    actor: Actor,
    *,
    approve: bool,
    reason: str,
    operator_too: bool = False,
) -> Request:
    """Lock a request, decide it and write that down; what follows is the caller's.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before.
    """
    require_bookkeeper(actor, operator_too=operator_too)
    request = model.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    if request is None:
        raise NotFound
    target = RequestState.APPROVED if approve else RequestState.REJECTED
    check_transition(REQUEST_TRANSITIONS, request.state, target)
    if request.entered_by_id == actor.user.pk:
        raise SamePerson
    request.state = target
    request.decided_by = actor.user
    request.decided_at = timezone.now()
    request.decision_reason = check_text(reason, field="reason", max_length=200)
    request.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    audit_request(f"{model._meta.model_name}.{target.value}", request, actor, reason=reason)
    return request


def audit_request(
    action: str,
    request: DepositReceipt | CreditLimit | WithdrawalRequest,
    actor: Actor,
    *,
    reason: str = "",
) -> None:
    """Write down who moved a request of money."""
    record_audit(
        action=action,
        subject=request,
        actor=actor.user,
        organisation=request.organisation,
        after={"amount": format(request.amount.amount, "f"), "state": request.state},
        reason=reason,
    )
