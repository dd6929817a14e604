"""Rules of serials: what the movements say, what the ranges say and what the ledger says agree."""

from marketplace.domain.errors import gettext_noop as _
from settlement.services.invariants.registry import Invariant

# Where every serial stands when all movements are replayed: its last line decides. A line that was
# overtaken in part gives the rest, so the bounds of all lines cut a batch into atoms.
_REPLAYED = """
    WITH cuts AS (
        SELECT batch_id, lower(serials) AS cut FROM settlement_unitmovementline
        UNION SELECT batch_id, upper(serials) FROM settlement_unitmovementline),
    atoms AS (
        SELECT batch_id, cut AS first, lead(cut) OVER (PARTITION BY batch_id ORDER BY cut) AS next
          FROM cuts),
    replayed AS (
        SELECT a.batch_id, int8range(a.first, a.next) AS serials, l.to_state AS state,
               l.to_organisation_id AS organisation_id, l.to_reservation_id AS reservation_id
          FROM atoms a
          CROSS JOIN LATERAL (
              SELECT * FROM settlement_unitmovementline m
               WHERE m.batch_id = a.batch_id AND m.serials @> a.first
               ORDER BY m.id DESC LIMIT 1) AS l
         WHERE a.next IS NOT NULL)
"""

CHECKS = (
    Invariant(
        "INV-01",
        _("Units issued are those held, reserved, locked, frozen and used up, in the ledger too."),
        """
        WITH stored AS (
            SELECT g.asset_id AS asset, 'units_' || r.state AS purpose,
                   CASE WHEN r.state IN ('held', 'reserved', 'locked', 'frozen')
                        THEN r.organisation_id END AS organisation,
                   sum(upper(r.serials) - lower(r.serials)) AS units
              FROM settlement_serialrange r
              JOIN settlement_unitbatch b ON b.id = r.batch_id
              JOIN settlement_registry g ON g.id = b.registry_id GROUP BY 1, 2, 3
            UNION ALL
            SELECT g.asset_id, 'units_issued', NULL, -sum(upper(b.serials) - lower(b.serials))
              FROM settlement_unitbatch b
              JOIN settlement_registry g ON g.id = b.registry_id GROUP BY 1),
        booked AS (
            SELECT a.code, a.asset_id AS asset, a.purpose, a.organisation_id AS organisation,
                   coalesce(sum(p.amount), 0) AS units
              FROM settlement_account a
              LEFT JOIN settlement_posting p ON p.account_id = a.id
             WHERE a.purpose LIKE 'units\\_%' GROUP BY a.id)
        SELECT coalesce(booked.code, stored.asset || ' ' || stored.purpose)
          FROM stored FULL JOIN booked
            ON booked.asset = stored.asset AND booked.purpose = stored.purpose
           AND booked.organisation IS NOT DISTINCT FROM stored.organisation
         WHERE coalesce(stored.units, 0) <> coalesce(booked.units, 0)
        """,
    ),
    Invariant(
        "INV-02",
        _("Replaying the movements of a batch gives its ranges, which cover it exactly."),
        _REPLAYED  # noqa: S608 - both parts are constants of this module
        + """
        SELECT coalesce(s.batch_id, r.batch_id) || ': ' || coalesce(s.serials, r.serials)
          FROM settlement_serialrange s
          FULL JOIN replayed r ON r.batch_id = s.batch_id AND r.serials && s.serials
         WHERE (s.state, s.organisation_id, s.reservation_id)
               IS DISTINCT FROM (r.state, r.organisation_id, r.reservation_id)
        UNION ALL
        SELECT b.id || ': ' || b.serials FROM settlement_unitbatch b
          LEFT JOIN settlement_serialrange s ON s.batch_id = b.id GROUP BY b.id
        HAVING range_agg(s.serials) IS DISTINCT FROM int8multirange(b.serials)
        """,
    ),
    Invariant(
        "INV-03",
        _("A serial is retired at most once, and what is retired is on one line of a retirement."),
        """
        SELECT l.id::text FROM settlement_retirementline l
          JOIN settlement_retirementline o
            ON o.batch_id = l.batch_id AND o.id > l.id AND o.serials && l.serials
        UNION ALL
        SELECT m.id::text FROM settlement_unitmovementline m
         WHERE m.to_state = 'retired' AND NOT EXISTS (
            SELECT FROM settlement_retirement r
              JOIN settlement_retirementline l ON l.retirement_id = r.id
             WHERE r.movement_id = m.movement_id AND l.batch_id = m.batch_id
               AND l.serials @> m.serials)
        """,
    ),
    Invariant(
        "INV-04",
        _("No serial leaves an end state, except that its registry takes a retired one back."),
        """
        SELECT m.id FROM settlement_unitmovementline m
          JOIN settlement_unitmovementline e
            ON e.batch_id = m.batch_id AND e.id < m.id AND e.serials && m.serials
           AND e.to_state IN ('retired', 'cancelled', 'expired', 'invalidated')
         WHERE (e.to_state, m.to_state) <> ('retired', 'invalidated')
        """,
    ),
    Invariant(
        "INV-12",
        _("Loads and hours are given no more energy than the certificates behind them carry."),
        """
        SELECT 'line ' || l.id FROM settlement_claimallocation a
          JOIN settlement_retirementline l ON l.id = a.line_id
          JOIN settlement_unitbatch b ON b.id = l.batch_id
         GROUP BY l.id, b.kind
        HAVING sum(a.energy_wh)
               > l.units * CASE b.kind WHEN 'granular' THEN 1 ELSE 1000000 END::numeric
        UNION ALL
        SELECT 'batch ' || b.id FROM settlement_granularslice s
          JOIN settlement_unitbatch b ON b.id = s.batch_id
         GROUP BY b.id
        HAVING sum(s.energy_wh) > (upper(b.serials) - lower(b.serials)) * 1000000::numeric
        UNION ALL
        SELECT 'parent ' || s.batch_id FROM settlement_granularbundle g
          JOIN settlement_granularslice s ON s.id = g.parent_slice_id
          JOIN settlement_unitbatch b ON b.id = g.batch_id
         GROUP BY s.batch_id, b.issued_to_id
        HAVING bool_or(s.energy_wh <> upper(b.serials) - lower(b.serials))
            OR sum(s.energy_wh) > 1000000::numeric * (
               SELECT coalesce(sum(l.units), 0) FROM settlement_retirementline l
                 JOIN settlement_retirement r ON r.id = l.retirement_id
                WHERE l.batch_id = s.batch_id AND r.organisation_id = b.issued_to_id
                  AND r.purpose = 'granular')
        """,
    ),
    Invariant(
        "INV-13",
        _("Green certificates and credits of a project's month fit into its metered energy."),
        """
        SELECT m.id FROM settlement_projectmonth m
          LEFT JOIN settlement_unitbatch b ON b.project_id = m.project_id
           AND b.kind = 'certificate' AND date_trunc('month', b.starts_on) = m.month
          LEFT JOIN settlement_serialrange r ON r.batch_id = b.id
           AND r.state NOT IN ('cancelled', 'expired', 'invalidated', 'frozen')
         GROUP BY m.id
        HAVING coalesce(sum(upper(r.serials) - lower(r.serials)), 0) + m.credited_mwh
               > m.metered_mwh
        """,
    ),
    Invariant(
        "INV-14",
        _("No certificate is retired after its last valid day."),
        """
        SELECT l.id FROM settlement_retirementline l
          JOIN settlement_retirement r ON r.id = l.retirement_id
          JOIN settlement_unitbatch b ON b.id = l.batch_id
         WHERE r.retired_on > b.expires_on
        """,
    ),
    Invariant(
        "INV-18",
        _("Every movement of units has one balanced entry with the same number of units."),
        """
        SELECT m.id FROM settlement_unitmovement m
          JOIN LATERAL (SELECT sum(upper(serials) - lower(serials)) AS units
                          FROM settlement_unitmovementline WHERE movement_id = m.id) AS l ON true
          JOIN LATERAL (SELECT sum(amount) FILTER (WHERE amount > 0) AS units, sum(amount) AS total
                          FROM settlement_posting WHERE entry_id = m.entry_id) AS e ON true
         WHERE e.total <> 0 OR l.units IS NULL OR e.units IS DISTINCT FROM l.units
        """,
    ),
)
