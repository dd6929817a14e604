"""`manage.py seed_members`: the demonstration's members, with users, pools and listings."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from marketplace.services.member_seed import seed_members


class Command(BaseCommand):
    """Seeds fictional members; safe to run again."""

    help = "Make the demonstration's members (fictional), their users, pools and listings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--password", required=True, help="Sign-in of the demonstration's users."
        )
        parser.add_argument(
            "--days", type=int, default=45, help="Days of availability from market time on."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed and say how much."""
        seeded = seed_members(password=options["password"], days=options["days"])
        for kind, count in asdict(seeded).items():
            self.stdout.write(f"{kind}: {count}")
