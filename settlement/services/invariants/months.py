"""Rules of the accounting months and of the balances they end with."""

from marketplace.domain.errors import gettext_noop as _
from settlement.services.invariants.registry import Invariant

CHECKS = (
    Invariant(
        "I-10",
        _("The months of a book leave no gap, and every entry lies in its month."),
        """
        SELECT id FROM (
            SELECT id, lower(days) AS starts,
                   lag(upper(days)) OVER (PARTITION BY book ORDER BY days) AS before
              FROM settlement_bookperiod) AS p
         WHERE before <> starts
        UNION ALL
        SELECT e.id FROM settlement_journalentry e
          JOIN settlement_bookperiod p ON p.id = e.period_id
         WHERE NOT p.days @> e.effective_on OR p.book <> e.book
        """,
    ),
    Invariant(
        "I-10-closed",
        _("Nothing was posted into a month after it was closed for good by two persons."),
        """
        SELECT e.id FROM settlement_bookperiod p
          JOIN settlement_journalentry e ON e.period_id = p.id AND e.recorded_at > p.closed_at
         WHERE p.state = 'hard_closed'
        UNION ALL
        SELECT id FROM settlement_bookperiod
         WHERE state = 'hard_closed'
           AND (closed_by_id IS NULL OR approved_by_id IS NULL OR closed_by_id = approved_by_id)
        """,
    ),
    Invariant(
        "I-15",
        _("Opening and movements make the closing, and the next month opens with it."),
        """
        WITH closed AS (
            SELECT id, book, days FROM settlement_bookperiod WHERE state = 'hard_closed'
        ), moved AS (
            SELECT e.period_id, p.account_id,
                   coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0) AS debit,
                   coalesce(-sum(p.amount) FILTER (WHERE p.amount < 0), 0) AS credit
              FROM settlement_posting p
              JOIN settlement_journalentry e ON e.id = p.entry_id
              JOIN closed c ON c.id = e.period_id
             GROUP BY 1, 2
        ), opening AS (
            SELECT c.id AS period_id, s.account_id, s.debit, s.credit
              FROM closed c
              JOIN settlement_balancesnapshot s ON s.period_id = (
                  SELECT b.id FROM closed b WHERE b.book = c.book AND b.days << c.days
                   ORDER BY b.days DESC LIMIT 1)
        ), expected AS (
            SELECT period_id, account_id, sum(debit) AS debit, sum(credit) AS credit
              FROM (SELECT * FROM moved UNION ALL SELECT * FROM opening) AS parts
             GROUP BY 1, 2
        )
        SELECT coalesce(x.account_id, s.account_id) FROM expected x
          FULL JOIN settlement_balancesnapshot s USING (period_id, account_id)
         WHERE (x.debit, x.credit) IS DISTINCT FROM (s.debit, s.credit)
        """,
    ),
)
