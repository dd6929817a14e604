"""Times a month of carbon statements, 100,000 deliveries matched by the hour."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from config.benches.carbon import DELIVERIES, measure_carbon
from config.benches.database import make_database, seed_market


class Command(BaseCommand):
    """Makes a market in the directory of HENGSUAN_VAR and states a large month of it."""

    help = "Time the carbon statements of a large month on a database of its own."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the size of the month, and where the table goes."""
        parser.add_argument("--deliveries", type=int, default=DELIVERIES)
        parser.add_argument("--out", type=Path, help="write the table here as well")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        make_database()
        seed_market(self.stdout)
        lines = ["A month of carbon statements:", ""]
        lines += ["| what | figure | asked |", "|---|---|---|"]
        for found in measure_carbon(options["deliveries"], say=self.stdout.write):
            lines.append(f"| {found.what} | {found.figure} | {found.wanted} |")
            self.stdout.write(lines[-1])
        if options["out"]:
            options["out"].write_text("\n".join(lines) + "\n")
