"""Money in and out and credit: entered by one person, decided by another.

Receipts and limits are entered and decided by the platform's finance; a member's finance person
requests a withdrawal, whose amount is on hold until the platform decides.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotPermitted, RuleBroken, StateForbids, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.checks import check_text
from orders.ports.collateral import HoldChange, InsufficientCollateral
from settlement.models import AccountBalance, DepositReceipt, JournalEntry, WithdrawalRequest
from settlement.services.accounts import account_for
from settlement.services.cases.waterfall import recover_default
from settlement.services.collateral import LedgerCollateral
from settlement.services.credit_limits import (
    CreditLimitInUse,
    approve_credit_limit,
    propose_credit_limit,
)
from settlement.services.funds_requests import (
    AmountInvalid,
    SamePerson,
    audit_request,
    checked_amount,
    decide_request,
    require_bookkeeper,
)
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.locks import lock_balances
from settlement.services.receivables import collect_receivable

__all__ = [
    "AmountInvalid",
    "BankReferenceUsed",
    "CreditLimitInUse",
    "SamePerson",
    "approve_credit_limit",
    "confirm_deposit",
    "decide_withdrawal",
    "propose_credit_limit",
    "record_deposit",
    "request_withdrawal",
]


class BankReferenceUsed(RuleBroken):
    """A receipt with this bank reference was entered before."""

    code = "bank_reference_used"
    message = gettext_noop("This bank reference was entered before.")
    status = 409


@transaction.atomic
def record_deposit(
    *,
    actor: Actor,
    organisation: Organisation,
    amount_cny: Decimal,
    bank_reference: str,
    received_on: date,
    note: str = "",
) -> DepositReceipt:
    """Enter money seen on the custodian-bank account; it counts once another person confirms it.

    Raises:
        NotPermitted: the actor does not keep the market's books.
        AmountInvalid, Missing, TextTooLong, BankReferenceUsed: with the field.
    """
    require_bookkeeper(actor)
    reference = check_text(bank_reference, field="bank_reference", max_length=60, required=True)
    if DepositReceipt.objects.filter(bank_reference=reference).exists():
        raise BankReferenceUsed(field="bank_reference")
    receipt = DepositReceipt.objects.create(
        organisation=organisation,
        amount=checked_amount(amount_cny),
        bank_reference=reference,
        received_on=received_on,
        note=check_text(note, field="note", max_length=200),
        entered_by=actor.user,
    )
    audit_request("deposit.entered", receipt, actor)
    return receipt


@transaction.atomic
def confirm_deposit(
    *, actor: Actor, deposit_public_id: UUID | str, approve: bool = True, reason: str = ""
) -> DepositReceipt:
    """Confirm a receipt and credit the member, or refuse it; bills left open are paid from it.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before.
        AccountMissing: the member's accounts were never opened.
    """
    receipt = decide_request(
        DepositReceipt, deposit_public_id, actor, approve=approve, reason=reason
    )
    if approve:
        funds = account_for("member_funds", organisation=receipt.organisation_id)
        receipt.entry = post_entry(
            kind="deposit",
            effective_on=market_date(market_now()),
            source_type="deposit",
            source_id=str(receipt.public_id),
            idempotency_key=f"deposit:{receipt.public_id}",
            postings=[
                PostingLine(account_for("bank").pk, receipt.amount.amount, receipt.bank_reference),
                PostingLine(funds.pk, -receipt.amount.amount, receipt.bank_reference),
            ],
            actor=actor.user,
        )
        receipt.save(update_fields=["entry"])
        collect_receivable(receipt.organisation)
        recover_default(receipt.organisation)
    return receipt


@transaction.atomic
def request_withdrawal(*, actor: Actor, amount_cny: Decimal, note: str = "") -> WithdrawalRequest:
    """Ask for free deposit back; the amount is on hold until the platform decides.

    Only money that was paid in can be asked for: the credit limit is no deposit.

    Raises:
        NotPermitted: the actor is not a finance person of a member.
        AmountInvalid, TextTooLong: with the field.
        InsufficientCollateral: less is free.
    """
    if actor.organisation is None or not actor.is_trading_member or not actor.has(Role.FINANCE):
        raise NotPermitted
    amount = checked_amount(amount_cny)
    _require_own_money(actor.organisation, amount)
    request = WithdrawalRequest.objects.create(
        organisation=actor.organisation,
        amount=amount,
        note=check_text(note, field="note", max_length=200),
        entered_by=actor.user,
    )
    request.hold_reference = LedgerCollateral().place_hold(
        organisation_id=actor.organisation.pk,
        amount_cny=amount,
        source_type="withdrawal",
        source_id=str(request.public_id),
    )
    request.save(update_fields=["hold_reference"])
    audit_request("withdrawal.requested", request, actor)
    return request


@transaction.atomic
def decide_withdrawal(
    *, actor: Actor, withdrawal_public_id: UUID | str, approve: bool, reason: str = ""
) -> WithdrawalRequest:
    """Pay a withdrawal out of the hold, or refuse it and free the hold.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before.
    """
    request = decide_request(
        WithdrawalRequest, withdrawal_public_id, actor, approve=approve, reason=reason
    )
    if request.hold_reference is None:
        raise StateForbids(state=request.state)
    key = f"withdrawal:{request.public_id}"
    if approve:
        request.entry = _pay_out(request, request.hold_reference, key, actor)
        request.save(update_fields=["entry"])
    else:
        LedgerCollateral().release_hold(reference=request.hold_reference, event_key=key)
    return request


def _pay_out(request: WithdrawalRequest, hold: UUID, key: str, actor: Actor) -> JournalEntry:
    funds = account_for("member_funds", organisation=request.organisation_id)
    return post_entry(
        kind="withdrawal",
        effective_on=market_date(market_now()),
        source_type="withdrawal",
        source_id=str(request.public_id),
        idempotency_key=key,
        postings=[
            PostingLine(funds.pk, request.amount.amount),
            PostingLine(account_for("bank").pk, -request.amount.amount),
        ],
        captures=[HoldChange(hold, Decimal(0), key)],
        actor=actor.user,
    )


def _require_own_money(organisation: Organisation, amount: Decimal) -> None:
    account = account_for("member_funds", organisation=organisation)
    lock_balances([account.pk])
    balance = AccountBalance.objects.get(account=account)
    own = max(balance.credit - balance.debit - balance.pending, Decimal(0))
    if own < amount:
        raise InsufficientCollateral(
            required_cny=amount, available_cny=own.quantize(Decimal("0.01"))
        )
