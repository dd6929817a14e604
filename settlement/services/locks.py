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
    CARBON_STATEMENT = 7221
    CARBON_SLICES = 7222  # taken by the database's own trigger
    RECOGNITION_PARTY = 7231
    RECOGNITION_AGREEMENT = 7232
    NETTING_CYCLE = 7233
    BANK_LINE = 7241  # taken by the database's own trigger
    BANK_ACCOUNT = 7242
    PAYOUTS = 7243
    MONTHLY_STATEMENTS = 7244
    VOUCHERS = 7245
    CONTRACTS = 7246
    UNIT_BATCH = 7261  # the database's own functions take it as well
    PROJECT_ENERGY = 7263


def lock_settlement(auction_id: int) -> None:
    """Wait until nobody else settles the auction."""
    _advisory(LockSpace.AUCTION_SETTLEMENT, auction_id)


def lock_deliveries(auction_id: int) -> None:
    """Wait until nobody else makes the deliveries of the auction."""
    _advisory(LockSpace.AUCTION_DELIVERIES, auction_id)


def lock_chain() -> None:
    """Wait until nobody else seals blocks of the ledger."""
    _advisory(LockSpace.LEDGER_CHAIN, 0)


def lock_carbon(organisation_id: int) -> None:
    """Wait until nobody else states the carbon of the organisation."""
    _advisory(LockSpace.CARBON_STATEMENT, organisation_id)


def lock_recognition(organisation_id: int) -> None:
    """Wait until nobody else recognises units for statements of the organisation."""
    _advisory(LockSpace.RECOGNITION_PARTY, organisation_id)


def lock_agreement(agreement_id: int) -> None:
    """Wait until nobody else proposes or decides a version of the recognition agreement."""
    _advisory(LockSpace.RECOGNITION_AGREEMENT, agreement_id)


def lock_netting(cycle_id: int) -> None:
    """Wait until nobody else moves the netting cycle on."""
    _advisory(LockSpace.NETTING_CYCLE, cycle_id)


def lock_unit_batches(batch_ids: Iterable[int]) -> None:
    """Wait until nobody else moves units of the batches; they are taken in id order."""
    for batch_id in sorted(set(batch_ids)):
        _advisory(LockSpace.UNIT_BATCH, batch_id)


def lock_project_energy(project_id: int) -> None:
    """Wait until nobody else issues for the project; comes before the locks of its batches."""
    _advisory(LockSpace.PROJECT_ENERGY, project_id)


def lock_bank_account(account_id: int) -> None:
    """Wait until nobody else imports a statement of the bank account."""
    _advisory(LockSpace.BANK_ACCOUNT, account_id)


def lock_payouts() -> None:
    """Wait until nobody else makes a payout batch, so that nothing is paid twice."""
    _advisory(LockSpace.PAYOUTS, 0)


def lock_contracts(allocation_id: int) -> None:
    """Wait until nobody else draws up contracts of the allocation."""
    _advisory(LockSpace.CONTRACTS, allocation_id)


def lock_vouchers() -> None:
    """Wait until nobody else numbers accounting vouchers."""
    _advisory(LockSpace.VOUCHERS, 0)


def lock_monthly_statements(organisation_id: int) -> None:
    """Wait until nobody else issues monthly statements or tax invoices of a member."""
    _advisory(LockSpace.MONTHLY_STATEMENTS, organisation_id)


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
