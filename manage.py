#!/usr/bin/env python
"""Django's command line, with the right settings and database role for each command."""

import os
import sys

# These change the schema, so they connect as the role that owns it.
OWNER_COMMANDS = {
    "migrate",
    "makemigrations",
    "showmigrations",
    "sqlmigrate",
    "squashmigrations",
    "lintmigrations",
    "flush",
}


def main() -> None:
    """Choose settings and role, then run the command."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    of_demo = command in {"demo", "bench_market"}
    settings = "config.settings.demo" if of_demo else "config.settings.dev"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    if command in OWNER_COMMANDS:
        os.environ["HENGSUAN_DB_ROLE"] = "owner"
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
