"""Checks every invariant of the ledger and its hash chain."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from settlement.services.chain import seal_blocks
from settlement.services.invariants import INVARIANTS, sweep_ledger


class Command(BaseCommand):
    """Fail with the offenders when an invariant is broken."""

    help = "Checks the invariants of the ledger; ends with an error when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option to seal first."""
        parser.add_argument("--seal", action="store_true", help="seal finished entries first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the sweep."""
        started = time.monotonic()
        if options["seal"]:
            self.stdout.write(f"{seal_blocks()} blocks sealed")
        run = sweep_ledger()
        for finding in run.findings:
            self.stderr.write(
                f"{finding['code']}: {finding['count']} offenders, first {finding['sample']}"
                f" - {finding['promise']}"
            )
        if not run.passed:
            raise CommandError(f"{len(run.findings)} invariants are broken")
        self.stdout.write(f"{len(INVARIANTS)} invariants hold ({time.monotonic() - started:.2f} s)")
