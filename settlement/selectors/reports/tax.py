"""Sales and tax within a cut: documents by category and rate, and what else moved the accounts."""

from typing import Any

from settlement.selectors.reports.cut import WITHIN_CUT
from settlement.selectors.reports.figures import table_of

# Output tax: bills to buyers and the fees of suppliers. Input tax: what suppliers charge us.
_TAX = f"""
SELECT CASE WHEN i.direction = 'payable' AND l.kind <> 'fee' THEN 'input' ELSE 'output' END AS side,
       l.kind, l.vat_rate, count(DISTINCT i.id),
       sum(CASE WHEN i.direction = 'payable' AND l.kind = 'fee' THEN -l.net_cny ELSE l.net_cny END),
       sum(CASE WHEN i.direction = 'payable' AND l.kind = 'fee' THEN -l.vat_cny ELSE l.vat_cny END)
  FROM settlement_invoiceline l
  JOIN settlement_invoice i ON i.id = l.invoice_id
  JOIN settlement_journalentry e ON e.id = i.entry_id
 WHERE e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
 GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3
"""  # noqa: S608 - a condition of ours
_OTHER = f"""
SELECT CASE a.purpose WHEN 'vat_output' THEN 'output' ELSE 'input' END, e.kind,
       count(DISTINCT e.id),
       sum(CASE a.purpose WHEN 'vat_output' THEN -p.amount ELSE p.amount END)
  FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id
       AND a.purpose IN ('vat_output', 'vat_input', 'vat_input_pending')
  JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
   AND NOT EXISTS (SELECT FROM settlement_invoice i WHERE i.entry_id = e.id)
 GROUP BY 1, 2 HAVING sum(p.amount) <> 0 ORDER BY 1 DESC, 2
"""  # noqa: S608
_DEDUCTIBLE = f"""
SELECT coalesce(sum(s.vat), 0) FROM settlement_supplierinvoice s
  JOIN settlement_journalentry e
    ON e.source_type = 'supplier_invoice' AND e.source_id = s.tax_number AND e.kind = 'input_tax'
 WHERE e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
"""  # noqa: S608
_REVENUE = f"""
SELECT pr.code, pr.name_zh, pr.name_en, i.direction, mr.valid_from,
       CASE i.direction WHEN 'payable' THEN mr.seller_fee_rate ELSE mr.buyer_fee_rate END,
       '' AS kind, count(DISTINCT i.id),
       sum(CASE i.direction WHEN 'payable' THEN -l.net_cny ELSE l.net_cny END) AS fee
  FROM settlement_invoiceline l
  JOIN settlement_invoice i ON i.id = l.invoice_id
  JOIN settlement_journalentry e ON e.id = i.entry_id
  JOIN settlement_settlementrun r ON r.id = i.run_id
  JOIN orders_auction au ON au.id = r.auction_id
  LEFT JOIN marketplace_product pr ON pr.id = l.product_id
  LEFT JOIN LATERAL (SELECT * FROM marketplace_marketrules
                      WHERE valid_from <= au.gate_closes_at
                      ORDER BY valid_from DESC LIMIT 1) AS mr ON true
 WHERE l.kind = 'fee' AND e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
 GROUP BY 1, 2, 3, 4, 5, 6
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, e.kind, count(DISTINCT e.id), -sum(p.amount)
  FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id AND a.purpose = 'fee_income'
  JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
   AND NOT EXISTS (SELECT FROM settlement_invoice i WHERE i.entry_id = e.id)
 GROUP BY e.kind HAVING sum(p.amount) <> 0
 ORDER BY 1 NULLS LAST, 4, 5, 7
"""  # noqa: S608

_FEES_BOOKED = f"""
SELECT i.direction, -sum(p.amount)
  FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id AND a.purpose = 'fee_income'
  JOIN settlement_journalentry e ON e.id = p.entry_id
  JOIN settlement_invoice i ON i.entry_id = e.id
 WHERE e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
 GROUP BY 1
"""  # noqa: S608


def tax_by_rate(values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return (side, line kind, rate, documents, base, tax) of the span's documents, CNY."""
    return table_of(_TAX, values)


def other_tax(values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return (side, entry kind, entries, tax) of what moved the tax accounts without a document."""
    return table_of(_OTHER, values)


def deductible_tax(values: dict[str, Any]) -> Any:
    """Return the tax on suppliers' tax invoices that became deductible."""
    return table_of(_DEDUCTIBLE, values)[0][0]


def fee_revenue(values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return fees by product, side and price version, and other movements of the income account."""
    return table_of(_REVENUE, values)


def fees_booked(values: dict[str, Any]) -> dict[str, Any]:
    """Return what the entries of documents moved on the income account, by direction."""
    return dict(table_of(_FEES_BOOKED, values))
