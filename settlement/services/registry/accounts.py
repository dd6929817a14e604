"""Accounts for units: who holds how many in which state, one asset of the ledger per registry.

Memo accounts (备查账): units are no money and stand outside the balance sheet, but their entries
balance like all others, so that the trial balance of every instrument is zero.
"""

from django.db import transaction

from marketplace.models import Organisation
from settlement.models import Account, AccountKind, Registry, UnitState

# state -> (number of the account, Chinese name, English name); the first four belong to holders.
HOLDER_STATES: dict[str, tuple[str, str, str]] = {
    UnitState.HELD: ("9101", "持有", "held"),
    UnitState.RESERVED: ("9102", "预留", "reserved"),
    UnitState.LOCKED: ("9103", "锁定", "locked"),
    UnitState.FROZEN: ("9104", "冻结", "frozen"),
}
REGISTRY_STATES: dict[str, tuple[str, str, str]] = {
    UnitState.ISSUED: ("9001", "已签发", "issued"),
    UnitState.RETIRED: ("9002", "已注销（核销）", "retired"),
    UnitState.CANCELLED: ("9003", "已作废", "cancelled"),
    UnitState.EXPIRED: ("9004", "已过期", "expired"),
    UnitState.INVALIDATED: ("9005", "已失效", "invalidated"),
}


def purpose_of(state: str) -> str:
    """Return the purpose of the accounts of a state."""
    return f"units_{state}"


@transaction.atomic
def open_registry_accounts(registry: Registry) -> list[Account]:
    """Open the accounts of a registry's units that belong to nobody; a repeated call adds none."""
    return [_open(registry, state, None) for state in REGISTRY_STATES]


def unit_account(registry: Registry, state: str, organisation: Organisation) -> Account:
    """Return the account on which units of a state stand, opened when it is first needed."""
    return _open(registry, state, organisation if state in HOLDER_STATES else None)


def _open(registry: Registry, state: str, organisation: Organisation | None) -> Account:
    known = Account.objects.filter(
        purpose=purpose_of(state), organisation=organisation, asset=registry.asset
    ).first()
    if known is not None:
        return known
    number, zh, en = {**HOLDER_STATES, **REGISTRY_STATES}[state]
    owner = f".{organisation.code}" if organisation else ""
    owner_zh = f"—{organisation.name_zh}" if organisation else ""
    owner_en = f" {organisation.name_en or organisation.name_zh}" if organisation else ""
    account, _ = Account.objects.get_or_create(
        purpose=purpose_of(state),
        organisation=organisation,
        asset=registry.asset,
        defaults={
            "code": f"{number}.{registry.code}{owner}",
            "kind": AccountKind.MEMO,
            "name_zh": f"{registry.code} {zh}{owner_zh}"[:120],
            "name_en": f"{registry.code} {en}{owner_en}"[:160],
        },
    )
    return account
