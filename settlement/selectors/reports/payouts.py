"""Payouts to suppliers within a cut: what each paid, statement by statement."""

from decimal import Decimal
from typing import Any

from settlement.selectors.reports.cut import WITHIN_CUT
from settlement.selectors.reports.figures import one_figure
from settlement.selectors.reports.rows import QueryRows

_POSTED = f"""
  FROM settlement_payout y
  JOIN settlement_journalentry e ON e.id = y.entry_id
  JOIN settlement_payoutbatch b ON b.id = y.batch_id
 WHERE e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
   AND (%(member)s::bigint IS NULL OR y.organisation_id = %(member)s)
"""
_PAYOUTS = f"""
SELECT posted.batch, posted.payout, o.code AS member, o.name_zh, o.name_en, posted.effective_on,
       i.number AS document, posted.entry_id, coalesce(l.compute, 0) AS compute_cny,
       coalesce(l.fee, 0) AS fee_cny, coalesce(l.penalty, 0) AS penalty_cny,
       coalesce(l.other, 0) AS other_cny, i.vat AS vat_cny, i.gross AS gross_cny,
       t.held_back_cny, t.amount_cny AS paid_cny
  FROM (SELECT y.id, b.number AS batch, y.number AS payout, y.organisation_id, e.effective_on,
               y.entry_id {_POSTED}) AS posted
  JOIN settlement_payoutitem t ON t.payout_id = posted.id
  JOIN settlement_invoice i ON i.id = t.invoice_id
  JOIN marketplace_organisation o ON o.id = posted.organisation_id
  LEFT JOIN LATERAL (
      SELECT sum(net_cny) FILTER (WHERE kind = 'compute') AS compute,
             sum(net_cny) FILTER (WHERE kind = 'fee') AS fee,
             sum(net_cny) FILTER (WHERE kind = 'sla_penalty') AS penalty,
             sum(net_cny) FILTER (WHERE kind NOT IN ('compute', 'fee', 'sla_penalty')) AS other
        FROM settlement_invoiceline WHERE invoice_id = i.id) AS l ON true
 ORDER BY posted.batch, posted.payout, i.number
"""  # noqa: S608 - conditions of ours
_FILE_TOTAL = f"SELECT coalesce(sum(y.amount_cny), 0) {_POSTED}"
_BOOKED = f"""
SELECT coalesce(sum(p.amount), 0) FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id AND a.purpose = 'supplier_payable'
 WHERE p.entry_id IN (SELECT y.entry_id {_POSTED})
"""  # noqa: S608


def payout_rows(values: dict[str, Any]) -> QueryRows:
    """Return every statement in the payouts that were posted in a span."""
    return QueryRows(_PAYOUTS, values)


def payout_totals(values: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """Return what the bank files pay, and what the entries took off the payables."""
    return one_figure(_FILE_TOTAL, values), one_figure(_BOOKED, values)
