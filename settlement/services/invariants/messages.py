"""Rules of what one layer tells another."""

from collections.abc import Iterable

from marketplace.domain.errors import gettext_noop as _
from settlement.services.inbox import CONSUMER, handled_topics
from settlement.services.invariants.registry import Invariant, offenders_of

# A worker that stood still for an hour is a fault that finance should see in the sweep.
_FORGOTTEN = """
SELECT e.id FROM marketplace_outboxevent e
 WHERE e.topic = ANY (%s) AND e.recorded_at < clock_timestamp() - interval '1 hour'
   AND NOT EXISTS (
       SELECT FROM marketplace_inboxreceipt r WHERE r.event_id = e.id AND r.consumer = %s)
UNION ALL
SELECT max(event_id) FROM marketplace_inboxreceipt
 GROUP BY consumer, event_id HAVING count(*) > 1
"""


def _forgotten() -> Iterable[object]:
    return offenders_of(_FORGOTTEN, [handled_topics(), CONSUMER])


CHECKS = (
    Invariant(
        "I-22",
        _("Every event is applied by who waits for it, within the hour and once."),
        _forgotten,
    ),
)
