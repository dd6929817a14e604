"""Every lock of the marketplace app that is not a row lock. All end with the transaction."""

import hashlib
from enum import IntEnum

from django.db import connection


class LockSpace(IntEnum):
    """First key of the two-key advisory locks; orders and settlement use other thousands."""

    MEMBER_CODES = 7001
    NOTIFICATIONS = 7050


def member_code_lock() -> None:
    """Serialise the giving out of member codes until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LockSpace.MEMBER_CODES])


def notification_lock() -> None:
    """Serialise announcing until the transaction ends, so that nothing is told twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LockSpace.NOTIFICATIONS])


def try_request_lock(name: str) -> bool:
    """Take the lock of a request's key until the transaction ends; False when it is under way."""
    digest = hashlib.sha256(name.encode("utf-8")).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
        return bool(cursor.fetchone()[0])
