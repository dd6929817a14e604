"""Opens the platform's accounts, loads grid factors, opens accounts of admitted members."""

from typing import Any

from django.core.management.base import BaseCommand

from marketplace.models import Organisation, OrganisationState
from settlement.services.accounts import open_member_accounts, open_platform_accounts
from settlement.services.banking.profiles import seed_profiles
from settlement.services.banking.workdays import seed_calendar
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.carbon.references import load_green_references
from settlement.services.grid_factors import load_grid_factors


class Command(BaseCommand):
    """Seed what settlement needs; running it again changes only what differs."""

    help = "Opens the platform's ledger accounts and loads the grid emission factors."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the seed and say what there is."""
        accounts = open_platform_accounts()
        members = Organisation.objects.filter(
            state=OrganisationState.APPROVED, is_platform=False
        ).order_by("code")
        for member in members:
            open_member_accounts(member)
        self.stdout.write(
            f"{len(accounts)} platform accounts, {len(members)} members with accounts,"
            f" {load_grid_factors()} grid emission factors, {load_factor_sets()} factor sets,"
            f" {load_green_references()} stated green shares,"
            f" {seed_calendar()} calendar days, {seed_profiles()} file layouts"
        )
