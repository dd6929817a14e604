"""`manage.py seed_reference`: hubs, links, products, scenarios, hardware, first market rules."""

from typing import Any

from django.core.management.base import BaseCommand

from marketplace.services.reference_seed import seed_reference


class Command(BaseCommand):
    """Loads the reference data; safe to run again."""

    help = "Load or refresh the reference data that ships with the project."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed and say how much."""
        for kind, count in seed_reference().items():
            self.stdout.write(f"{kind}: {count}")
