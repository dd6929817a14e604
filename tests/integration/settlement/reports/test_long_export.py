"""An export of a million rows: its memory, its control totals, and no half file."""

from decimal import Decimal
from pathlib import Path

import psutil
import pytest
from django.db import connection

from settlement.exports.producing import asked_report, kind_for, write_report
from settlement.services.accounts import account_for
from settlement.services.ledger import PostingLine
from settlement.services.ledger_batches import EntryDraft, post_entries
from tests.factories.ledger import TODAY, make_member
from tests.factories.settlement import Market
from tests.web.desks import platform_people

pytestmark = pytest.mark.django_db
BATCH = 5_000
MEGABYTE = 1_000_000


def _fill(rows: int) -> None:
    member = make_member()
    fen = Decimal("0.01")
    bank, funds = account_for("bank").pk, account_for("member_funds", organisation=member).pk
    for start in range(0, rows // 2, BATCH):
        post_entries(
            entries=[
                EntryDraft(
                    kind="deposit",
                    effective_on=TODAY,
                    source_type="test",
                    source_id=str(number),
                    idempotency_key=f"long:{number}",
                    postings=[PostingLine(bank, fen), PostingLine(funds, -fen)],
                )
                for number in range(start, min(start + BATCH, rows // 2))
            ]
        )
    # A server knows how large its tables are by then; the rows of this transaction it cannot count.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE settlement_journalentry, settlement_posting, settlement_account")


@pytest.mark.parametrize(
    "rows",
    [
        2_000,
        pytest.param(1_000_000, marks=pytest.mark.fuller),
    ],
    ids=["few", "million"],
)
def test_an_export_is_written_in_little_memory(rows: int, tmp_path: Path) -> None:
    """S-28: a million rows in less than 300 MB, control totals right."""
    Market()
    finance = platform_people()["finance"]
    _fill(rows)
    process = psutil.Process()
    before = peak = process.memory_info().rss

    def watch(_written: int) -> None:
        nonlocal peak
        peak = max(peak, process.memory_info().rss)

    path = tmp_path / "journal.csv"
    with asked_report(finance, kind_for(finance, "journal"), {}) as asked, path.open("wb") as out:
        write_report(asked.report, "csv", out, progress=watch)
        totals = asked.report.control_totals()

    with path.open(encoding="utf-8") as written:
        lines = sum(1 for line in written if not line.startswith("#")) - 1
    assert lines == int(totals["rows"]) == rows
    assert peak - before < 300 * MEGABYTE
