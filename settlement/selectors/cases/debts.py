"""What a member owes the market, and what stands behind it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum

from marketplace.models import Organisation
from settlement.domain.cases.waterfall import Debt
from settlement.models import (
    Account,
    AccountBalance,
    CreditKind,
    CreditLimit,
    GuaranteeCall,
    Invoice,
    InvoiceDirection,
    InvoiceState,
    Posting,
    RequestState,
    SecurityDeposit,
    SecurityDepositState,
)
from settlement.selectors.cases.holds import collection_block

FUNDS = "funds"
PAYABLE = "payable"
_ZERO = Decimal("0.00")
_FEN = Decimal("0.01")


@dataclass(frozen=True)
class OpenBill:
    """A buyer's bill that its funds have not covered; `owed_cny` leaves out what is disputed."""

    bill: Invoice
    owed_cny: Decimal


def open_bills_of(organisation: Organisation) -> list[OpenBill]:
    """Return a member's bills that are owed in part or in full, the oldest due date first."""
    bills = Invoice.objects.filter(
        organisation=organisation,
        direction=InvoiceDirection.RECEIVABLE,
        state=InvoiceState.ISSUED,
    ).order_by("due_on", "number")
    owed = [OpenBill(bill, owed_on(bill)) for bill in bills]
    return [each for each in owed if each.owed_cny > 0]


def owed_on(bill: Invoice) -> Decimal:
    """Return what the member's receivable still holds of a bill, less the disputed part, CNY."""
    postings = Posting.objects.filter(
        account__purpose="member_receivable",
        account__organisation_id=bill.organisation_id,
        entry__source_id=bill.number,
    )
    total = postings.aggregate(total=Sum("amount"))["total"] or _ZERO
    return (total - min(collection_block(bill), max(total, _ZERO))).quantize(_FEN)


def debts_of(organisation: Organisation) -> list[Debt]:
    """Return everything a member owes: bills, then what its account is below zero, then payables.

    The payable side is a supplier whose penalties and credit notes exceed what it earned.
    """
    debts = [Debt(each.bill.number, each.owed_cny) for each in open_bills_of(organisation)]
    drawn = -own_funds(organisation)
    if drawn > 0:
        debts.append(Debt(FUNDS, drawn))
    owing = -balance_of("supplier_payable", organisation)
    if owing > 0:
        debts.append(Debt(PAYABLE, owing))
    return debts


def own_funds(organisation: Organisation) -> Decimal:
    """Return the member's own money on its account, below zero where credit is drawn, CNY."""
    row = AccountBalance.objects.filter(
        account__purpose="member_funds", account__organisation=organisation
    ).first()
    return (row.credit - row.debit).quantize(_FEN) if row else _ZERO


def free_funds(organisation: Organisation) -> Decimal:
    """Return the member's own money that no hold keeps, CNY."""
    row = AccountBalance.objects.filter(
        account__purpose="member_funds", account__organisation=organisation
    ).first()
    if row is None:
        return _ZERO
    return max(row.credit - row.debit - row.pending, Decimal(0)).quantize(_FEN)


def balance_of(purpose: str, organisation: Organisation | None = None) -> Decimal:
    """Return the credit balance of an account, CNY; zero when it was never opened."""
    account = Account.objects.filter(purpose=purpose, organisation=organisation).first()
    if account is None:
        return _ZERO
    total = Posting.objects.filter(account=account).aggregate(total=Sum("amount"))["total"]
    return -(total or _ZERO).quantize(_FEN) if total else _ZERO


def lodged_deposits(organisation: Organisation) -> QuerySet[SecurityDeposit]:
    """Return a member's security deposits, those that end first at once first."""
    return SecurityDeposit.objects.filter(
        organisation=organisation,
        state__in=(SecurityDepositState.LODGED, SecurityDepositState.RELEASE_ASKED),
    ).order_by("expires_on", "pk")


def live_guarantee(organisation: Organisation, today: date) -> CreditLimit | None:
    """Return the guarantee in force: the newest approved one, unless it has run out."""
    newest = (
        CreditLimit.objects.filter(
            organisation=organisation, kind=CreditKind.GUARANTEE, state=RequestState.APPROVED
        )
        .order_by("-decided_at", "-pk")
        .first()
    )
    if newest is None or (newest.expires_on is not None and newest.expires_on < today):
        return None
    return newest


def called_on(limit: CreditLimit) -> Decimal:
    """Return what was called on a guarantee so far, CNY."""
    total = GuaranteeCall.objects.filter(limit=limit).aggregate(total=Sum("amount_cny"))["total"]
    return total or _ZERO


def sources_of(organisation: Organisation, today: date) -> dict[str, Decimal]:
    """Return what each source of the waterfall can give for a member today, CNY."""
    deposits = lodged_deposits(organisation).aggregate(total=Sum("remaining_cny"))["total"]
    guarantee = live_guarantee(organisation, today)
    callable_cny = guarantee.amount.amount - called_on(guarantee) if guarantee else _ZERO
    return {
        "free_funds": free_funds(organisation),
        "deposit": deposits or _ZERO,
        "guarantee": max(callable_cny, _ZERO),
        "reserve": max(balance_of("risk_reserve"), _ZERO),
    }
