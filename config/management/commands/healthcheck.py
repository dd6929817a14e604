"""``manage.py healthcheck``: exit status 0 when database, broker and worker work."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.health import check_all


class Command(BaseCommand):
    """The check for containers and monitors that have no HTTP."""

    help = "Check database, broker and worker heartbeat."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the parts to look at."""
        parser.add_argument(
            "--only", nargs="+", choices=["database", "broker", "worker"], help="parts to check"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per part."""
        wanted = options["only"]
        findings = [f for f in check_all() if wanted is None or f.part in wanted]
        for finding in findings:
            word = "ok" if finding.works else "failing"
            self.stdout.write(f"{finding.part}: {word} {finding.detail}".rstrip())
        failing = [finding.part for finding in findings if not finding.works]
        if failing:
            raise CommandError(f"Not working: {', '.join(failing)}.")
