"""The books as of a cut: every account's opening, movement and closing."""

from typing import Any

from django.db import connection

from settlement.selectors.reports.cut import WITHIN_CUT, Cut
from settlement.selectors.trial_balance import TrialBalanceRow

_TRIAL = f"""
SELECT a.code, a.name_zh, a.name_en, a.kind, a.asset_id,
       coalesce(sum(p.amount) FILTER (WHERE e.effective_on < %(since)s), 0),
       coalesce(sum(p.amount) FILTER (WHERE e.effective_on >= %(since)s AND p.amount > 0), 0),
       coalesce(-sum(p.amount) FILTER (WHERE e.effective_on >= %(since)s AND p.amount < 0), 0)
  FROM settlement_account a
  JOIN settlement_posting p ON p.account_id = a.id
  JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE e.effective_on <= %(until)s AND {WITHIN_CUT}
 GROUP BY a.id ORDER BY a.code
"""  # noqa: S608 - a condition of ours


def accounts_within(since: Any, until: Any, cut: Cut) -> list[TrialBalanceRow]:
    """Return every account with entries up to a day and a cut, by code."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIAL, {"since": since, "until": until, **cut.values})
        return [TrialBalanceRow(*row) for row in cursor.fetchall()]
