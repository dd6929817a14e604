"""Rules of the market: book, result of clearing, capacity, collateral, sealed bids, states."""

from collections.abc import Iterable

from marketplace.domain.errors import gettext_noop as _
from marketplace.domain.transitions import TransitionTable
from orders.models import AUCTION_TRANSITIONS
from settlement.models import DELIVERY_TRANSITIONS
from settlement.services.invariants.registry import Invariant, offenders_of

# (table, key of what moves, first states, its table of moves)
_HISTORIES: tuple[tuple[str, str, TransitionTable], ...] = (
    ("orders_auctiontransition", "auction_id", AUCTION_TRANSITIONS),
    ("settlement_deliverytransition", "delivery_id", DELIVERY_TRANSITIONS),
)


def _unlisted_moves() -> Iterable[object]:
    """Moves between states that no table lists, that do not follow the last one, or run back."""
    for table, key, transitions in _HISTORIES:
        pairs = [(s.value, t) for s in transitions.enum for t in transitions.targets(s)]
        # The names are those of the tuple above.
        query = f"""
            SELECT '{table} ' || id FROM (
                SELECT id, from_state, to_state, recorded_at,
                       lag(to_state) OVER w AS last_state, lag(recorded_at) OVER w AS last_at
                  FROM {table} WINDOW w AS (PARTITION BY {key} ORDER BY id)) AS h
             WHERE (from_state <> '' AND NOT EXISTS (
                    SELECT FROM unnest(%s::text[], %s::text[]) AS a (source, target)
                     WHERE a.source = from_state AND a.target = to_state))
                OR last_state <> from_state OR last_at > recorded_at
        """  # noqa: S608
        yield from offenders_of(query, [[p[0] for p in pairs], [str(p[1]) for p in pairs]])


CHECKS = (
    Invariant(
        "I-16",
        _("The book is what was accepted before the gate closed, and each order has an outcome."),
        """
        SELECT a.code || ': ' || o.public_id FROM orders_auction a
          JOIN orders_order o ON o.auction_id = a.id
         WHERE a.state IN ('published', 'settling') AND o.state = 'active'
        UNION ALL
        SELECT a.code FROM orders_auction a
          JOIN orders_order o ON o.auction_id = a.id AND o.state NOT IN ('active', 'cancelled')
         WHERE a.state IN ('published', 'settling') AND a.book_sha256 <> ''
         GROUP BY a.id
        HAVING count(*) <> a.book_order_count
            OR a.book_sha256 <> encode(sha256(
                   string_agg(o.public_id::text, E'\\n' ORDER BY o.public_id)::bytea), 'hex')
        """,
    ),
    Invariant(
        "I-17",
        _("An auction has one published result, made from its frozen book and verified."),
        """
        SELECT max(id) FROM orders_clearingrun
         WHERE state = 'published' GROUP BY auction_id HAVING count(*) > 1
        UNION ALL
        SELECT max(id) FROM orders_clearingrun
         GROUP BY auction_id, version HAVING count(*) > 1
        UNION ALL
        SELECT id FROM orders_clearingrun
         WHERE state = 'published' AND (bundle_sha256 = '' OR violations <> '[]'::jsonb)
        UNION ALL
        SELECT l.id FROM orders_allocation l
          JOIN orders_clearingrun r ON r.id = l.run_id
         WHERE r.state <> 'published' OR r.auction_id <> l.auction_id
        """,
    ),
    # Linked blocks may lose where their family gains: the verifier of each result looks at those.
    Invariant(
        "I-18",
        _("Nobody buys above or sells below its limit, gets more than it asked, or sells twice."),
        """
        SELECT o.public_id::text FROM orders_order o
          JOIN orders_allocation l ON l.buy_order_id = o.id
         WHERE o.parent_id IS NULL
           AND NOT EXISTS (SELECT FROM orders_order c WHERE c.parent_id = o.id)
         GROUP BY o.id HAVING sum(l.buyer_net_cny) > sum(l.unit_hours) * o.limit_price + 0.01
        UNION ALL
        SELECT o.public_id::text FROM orders_order o
          JOIN orders_allocation l ON l.sell_order_id = o.id
         WHERE o.parent_id IS NULL
           AND NOT EXISTS (SELECT FROM orders_order c WHERE c.parent_id = o.id)
         GROUP BY o.id HAVING sum(l.seller_net_cny) < sum(l.unit_hours) * o.limit_price - 0.01
        UNION ALL
        SELECT o.public_id::text FROM orders_order o
          JOIN orders_allocation l ON o.id IN (l.buy_order_id, l.sell_order_id)
          JOIN orders_allocationperiod p ON p.allocation_id = l.id
         GROUP BY o.id, p.period HAVING sum(p.quantity) > o.quantity
        UNION ALL
        SELECT 'listing slot ' || id FROM orders_capacitycommitment
         WHERE committed > available OR committed < 0
        """,
    ),
    Invariant(
        "I-19",
        _("An order in the book is covered by its hold; of a settled auction nothing is held."),
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
    Invariant(
        "I-21",
        _("While a gate is open nothing of its book is told but rounded figures of five or more."),
        """
        SELECT a.code FROM orders_auction a
          JOIN orders_clearingrun r ON r.auction_id = a.id
          JOIN orders_clearingprice p ON p.run_id = r.id
         WHERE a.state IN ('scheduled', 'open') AND r.state <> 'cancelled'
         GROUP BY a.id
        UNION ALL
        SELECT a.code || ' ' || m.marked_at FROM orders_indicativemark m
          JOIN orders_auction a ON a.id = m.auction_id
         WHERE m.marked_at NOT BETWEEN a.gate_opens_at AND a.gate_closes_at
        UNION ALL
        SELECT a.code FROM orders_indicativecell c
          JOIN orders_indicativemark m ON m.id = c.mark_id
          JOIN orders_auction a ON a.id = m.auction_id
         GROUP BY a.id, c.product_id
        HAVING (SELECT count(DISTINCT o.organisation_id) FROM orders_order o
                 WHERE o.auction_id = a.id AND o.product_id = c.product_id) < 5
        """,
    ),
    Invariant(
        "I-25",
        _("States move only as listed, each move after the one before it."),
        _unlisted_moves,
    ),
)
