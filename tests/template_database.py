"""A migrated database to copy test databases from, made once for each state of the migrations."""

import contextlib
import hashlib
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from config.embedded import postgres
from config.embedded.process import exclusive

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "template_hengsuan_"
KEPT = 3


def _fingerprint() -> str:
    digest = hashlib.sha256()
    sources = [ROOT / "requirements.txt", ROOT / "config" / "database_roles.py"]
    for app in ("marketplace", "orders", "settlement"):
        sources += [p for p in sorted((ROOT / app / "migrations").rglob("*")) if p.suffix != ".pyc"]
    for path in sources:
        if path.is_file():
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _migrate(name: str) -> None:
    connection = connections["default"]
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def ensure_template() -> str:
    """Return the name of the migrated database for the migrations as they stand."""
    name = PREFIX + _fingerprint()
    draft = f"{name}_draft"
    with (
        exclusive(settings.VAR_DIR / "template.lock"),
        contextlib.closing(postgres.connect_as_superuser()) as connection,
    ):
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid DESC",
            [f"{PREFIX}%"],
        )
        present = [row[0] for row in cursor.fetchall()]
        if name in present:
            return name
        for old in present[KEPT - 1 :]:
            cursor.execute(f'DROP DATABASE IF EXISTS "{old}" WITH (FORCE)')
        cursor.execute(f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{draft}" OWNER {postgres.OWNER}')
        _migrate(draft)
        cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
    return name
