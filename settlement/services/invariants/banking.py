"""What must hold of bank, payouts and the documents of a month."""

from marketplace.domain.errors import gettext_noop as _
from settlement.services.invariants.registry import Invariant

CHECKS = (
    Invariant(
        "I-24",
        _("The ledger's bank balance is the statement's closing and the items no statement shows."),
        """
        SELECT b.code FROM settlement_bankaccount b
          JOIN LATERAL (SELECT closing_cny FROM settlement_bankstatement
                         WHERE account_id = b.id ORDER BY sequence DESC LIMIT 1) AS s ON true
         WHERE s.closing_cny <> (
            SELECT coalesce(sum(p.amount), 0) FROM settlement_posting p
              JOIN settlement_journalentry e ON e.id = p.entry_id
             WHERE p.account_id = b.ledger_account_id
               AND (e.effective_on < b.reconciled_from
                    OR e.source_type IN ('bank_line', 'bank_match')
                    OR EXISTS (SELECT FROM settlement_bankmatch m
                                WHERE m.booked_entry_id = e.id AND m.state = 'confirmed')))
        """,
    ),
    Invariant(
        "I-24-lines",
        _("A bank line is on the ledger once and never matched beyond its amount."),
        """
        SELECT l.public_id FROM settlement_bankline l
         WHERE NOT EXISTS (SELECT FROM settlement_posting p WHERE p.entry_id = l.entry_id
                              AND p.amount = l.amount_cny)
        UNION ALL
        SELECT l.public_id FROM settlement_bankline l
          JOIN settlement_bankmatch m ON m.line_id = l.id AND m.state = 'confirmed'
         GROUP BY l.id
        HAVING abs(sum(m.amount_cny)) > abs(l.amount_cny)
        """,
    ),
    Invariant(
        "I-24-statements",
        _("A bank statement adds up and opens where the one before it closed."),
        """
        SELECT s.public_id FROM settlement_bankstatement s
          JOIN settlement_bankaccount b ON b.id = s.account_id
          LEFT JOIN settlement_bankstatement before
            ON before.account_id = s.account_id AND before.sequence = s.sequence - 1
         WHERE s.opening_cny <> coalesce(before.closing_cny, b.opening_cny)
            OR (s.sequence > 1 AND before.id IS NULL)
            OR s.closing_cny <> s.opening_cny + (
                SELECT coalesce(sum(amount_cny), 0) FROM settlement_bankline
                 WHERE statement_id = s.id)
        """,
    ),
    Invariant(
        "I-24-suspense",
        _("Money in suspense is what of the bank's lines nobody has explained."),
        """
        SELECT 'suspense' FROM (
            SELECT (SELECT coalesce(sum(amount_cny), 0) FROM settlement_bankline)
                 - (SELECT coalesce(sum(amount_cny), 0) FROM settlement_bankmatch
                     WHERE state = 'confirmed')
                 + (SELECT coalesce(sum(p.amount), 0) FROM settlement_posting p
                      JOIN settlement_account a ON a.id = p.account_id
                     WHERE a.purpose = 'bank_suspense') AS gap) AS sums
         WHERE gap <> 0
        """,
    ),
    Invariant(
        "I-24-payouts",
        _("A payout is its items, a batch its payouts, and no statement is paid beyond its sum."),
        """
        SELECT p.number FROM settlement_payout p
          JOIN settlement_payoutitem i ON i.payout_id = p.id
         GROUP BY p.id HAVING sum(i.amount_cny) <> p.amount_cny
        UNION ALL
        SELECT b.number FROM settlement_payoutbatch b
          JOIN settlement_payout p ON p.batch_id = b.id
         GROUP BY b.id HAVING (sum(p.amount_cny), count(*)) <> (b.total_cny, b.payout_count)
        UNION ALL
        SELECT v.number FROM settlement_invoice v
          JOIN settlement_payoutitem i ON i.invoice_id = v.id
          JOIN settlement_payout p ON p.id = i.payout_id
           AND p.state IN ('planned', 'ordered', 'paid')
         GROUP BY v.id HAVING abs(sum(i.amount_cny)) > abs(v.gross)
        """,
    ),
    Invariant(
        "I-24-transit",
        _("Money in transit is the payouts that the bank has not dealt with."),
        """
        SELECT 'transit' FROM (
            SELECT (SELECT coalesce(sum(amount_cny), 0) FROM settlement_payout
                     WHERE state = 'ordered')
                 + (SELECT coalesce(sum(p.amount), 0) FROM settlement_posting p
                      JOIN settlement_account a ON a.id = p.account_id
                     WHERE a.purpose = 'payout_in_transit') AS gap) AS sums
         WHERE gap <> 0
        """,
    ),
)
