"""Database protection of history: tables that are only ever added to."""

from django.conf import settings
from django.db import migrations

_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history of % is append-only', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""


def refuse_rewrite_function() -> migrations.RunSQL:
    """Return the operation that makes the trigger function; needed once, before the tables."""
    return migrations.RunSQL(_REFUSE, "DROP FUNCTION IF EXISTS refuse_rewrite() CASCADE")


def protect_history(*tables: str) -> list[migrations.RunSQL]:
    """Return operations that make tables append-only.

    A trigger refuses UPDATE, DELETE and TRUNCATE whoever asks, and the runtime role loses the
    rights, so that a stray query fails before it reaches a row.
    """
    return [_protect(table) for table in tables]


def _protect(table: str) -> migrations.RunSQL:
    role = settings.DATABASE_RUNTIME_ROLE
    # The names come from migrations and settings, never from a request.
    forward = f"""
CREATE TRIGGER {table}_keeps_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER {table}_keeps_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role};
    END IF;
END $$;
"""  # noqa: S608
    reverse = f"""
DROP TRIGGER IF EXISTS {table}_keeps_rows ON {table};
DROP TRIGGER IF EXISTS {table}_keeps_table ON {table};
"""
    return migrations.RunSQL(forward, reverse)
