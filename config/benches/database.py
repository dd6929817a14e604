"""The database of a bench: made in the directory of HENGSUAN_VAR, gone with the process."""

import contextlib
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command

from config.embedded import postgres
from config.management.commands.demo import DEMO_PASSWORD


def make_database() -> None:
    """Start the embedded server for as long as this process lives, and make every table.

    A process of its own migrates: it is the owner of the tables, the bench is the role that serves.
    """
    if settings.EMBEDDED_DATABASE:
        postgres.ensure_running(bound_to_parent=True)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--skip-checks", "-v", "0"],
        cwd=settings.BASE_DIR,
        check=True,
    )


def seed_market(out: Any) -> None:
    """Write the reference data, the calendars and the demonstration's members."""
    for command in ("seed_reference", "seed_calendars"):
        call_command(command, verbosity=0, stdout=out)
    call_command("seed_members", password=DEMO_PASSWORD, stdout=out)
    call_command("seed_settlement", stdout=out)


def collect_statistics() -> None:
    """Collect the statistics that the server would collect by itself a minute later.

    Only the embedded server lets us: the role that serves does not own the tables.
    """
    if not settings.EMBEDDED_DATABASE:
        return
    with contextlib.closing(postgres.connect_as_superuser(postgres.DATABASE)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
