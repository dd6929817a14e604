"""Names for the published bundle that tell nobody who traded, and change with every auction."""

from hashlib import blake2b
from uuid import UUID


def pseudonym(salt: UUID, kind: str, key: object) -> str:
    """Return the name of a thing in one auction's bundle.

    Args:
        salt: the auction's secret; the same thing has another name in the next auction.
        kind: letter in front, such as `o` for orders.
        key: what the thing is called inside the market.
    """
    digest = blake2b(f"{kind}{key}".encode(), key=salt.bytes, digest_size=10)
    return f"{kind}{digest.hexdigest()}"
