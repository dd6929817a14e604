"""Disputes, vouchers, defaults and security deposits: the rows say what the ledger says."""

from marketplace.domain.errors import gettext_noop as _
from settlement.services.invariants.registry import Invariant

_PROGRAMME_BUDGET = """
SELECT p.code
  FROM settlement_voucherprogramme p
  LEFT JOIN settlement_voucher v ON v.programme_id = p.id AND v.state NOT IN ('entered', 'rejected')
  LEFT JOIN (SELECT voucher_id,
                    sum(CASE kind WHEN 'redeem' THEN amount_cny WHEN 'give_back' THEN -amount_cny
                                  ELSE 0 END) AS paid
               FROM settlement_vouchermove GROUP BY voucher_id) m ON m.voucher_id = v.id
 GROUP BY p.id
HAVING p.redeemed_cny <> coalesce(sum(m.paid), 0)
    OR p.committed_cny <> coalesce(sum(coalesce(m.paid, 0) + v.remaining_cny), 0)
    OR p.committed_cny > p.budget_cny
"""

_PROGRAMME_LEDGER = """
SELECT p.code
  FROM settlement_voucherprogramme p
  JOIN settlement_account a ON a.purpose = 'voucher:' || p.code
  LEFT JOIN settlement_posting g ON g.account_id = a.id
  LEFT JOIN settlement_journalentry e ON e.id = g.entry_id
 GROUP BY p.id
HAVING p.redeemed_cny <> coalesce(sum(g.amount) FILTER (
           WHERE e.kind IN ('voucher_redeemed', 'voucher_returned')), 0)
"""

_VOUCHER_SHARE = """
SELECT b.number
  FROM settlement_vouchermove m JOIN settlement_invoice b ON b.id = m.invoice_id
 WHERE m.kind = 'redeem'
 GROUP BY b.id
HAVING sum(m.amount_cny) > b.gross
"""

_DISPUTE_PATH = """
SELECT d.number
  FROM settlement_dispute d
 WHERE d.state <> (SELECT t.to_state FROM settlement_disputetransition t
                    WHERE t.dispute_id = d.id ORDER BY t.id DESC LIMIT 1)
    OR NOT EXISTS (SELECT FROM settlement_disputetransition t
                    WHERE t.dispute_id = d.id AND t.from_state = '' AND t.to_state = 'opened')
    OR (d.state = 'ruled') <> EXISTS (SELECT FROM settlement_disputeruling r
                                       WHERE r.dispute_id = d.id AND r.state = 'approved')
"""

_DEFAULT_STEPS = """
SELECT c.number
  FROM settlement_defaultcase c LEFT JOIN settlement_defaultstep s ON s.case_id = c.id
 WHERE c.state IN ('declared', 'recovered')
 GROUP BY c.id
HAVING c.owed_cny <> coalesce(sum(s.amount_cny) FILTER (
           WHERE NOT s.is_recovery AND NOT s.is_penalty), 0)
"""

_STEP_ENTRIES = """
SELECT s.case_id || '/' || s.position
  FROM settlement_defaultstep s
 WHERE s.amount_cny <> (SELECT sum(p.amount) FROM settlement_posting p
                         WHERE p.entry_id = s.entry_id AND p.amount > 0)
"""

_DEPOSITS = """
SELECT a.code
  FROM settlement_account a
  LEFT JOIN (SELECT account_id, -sum(amount) AS balance FROM settlement_posting
              GROUP BY account_id) p ON p.account_id = a.id
  LEFT JOIN (SELECT organisation_id, sum(remaining_cny) AS lodged FROM settlement_securitydeposit
              GROUP BY organisation_id) d ON d.organisation_id = a.organisation_id
 WHERE a.purpose = 'member_deposit' AND coalesce(p.balance, 0) <> coalesce(d.lodged, 0)
"""

_GUARANTEES = """
SELECT l.id
  FROM settlement_creditlimit l JOIN settlement_guaranteecall c ON c.limit_id = l.id
 GROUP BY l.id
HAVING sum(c.amount_cny) > l.amount
"""

CHECKS = (
    Invariant(
        "I-05-vouchers",
        _("What a voucher programme committed and redeemed is what its vouchers say."),
        _PROGRAMME_BUDGET,
    ),
    Invariant(
        "I-05-voucher-ledger",
        _("What a voucher programme redeemed is what its issuer owes in the ledger."),
        _PROGRAMME_LEDGER,
    ),
    Invariant(
        "I-11-vouchers", _("Vouchers never pay more of a bill than the bill."), _VOUCHER_SHARE
    ),
    Invariant(
        "I-25-disputes",
        _("A dispute stands where its history ends, ruled only by an approved ruling."),
        _DISPUTE_PATH,
    ),
    Invariant("I-13-defaults", _("What a default owed was taken to the fen."), _DEFAULT_STEPS),
    Invariant("I-12-default-steps", _("Each step of a default has its own entry."), _STEP_ENTRIES),
    Invariant("I-04-deposits", _("Security deposits are what the ledger says of them."), _DEPOSITS),
    Invariant(
        "I-05-guarantees", _("No more is called on a guarantee than it covers."), _GUARANTEES
    ),
)
