"""What moved on a member's accounts, and what is set aside on them."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, QuerySet, Sum, Window

from marketplace.models import Organisation
from orders.models import Order
from settlement.models import Account, Hold, HoldState, Posting, WithdrawalRequest

MEMBER_PURPOSES = ("member_funds", "supplier_payable", "member_receivable")


def member_accounts(organisation: Organisation) -> dict[str, Account]:
    """Return a member's CNY accounts by purpose; empty before admission."""
    rows = Account.objects.filter(
        organisation=organisation, asset_id="CNY", purpose__in=MEMBER_PURPOSES
    )
    return {account.purpose: account for account in rows}


def movements_of(account: Account) -> QuerySet[Posting]:
    """Return the postings of an account, newest first, each with `balance` after it.

    Amounts and balances are debit above zero, as posted.
    """
    running = Window(expression=Sum("amount"), order_by=F("id").asc())
    return (
        Posting.objects.filter(account=account)
        .select_related("entry")
        .annotate(balance=running)
        .order_by("-id")
    )


@dataclass(frozen=True, slots=True)
class HeldFor:
    """A hold with what it stands for."""

    hold: Hold
    order: Order | None
    withdrawal: WithdrawalRequest | None


def open_holds_of(organisation: Organisation) -> QuerySet[Hold]:
    """Return what is set aside on a member's funds now, newest first."""
    return Hold.objects.filter(
        account__organisation=organisation,
        account__purpose="member_funds",
        state=HoldState.OPEN,
    ).order_by("-id")


def explain_holds(holds: list[Hold]) -> list[HeldFor]:
    """Return the orders and withdrawals behind some holds, in two queries."""
    references: list[UUID] = [hold.reference for hold in holds]
    orders = {
        order.hold_reference: order
        for order in Order.objects.filter(hold_reference__in=references).select_related(
            "auction__calendar", "product"
        )
    }
    withdrawals = {
        request.hold_reference: request
        for request in WithdrawalRequest.objects.filter(hold_reference__in=references)
    }
    return [
        HeldFor(hold, orders.get(hold.reference), withdrawals.get(hold.reference)) for hold in holds
    ]
