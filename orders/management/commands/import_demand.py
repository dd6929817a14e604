"""`manage.py import_demand FILE --auction CODE`: a job trace becomes buy orders."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.domain.errors import RuleBroken
from marketplace.domain.imports.mapping import load_maps
from marketplace.domain.tables import ImportRefused
from orders.services.demand_import import import_demand

_SHOWN_ERRORS = 20


class Command(BaseCommand):
    """Imports a trace into an open auction, all of it or nothing."""

    help = "Turn a job trace into buy orders of the demonstration's members (prices are assumed)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--auction", required=True, help="Code of an open auction.")
        parser.add_argument("--limit", type=int, default=1500, help="Most orders to make.")
        parser.add_argument("--blocks", type=int, default=150, help="Most blocks among them.")
        parser.add_argument("--seed", type=int, default=1, help="Of prices and of the choice.")
        parser.add_argument("--rates", type=Path, help="CSV: date, currency, cny_per_unit, source.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and say what was made and what was left out."""
        path: Path = options["file"]
        try:
            made = import_demand(
                path=path,
                auction_code=options["auction"],
                limit=options["limit"],
                most_blocks=options["blocks"],
                seed=options["seed"],
                maps=load_maps(rates=options["rates"]),
            )
        except ImportRefused as refusal:
            shown = [f"{path.name}, {error}" for error in refusal.rows[:_SHOWN_ERRORS]]
            raise CommandError("\n".join([str(refusal), *shown])) from None
        except RuleBroken as refusal:
            raise CommandError(f"{path.name}: {refusal}") from None
        self.stdout.write(
            f"{path.name}: {made.format}, {made.jobs} jobs, {made.orders} orders "
            f"({made.blocks} blocks) of {made.buyers} members"
        )
        for reason, count in sorted(made.left_out.items()):
            self.stdout.write(f"  left out, {reason}: {count}")
