"""A member's statement within a cut: opening, every movement, closing of each of its accounts."""

from datetime import date
from decimal import Decimal
from typing import Any

from settlement.selectors.reports.cut import WITHIN_CUT, Cut
from settlement.selectors.reports.figures import BEGINNING, one_figure
from settlement.selectors.reports.rows import QueryRows

_STATEMENT = f"""
WITH moves AS MATERIALIZED (
    SELECT a.id AS account_id, e.id AS entry_id, p.line, e.effective_on, e.recorded_at, e.kind,
           e.source_type, e.source_id, p.memo, -p.amount AS amount, i.number, i.net, i.vat, i.gross
      FROM settlement_posting p
      JOIN settlement_account a ON a.id = p.account_id
      JOIN settlement_journalentry e ON e.id = p.entry_id
      LEFT JOIN settlement_invoice i ON i.entry_id = e.id AND i.organisation_id = %(member)s
     WHERE a.organisation_id = %(member)s AND a.asset_id = 'CNY'
       AND e.effective_on <= %(until)s AND {WITHIN_CUT}),
openings AS (
    SELECT a.id AS account_id, a.code, a.name_zh, a.name_en,
           coalesce(sum(m.amount) FILTER (WHERE m.effective_on < %(since)s), 0) AS opening,
           coalesce(sum(m.amount), 0) AS closing
      FROM settlement_account a LEFT JOIN moves m ON m.account_id = a.id
     WHERE a.organisation_id = %(member)s AND a.asset_id = 'CNY' GROUP BY a.id),
lines AS (
    SELECT 0 AS part, 'opening' AS record, o.code AS account, o.name_zh, o.name_en,
           %(since)s::date AS effective_on, NULL::timestamptz AS recorded_at, NULL AS kind,
           NULL AS document, NULL AS source_type, NULL AS source_id, NULL::bigint AS entry_id,
           NULL AS memo, NULL::numeric AS net_cny, NULL::numeric AS vat_cny,
           NULL::numeric AS gross_cny, NULL::numeric AS amount_cny, o.opening AS balance_cny,
           0 AS line
      FROM openings o
    UNION ALL
    SELECT 1, 'movement', o.code, o.name_zh, o.name_en, m.effective_on, m.recorded_at, m.kind,
           m.number, m.source_type, m.source_id, m.entry_id, m.memo, m.net, m.vat, m.gross,
           m.amount,
           o.opening + sum(m.amount) OVER (PARTITION BY m.account_id
                                           ORDER BY m.effective_on, m.entry_id, m.line), m.line
      FROM moves m JOIN openings o ON o.account_id = m.account_id
     WHERE m.effective_on >= %(since)s
    UNION ALL
    SELECT 2, 'closing', o.code, o.name_zh, o.name_en, %(until)s::date, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, o.closing, 0
      FROM openings o)
SELECT record, account, name_zh, name_en, effective_on, recorded_at, kind, document, source_type,
       source_id, entry_id, memo, net_cny, vat_cny, gross_cny, amount_cny, balance_cny
  FROM lines ORDER BY account, part, effective_on, entry_id, line
"""  # noqa: S608 - a condition of ours
_BALANCE = f"""
SELECT coalesce(-sum(p.amount), 0) FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id
  JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE a.organisation_id = %(member)s AND a.asset_id = 'CNY' AND e.effective_on <= %(day)s
   AND {WITHIN_CUT}
"""  # noqa: S608
# What the member's documents of the span say it owes or is owed, and what their entries moved.
_DOCUMENTS = f"""
SELECT coalesce(sum(CASE i.direction WHEN 'receivable' THEN -i.gross ELSE i.gross END), 0)
  FROM settlement_invoice i JOIN settlement_journalentry e ON e.id = i.entry_id
 WHERE i.organisation_id = %(member)s AND e.effective_on BETWEEN %(since)s AND %(until)s
   AND {WITHIN_CUT}
"""  # noqa: S608
_DOCUMENTS_BOOKED = f"""
SELECT coalesce(-sum(p.amount), 0) FROM settlement_invoice i
  JOIN settlement_journalentry e ON e.id = i.entry_id
  JOIN settlement_posting p ON p.entry_id = e.id
  JOIN settlement_account a ON a.id = p.account_id AND a.organisation_id = i.organisation_id
 WHERE i.organisation_id = %(member)s AND e.effective_on BETWEEN %(since)s AND %(until)s
   AND {WITHIN_CUT}
"""  # noqa: S608


def statement_rows(member: int, since: date, until: date, cut: Cut) -> QueryRows:
    """Return the rows of a member's statement; amounts are the member's view."""
    return QueryRows(_STATEMENT, _values(member, since, until, cut))


def balance_within(member: int, day: date | None, cut: Cut) -> Decimal:
    """Return what a member has at the end of a day: funds and payables less receivables."""
    return one_figure(_BALANCE, {"member": member, "day": day or BEGINNING, **cut.values})


def documents_and_entries(
    member: int, since: date, until: date, cut: Cut
) -> tuple[Decimal, Decimal]:
    """Return what a member's documents add up to, and what their journal entries moved."""
    values = _values(member, since, until, cut)
    return one_figure(_DOCUMENTS, values), one_figure(_DOCUMENTS_BOOKED, values)


def _values(member: int, since: date, until: date, cut: Cut) -> dict[str, Any]:
    return {"member": member, "since": since, "until": until, **cut.values}
