"""`manage.py import_supply FILE`: a foreign price list becomes example suppliers and their asks."""

import re
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.domain.errors import RuleBroken
from marketplace.domain.imports.mapping import load_maps
from marketplace.domain.imports.price_lists import read_specs
from marketplace.domain.tables import ImportRefused
from marketplace.services.supply_import import import_supply

_SHOWN_ERRORS = 20


class Command(BaseCommand):
    """Imports a price list, all of it or nothing."""

    help = "Turn a published price list into example suppliers, pools, listings and asks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--hub-map", type=Path, help="CSV: provider, region, hub_code.")
        parser.add_argument("--rates", type=Path, help="CSV: date, currency, cny_per_unit, source.")
        parser.add_argument("--cards", type=Path, help="CSV: card, product_code, bf16_tflops.")
        parser.add_argument("--specs", type=Path, help="CSV of machine types with their sizes.")
        parser.add_argument(
            "--date", type=date.fromisoformat, help="Date of the prices (else from the file)."
        )
        parser.add_argument("--seed", type=int, default=1, help="Of the assumed quantities.")
        parser.add_argument("--days", type=int, default=45, help="Days of availability.")
        parser.add_argument("--limit", type=int, help="Most asks to make.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and say what was made and what was left out."""
        path: Path = options["file"]
        try:
            made = import_supply(
                path=path,
                on=options["date"] or date_in_name(path),
                maps=load_maps(
                    hub_map=options["hub_map"], rates=options["rates"], cards=options["cards"]
                ),
                specs=read_specs(options["specs"]) if options["specs"] else None,
                seed=options["seed"],
                days=options["days"],
                limit=options["limit"],
            )
        except ImportRefused as refusal:
            raise CommandError(refusal_text(path, refusal)) from None
        except RuleBroken as refusal:
            raise CommandError(f"{path.name}: {refusal}") from None
        self.stdout.write(
            f"{path.name}: {made.format}, {made.rows} rows, {made.asks} asks with {made.steps} "
            f"steps of {made.organisations} suppliers in {made.pools} pools"
        )
        for reason, count in sorted(made.left_out.items()):
            self.stdout.write(f"  left out, {reason}: {count}")


def date_in_name(path: Path) -> date | None:
    """Return the date in a file's name, the first of the month when it has no day."""
    match = re.search(r"(\d{4})-(\d{2})(?:-(\d{2}))?", path.name)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3] or 1))
    except ValueError:
        return None


def refusal_text(path: Path, refusal: ImportRefused) -> str:
    """Return file, line and reason of a refused import."""
    shown = [f"{path.name}, {error}" for error in refusal.rows[:_SHOWN_ERRORS]]
    more = len(refusal.rows) - len(shown)
    if more > 0:
        shown.append(f"and {more} more")
    return "\n".join([str(refusal), *shown])
