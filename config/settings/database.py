"""Database: a server named by DATABASE_URL, else the embedded one; two roles in either case.

The *owner* role owns the tables and migrates; the *runtime* role serves pages and tasks and cannot
rewrite history. ``manage.py`` chooses the owner for the commands that change the schema.
"""

from config import env

_ROLE = env.text("HENGSUAN_DB_ROLE", "runtime")
_SESSION_LIMITS = {
    "runtime": {
        "lock_timeout": "15s",
        "statement_timeout": "120s",
        "idle_in_transaction_session_timeout": "120s",
    },
    "owner": {"lock_timeout": "30s", "statement_timeout": "0"},
}


def _session_options(role: str) -> str:
    values = {"client_connection_check_interval": "1s", **_SESSION_LIMITS[role]}
    return " ".join(f"-c {name}={value}" for name, value in values.items())


def _role_settings(role: str, found: dict | None) -> dict:
    embedded = {
        "ENGINE": "config.embedded.postgresql_backend",
        "NAME": "hengsuan",
        "USER": {"owner": "hengsuan_owner", "runtime": "hengsuan_app"}[role],
    }
    entry = dict(found or embedded)
    entry.setdefault("CONN_MAX_AGE", 60)
    entry["CONN_HEALTH_CHECKS"] = True
    entry["OPTIONS"] = {"options": _session_options(role), **entry.get("OPTIONS", {})}
    return entry


_url = env.database("DATABASE_URL")
_owner_url = env.database("OWNER_DATABASE_URL") or _url

EMBEDDED_DATABASE = _url is None
DATABASE_ROLES = {
    "owner": _role_settings("owner", _owner_url),
    "runtime": _role_settings("runtime", _url),
}
DATABASES = {"default": {**DATABASE_ROLES[_ROLE]}}
# The PostgreSQL role that migrations take UPDATE and DELETE on history tables away from.
DATABASE_RUNTIME_ROLE = DATABASE_ROLES["runtime"]["USER"]
DATABASE_OWNER_ROLE = DATABASE_ROLES["owner"]["USER"]
