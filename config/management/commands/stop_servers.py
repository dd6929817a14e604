"""``manage.py stop_servers``: stops embedded servers that outlived whoever started them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.embedded import postgres, valkey


class Command(BaseCommand):
    """Stop the embedded broker and database of this checkout."""

    help = "Stop the embedded broker and database, if they run."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Stop both."""
        if settings.EMBEDDED_BROKER:
            valkey.stop()
        if settings.EMBEDDED_DATABASE:
            postgres.stop()
