"""Every lock of the orders app: one home, one order (auction first, then rows by primary key).

All are transaction-level, so they end with the transaction and survive pooling proxies.
"""

from enum import IntEnum

from django.db import connection


class LockSpace(IntEnum):
    """First key of the two-key advisory locks."""

    AUCTION_GATE = 7101
    AUCTION_PHASE = 7102
    AUCTION_CALENDAR = 7103
    CONFIRMATION_SERIES = 7104
    NETWORK = 7105


def share_gate(auction_id: int) -> None:
    """Hold the gate open for this transaction: many orders may, the closer may not meanwhile.

    A row lock would not do: the key-share lock of the foreign key does not exclude a closer that
    takes the row without its key, and an order would be committed after the close.
    """
    _advisory("pg_advisory_xact_lock_shared", LockSpace.AUCTION_GATE, auction_id)


def close_gate_lock(auction_id: int) -> None:
    """Wait until no order is under way, and keep new ones out until the transaction ends."""
    _advisory("pg_advisory_xact_lock", LockSpace.AUCTION_GATE, auction_id)


def try_phase(auction_id: int) -> bool:
    """Take the auction's phase lock for this transaction; False when another worker has it."""
    return _try_advisory(LockSpace.AUCTION_PHASE, auction_id)


def try_network() -> bool:
    """Take the network for this transaction: one book freezes at a time, and sees the others'.

    Comes before the rows of commitments; False when another book is being frozen.
    """
    return _try_advisory(LockSpace.NETWORK, 0)


def wait_network() -> None:
    """Wait for the network: who changes hubs and links does so while no book is being frozen."""
    _advisory("pg_advisory_xact_lock", LockSpace.NETWORK, 0)


def wait_phase(auction_id: int) -> None:
    """Wait for the auction's phase lock: an operator steps in between two phases."""
    _advisory("pg_advisory_xact_lock", LockSpace.AUCTION_PHASE, auction_id)


def series_lock(day_number: int) -> None:
    """Serialise the numbering of confirmations of one day (as yyyymmdd), so it has no gaps."""
    _advisory("pg_advisory_xact_lock", LockSpace.CONFIRMATION_SERIES, day_number)


def calendar_lock(calendar_id: int) -> None:
    """Serialise the making of auctions of one calendar."""
    _advisory("pg_advisory_xact_lock", LockSpace.AUCTION_CALENDAR, calendar_id)


def _advisory(function: str, space: LockSpace, key: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [space, key])


def _try_advisory(space: LockSpace, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [space, key])
        return bool(cursor.fetchone()[0])
