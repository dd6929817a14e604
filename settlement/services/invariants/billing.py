"""Rules of readings, bills, settlement runs, debts and the bank."""

from marketplace.domain.errors import gettext_noop as _
from settlement.services.invariants.registry import Invariant

CHECKS = (
    Invariant(
        "I-09",
        _("Nobody is billed for more than was sold."),
        "SELECT id FROM settlement_ratedperiod WHERE billed > sold OR billed < 0",
    ),
    Invariant(
        "I-11",
        _("A bill is the sum of its lines and of its journal entry."),
        """
        SELECT i.number FROM settlement_invoice i
          LEFT JOIN LATERAL (
              SELECT coalesce(sum(net_cny), 0) AS net, coalesce(sum(vat_cny), 0) AS vat
                FROM settlement_invoiceline WHERE invoice_id = i.id) AS l ON true
          LEFT JOIN LATERAL (
              SELECT coalesce(sum(p.amount), 0) AS amount FROM settlement_posting p
                JOIN settlement_account a ON a.id = p.account_id
               WHERE p.entry_id = i.entry_id AND a.organisation_id = i.organisation_id) AS e ON true
         WHERE (l.net, l.vat) IS DISTINCT FROM (i.net, i.vat)
            OR e.amount <> CASE i.direction WHEN 'receivable' THEN i.gross ELSE -i.gross END
        """,
    ),
    Invariant(
        "I-11-numbers",
        _("The numbers of bills leave no gap."),
        """
        SELECT left(number, 11) FROM settlement_invoice GROUP BY 1
        HAVING max(right(number, 6)::int) <> count(*)
        """,
    ),
    Invariant(
        "I-13",
        _("The buyers' net of a run is the suppliers', tariffs and rent; clearing is left empty."),
        """
        SELECT r.number FROM settlement_settlementrun r
         WHERE r.buyer_net_cny <> r.seller_net_cny + r.tariffs_cny + r.congestion_rent_cny
        UNION ALL
        SELECT r.number FROM settlement_settlementrun r
          JOIN LATERAL (
              SELECT entry_id AS id FROM settlement_invoice WHERE run_id = r.id
              UNION ALL
              SELECT id FROM settlement_journalentry
               WHERE source_type = 'settlement_run' AND source_id = r.number) AS e ON true
          JOIN settlement_posting p ON p.entry_id = e.id
          JOIN settlement_account a ON a.id = p.account_id AND a.purpose = 'trade_clearing'
         GROUP BY r.number HAVING sum(p.amount) <> 0
        UNION ALL
        SELECT r.number FROM settlement_settlementrun r
          JOIN settlement_ratedline l ON l.run_id = r.id
         GROUP BY r.id
        HAVING (sum(l.buyer_net_cny), sum(l.seller_net_cny))
               IS DISTINCT FROM (r.buyer_net_cny, r.seller_net_cny)
        """,
    ),
    Invariant(
        "I-14",
        _("What members owe is the sum of their open bills; of a paid bill nothing is owed."),
        """
        WITH owed AS (
            SELECT e.source_id AS number, sum(p.amount) AS amount
              FROM settlement_posting p
              JOIN settlement_account a ON a.id = p.account_id AND a.purpose = 'member_receivable'
              JOIN settlement_journalentry e ON e.id = p.entry_id
             GROUP BY 1
        )
        SELECT i.number FROM settlement_invoice i LEFT JOIN owed o USING (number)
         WHERE i.direction = 'receivable' AND i.state = 'paid' AND coalesce(o.amount, 0) <> 0
        UNION ALL
        SELECT number FROM owed WHERE amount < 0
        """,
    ),
    Invariant(
        "I-24-receipts",
        _("Confirmed receipts and paid withdrawals are on the bank's account with their amounts."),
        """
        WITH moved AS (
            SELECT p.entry_id, sum(p.amount) AS amount FROM settlement_posting p
              JOIN settlement_account a ON a.id = p.account_id
               AND a.purpose IN ('bank', 'bank_suspense')
             GROUP BY 1
        )
        SELECT r.id FROM settlement_depositreceipt r LEFT JOIN moved m USING (entry_id)
         WHERE r.state = 'approved' AND m.amount IS DISTINCT FROM r.amount
        UNION ALL
        SELECT w.id FROM settlement_withdrawalrequest w LEFT JOIN moved m USING (entry_id)
         WHERE w.state = 'approved' AND m.amount IS DISTINCT FROM -w.amount
        """,
    ),
)
