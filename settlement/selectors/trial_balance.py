"""The trial balance: opening, movements and closing of every account, zero in every asset."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

# Months closed for good are read as the balances they ended with, only what came after as postings.
_TRIAL = """
WITH cut AS (
    SELECT id, upper(days) AS ends FROM settlement_bookperiod
     WHERE book = 'main' AND state = 'hard_closed' AND upper(days) <= %(starts)s
     ORDER BY days DESC LIMIT 1
)
SELECT a.code, a.name_zh, a.name_en, a.kind, a.asset_id,
       coalesce(s.debit - s.credit, 0)
           + coalesce(sum(p.amount) FILTER (WHERE e.effective_on < %(starts)s), 0),
       coalesce(sum(p.amount) FILTER (WHERE e.effective_on >= %(starts)s AND p.amount > 0), 0),
       coalesce(-sum(p.amount) FILTER (WHERE e.effective_on >= %(starts)s AND p.amount < 0), 0)
  FROM settlement_account a
  LEFT JOIN settlement_balancesnapshot s
         ON s.account_id = a.id AND s.period_id = (SELECT id FROM cut)
  LEFT JOIN (settlement_posting p JOIN settlement_journalentry e
                 ON e.id = p.entry_id AND e.effective_on <= %(ends)s
                AND (e.book <> 'main'
                     OR e.effective_on >= coalesce((SELECT ends FROM cut), '-infinity')))
         ON p.account_id = a.id
 GROUP BY a.id, s.debit, s.credit ORDER BY a.code
"""


@dataclass(frozen=True)
class TrialBalanceRow:
    """An account over a span of days; debit and credit are never below zero."""

    code: str
    name_zh: str
    name_en: str
    kind: str
    asset: str
    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def closing(self) -> Decimal:
        """Signed closing balance: debit above zero."""
        return self.opening + self.debit - self.credit

    @property
    def opening_debit(self) -> Decimal:
        """Opening balance when on the debit side."""
        return max(self.opening, Decimal(0))

    @property
    def opening_credit(self) -> Decimal:
        """Opening balance when on the credit side."""
        return max(-self.opening, Decimal(0))

    @property
    def closing_debit(self) -> Decimal:
        """Closing balance when on the debit side."""
        return max(self.closing, Decimal(0))

    @property
    def closing_credit(self) -> Decimal:
        """Closing balance when on the credit side."""
        return max(-self.closing, Decimal(0))


def trial_balance(starts_on: date, ends_on: date) -> list[TrialBalanceRow]:
    """Return every account from one date to another, both included, by code."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIAL, {"starts": starts_on, "ends": ends_on})
        return [TrialBalanceRow(*row) for row in cursor.fetchall()]


def differences_by_asset(rows: list[TrialBalanceRow]) -> dict[str, Decimal]:
    """Return debits less credits of each asset: zero, or something is wrong."""
    totals: dict[str, Decimal] = {}
    for row in rows:
        totals[row.asset] = totals.get(row.asset, Decimal(0)) + row.closing
    return totals
