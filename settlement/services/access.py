"""Access details of a delivery: encrypted at rest, readable by the buyer alone."""

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.services.sealing import SealKeyMissing, seal_text, unseal_text


class AccessKeyMissing(RuleBroken):
    """The key that encrypted the details is no longer configured."""

    code = "access_key_missing"
    message = gettext_noop("The key of these access details is not configured any more.")
    status = 409


def encrypt_access(text: str) -> tuple[bytes, str]:
    """Return the ciphertext and the id of the key: the first of FIELD_ENCRYPTION_KEYS."""
    return seal_text(text)


def decrypt_access(ciphertext: bytes, *, stored_key_id: str) -> str:
    """Return the text.

    Raises:
        AccessKeyMissing: no configured key has the stored id, or the text is damaged.
    """
    try:
        return unseal_text(ciphertext, stored_key_id=stored_key_id)
    except SealKeyMissing as error:
        raise AccessKeyMissing from error
