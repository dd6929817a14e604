"""Rules of entries, postings, balances, holds and of the tables that are never rewritten."""

from collections.abc import Iterable

from django.conf import settings

from marketplace.domain.errors import gettext_noop as _
from settlement.models import InvariantRun, LedgerBlock
from settlement.services.chain import broken_blocks
from settlement.services.invariants.registry import Invariant, offenders_of

# Tables whose rows are only ever added to; each has its trigger, whoever asks.
_KEPT = (
    "settlement_journalentry",
    "settlement_posting",
    "settlement_holdevent",
    "settlement_ledgerblock",
    "settlement_balancesnapshot",
    "settlement_meterreading",
    "settlement_ratedline",
    "settlement_ratedperiod",
    "settlement_invoiceline",
    "settlement_emissionrecord",
    "marketplace_auditevent",
    "marketplace_outboxevent",
)

_UNPROTECTED = """
SELECT t.name FROM unnest(%s::text[]) AS t (name)
 WHERE NOT EXISTS (
    SELECT FROM pg_trigger g
     WHERE g.tgrelid = t.name::regclass AND g.tgname = t.name || '_keeps_rows'
       AND g.tgenabled IN ('O', 'A'))
UNION ALL
SELECT c.relname || ': ' || r.right_name
  FROM pg_trigger g
  JOIN pg_class c ON c.oid = g.tgrelid
  CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS r (right_name)
 WHERE g.tgname = c.relname || '_keeps_rows'
   AND (g.tgenabled NOT IN ('O', 'A')
        OR EXISTS (SELECT FROM pg_roles p WHERE p.rolname = %s
                      AND has_table_privilege(p.oid, c.oid, r.right_name)))
"""


def _rewritable() -> Iterable[object]:
    return offenders_of(_UNPROTECTED, [list(_KEPT), settings.DATABASE_RUNTIME_ROLE])


def _broken_chain() -> Iterable[object]:
    """The first bad block, and heads of the chain that were written down and are no more."""
    found = [number for finding in broken_blocks() for number in finding["sample"]]  # type: ignore[attr-defined]
    heads = dict(LedgerBlock.objects.values_list("number", "block_hash"))
    noted = InvariantRun.objects.exclude(chain_head="").order_by("-id")
    for head in noted.values_list("chain_head", flat=True)[:100]:
        number, _colon, digest = head.partition(":")
        if heads.get(int(number)) != digest and number not in found:
            found.append(number)
    return found


CHECKS = (
    Invariant(
        "I-01",
        _("An entry has two postings or more and sums to zero in each asset."),
        """
        SELECT e.id FROM settlement_journalentry e
          LEFT JOIN (
              SELECT entry_id, sum(lines) AS lines, bool_or(total <> 0) AS is_off FROM (
                  SELECT entry_id, asset_id, count(*) AS lines, sum(amount) AS total
                    FROM settlement_posting GROUP BY 1, 2) AS s
               GROUP BY 1) AS p ON p.entry_id = e.id
         WHERE p.lines IS NULL OR p.lines < 2 OR p.is_off
        """,
    ),
    Invariant(
        "I-02",
        _("All postings of an asset sum to zero."),
        "SELECT asset_id FROM settlement_posting GROUP BY 1 HAVING sum(amount) <> 0",
    ),
    Invariant(
        "I-03",
        _("A posting is in its account's asset, on its scale, finite and not zero."),
        """
        SELECT p.id FROM settlement_posting p
          LEFT JOIN settlement_journalentry e ON e.id = p.entry_id
          LEFT JOIN settlement_account a ON a.id = p.account_id AND a.asset_id = p.asset_id
          LEFT JOIN settlement_asset s ON s.code = a.asset_id
         WHERE e.id IS NULL OR s.code IS NULL OR p.amount <> round(p.amount, s.scale)
            OR p.amount = 0 OR p.amount NOT BETWEEN -1e12 AND 1e12
        """,
    ),
    Invariant(
        "I-04",
        _("Stored balances are the sums of their postings and open holds."),
        """
        SELECT b.account_id FROM settlement_accountbalance b
          LEFT JOIN (
              SELECT p.account_id,
                     coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debit,
                     coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credit
                FROM settlement_posting p
                JOIN settlement_accountbalance l ON l.account_id = p.account_id
               GROUP BY 1) AS p ON p.account_id = b.account_id
          LEFT JOIN (
              SELECT account_id, sum(remaining) AS pending
                FROM settlement_hold GROUP BY 1) AS h ON h.account_id = b.account_id
         WHERE (b.debit, b.credit, b.pending) IS DISTINCT FROM
               (coalesce(p.debit, 0), coalesce(p.credit, 0), coalesce(h.pending, 0))
        """,
    ),
    Invariant(
        "I-05",
        _("What is free is never below zero."),
        """
        SELECT account_id FROM settlement_accountbalance
         WHERE credit - debit + credit_limit - pending < 0
        """,
    ),
    Invariant(
        "I-06",
        _("A hold ends once, and what ended and what remains make up what was placed."),
        """
        SELECT h.id FROM settlement_hold h
          LEFT JOIN (
              SELECT hold_id,
                     coalesce(sum(amount) FILTER (WHERE kind = 'place'), 0) AS placed,
                     coalesce(sum(amount) FILTER (WHERE kind <> 'place'), 0) AS ended,
                     (array_agg(kind ORDER BY id DESC))[1] AS last_kind
                FROM settlement_holdevent GROUP BY 1) AS e ON e.hold_id = h.id
         WHERE e.placed IS DISTINCT FROM h.placed OR e.ended + h.remaining <> h.placed
            OR (h.state = 'open') <> (h.remaining > 0)
            OR (h.state <> 'open' AND left(h.state, 6) <> left(e.last_kind, 6))
        """,
    ),
    Invariant(
        "I-07",
        _("History is never rewritten: its tables refuse, and the role that serves has no right."),
        _rewritable,
    ),
    Invariant(
        "I-08",
        _("One key stands for one entry, one move of a hold, one request."),
        """
        SELECT max(id) FROM settlement_journalentry
         GROUP BY book, idempotency_key HAVING count(*) > 1
        UNION ALL
        SELECT max(id) FROM settlement_holdevent GROUP BY event_key HAVING count(*) > 1
        UNION ALL
        SELECT max(id) FROM marketplace_idempotencyrecord
         GROUP BY actor_id, operation, key HAVING count(*) > 1
        UNION ALL
        SELECT id FROM settlement_journalentry WHERE idempotency_key = '' OR fingerprint = ''
        """,
    ),
    Invariant(
        "I-12",
        _("An entry names one business source; a reversal is the negation of one entry."),
        """
        SELECT id FROM settlement_journalentry WHERE source_type = '' OR source_id = ''
        UNION ALL
        SELECT max(id) FROM settlement_journalentry
         WHERE reverses_id IS NOT NULL GROUP BY reverses_id HAVING count(*) > 1
        UNION ALL
        SELECT entry_id FROM (
            SELECT r.id AS entry_id, p.account_id, p.amount
              FROM settlement_journalentry r
              JOIN settlement_posting p ON p.entry_id IN (r.id, r.reverses_id)
             WHERE r.reverses_id IS NOT NULL) AS both_sides
         GROUP BY entry_id, account_id HAVING sum(amount) <> 0
        """,
    ),
    Invariant(
        "I-23",
        _("A block is the hash of the block before and of its entries, and heads noted remain."),
        _broken_chain,
    ),
)
