"""Rules of recognition and netting: caps, tonnes, positions, units and cash agree."""

from marketplace.domain.errors import gettext_noop as _
from settlement.services.invariants.registry import Invariant

CHECKS = (
    Invariant(
        "INV-03-recognition",
        _("A recognised unit died before, for the organisation whose statement it covers."),
        """
        SELECT e.id FROM settlement_recognitionevent e
          JOIN settlement_retirementline l ON l.id = e.retirement_line_id
          JOIN settlement_retirement r ON r.id = l.retirement_id
         WHERE r.beneficiary_id IS DISTINCT FROM e.organisation_id OR l.units <> e.credits
            OR NOT EXISTS (
                SELECT FROM settlement_serialrange s
                 WHERE s.batch_id = l.batch_id AND s.serials && l.serials
                   AND s.state IN ('retired', 'invalidated'))
        """,
    ),
    Invariant(
        "INV-05",
        _("What is used of a cap is the sum of its events, and never above the cap."),
        """
        WITH used AS (
            SELECT v.agreement_id, e.cap_period, e.organisation_id, e.usage_t
              FROM settlement_recognitionevent e
              JOIN settlement_agreementversion v ON v.id = e.version_id),
        summed AS (
            SELECT agreement_id, cap_period, NULL::bigint AS organisation_id, sum(usage_t) AS t
              FROM used GROUP BY 1, 2
            UNION ALL
            SELECT agreement_id, cap_period, organisation_id, sum(usage_t)
              FROM used GROUP BY 1, 2, 3)
        SELECT coalesce(c.agreement_id, s.agreement_id)
          FROM settlement_capusage c
          FULL JOIN summed s ON s.agreement_id = c.agreement_id AND s.cap_period = c.period
           AND s.organisation_id IS NOT DISTINCT FROM c.organisation_id
         WHERE coalesce(c.used_t, 0) <> coalesce(s.t, 0) OR c.used_t > c.cap_t
        """,
    ),
    Invariant(
        "INV-06",
        _("Every recognised unit fits the agreement version that is pinned to it."),
        """
        SELECT e.id FROM settlement_recognitionevent e
          JOIN settlement_recognition m ON m.id = e.recognition_id
          JOIN settlement_agreementversion v ON v.id = e.version_id
          JOIN settlement_recognitionagreement a ON a.id = v.agreement_id
          JOIN settlement_retirementline l ON l.id = e.retirement_line_id
          JOIN settlement_retirement r ON r.id = l.retirement_id
          JOIN settlement_unitbatch b ON b.id = l.batch_id
          JOIN settlement_programme p ON p.id = b.programme_id
         WHERE b.registry_id <> a.from_registry_id OR m.scheme_id <> a.to_scheme_id
            OR b.vintage_year NOT BETWEEN v.vintage_min AND v.vintage_max
            OR r.retired_on NOT BETWEEN v.valid_from AND v.valid_to
            OR NOT p.instrument_type = ANY (v.instrument_types)
            OR (v.programmes <> '{}' AND NOT p.code = ANY (v.programmes))
            OR v.state <> 'approved' OR v.status <> 'active'
            OR e.factor <> v.factor_k * (1 - v.discount_d)
        """,
    ),
    Invariant(
        "INV-07",
        _(
            "A recognition applies what its events apply, and a statement never more than it"
            " states."
        ),
        """
        SELECT m.number FROM settlement_recognition m
          LEFT JOIN settlement_recognitionevent e ON e.recognition_id = m.id
         GROUP BY m.id
        HAVING sum(e.applied_t) IS DISTINCT FROM m.applied_t
            OR sum(e.recognised_t) IS DISTINCT FROM m.applied_t + m.over_coverage_t
        UNION ALL
        SELECT max(subject_key) FROM settlement_recognition
         GROUP BY subject_key HAVING sum(applied_t) > max(market_based_t)
        """,
    ),
    Invariant(
        "INV-15",
        _("Positions of a cycle sum to zero, units given are units got, cash sums to zero."),
        """
        SELECT c.id FROM settlement_nettingcomputation c
          LEFT JOIN LATERAL (
              SELECT coalesce(sum(net_t), 0) AS net, coalesce(sum(delivers_units), 0) AS given,
                     coalesce(sum(receives_units), 0) AS got, count(*) AS parties
                FROM settlement_netposition p WHERE p.computation_id = c.id) AS p ON true
          LEFT JOIN LATERAL (
              SELECT coalesce(sum(units), 0) AS units
                FROM settlement_deliveryinstruction i WHERE i.computation_id = c.id) AS i ON true
          LEFT JOIN LATERAL (
              SELECT coalesce(sum(amount_cny), 0) AS cny
                FROM settlement_cashadjustment x WHERE x.computation_id = c.id) AS x ON true
         WHERE p.net <> 0 OR p.given <> p.got OR i.units <> p.given
            OR x.cny + c.rounding_cny <> 0 OR abs(c.rounding_cny) > p.parties * 0.005
        """,
    ),
    Invariant(
        "INV-16",
        _("A settled cycle moved every unit and posted every sum that it computed, once."),
        """
        SELECT y.code FROM settlement_nettingcycle y
          JOIN LATERAL (
              SELECT id FROM settlement_nettingcomputation
               WHERE cycle_id = y.id ORDER BY number DESC LIMIT 1) AS c ON true
         WHERE y.state = 'settled' AND (
            EXISTS (
                SELECT FROM settlement_deliveryinstruction i
                  LEFT JOIN settlement_unitmovement m ON m.source_type = 'netting_instruction'
                   AND m.source_id = i.public_id::text
                  LEFT JOIN settlement_unitmovementline l ON l.movement_id = m.id
                 WHERE i.computation_id = c.id
                 GROUP BY i.id
                HAVING sum(upper(l.serials) - lower(l.serials)) IS DISTINCT FROM i.units
                    OR i.state <> 'done')
            OR EXISTS (
                SELECT FROM settlement_cashadjustment x
                  LEFT JOIN settlement_posting p ON p.entry_id = x.entry_id
                  LEFT JOIN settlement_account a ON a.id = p.account_id
                   AND a.purpose = 'member_funds' AND a.organisation_id = x.organisation_id
                 WHERE x.computation_id = c.id
                 GROUP BY x.id
                HAVING sum(p.amount) FILTER (WHERE a.id IS NOT NULL)
                       IS DISTINCT FROM -x.amount_cny OR x.state <> 'done'))
        """,
    ),
)
