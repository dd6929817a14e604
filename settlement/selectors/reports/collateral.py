"""What stands behind each member: deposits, limits, what is held and what is free; as it is now."""

from decimal import Decimal

from settlement.selectors.reports.figures import one_figure
from settlement.selectors.reports.rows import QueryRows

_COLLATERAL = """
SELECT o.code AS member, o.name_zh, o.name_en, a.code AS account,
       coalesce(posted.deposit, 0) AS deposit_cny, b.credit_limit AS limit_cny,
       coalesce(held.orders, 0) AS held_orders_cny, coalesce(held.other, 0) AS held_other_cny,
       coalesce(posted.deposit, 0) + b.credit_limit - coalesce(held.orders, 0)
           - coalesce(held.other, 0) AS free_cny,
       coalesce(owed.receivable, 0) AS receivable_cny,
       coalesce(secured.amount, 0) AS security_deposit_cny,
       CASE WHEN coalesce(posted.deposit, 0) + b.credit_limit - b.pending < 0 THEN 'overdrawn'
            WHEN coalesce(owed.receivable, 0) > 0 THEN 'receivable'
            WHEN b.credit_limit > 0 AND -coalesce(posted.deposit, 0) >= b.credit_limit * 0.9
                THEN 'limit_nearly_used'
            ELSE '' END AS breach
  FROM settlement_accountbalance b
  JOIN settlement_account a ON a.id = b.account_id AND a.purpose = 'member_funds'
  JOIN marketplace_organisation o ON o.id = a.organisation_id
  LEFT JOIN LATERAL (SELECT -sum(amount) AS deposit FROM settlement_posting
                      WHERE account_id = a.id) AS posted ON true
  LEFT JOIN LATERAL (SELECT sum(remaining) FILTER (WHERE source_type = 'order') AS orders,
                            sum(remaining) FILTER (WHERE source_type <> 'order') AS other
                       FROM settlement_hold
                      WHERE account_id = a.id AND state = 'open') AS held ON true
  LEFT JOIN LATERAL (SELECT sum(p.amount) AS receivable
                       FROM settlement_posting p JOIN settlement_account r ON r.id = p.account_id
                      WHERE r.purpose = 'member_receivable'
                        AND r.organisation_id = o.id) AS owed ON true
  LEFT JOIN LATERAL (SELECT sum(remaining_cny) AS amount FROM settlement_securitydeposit s
                      WHERE s.organisation_id = o.id
                        AND s.state IN ('lodged', 'release_asked')) AS secured ON true
 ORDER BY o.code
"""
_STORED = """
SELECT {figure} FROM settlement_accountbalance b
  JOIN settlement_account a ON a.id = b.account_id AND a.purpose = 'member_funds'
"""
_SECURITY = """
SELECT coalesce(-sum(p.amount), 0) FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id AND a.purpose = 'member_deposit'
"""


def collateral_rows() -> QueryRows:
    """Return one row for each member with accounts."""
    return QueryRows(_COLLATERAL, {})


def stored_collateral() -> tuple[Decimal, Decimal]:
    """Return deposits and held sums as the stored balances have them."""
    deposit = one_figure(_STORED.format(figure="coalesce(sum(credit - debit), 0)"), {})
    return deposit, one_figure(_STORED.format(figure="coalesce(sum(pending), 0)"), {})


def security_balance() -> Decimal:
    """Return what the ledger keeps as security deposits of members."""
    return one_figure(_SECURITY, {})
