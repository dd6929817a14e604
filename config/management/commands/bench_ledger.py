"""Times the ledger on a database of its own: entries a second, batches, deadlocks, the sweep."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from config.benches.database import make_database
from config.benches.ledger import POSTINGS, measure_ledger


class Command(BaseCommand):
    """Fills the ledger of the directory of HENGSUAN_VAR; it must be empty."""

    help = "Time the ledger on a database of its own, which is filled with a million postings."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take how long each measurement lasts, how much is posted, and where the table goes."""
        parser.add_argument("--seconds", type=float, default=10.0)
        parser.add_argument("--postings", type=int, default=POSTINGS, help="size of the ledger")
        parser.add_argument("--out", type=Path, help="write the table here as well")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        make_database()
        lines = ["The ledger, every constraint on, clients as processes:", ""]
        lines += ["| what | figure | asked |", "|---|---|---|"]
        for found in measure_ledger(options["seconds"], options["postings"]):
            lines.append(f"| {found.what} | {found.figure} | {found.wanted} |")
            self.stdout.write(lines[-1])
        if options["out"]:
            options["out"].write_text("\n".join(lines) + "\n")
