"""Open items of receivables and payables as of a past day, within a cut."""

from datetime import date
from decimal import Decimal
from typing import Any

from settlement.selectors.reports.cut import WITHIN_CUT, Cut
from settlement.selectors.reports.figures import one_figure
from settlement.selectors.reports.rows import QueryRows

PURPOSES = {"receivable": "member_receivable", "payable": "supplier_payable"}
_SIGN = {"receivable": 1, "payable": -1}
# The payout behind an entry `e`, ordered or sent back by the bank, and the statements `t` it pays.
PAYOUT_JOINS = """
  LEFT JOIN settlement_bankmatch m
         ON e.source_type = 'bank_match' AND m.public_id::text = e.source_id
  LEFT JOIN settlement_payout y ON y.id = coalesce(m.payout_id, (
      SELECT id FROM settlement_payout WHERE e.source_type = 'payout' AND number = e.source_id))
  LEFT JOIN settlement_payoutitem t ON t.payout_id = y.id
"""
# Every movement belongs to the document that its entry or its memo names, a payout to each of the
# statements that it pays; what names none is listed as money on account.
_ITEMS = f"""
SELECT a.organisation_id, coalesce(t.invoice_id, i.id) AS invoice_id,
       max(e.effective_on) AS moved_on,
       %(sign)s * sum(coalesce(sign(p.amount) * t.amount_cny, p.amount)) AS open_cny
  FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id AND a.purpose = %(purpose)s
  JOIN settlement_journalentry e ON e.id = p.entry_id
  LEFT JOIN settlement_invoice i ON i.organisation_id = a.organisation_id AND i.number =
       CASE WHEN e.source_type = 'invoice' THEN e.source_id ELSE p.memo END
  {PAYOUT_JOINS}
 WHERE e.effective_on <= %(as_of)s AND {WITHIN_CUT}
   AND (%(member)s::bigint IS NULL OR a.organisation_id = %(member)s)
 GROUP BY 1, 2 HAVING sum(coalesce(sign(p.amount) * t.amount_cny, p.amount)) <> 0
"""  # noqa: S608 - a condition of ours
_AGEING = f"""
WITH items AS ({_ITEMS}),
aged AS (
    SELECT items.*, i.number, i.kind, i.issued_on, i.due_on, i.gross, i.entry_id,
           %(as_of)s::date - CASE WHEN %(basis)s = 'issued_on'
               THEN coalesce(i.issued_on, items.moved_on)
               ELSE coalesce(i.due_on, items.moved_on) END AS days
      FROM items LEFT JOIN settlement_invoice i ON i.id = items.invoice_id)
SELECT o.code AS member, o.name_zh, o.name_en, aged.number AS document, aged.kind, aged.issued_on,
       aged.due_on, aged.entry_id, aged.gross AS gross_cny, aged.days,
       CASE WHEN days <= 0 THEN open_cny ELSE 0 END AS not_due_cny,
       CASE WHEN days BETWEEN 1 AND 30 THEN open_cny ELSE 0 END AS days_1_30_cny,
       CASE WHEN days BETWEEN 31 AND 60 THEN open_cny ELSE 0 END AS days_31_60_cny,
       CASE WHEN days BETWEEN 61 AND 90 THEN open_cny ELSE 0 END AS days_61_90_cny,
       CASE WHEN days > 90 THEN open_cny ELSE 0 END AS over_90_cny, open_cny
  FROM aged JOIN marketplace_organisation o ON o.id = aged.organisation_id
 ORDER BY o.code, aged.due_on NULLS LAST, aged.number NULLS LAST
"""  # noqa: S608
_CONTROL = f"""
SELECT coalesce(%(sign)s * sum(p.amount), 0) FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id AND a.purpose = %(purpose)s
  JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE e.effective_on <= %(as_of)s AND {WITHIN_CUT}
   AND (%(member)s::bigint IS NULL OR a.organisation_id = %(member)s)
"""  # noqa: S608
# What the documents up to the day state, and what their entries moved on the members' accounts.
_DOCUMENTS = f"""
SELECT coalesce(sum(i.gross), 0) FROM settlement_invoice i
  JOIN settlement_journalentry e ON e.id = i.entry_id
 WHERE i.direction = %(side)s AND e.effective_on <= %(as_of)s AND {WITHIN_CUT}
   AND (%(member)s::bigint IS NULL OR i.organisation_id = %(member)s)
"""  # noqa: S608
_DOCUMENTS_BOOKED = f"""
SELECT coalesce(%(sign)s * sum(p.amount), 0) FROM settlement_invoice i
  JOIN settlement_journalentry e ON e.id = i.entry_id
  JOIN settlement_posting p ON p.entry_id = e.id
  JOIN settlement_account a ON a.id = p.account_id AND a.organisation_id = i.organisation_id
 WHERE i.direction = %(side)s AND e.effective_on <= %(as_of)s AND {WITHIN_CUT}
   AND (%(member)s::bigint IS NULL OR i.organisation_id = %(member)s)
"""  # noqa: S608


def ageing_rows(values: dict[str, Any]) -> QueryRows:
    """Return the open items of one side with the bucket each stands in."""
    return QueryRows(_AGEING, values)


def ageing_values(
    side: str, basis: str, as_of: date, member: int | None, cut: Cut
) -> dict[str, Any]:
    """Return the values that the queries take; `side` is receivable or payable."""
    return {
        "side": side,
        "sign": _SIGN[side],
        "purpose": PURPOSES[side],
        "basis": basis,
        "as_of": as_of,
        "member": member,
        **cut.values,
    }


def control_balance(values: dict[str, Any]) -> Decimal:
    """Return the balance of the control accounts of one side at the end of the day."""
    return one_figure(_CONTROL, values)


def documents_and_entries(values: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """Return what the documents of one side state, and what their entries moved."""
    return one_figure(_DOCUMENTS, values), one_figure(_DOCUMENTS_BOOKED, values)
