"""The sweep: every invariant of the ledger as one query that finds offenders, or nothing.

Names follow `docs/explanation/ledger.md`. Constraints and triggers hold most of them at every
commit; the sweep would find what went around those.
"""

from dataclasses import dataclass

from django.db import connection

from marketplace.selectors.snapshot import one_snapshot
from settlement.models import InvariantRun
from settlement.services.chain import broken_blocks

_SAMPLE = 5


@dataclass(frozen=True)
class Invariant:
    """A rule that always holds.

    Attributes:
        code: stable name.
        promise: what holds.
        offenders: query that returns one row for each thing that breaks it.
    """

    code: str
    promise: str
    offenders: str


INVARIANTS = (
    Invariant(
        "I-01",
        "An entry has two postings or more and sums to zero in each asset.",
        """
        SELECT e.id FROM settlement_journalentry e
          LEFT JOIN LATERAL (
              SELECT count(*) AS lines, max(abs(total)) AS off FROM (
                  SELECT sum(amount) OVER (PARTITION BY asset_id) AS total
                    FROM settlement_posting WHERE entry_id = e.id) AS s) AS p ON true
         WHERE p.lines < 2 OR p.off <> 0
        """,
    ),
    Invariant(
        "I-02",
        "All postings of an asset sum to zero.",
        "SELECT asset_id, sum(amount) FROM settlement_posting GROUP BY 1 HAVING sum(amount) <> 0",
    ),
    Invariant(
        "I-03",
        "A posting is in its account's asset, on its scale.",
        """
        SELECT p.id FROM settlement_posting p
          JOIN settlement_account a ON a.id = p.account_id
          JOIN settlement_asset s ON s.code = p.asset_id
         WHERE a.asset_id <> p.asset_id OR p.amount <> round(p.amount, s.scale)
        """,
    ),
    Invariant(
        "I-04",
        "Stored balances are the sums of their postings and open holds.",
        """
        SELECT b.account_id FROM settlement_accountbalance b
          LEFT JOIN LATERAL (
              SELECT coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debit,
                     coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credit
                FROM settlement_posting WHERE account_id = b.account_id) AS p ON true
          LEFT JOIN LATERAL (
              SELECT coalesce(sum(remaining), 0) AS pending
                FROM settlement_hold WHERE account_id = b.account_id) AS h ON true
         WHERE (b.debit, b.credit, b.pending) IS DISTINCT FROM (p.debit, p.credit, h.pending)
        """,
    ),
    Invariant(
        "I-05",
        "What is free is never below zero.",
        """
        SELECT account_id FROM settlement_accountbalance
         WHERE credit - debit + credit_limit - pending < 0
        """,
    ),
    Invariant(
        "I-06",
        "A hold ends once, and what ended and what remains make up what was placed.",
        """
        SELECT h.id FROM settlement_hold h
          LEFT JOIN LATERAL (
              SELECT coalesce(sum(amount) FILTER (WHERE kind = 'place'), 0) AS placed,
                     coalesce(sum(amount) FILTER (WHERE kind <> 'place'), 0) AS ended
                FROM settlement_holdevent WHERE hold_id = h.id) AS e ON true
         WHERE e.placed <> h.placed OR e.ended + h.remaining <> h.placed
            OR (h.state = 'open') <> (h.remaining > 0)
        """,
    ),
    Invariant(
        "I-09",
        "Nobody is billed for more than was sold.",
        "SELECT id FROM settlement_ratedperiod WHERE billed > sold OR billed < 0",
    ),
    Invariant(
        "I-10",
        "The months of a book leave no gap, and every entry lies in its month.",
        """
        SELECT id FROM (
            SELECT id, lower(days) AS starts,
                   lag(upper(days)) OVER (PARTITION BY book ORDER BY days) AS before
              FROM settlement_bookperiod) AS p
         WHERE before <> starts
        UNION ALL
        SELECT e.id FROM settlement_journalentry e
          JOIN settlement_bookperiod p ON p.id = e.period_id
         WHERE NOT p.days @> e.effective_on
        """,
    ),
    Invariant(
        "I-11",
        "A bill is the sum of its lines and of its journal entry.",
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
        "The numbers of bills leave no gap.",
        """
        SELECT left(number, 11) FROM settlement_invoice GROUP BY 1
        HAVING max(right(number, 6)::int) <> count(*)
        """,
    ),
    Invariant(
        "I-13",
        "Of every run the buyers' net is the suppliers', tariffs and rent; clearing is left empty.",
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
        "I-19",
        "An order in the book is covered by its hold; of a settled auction nothing is held.",
        """
        SELECT o.id FROM orders_order o
          LEFT JOIN settlement_hold h ON h.reference = o.hold_reference
         WHERE o.side = 'buy' AND o.state = 'active' AND o.worst_case_cny > 0
           AND coalesce(h.remaining, 0) < o.worst_case_cny
        UNION ALL
        SELECT o.id FROM orders_order o
          JOIN settlement_settlementrun r ON r.auction_id = o.auction_id AND r.state = 'posted'
          JOIN settlement_hold h ON h.reference = o.hold_reference
         WHERE h.remaining > 0
        """,
    ),
)


def broken_invariants() -> list[dict[str, object]]:
    """Return each broken invariant with how many offenders it has and the first of them.

    All are read in one snapshot, so that work going on beside does not look like a fault.
    """
    findings: list[dict[str, object]] = []
    with one_snapshot(), connection.cursor() as cursor:
        for invariant in INVARIANTS:
            cursor.execute(invariant.offenders)
            rows = cursor.fetchall()
            if rows:
                findings.append(
                    {
                        "code": invariant.code,
                        "promise": invariant.promise,
                        "count": len(rows),
                        "sample": [str(row[0]) for row in rows[:_SAMPLE]],
                    }
                )
    return findings


def sweep_ledger() -> InvariantRun:
    """Check every invariant and the hash chain, and keep the outcome."""
    findings = [*broken_invariants(), *broken_blocks()]
    return InvariantRun.objects.create(passed=not findings, findings=findings)
