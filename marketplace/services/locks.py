"""Every lock of the marketplace app that is not a row lock. All end with the transaction."""

from enum import IntEnum

from django.db import connection


class LockSpace(IntEnum):
    """First key of the two-key advisory locks; orders and settlement use other thousands."""

    MEMBER_CODES = 7001


def member_code_lock() -> None:
    """Serialise the giving out of member codes until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LockSpace.MEMBER_CODES])
