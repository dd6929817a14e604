"""The figures that finance looks at in the morning, each in one short query."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from settlement.models import (
    BankLine,
    BankMatchState,
    BookPeriod,
    InvariantRun,
    ParkedItem,
    ParkedState,
    PayoutBatch,
    PayoutBatchState,
    PeriodState,
    SupplierInvoice,
    SupplierInvoiceState,
    TaxInvoice,
    TaxInvoiceState,
)
from settlement.selectors.reports.ageing import PAYOUT_JOINS
from settlement.selectors.reports.figures import table_of

_OPEN = f"""
SELECT a.purpose, coalesce(i.due_on < %(today)s, false) AS is_overdue, sum(items.amount)
  FROM (SELECT p.account_id,
               CASE WHEN t.id IS NOT NULL THEN d.number
                    WHEN e.source_type = 'invoice' THEN e.source_id ELSE p.memo END AS number,
               sum(coalesce(sign(p.amount) * t.amount_cny, p.amount)) AS amount
          FROM settlement_posting p
          JOIN settlement_account a ON a.id = p.account_id
               AND a.purpose IN ('member_receivable', 'supplier_payable')
          JOIN settlement_journalentry e ON e.id = p.entry_id
          {PAYOUT_JOINS}
          LEFT JOIN settlement_invoice d ON d.id = t.invoice_id GROUP BY 1, 2) AS items
  JOIN settlement_account a ON a.id = items.account_id
  LEFT JOIN settlement_invoice i ON i.number = items.number
       AND i.organisation_id = a.organisation_id
 GROUP BY 1, 2
"""  # noqa: S608 - joins of ours
_UNBILLED = """
SELECT count(*), coalesce(sum(al.buyer_net_cny), 0)
  FROM settlement_delivery d JOIN orders_allocation al ON al.id = d.allocation_id
 WHERE d.state IN ('completed', 'failed')
   AND NOT EXISTS (SELECT FROM settlement_ratedline l WHERE l.delivery_id = d.id)
"""
# Contracted and not delivered, at what buyers would have paid; of the runs since a day.
_IMBALANCE = """
SELECT coalesce(sum(al.buyer_net_cny - l.buyer_net_cny), 0),
       coalesce(sum(l.sold_unit_hours - l.billed_unit_hours), 0)
  FROM settlement_ratedline l
  JOIN settlement_settlementrun r ON r.id = l.run_id AND r.sequence = 1
  JOIN settlement_delivery d ON d.id = l.delivery_id
  JOIN orders_allocation al ON al.id = d.allocation_id
 WHERE r.settled_on BETWEEN %(since)s AND %(today)s
"""


@dataclass(frozen=True, slots=True)
class FinanceFigures:
    """CNY with tax unless said otherwise.

    Attributes:
        receivable_due, receivable_overdue: open bills of buyers beyond their funds.
        payable_due, payable_overdue: open statements of suppliers.
        unbilled_count, unbilled_cny: ended deliveries that no run has settled; before tax.
        parked: settlements that wait for a person.
        imbalance_cny, imbalance_unit_hours: sold and not delivered this month; before tax.
        payout_batches: batches that wait for the second person.
        payout_cny: what they pay.
        tax_in: suppliers' tax invoices to be checked.
        tax_out: tax invoices that members asked for and that are not issued.
        unmatched: bank lines without a confirmed match.
        open_periods: months that are not closed for good.
        sweep: the latest sweep of the invariants.
    """

    receivable_due: Decimal
    receivable_overdue: Decimal
    payable_due: Decimal
    payable_overdue: Decimal
    unbilled_count: int
    unbilled_cny: Decimal
    parked: int
    imbalance_cny: Decimal
    imbalance_unit_hours: Decimal
    payout_batches: int
    payout_cny: Decimal
    tax_in: int
    tax_out: int
    unmatched: int
    open_periods: int
    sweep: InvariantRun | None


def finance_figures(today: date) -> FinanceFigures:
    """Return the figures of a day in market time."""
    opened = {(row[0], row[1]): row[2] for row in table_of(_OPEN, {"today": today})}
    unbilled = table_of(_UNBILLED, {})[0]
    span = {"since": today.replace(day=1), "today": today}
    imbalance = table_of(_IMBALANCE, span)[0]
    payouts = PayoutBatch.objects.filter(state=PayoutBatchState.DRAFT)
    zero = Decimal(0)
    return FinanceFigures(
        receivable_due=opened.get(("member_receivable", False), zero),
        receivable_overdue=opened.get(("member_receivable", True), zero),
        payable_due=-opened.get(("supplier_payable", False), zero),
        payable_overdue=-opened.get(("supplier_payable", True), zero),
        unbilled_count=unbilled[0],
        unbilled_cny=unbilled[1],
        imbalance_cny=imbalance[0],
        imbalance_unit_hours=imbalance[1],
        payout_cny=payouts.aggregate(total=Sum("total_cny"))["total"] or zero,
        **_counts(payouts.count()),
    )


def _counts(payout_batches: int) -> dict[str, Any]:
    return {
        "payout_batches": payout_batches,
        "parked": ParkedItem.objects.filter(state=ParkedState.OPEN).count(),
        "tax_in": SupplierInvoice.objects.filter(state=SupplierInvoiceState.RECEIVED).count(),
        "tax_out": TaxInvoice.objects.filter(state=TaxInvoiceState.REQUESTED).count(),
        "unmatched": BankLine.objects.exclude(matches__state=BankMatchState.CONFIRMED).count(),
        "open_periods": BookPeriod.objects.exclude(state=PeriodState.HARD_CLOSED).count(),
        "sweep": InvariantRun.objects.order_by("-id").first(),
    }
