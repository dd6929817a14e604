"""Short secrets that the service must read again: encrypted at rest with FIELD_ENCRYPTION_KEYS."""

import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from marketplace.domain.errors import RuleBroken, gettext_noop


class SealKeyMissing(RuleBroken):
    """The key that encrypted a secret is no longer configured."""

    code = "seal_key_missing"
    message = gettext_noop("The key of this secret is not configured any more.")
    status = 409


def seal_text(text: str) -> tuple[bytes, str]:
    """Return the ciphertext and the id of the key: the first of FIELD_ENCRYPTION_KEYS."""
    key = settings.FIELD_ENCRYPTION_KEYS[0]
    return Fernet(key).encrypt(text.encode()), key_id(key)


def unseal_text(ciphertext: bytes | memoryview, *, stored_key_id: str) -> str:
    """Return the text.

    Raises:
        SealKeyMissing: no configured key has the stored id, or the text is damaged.
    """
    for key in settings.FIELD_ENCRYPTION_KEYS:
        if key_id(key) == stored_key_id:
            try:
                return Fernet(key).decrypt(bytes(ciphertext)).decode()
            except InvalidToken as error:
                raise SealKeyMissing from error
    raise SealKeyMissing


def key_id(key: str) -> str:
    """Return a short name of a key that says nothing about it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
