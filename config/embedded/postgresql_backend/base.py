"""Django's PostgreSQL backend that finds, and if need be starts, the embedded server.

Any process that connects gets a running server: ``manage.py shell`` and the tests as well as the
supervisor. A process that started the server stops it at its end unless others use it.
"""

import atexit
import os
import time
from typing import Any

from django.db import OperationalError, connections
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import is_psycopg3

from config.embedded import postgres
from config.embedded.process import LOOPBACK

if is_psycopg3:
    raise ImportError("psycopg 3 is installed and Django would use it: uninstall psycopg.")

_RETRIES = 5


def _stop_at_exit(starter: int) -> None:
    if os.getpid() == starter:
        connections.close_all()
        postgres.stop_if_unused()


def _running_port() -> int:
    port, started_here = postgres.ensure_running()
    if started_here:
        atexit.register(_stop_at_exit, os.getpid())
    return port


class DatabaseWrapper(base.DatabaseWrapper):
    """Fills in address and password at the moment of connecting."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters of the embedded server as it runs now."""
        params = super().get_connection_params()
        params["host"] = LOOPBACK
        params["port"] = _running_port()
        params["password"] = postgres.password_of(params["user"])
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; when the server is just ending or starting, look for it again."""
        for attempt in range(_RETRIES):
            try:
                return super().get_new_connection(conn_params)
            except OperationalError:
                if attempt == _RETRIES - 1:
                    raise
                time.sleep(0.2 * (attempt + 1))
                conn_params["port"] = _running_port()
        raise AssertionError("unreachable")
