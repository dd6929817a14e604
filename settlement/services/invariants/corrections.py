"""Rules of later sequences: sums over all of them, credit notes, penalties, adjustments."""

from marketplace.domain.errors import gettext_noop as _
from settlement.services.invariants.registry import Invariant

CHECKS = (
    Invariant(
        "I-09-sequences",
        _("Over all sequences a delivery is billed what its newest rating found."),
        """
        WITH newest AS (
            SELECT DISTINCT ON (l.delivery_id, p.allocation_period_id) l.delivery_id,
                   p.billed * extract(epoch FROM a.ends_at - a.starts_at) / 3600 AS unit_hours
              FROM settlement_ratedperiod p
              JOIN settlement_ratedline l ON l.id = p.line_id
              JOIN settlement_settlementrun r ON r.id = l.run_id
              JOIN orders_allocationperiod a ON a.id = p.allocation_period_id
             ORDER BY l.delivery_id, p.allocation_period_id, r.sequence DESC
        ), found AS (
            SELECT delivery_id, sum(unit_hours) AS unit_hours FROM newest GROUP BY 1
        ), billed AS (
            SELECT delivery_id, sum(billed_unit_hours) AS unit_hours
              FROM settlement_ratedline GROUP BY 1
        )
        SELECT b.delivery_id FROM billed b JOIN found f USING (delivery_id)
         WHERE abs(b.unit_hours - f.unit_hours) > 0.00001
        """,
    ),
    Invariant(
        "I-11-credits",
        _("Credit notes never give back more of a line than was billed, and refer to its bill."),
        """
        SELECT i.organisation_id FROM settlement_invoice i
          JOIN settlement_invoiceline l ON l.invoice_id = i.id
          JOIN settlement_settlementrun r ON r.id = i.run_id
         WHERE l.kind = 'compute'
         GROUP BY i.organisation_id, i.direction, r.auction_id, l.delivery_id
        HAVING sum(l.net_cny) < 0 OR sum(l.vat_cny) < 0
        UNION ALL
        SELECT i.organisation_id FROM settlement_invoice i
          JOIN settlement_invoice f ON f.id = i.refers_to_id
         WHERE (f.kind, f.organisation_id, f.direction)
               IS DISTINCT FROM ('bill', i.organisation_id, i.direction)
        """,
    ),
    Invariant(
        "I-13-adjustments",
        _("Penalties pass through to the fen; adjustments leave what the platform bears."),
        """
        SELECT 'adjustments' FROM (
            SELECT (SELECT coalesce(sum(p.amount), 0) FROM settlement_posting p
                      JOIN settlement_account a ON a.id = p.account_id
                     WHERE a.purpose = 'settlement_adjustments') AS booked,
                   (SELECT coalesce(sum(seller_net_cny - buyer_net_cny), 0)
                      FROM settlement_adjustment WHERE run_id IS NOT NULL) AS ordered) AS s
         WHERE booked <> ordered
        """,
    ),
)
