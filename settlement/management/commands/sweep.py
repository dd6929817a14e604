"""Checks every invariant of the books and prints the table."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from settlement.models import InvariantResult
from settlement.services.chain import seal_blocks
from settlement.services.invariants import INVARIANTS, sweep_ledger


class Command(BaseCommand):
    """Print what each invariant showed, and fail when one is broken."""

    help = "Checks the invariants of the books; prints a table and fails when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option to seal first."""
        parser.add_argument("--seal", action="store_true", help="seal finished entries first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the sweep."""
        if options["seal"]:
            self.stdout.write(f"{seal_blocks()} blocks sealed")
        run = sweep_ledger()
        results = {result.code: result for result in run.results.all()}
        for invariant in INVARIANTS:
            self._print(results[invariant.code], invariant.title, invariant.title_in("zh-hans"))
        broken = sum(1 for result in results.values() if result.finding_count)
        if broken:
            raise CommandError(f"{broken} of {len(INVARIANTS)} invariants are broken")
        self.stdout.write(f"{len(INVARIANTS)} invariants hold ({run.duration_ms / 1000:.2f} s)")

    def _print(self, result: InvariantResult, title: str, chinese: str) -> None:
        found = "ok" if not result.finding_count else f"{result.finding_count} findings"
        self.stdout.write(f"{result.code:<14}{result.duration_ms:>7} ms  {found:<14}{title}")
        if chinese != title:
            self.stdout.write(f"{'':<39}{chinese}")
        if result.sample:
            self.stdout.write(f"{'':<39}first: {', '.join(map(str, result.sample))}")
