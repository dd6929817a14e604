"""Single figures of the ledger within a cut, which reports are compared with."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from settlement.selectors.reports.cut import WITHIN_CUT, Cut

_MOVEMENT = f"""
SELECT coalesce(sum(p.amount), 0)
  FROM settlement_posting p
  JOIN settlement_account a ON a.id = p.account_id AND a.asset_id = 'CNY'
  JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE a.purpose = ANY(%(purposes)s) AND e.effective_on BETWEEN %(since)s AND %(until)s
   AND (%(member)s::bigint IS NULL OR a.organisation_id = %(member)s) AND {WITHIN_CUT}
"""  # noqa: S608 - a condition of ours
_ZERO = f"""
SELECT coalesce(sum(p.amount), 0)
  FROM settlement_posting p JOIN settlement_journalentry e ON e.id = p.entry_id
 WHERE p.asset_id = 'CNY' AND e.effective_on BETWEEN %(since)s AND %(until)s AND {WITHIN_CUT}
"""  # noqa: S608
BEGINNING = date(2000, 1, 1)


def movement_of(
    purposes: Sequence[str],
    since: date,
    until: date,
    cut: Cut,
    *,
    member: int | None = None,
) -> Decimal:
    """Return debits less credits of accounts, by their purpose, over accounting dates."""
    return one_figure(
        _MOVEMENT,
        {
            "purposes": list(purposes),
            "since": since,
            "until": until,
            "member": member,
            **cut.values,
        },
    )


def unbalanced(since: date, until: date, cut: Cut) -> Decimal:
    """Return the sum of all postings in CNY: zero, or the ledger is broken."""
    return one_figure(_ZERO, {"since": since, "until": until, **cut.values})


def one_figure(sql: str, values: Mapping[str, Any]) -> Decimal:
    """Return the only figure that a query of ours gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return Decimal(cursor.fetchone()[0])


def table_of(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a short query of ours."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
