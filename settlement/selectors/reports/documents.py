"""Bills, credit notes and their lines within a cut; what their journal entries say."""

from datetime import date
from decimal import Decimal
from typing import Any

from settlement.selectors.reports.cut import WITHIN_CUT, Cut
from settlement.selectors.reports.figures import table_of
from settlement.selectors.reports.rows import QueryRows

# A bill of nothing has no entry; it is within the cut when a later document is.
_IN_CUT = f"""((e.id IS NOT NULL AND {WITHIN_CUT}) OR (e.id IS NULL AND i.id < (
           SELECT max(x.id) FROM settlement_invoice x
             JOIN settlement_journalentry e ON e.id = x.entry_id WHERE {WITHIN_CUT})))"""  # noqa: S608
_SCOPE = f"""
      FROM settlement_invoice i
      LEFT JOIN settlement_journalentry e ON e.id = i.entry_id
     WHERE i.issued_on BETWEEN %(since)s AND %(until)s
       AND (%(member)s::bigint IS NULL OR i.organisation_id = %(member)s) AND {_IN_CUT}
"""
# One row for each tax rate of a document; a bill of nothing has one row of zeros.
_REGISTER = f"""
SELECT i.number, i.direction, i.kind, i.issued_on, i.due_on, o.code AS member, o.name_zh, o.name_en,
       coalesce(nullif(o.tax_id, ''), o.credit_code) AS tax_id, au.code AS auction,
       r.number AS run, c.number AS refers_to, i.entry_id, l.vat_rate,
       coalesce(l.net, 0) AS net_cny, coalesce(l.vat, 0) AS vat_cny,
       coalesce(l.net + l.vat, 0) AS gross_cny
  FROM settlement_invoice i
  LEFT JOIN settlement_journalentry e ON e.id = i.entry_id
  JOIN marketplace_organisation o ON o.id = i.organisation_id
  JOIN settlement_settlementrun r ON r.id = i.run_id
  JOIN orders_auction au ON au.id = r.auction_id
  LEFT JOIN settlement_invoice c ON c.id = i.refers_to_id
  LEFT JOIN LATERAL (
      SELECT vat_rate, sum(net_cny) AS net, sum(vat_cny) AS vat
        FROM settlement_invoiceline WHERE invoice_id = i.id GROUP BY vat_rate) AS l ON true
 WHERE i.issued_on BETWEEN %(since)s AND %(until)s
   AND (%(member)s::bigint IS NULL OR i.organisation_id = %(member)s) AND {_IN_CUT}
 ORDER BY i.number, l.vat_rate
"""  # noqa: S608 - conditions of ours
# What the documents' entries moved on their members' accounts and on the tax accounts.
_BOOKED = f"""
SELECT i.direction,
       coalesce(sum(p.amount) FILTER (WHERE a.organisation_id = i.organisation_id), 0),
       coalesce(sum(p.amount) FILTER (
           WHERE a.purpose IN ('vat_output', 'vat_input_pending', 'vat_input')), 0)
  FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id
  JOIN (SELECT i.entry_id, i.direction, i.organisation_id {_SCOPE}) AS i ON i.entry_id = p.entry_id
 GROUP BY 1
"""  # noqa: S608
# Each series of numbers that the span touches: how many documents it has, and its highest number.
_SERIES = f"""
SELECT left(i.number, 11), count(*), max(right(i.number, 6)::int)
  FROM settlement_invoice i LEFT JOIN settlement_journalentry e ON e.id = i.entry_id
 WHERE left(i.number, 11) IN (SELECT DISTINCT left(number, 11) FROM settlement_invoice
                               WHERE issued_on BETWEEN %(since)s AND %(until)s)
   AND {_IN_CUT}
 GROUP BY 1 ORDER BY 1
"""  # noqa: S608
_LINES = f"""
SELECT i.number AS document, l.line, i.kind, i.direction, i.issued_on, o.code AS member,
       l.kind AS line_kind,
       al.number AS confirmation, pr.code AS product, pr.name_zh AS product_zh,
       pr.name_en AS product_en, hub.code AS hub, d.starts_at, d.ends_at,
       d.public_id::text AS delivery, l.unit_hours,
       CASE WHEN l.unit_hours <> 0 THEN round(l.net_cny / l.unit_hours, 6) END AS price_cny,
       l.vat_rate, l.net_cny, l.vat_cny, l.net_cny + l.vat_cny AS gross_cny
  FROM settlement_invoiceline l
  JOIN settlement_invoice i ON i.id = l.invoice_id
  LEFT JOIN settlement_journalentry e ON e.id = i.entry_id
  JOIN marketplace_organisation o ON o.id = i.organisation_id
  LEFT JOIN settlement_delivery d ON d.id = l.delivery_id
  LEFT JOIN orders_allocation al ON al.id = d.allocation_id
  LEFT JOIN marketplace_product pr ON pr.id = l.product_id
  LEFT JOIN marketplace_hub hub ON hub.id = al.hub_id
 WHERE i.issued_on BETWEEN %(since)s AND %(until)s
   AND (%(member)s::bigint IS NULL OR i.organisation_id = %(member)s) AND {_IN_CUT}
 ORDER BY i.number, l.line
"""  # noqa: S608
_SUMS = f"""
SELECT direction, sum(net), sum(vat), sum(gross)
  FROM (SELECT i.direction, i.net, i.vat, i.gross {_SCOPE}) AS documents GROUP BY 1
"""  # noqa: S608


def register_rows(values: dict[str, Any]) -> QueryRows:
    """Return the register of documents, one row for each tax rate of a document."""
    return QueryRows(_REGISTER, values)


def line_rows(values: dict[str, Any]) -> QueryRows:
    """Return every line of the documents, with the delivery that it bills."""
    return QueryRows(_LINES, values)


def scope(since: date, until: date, member: int | None, cut: Cut) -> dict[str, Any]:
    """Return the values that the queries of documents take."""
    return {"since": since, "until": until, "member": member, **cut.values}


def document_sums(values: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """Return net, tax and gross of the documents, by direction, as their heads state them."""
    return {row[0]: (row[1], row[2], row[3]) for row in table_of(_SUMS, values)}


def booked_sums(values: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return what the documents' entries moved on members' and on tax accounts, by direction."""
    return {row[0]: (row[1], row[2]) for row in table_of(_BOOKED, values)}


def number_series(values: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Return each series of numbers with its documents counted and its highest number."""
    return [(row[0], row[1], row[2]) for row in table_of(_SERIES, values)]
