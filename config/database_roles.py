"""The two database roles and the rights that each migration run begins with."""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

_GRANTS = """
GRANT USAGE ON SCHEMA public TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {role};
"""


def grant_runtime_rights(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Let the runtime role use what the owner is about to create (idempotent).

    Tables of history lose UPDATE and DELETE again in the migration that creates them. Does nothing
    when one role plays both parts.
    """
    connection = connections[using]
    role = settings.DATABASE_RUNTIME_ROLE
    if connection.settings_dict["USER"] == role:
        return
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS.format(role=connection.ops.quote_name(role)))
