"""``manage.py demo``: a complete trading day before the reader's eyes, then a live market."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from config import env
from config.demo import facts
from config.demo.day import play_day, prepare_market
from config.demo.imports import DataMissing, require_files
from config.demo.live import LiveMarket
from config.demo.month import play_month
from config.demo.stage import DemonstrationStuck, Stage
from config.demo.summary import print_summary
from config.supervision import SupervisionError, Supervisor
from marketplace.models import Membership, Role

SHOWN_ROLES = (
    ("买方 buyer", Role.BUYER, False),
    ("供方 supplier", Role.SUPPLIER, False),
    ("财务 finance", Role.FINANCE, True),
    ("运营 operator", Role.OPERATOR, True),
    ("审计 auditor", Role.AUDITOR, True),
)
DEMO_PASSWORD = "hengsuan-demo-2026"  # noqa: S105 - printed on the screen on purpose


class Command(BaseCommand):
    """Starts the service, plays a day, prints its summary, and keeps a live market running."""

    help = "Play a complete trading day on the demonstration clock, then run a live market."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the port, the end, and the data directory."""
        parser.add_argument("--once", action="store_true", help="end after the day's summary")
        parser.add_argument("--port", type=int, help="port (default: the first free from 8000 on)")
        parser.add_argument(
            "--data",
            default=env.text("HENGSUAN_DATA"),
            help="directory with real price lists and job traces",
        )
        parser.add_argument("--report", type=Path, help="write the day's facts to this JSON file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until the summary is printed, or until a signal comes."""
        self._begun = time.monotonic()
        try:
            data = require_files(options["data"]) if options["data"] else None
            with Supervisor(port=options["port"], say=self._say) as service:
                self._play(service, data, once=options["once"], report=options["report"])
        except (SupervisionError, DataMissing, DemonstrationStuck) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self._say("已停止 Stopped.")

    def _play(
        self, service: Supervisor, data: Path | None, *, once: bool, report: Path | None
    ) -> None:
        self._say(f"服务已启动 the service answers at {service.url}")
        stage = Stage(say=self._say, watch=service.check)
        day = prepare_market(stage, password=DEMO_PASSWORD, data=data, has_past=True)
        auction = play_day(stage, day=day, data=data)
        play_month(stage)
        checks = print_summary(self._print, auction)
        if report is not None:
            report.write_text(json.dumps(facts.report(auction, checks), default=str, indent=1))
        if not all(check.passed for check in checks):
            raise CommandError("The day does not tie: see the findings above.")
        self._print(sign_ins(service.url))
        if not once:
            live = LiveMarket(stage)
            live.begin()
            service.loop(live.tick)

    def _say(self, text: str) -> None:
        self._print(f"[{time.monotonic() - self._begun:6.1f} s] {text}")

    def _print(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def sign_ins(url: str) -> str:
    """Return the address and one sign-in a role of the demonstration as a printed block."""
    lines = ["", f"  打开 open           {url}", f"  密码 password       {DEMO_PASSWORD}"]
    for name, role, of_platform in SHOWN_ROLES:
        membership = (
            Membership.objects.filter(role=role, organisation__is_platform=of_platform)
            .exclude(organisation__code__startswith="M0")
            .select_related("user", "organisation")
            .annotate(roles=Count("user__memberships"))
            .order_by("roles", "id")  # people with one role show it best
            .first()
        )
        if membership is not None:
            lines.append(f"  {name:<18} {membership.user.email} ({membership.organisation})")
    return "\n".join([*lines, ""])
