"""Make the standard auction calendars."""

from typing import Any

from django.core.management.base import BaseCommand

from orders.services.auctions import ensure_default_calendars


class Command(BaseCommand):
    """``manage.py seed_calendars``: day-ahead, intraday, weekly and monthly; idempotent."""

    help = "Make the standard auction calendars where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them and say which there are."""
        for calendar in ensure_default_calendars():
            self.stdout.write(calendar.code)
