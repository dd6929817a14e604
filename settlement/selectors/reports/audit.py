"""The trail of acts: audit events and journal entries in one order of recording, within a cut."""

from typing import Any

from settlement.selectors.reports.cut import WITHIN_CUT
from settlement.selectors.reports.rows import QueryRows

_TRAIL = f"""
SELECT recorded_at, stream, id, person, organisation, address, action, object_type, object_id,
       before, after, reason, request_id, fingerprint
  FROM (
    SELECT v.recorded_at, 'event' AS stream, v.id, coalesce(u.email, '') AS person,
           coalesce(o.code, '') AS organisation, coalesce(host(v.address), '') AS address, v.action,
           v.object_type, v.object_id, coalesce(v.before::text, '') AS before,
           coalesce(v.after::text, '') AS after, v.reason, v.request_id, '' AS fingerprint
      FROM marketplace_auditevent v
      LEFT JOIN marketplace_user u ON u.id = v.actor_id
      LEFT JOIN marketplace_organisation o ON o.id = v.organisation_id
     WHERE v.id <= %(cut_audit)s
       AND (v.recorded_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(since)s AND %(until)s
    UNION ALL
    SELECT e.recorded_at, 'entry', e.id, coalesce(u.email, ''), '', '', e.kind, e.source_type,
           e.source_id, '', '', e.reason, '', e.fingerprint
      FROM settlement_journalentry e LEFT JOIN marketplace_user u ON u.id = e.actor_id
     WHERE {WITHIN_CUT}
       AND (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(since)s AND %(until)s
  ) AS trail
 WHERE (%(object)s = '' OR object_id = %(object)s)
   AND (%(action)s = '' OR action LIKE %(action)s || '%%')
 ORDER BY recorded_at, stream, id
"""  # noqa: S608 - a condition of ours


def trail_rows(values: dict[str, Any]) -> QueryRows:
    """Return who did what, when and from where, with the state before and after."""
    return QueryRows(_TRAIL, values)
