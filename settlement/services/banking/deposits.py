"""Receipts of members' money that the bank itself confirms."""

from django.utils import timezone

from marketplace.permissions import Actor
from settlement.models import BankMatch, DepositReceipt, RequestState
from settlement.services.funds_requests import audit_request

_LONGEST = 60


def settle_deposit(match: BankMatch, actor: Actor) -> DepositReceipt:
    """Return the receipt of a deposit: the one entered before, now approved, or a new one.

    The bank's own record stands for the second person; who entered the receipt may match it.
    """
    receipt = match.deposit
    if receipt is None or receipt.state != RequestState.ENTERED:
        receipt = DepositReceipt(
            organisation=match.organisation,
            amount=match.amount_cny,
            bank_reference=_free_reference(match),
            received_on=match.line.booked_on,
            note=match.line.purpose[:200],
            entered_by=actor.user,
        )
    receipt.state = RequestState.APPROVED
    receipt.decided_by = actor.user if receipt.entered_by_id != actor.user.pk else None
    receipt.decided_at = timezone.now()
    receipt.decision_reason = f"bank line {match.line.public_id}"
    receipt.entry = match.entry
    receipt.save()
    audit_request("deposit.matched", receipt, actor)
    return receipt


def take_deposit_back(receipt: DepositReceipt, *, reason: str) -> None:
    """Mark a receipt whose bank line turned out to be something else as refused."""
    receipt.state = RequestState.REJECTED
    receipt.decision_reason = reason[:200]
    receipt.save(update_fields=["state", "decision_reason"])


def _free_reference(match: BankMatch) -> str:
    wanted = match.line.reference[:_LONGEST]
    if wanted and not DepositReceipt.objects.filter(bank_reference=wanted).exists():
        return wanted
    return f"{match.line.public_id}/{match.pk}"[:_LONGEST]
