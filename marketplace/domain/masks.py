"""Personal and account data as shown to people who need to recognise it, not to read it."""

from __future__ import annotations

_DOTS = "****"


def mask_phone(number: str) -> str:
    """Return a telephone number with its middle hidden: `138****5678`.

    A leading country code stays. Numbers too short to hide anything are hidden whole.
    """
    if len(number) < 8:
        return _DOTS
    return number[:-8] + _DOTS + number[-4:]


def mask_email(address: str) -> str:
    """Return an e-mail address with its local part hidden but for the first letter."""
    local, at, domain = address.rpartition("@")
    if not local or not at:
        return _DOTS
    return f"{local[0]}{_DOTS}@{domain}"


def mask_account(number: str) -> str:
    """Return a bank account number of which only the last four digits are left."""
    return _DOTS + number[-4:] if len(number) > 8 else _DOTS
