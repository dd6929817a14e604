"""Every lock of the settlement app: one home, one order.

Order: advisory locks, then the journal entry's unique key, then stored balances by account id, then
holds by id, then number series by code. All end with the transaction.
"""

from collections.abc import Iterable
from enum import IntEnum

from django.db import connection


class LockSpace(IntEnum):
    """First key of the two-key advisory locks."""

    AUCTION_DELIVERIES = 7201
    AUCTION_SETTLEMENT = 7202
    LEDGER_CHAIN = 7203


def lock_settlement(auction_id: int) -> None:
    """Wait until nobody else settles the auction."""
    _advisory(LockSpace.AUCTION_SETTLEMENT, auction_id)


def lock_deliveries(auction_id: int) -> None:
    """Wait until nobody else makes the deliveries of the auction."""
    _advisory(LockSpace.AUCTION_DELIVERIES, auction_id)


def lock_chain() -> None:
    """Wait until nobody else seals blocks of the ledger."""
    _advisory(LockSpace.LEDGER_CHAIN, 0)


def lock_balances(account_ids: Iterable[int]) -> None:
    """Lock the stored balances of accounts in id order, before anything is written.

    A transaction that posts several entries calls this once for all of their accounts; each entry
    locking only its own would meet another transaction's order sooner or later.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_lock(%s)", [sorted(set(account_ids))])


def _advisory(space: LockSpace, key: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [space, key])
