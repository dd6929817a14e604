"""Times a report of 100,000 rows as CSV and XLSX, each in a process of its own for its peak memory.

Run by ``make bench`` on a directory that is thrown away: it migrates an empty database, posts the
entries through the ledger's own guards, and writes the journal as a worker would.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from config.benches.database import make_database
from marketplace.models import Membership, Organisation, OrganisationState, Role, User
from marketplace.permissions import actor_for
from settlement.exports.producing import asked_report, kind_for, write_report
from settlement.models import JournalEntry
from settlement.services.accounts import account_for, open_member_accounts, open_platform_accounts
from settlement.services.ledger import PostingLine, post_entry

ROWS = 100_000
LINES = 4
DAY = date(2026, 11, 2)
EMAIL = "bench@example.cn"
LIMITS = {"csv": 10.0, "xlsx": 30.0, "json": 30.0}
# Two pairs an entry: 100,000 postings of 25,000 entries. An entry and its lines are one statement.
_FILL = """
WITH e AS (
    INSERT INTO settlement_journalentry (
        public_id, book, kind, effective_on, period_id, recorded_at, source_type, source_id,
        idempotency_key, fingerprint, reason, transaction_number)
    SELECT gen_random_uuid(), 'main', 'deposit', %(day)s + (n %% 28)::int, %(period)s, now(),
           'deposit', 'B' || n, 'bench:' || n, repeat('0', 64), '', 0
      FROM generate_series(1, %(entries)s) AS n
    RETURNING id
)
INSERT INTO settlement_posting (entry_id, line, account_id, asset_id, amount, memo)
SELECT e.id, l.line, CASE WHEN l.line %% 2 = 1 THEN %(bank)s ELSE %(funds)s END, 'CNY',
       CASE WHEN l.line %% 2 = 1 THEN 1 ELSE -1 END * (e.id %% 9973 + 0.01 * ((l.line + 1) / 2)), ''
  FROM e CROSS JOIN generate_series(1, %(lines)s) AS l(line)
"""


def fill(rows: int) -> None:
    """Post as many lines as asked for, in one transaction, every guard on."""
    platform, _ = Organisation.objects.get_or_create(
        code="BENCH0",
        defaults={"name_zh": "平台", "credit_code": "911100000000000001", "is_platform": True},
    )
    user = User.objects.filter(email=EMAIL).first() or User.objects.create_user(EMAIL)
    Membership.objects.get_or_create(user=user, organisation=platform, role=Role.FINANCE)
    open_platform_accounts()
    member, _ = Organisation.objects.get_or_create(
        code="BENCH1",
        defaults={
            "name_zh": "测试会员",
            "credit_code": "911100000000000002",
            "is_buyer": True,
            "state": OrganisationState.APPROVED,
        },
    )
    open_member_accounts(member)
    bank, funds = account_for("bank"), account_for("member_funds", organisation=member)
    first = post_entry(
        kind="deposit",
        effective_on=DAY,
        source_type="deposit",
        source_id="0",
        idempotency_key="first",
        postings=[PostingLine(bank.pk, Decimal(1)), PostingLine(funds.pk, Decimal(-1))],
    )
    if JournalEntry.objects.filter(idempotency_key="bench:1").exists():
        return
    values: dict[str, Any] = {
        "day": DAY,
        "period": first.period_id,
        "entries": rows // LINES,
        "lines": LINES,
        "bank": bank.pk,
        "funds": funds.pk,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FILL, values)


def measure(file_format: str) -> tuple[float, int, int, int]:
    """Return seconds, rows, bytes and this process's peak memory in MB of writing the journal."""
    actor = actor_for(user=User.objects.get(email=EMAIL))
    kind = kind_for(actor, "journal")
    asked_for = {
        "since": DAY.replace(day=1).isoformat(),
        "until": (DAY + timedelta(days=28)).isoformat(),
    }
    begun = time.perf_counter()
    with tempfile.NamedTemporaryFile(dir=settings.VAR_DIR) as out:
        with asked_report(actor, kind, asked_for) as asked:
            write_report(asked.report, file_format, out)  # type: ignore[arg-type]
            rows = len(asked.report.rows)
        out.flush()
        size = Path(out.name).stat().st_size
    took = time.perf_counter() - begun
    return took, rows, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class Command(BaseCommand):
    """Time large exports and write a table."""

    help = "Time reports of 100,000 rows as files; needs a directory of its own (HENGSUAN_VAR)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the number of rows and where the table goes."""
        parser.add_argument("--rows", type=int, default=ROWS)
        parser.add_argument("--out", type=Path, help="write the table here as well")
        parser.add_argument("--one", choices=sorted(LIMITS), help="time one format, in here")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill the database, time each format in a process of its own, print the table."""
        if options["one"]:
            took, rows, size, peak = measure(options["one"])
            self.stdout.write(f"{took:.2f} {rows} {size} {peak}")
            return
        make_database()
        fill(options["rows"])
        lines = [
            "Reports as files, each in a process of its own:",
            "",
            "| export of the journal | rows | time | size | peak memory |",
            "|---|---|---|---|---|",
        ]
        for file_format, limit_s in LIMITS.items():
            seconds, count, length, memory = self._apart(file_format)
            lines.append(
                f"| {file_format.upper()} | {int(count):,} | {float(seconds):.1f} s of"
                f" {limit_s:.0f} s | {int(length) / 1e6:.1f} MB | {memory} MB of 300 MB |"
            )
            self.stdout.write(lines[-1])
        if options["out"]:
            options["out"].write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _apart(self, file_format: str) -> list[str]:
        command = [sys.executable, "manage.py", "bench_exports", "--one", file_format]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=settings.BASE_DIR
        )
        return done.stdout.split()[-4:]
