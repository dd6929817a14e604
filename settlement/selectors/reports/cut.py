"""The data cut: up to which journal entry a report reads, so that it can be made again.

Entries are ordered by (transaction number, id), as the hash chain orders them. The cut is the last
entry before which nothing can appear any more: every older transaction has ended.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from marketplace.domain.errors import RuleBroken, gettext_noop
from settlement.models import JournalEntry, LedgerBlock

# Entries that the asking transaction wrote itself count: it sees them, and they are final with it.
_LAST = """
SELECT transaction_number, id FROM settlement_journalentry
 WHERE transaction_number < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    OR transaction_number = coalesce(pg_current_xact_id_if_assigned()::text::bigint, -1)
 ORDER BY transaction_number DESC, id DESC LIMIT 1
"""
_LAST_AUDIT = "SELECT coalesce(max(id), 0) FROM marketplace_auditevent"
# A condition on a journal entry `e`; its values are `Cut.values`.
WITHIN_CUT = "(e.transaction_number, e.id) <= (%(cut_transaction)s, %(cut_entry)s)"


class CutUnknown(RuleBroken):
    """The cut asked for names no journal entry."""

    code = "cut_unknown"
    message = gettext_noop("There is no such data cut.")


@dataclass(frozen=True)
class Cut:
    """How far a report reads.

    Attributes:
        transaction: number of the database transaction of the last journal entry.
        entry: id of that entry; 0 when nothing is posted.
        audit: id of the last event of the audit trail.
    """

    transaction: int
    entry: int
    audit: int

    def __str__(self) -> str:
        """Return the cut as it stands in files and addresses."""
        return f"{self.entry}-{self.audit}"

    @property
    def values(self) -> dict[str, Any]:
        """Return the values that `WITHIN_CUT` and queries of the audit trail take."""
        return {
            "cut_transaction": self.transaction,
            "cut_entry": self.entry,
            "cut_audit": self.audit,
        }


def present_cut() -> Cut:
    """Return the cut of this instant."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST)
        transaction, entry = cursor.fetchone() or (0, 0)
        cursor.execute(_LAST_AUDIT)
        return Cut(transaction, entry, cursor.fetchone()[0])


def read_cut(text: str) -> Cut:
    """Return the cut that a file or an address names; the present one for an empty text.

    Raises:
        CutUnknown: it names no journal entry.
    """
    if not text:
        return present_cut()
    entry, _, audit = text.partition("-")
    if not (entry.isascii() and entry.isdigit() and audit.isascii() and audit.isdigit()):
        raise CutUnknown(field="cut")
    if entry == "0":
        return Cut(0, 0, int(audit))
    found = JournalEntry.objects.filter(pk=int(entry)).values_list("transaction_number", flat=True)
    if not found:
        raise CutUnknown(field="cut")
    return Cut(found[0], int(entry), int(audit))


def sealing_block(cut: Cut) -> LedgerBlock | None:
    """Return the first block of the hash chain that holds the cut, None while it is not sealed."""
    blocks = LedgerBlock.objects.select_related("last_entry").order_by("number")
    return blocks.filter(
        last_entry__transaction_number__gte=cut.transaction, last_entry_id__gte=cut.entry
    ).first()
