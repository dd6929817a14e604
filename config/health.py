"""Is the service able to work? Database, broker, and a worker that really takes work."""

from dataclasses import dataclass

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from kombu.exceptions import KombuError

from config.heartbeat import heartbeat_age


@dataclass(frozen=True)
class Finding:
    """The state of one part: its name, whether it works, and a word on it for an operator."""

    part: str
    works: bool
    detail: str = ""


def check_database() -> Finding:
    """Run one query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Finding("database", works=False, detail="no answer")
    return Finding("database", works=True)


def check_broker() -> Finding:
    """Open one connection."""
    try:
        with current_app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (KombuError, OSError):
        return Finding("broker", works=False, detail="no answer")
    return Finding("broker", works=True)


def check_worker() -> Finding:
    """Look at the age of the newest worker heartbeat (a task, so it proves the whole path)."""
    limit_s = settings.WORKER_HEARTBEAT_LIMIT_S
    try:
        age = heartbeat_age()
    except DatabaseError:
        return Finding("worker", works=False, detail="unknown: no database")
    if age is None:
        return Finding("worker", works=False, detail="never seen")
    age_s = age.total_seconds()
    return Finding("worker", works=age_s <= limit_s, detail=f"last seen {age_s:.0f} s ago")


def check_all() -> list[Finding]:
    """Return one finding per part, the most basic first."""
    return [check_database(), check_broker(), check_worker()]
