"""Access details of a delivery: encrypted at rest, readable by the buyer alone."""

import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from marketplace.domain.errors import RuleBroken, gettext_noop


class AccessKeyMissing(RuleBroken):
    """The key that encrypted the details is no longer configured."""

    code = "access_key_missing"
    message = gettext_noop("The key of these access details is not configured any more.")
    status = 409


def encrypt_access(text: str) -> tuple[bytes, str]:
    """Return the ciphertext and the id of the key: the first of FIELD_ENCRYPTION_KEYS."""
    key = settings.FIELD_ENCRYPTION_KEYS[0]
    return Fernet(key).encrypt(text.encode()), key_id(key)


def decrypt_access(ciphertext: bytes, *, stored_key_id: str) -> str:
    """Return the text.

    Raises:
        AccessKeyMissing: no configured key has the stored id, or the text is damaged.
    """
    for key in settings.FIELD_ENCRYPTION_KEYS:
        if key_id(key) == stored_key_id:
            try:
                return Fernet(key).decrypt(ciphertext).decode()
            except InvalidToken as error:
                raise AccessKeyMissing from error
    raise AccessKeyMissing


def key_id(key: str) -> str:
    """Return a short name of a key that says nothing about it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
