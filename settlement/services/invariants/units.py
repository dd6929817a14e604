"""Rules of certificates and credits: serials, their holders and states, what was retired."""

from marketplace.domain.errors import gettext_noop as _
from settlement.services.invariants.registry import Invariant

CHECKS = (
    Invariant(
        "I-20",
        _("Serials never overlap, and every unit issued has one holder and one state."),
        """
        SELECT a.id FROM settlement_serialrange a
          JOIN settlement_serialrange b
            ON b.batch_id = a.batch_id AND b.id > a.id AND b.serials && a.serials
        UNION ALL
        SELECT b.id FROM settlement_unitbatch b
          LEFT JOIN (
              SELECT batch_id, sum(upper(serials) - lower(serials)) AS units
                FROM settlement_serialrange GROUP BY 1) AS r ON r.batch_id = b.id
         WHERE r.units <> upper(b.serials) - lower(b.serials)
        UNION ALL
        SELECT r.id FROM settlement_serialrange r
          JOIN settlement_unitbatch b ON b.id = r.batch_id
         WHERE NOT b.serials @> r.serials
        """,
    ),
)
