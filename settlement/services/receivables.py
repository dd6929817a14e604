"""Bills beyond a member's funds: paid as soon as the funds allow, the oldest first."""

from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from marketplace.domain.periods import market_date
from marketplace.models import Organisation
from marketplace.selectors.clock import market_now
from settlement.models import (
    AccountBalance,
    Invoice,
    InvoiceDirection,
    InvoiceState,
    JournalEntry,
    Posting,
)
from settlement.selectors.cases.holds import collection_block
from settlement.services.accounts import account_for
from settlement.services.ledger import PostingLine, post_entry
from settlement.services.locks import lock_balances


@transaction.atomic
def collect_receivable(organisation: Organisation) -> list[JournalEntry]:
    """Pay open bills of a member out of its free funds, as far as they reach.

    Locks the stored balance of the member's funds.
    """
    funds = account_for("member_funds", organisation=organisation)
    receivable = account_for("member_receivable", organisation=organisation)
    lock_balances([funds.pk])
    balance = AccountBalance.objects.get(account=funds)
    free = balance.credit - balance.debit + balance.credit_limit - balance.pending
    today, entries = market_date(market_now()), []
    for bill in _open_bills(organisation):
        owed = _owed(receivable.pk, bill)
        # What is disputed waits for the ruling.
        wanted = owed - min(collection_block(bill), owed)
        paid = min(wanted, free.quantize(Decimal("0.01")))
        if free <= 0:
            break
        if paid <= 0:
            continue
        entries.append(
            post_entry(
                kind="receivable_paid",
                effective_on=today,
                source_type="invoice",
                source_id=bill.number,
                idempotency_key=f"receivable:{bill.number}:{owed}",
                postings=[
                    PostingLine(funds.pk, paid, bill.number),
                    PostingLine(receivable.pk, -paid, bill.number),
                ],
            )
        )
        free -= paid
        if paid == owed:
            bill.state = InvoiceState.PAID
            bill.save(update_fields=["state"])
    return entries


def _open_bills(organisation: Organisation) -> list[Invoice]:
    return list(
        Invoice.objects.filter(
            organisation=organisation,
            direction=InvoiceDirection.RECEIVABLE,
            state=InvoiceState.ISSUED,
        ).order_by("due_on", "number")
    )


def _owed(account_id: int, bill: Invoice) -> Decimal:
    postings = Posting.objects.filter(account_id=account_id, entry__source_id=bill.number)
    return postings.aggregate(total=Sum("amount"))["total"] or Decimal(0)
