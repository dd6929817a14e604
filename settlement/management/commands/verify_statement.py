"""``manage.py verify_statement ID``: recompute a carbon statement from its stored inputs."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from settlement.models import EmissionStatement
from settlement.verification.carbon_statement import find_differences

_STATED = (
    *("delivery_count", "is_estimated", "it_wh", "facility_wh", "matched_wh", "residual_wh"),
    *("excess_wh", "certificates", "location_g", "market_g", "location_based_t"),
    *("market_based_t", "factor_year", "announcement", "residual_factor", "slot", "sha256"),
    *("own_wh", "direct_wh", "hourly_wh", "supply_wh"),
)
_LINE = ("it_wh", "facility_wh", "location_g", "is_estimated")


class Command(BaseCommand):
    """Recompute statements by code that shares nothing with the calculator."""

    help = "Recompute a carbon statement from its stored inputs; fails when a figure differs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the public ids of statements, or all of them."""
        parser.add_argument("ids", nargs="*", type=UUID, metavar="ID")
        parser.add_argument("--all", action="store_true", help="every statement there is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check each statement and say what differs."""
        statements = EmissionStatement.objects.order_by("pk")
        if not options["all"]:
            if not options["ids"]:
                raise CommandError("Name a statement, or use --all.")
            statements = statements.filter(public_id__in=options["ids"])
            if statements.count() != len(set(options["ids"])):
                raise CommandError("There is no such statement.")
        broken = 0
        for statement in statements.iterator(chunk_size=50):
            findings = self._check(statement)
            broken += bool(findings)
            outcome = "differs" if findings else "follows from its inputs"
            self.stdout.write(f"{statement.public_id} {statement}: {outcome}")
            for finding in findings:
                self.stdout.write(f"  {finding}")
        if broken:
            raise CommandError(f"{broken} statements differ from their inputs.")

    def _check(self, statement: EmissionStatement) -> list[str]:
        stated = {name: getattr(statement, name) for name in _STATED}
        lines = {
            str(key): dict(zip(_LINE, values, strict=True))
            for key, *values in statement.lines.values_list("delivery__public_id", *_LINE)
        }
        return find_differences(statement.inputs, stated, lines)
