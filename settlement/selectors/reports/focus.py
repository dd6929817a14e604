"""What a buyer was charged, in the columns of the FinOps FOCUS specification 1.2."""

from typing import Any

from settlement.selectors.reports.cut import WITHIN_CUT
from settlement.selectors.reports.rows import QueryRows

VERSION = "1.2"
# A line gives a row for what is charged and, where there is tax, a row for the tax.
_FOCUS = f"""
WITH lines AS (
    SELECT i.number, i.kind AS document_kind, i.issued_on, o.code AS member,
           o.name_zh AS member_name,
           l.line, l.kind, l.unit_hours, l.net_cny, l.vat_cny, l.vat_rate,
           coalesce(al.starts_at, i.issued_at) AS starts_at,
           coalesce(al.ends_at, i.issued_at) AS ends_at,
           al.number AS confirmation, d.public_id::text AS delivery, pr.code AS product,
           pr.name_en AS product_name, pr.unit_en AS unit, hub.code AS hub, hub.name_en AS hub_name,
           s.name_zh AS seller, project.public_id::text AS project, project.name AS project_name
      FROM settlement_invoiceline l
      JOIN settlement_invoice i ON i.id = l.invoice_id AND i.direction = 'receivable'
      JOIN settlement_journalentry e ON e.id = i.entry_id
      JOIN marketplace_organisation o ON o.id = i.organisation_id
      LEFT JOIN settlement_delivery d ON d.id = l.delivery_id
      LEFT JOIN orders_allocation al ON al.id = d.allocation_id
      LEFT JOIN orders_order b ON b.id = al.buy_order_id
      LEFT JOIN orders_project project ON project.id = b.project_id
      LEFT JOIN marketplace_organisation s ON s.id = al.seller_id
      LEFT JOIN marketplace_product pr ON pr.id = l.product_id
      LEFT JOIN marketplace_hub hub ON hub.id = al.hub_id
     WHERE i.issued_on BETWEEN %(since)s AND %(until)s AND i.organisation_id = %(member)s
       AND {WITHIN_CUT}),
charges AS (
    SELECT 0 AS part, lines.*, net_cny AS cost,
           CASE kind WHEN 'compute' THEN 'Usage' WHEN 'fee' THEN 'Purchase' ELSE 'Adjustment' END
               AS category
      FROM lines
    UNION ALL
    SELECT 1, lines.*, vat_cny, 'Tax' FROM lines WHERE vat_cny <> 0)
SELECT cost AS "BilledCost", member AS "BillingAccountId", member_name AS "BillingAccountName",
       'CNY' AS "BillingCurrency",
       (date_trunc('month', issued_on) + interval '1 month')::date AS "BillingPeriodEnd",
       date_trunc('month', issued_on)::date AS "BillingPeriodStart",
       category AS "ChargeCategory",
       CASE WHEN document_kind <> 'bill' THEN 'Correction' END AS "ChargeClass",
       concat_ws(' ', product_name,
                 CASE WHEN part = 1 THEN 'VAT' WHEN kind <> 'compute' THEN kind END,
                 confirmation) AS "ChargeDescription",
       CASE category WHEN 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END AS "ChargeFrequency",
       ends_at AS "ChargePeriodEnd", starts_at AS "ChargePeriodStart",
       CASE category WHEN 'Usage' THEN unit_hours END AS "ConsumedQuantity",
       CASE category WHEN 'Usage' THEN unit || ' Hours' END AS "ConsumedUnit",
       cost AS "ContractedCost",
       CASE WHEN category = 'Usage' AND unit_hours <> 0 THEN round(cost / unit_hours, 6) END
           AS "ContractedUnitPrice",
       cost AS "EffectiveCost", number AS "InvoiceId", cost AS "ListCost",
       CASE category WHEN 'Usage' THEN 'Dynamic' END AS "PricingCategory",
       CASE category WHEN 'Usage' THEN unit_hours END AS "PricingQuantity",
       CASE category WHEN 'Usage' THEN unit || ' Hours' END AS "PricingUnit",
       seller AS "PublisherName", hub AS "RegionId", hub_name AS "RegionName",
       delivery AS "ResourceId", confirmation AS "ResourceName",
       'Compute' AS "ServiceCategory", product_name AS "ServiceName", product AS "SkuId",
       project AS "SubAccountId", project_name AS "SubAccountName"
  FROM charges ORDER BY number, line, part
"""  # noqa: S608 - a condition of ours


def focus_rows(values: dict[str, Any]) -> QueryRows:
    """Return a buyer's charges of a span, one row a charge, tax in rows of its own."""
    return QueryRows(_FOCUS, values)
