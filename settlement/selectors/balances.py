"""What a member has, has set aside and may still use."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q, QuerySet, Sum

from marketplace.models import Organisation
from settlement.models import (
    Account,
    AccountBalance,
    BalanceSnapshot,
    BookPeriod,
    Hold,
    HoldState,
    PeriodState,
    Posting,
)

_FEN = Decimal("0.01")
BOOK = "main"


@dataclass(frozen=True)
class Funds:
    """A member's money in CNY.

    Attributes:
        deposit_cny: money of its own; below zero when it draws on its credit limit.
        credit_limit_cny: credit limits and guarantees in force.
        held_cny: set aside for orders, unsettled deliveries and withdrawals.
        available_cny: deposit + credit limit − held.
        receivable_cny: bills beyond the funds, still to be paid.
        payable_cny: what the market owes the member as a supplier.
    """

    deposit_cny: Decimal
    credit_limit_cny: Decimal
    held_cny: Decimal
    available_cny: Decimal
    receivable_cny: Decimal
    payable_cny: Decimal


def funds_of(organisation: Organisation) -> Funds:
    """Return a member's money; all zero when it has no accounts yet."""
    row = AccountBalance.objects.filter(
        account__purpose="member_funds", account__organisation=organisation
    ).first() or AccountBalance(debit=0, credit=0, pending=0, credit_limit=0)
    deposit = Decimal(row.credit) - Decimal(row.debit)
    available = deposit + row.credit_limit - row.pending
    return Funds(
        deposit_cny=deposit.quantize(_FEN),
        credit_limit_cny=Decimal(row.credit_limit).quantize(_FEN),
        held_cny=Decimal(row.pending).quantize(_FEN),
        available_cny=available.quantize(_FEN),
        receivable_cny=_sum_of("member_receivable", organisation),
        payable_cny=-_sum_of("supplier_payable", organisation),
    )


def balance_of(account: Account, *, on: date | None = None) -> Decimal:
    """Return the signed balance (debit above zero) of an account, at the end of a day if given."""
    postings = Posting.objects.filter(account=account)
    if on is None:
        return postings.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    opening, since = _closed_balance(account, on)
    postings = postings.filter(entry__effective_on__lte=on)
    if since is not None:
        postings = postings.filter(~Q(entry__book=BOOK) | Q(entry__effective_on__gte=since))
    return opening + (postings.aggregate(total=Sum("amount"))["total"] or Decimal(0))


def _closed_balance(account: Account, on: date) -> tuple[Decimal, date | None]:
    """Return what the last month closed for good by a day ended with, and the day after it."""
    period = (
        BookPeriod.objects.filter(
            book=BOOK, state=PeriodState.HARD_CLOSED, days__fully_lt=DateRange(on, None, "()")
        )
        .order_by("-days")
        .first()
    )
    if period is None:
        return Decimal(0), None
    snapshot = BalanceSnapshot.objects.filter(period=period, account=account).first()
    return (snapshot.debit - snapshot.credit if snapshot else Decimal(0)), period.days.upper


def movements_of(organisation: Organisation) -> QuerySet[Posting]:
    """Return the postings on a member's accounts, the latest first."""
    return (
        Posting.objects.filter(account__organisation=organisation)
        .select_related("entry", "account")
        .order_by("-entry_id", "-line")
    )


def open_holds_of(organisation: Organisation) -> QuerySet[Hold]:
    """Return what is set aside for a member, the latest first."""
    return Hold.objects.filter(account__organisation=organisation, state=HoldState.OPEN).order_by(
        "-pk"
    )


def _sum_of(purpose: str, organisation: Organisation) -> Decimal:
    postings = Posting.objects.filter(account__purpose=purpose, account__organisation=organisation)
    return (postings.aggregate(total=Sum("amount"))["total"] or Decimal(0)).quantize(_FEN)
