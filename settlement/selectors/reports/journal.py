"""The journal within a cut: every posting, found by kind, account, source, amount or member."""

from decimal import Decimal
from typing import Any

from settlement.selectors.reports.cut import WITHIN_CUT
from settlement.selectors.reports.figures import table_of
from settlement.selectors.reports.rows import QueryRows

_FOUND = f"""
  FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id
  JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
   AND (%(kind)s = '' OR e.kind = %(kind)s)
   AND (%(source)s = '' OR e.source_id = %(source)s OR p.memo = %(source)s)
   AND (%(account)s = '' OR EXISTS (
       SELECT FROM settlement_posting x JOIN settlement_account y ON y.id = x.account_id
        WHERE x.entry_id = e.id AND (y.code = %(account)s OR y.code LIKE %(account)s || '.%%')))
   AND (%(amount)s::numeric IS NULL OR EXISTS (
       SELECT FROM settlement_posting x WHERE x.entry_id = e.id AND abs(x.amount) = %(amount)s))
"""  # noqa: S608 - a condition of ours
# Whole entries are found, so that debits and credits of what is shown are equal.
_JOURNAL = f"""
SELECT e.id AS entry_id, e.effective_on, e.recorded_at, e.kind, e.source_type, e.source_id, p.line,
       a.code AS account, a.name_zh, a.name_en, p.asset_id AS asset,
       greatest(p.amount, 0) AS debit, greatest(-p.amount, 0) AS credit, p.memo,
       coalesce((SELECT email FROM marketplace_user u WHERE u.id = e.actor_id), '') AS person,
       e.reason, (SELECT b.id FROM settlement_journalentry b WHERE b.id = e.reverses_id) AS reverses
{_FOUND} ORDER BY e.effective_on, e.id, p.line
"""  # noqa: S608 - conditions of ours
_SIDES = f"""
SELECT p.asset_id, coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0),
       coalesce(-sum(p.amount) FILTER (WHERE p.amount < 0), 0)
{_FOUND} GROUP BY 1 ORDER BY 1
"""


def journal_rows(values: dict[str, Any]) -> QueryRows:
    """Return the postings of the entries found, entry by entry."""
    return QueryRows(_JOURNAL, values)


def journal_sides(values: dict[str, Any]) -> list[tuple[str, Decimal, Decimal]]:
    """Return debits and credits of the entries found, by unit of account."""
    return [(row[0], row[1], row[2]) for row in table_of(_SIDES, values)]
