"""Credit limits and bank guarantees: proposed by one person, put into force by another."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.checks import check_text
from settlement.models import (
    AccountBalance,
    CreditKind,
    CreditLimit,
    DefaultCase,
    DefaultState,
    RequestState,
)
from settlement.selectors.cases.debts import called_on
from settlement.services.accounts import account_for
from settlement.services.funds_requests import (
    audit_request,
    checked_amount,
    decide_request,
    require_bookkeeper,
)
from settlement.services.ledger import named_refusal
from settlement.services.locks import lock_balances
from settlement.services.receivables import collect_receivable


class CreditLimitInUse(RuleBroken):
    """The limit cannot fall below what is drawn on or held against it."""

    code = "credit_limit_in_use"
    message = gettext_noop("More than that is in use of the present limit.")
    status = 409


@transaction.atomic
def propose_credit_limit(
    *,
    actor: Actor,
    organisation: Organisation,
    amount_cny: Decimal,
    kind: CreditKind = CreditKind.CREDIT,
    guarantee_number: str = "",
    guarantor: str = "",
    expires_on: date | None = None,
    note: str = "",
) -> CreditLimit:
    """Propose a limit that replaces the member's present one of the kind; zero ends it.

    Raises:
        NotPermitted: the actor neither runs the market nor keeps its books.
        AmountInvalid, Missing, TextTooLong: with the field.
    """
    require_bookkeeper(actor, operator_too=True)
    is_guarantee = kind == CreditKind.GUARANTEE
    limit = CreditLimit.objects.create(
        organisation=organisation,
        amount=checked_amount(amount_cny, zero_allowed=True),
        kind=kind,
        guarantee_number=check_text(
            guarantee_number, field="guarantee_number", max_length=60, required=is_guarantee
        ),
        guarantor=check_text(guarantor, field="guarantor", max_length=80),
        expires_on=expires_on,
        note=check_text(note, field="note", max_length=200),
        entered_by=actor.user,
    )
    audit_request("credit_limit.proposed", limit, actor)
    return limit


@transaction.atomic
def approve_credit_limit(
    *, actor: Actor, limit_public_id: UUID | str, approve: bool = True, reason: str = ""
) -> CreditLimit:
    """Put a proposed limit into force, or refuse it.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before.
        CreditLimitInUse: the new limit is below what is in use.
    """
    limit = decide_request(
        CreditLimit, limit_public_id, actor, approve=approve, reason=reason, operator_too=True
    )
    if approve:
        try:
            with transaction.atomic():
                apply_credit_limit(limit.organisation, market_date(market_now()))
        except IntegrityError as error:
            if named_refusal(error) is None:
                raise
            raise CreditLimitInUse from error
        collect_receivable(limit.organisation)
    return limit


def apply_credit_limit(
    organisation: Organisation, today: date, *, down_to_use: bool = False
) -> Decimal:
    """Set the balance's limit to the newest approved one of each kind that has not run out.

    Args:
        organisation: the member.
        today: market date.
        down_to_use: stop at what is drawn on or held against the present limit, so that nothing
            new can be ordered while nothing that stands loses its cover.

    Raises:
        IntegrityError: more than that is in use, and `down_to_use` is not set.
    """
    total = credit_limit_of(organisation, today)
    account = account_for("member_funds", organisation=organisation)
    if down_to_use:
        lock_balances([account.pk])
        row = AccountBalance.objects.get(account=account)
        in_use = max(row.debit + row.pending - row.credit, Decimal(0))
        total = max(total, min(in_use, row.credit_limit))
    AccountBalance.objects.filter(account=account).exclude(credit_limit=total).update(
        credit_limit=total, version=F("version") + 1
    )
    return total


def credit_limit_of(organisation: Organisation, today: date) -> Decimal:
    """Return the sum of the newest approved limit of each kind, less what was called, in CNY.

    A member in default has none.
    """
    if DefaultCase.objects.filter(organisation=organisation, state=DefaultState.DECLARED).exists():
        return Decimal(0)
    newest = (
        CreditLimit.objects.filter(organisation=organisation, state=RequestState.APPROVED)
        .order_by("kind", "-decided_at", "-pk")
        .distinct("kind")
    )
    live = [each for each in newest if each.expires_on is None or each.expires_on >= today]
    return sum((max(each.amount.amount - called_on(each), Decimal(0)) for each in live), Decimal(0))


def lower_expired_limits(now: datetime) -> int:
    """Take limits that have run out off the balances; return how many balances changed.

    What is in use stays until it is paid down or released, and not a fen more: the members
    concerned are found by the sweep again and lowered further.
    """
    today, changed = market_date(now), 0
    expired = CreditLimit.objects.filter(state=RequestState.APPROVED, expires_on__lt=today)
    members = Organisation.objects.filter(pk__in=expired.values("organisation_id"))
    for member in members.order_by("pk"):
        account = account_for("member_funds", organisation=member)
        before = AccountBalance.objects.get(account=account).credit_limit
        with transaction.atomic():
            changed += apply_credit_limit(member, today, down_to_use=True) != before
    return changed
