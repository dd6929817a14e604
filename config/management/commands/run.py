"""``manage.py run``: the whole service in the foreground, until Ctrl-C."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.supervision import SupervisionError, Supervisor


class Command(BaseCommand):
    """Start database and broker (embedded unless set otherwise), migrate, run everything."""

    help = "Run web server, worker and beat, with the embedded servers where none are configured."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take address and port."""
        parser.add_argument("--port", type=int, help="port (default: the first free from 8000 on)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal comes."""
        try:
            with Supervisor(port=options["port"], host=options["host"], say=self._say) as service:
                self._say(f"Hengsuan runs at {service.url} - Ctrl-C stops it.")
                service.loop()
        except SupervisionError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self._say("Stopped.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
