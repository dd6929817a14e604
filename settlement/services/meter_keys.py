"""Keys of suppliers' meters and the signatures of batches of readings.

A supplier registers the public key of its meter (Ed25519). A batch that names a key must carry a
signature over exactly the bytes sent; a wrong one refuses the whole batch. A batch without a key is
stored and marked as not signed.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.models import BatchSignature, MeterKey, ReadingBatch

_KEY_BYTES = 32


class MeterKeyInvalid(RuleBroken):
    """The text is no public key of the kind Ed25519."""

    code = "meter_key_invalid"
    message = gettext_noop(
        "Enter an Ed25519 public key: PEM, or its 32 bytes in base64 or hexadecimal."
    )


class MeterKeyUsed(RuleBroken):
    """The key was registered before."""

    code = "meter_key_used"
    message = gettext_noop("This key was registered before.")
    status = 409


class SignatureWrong(RuleBroken):
    """The signature does not fit the key and the bytes sent."""

    code = "signature_wrong"
    message = gettext_noop(
        "The signature does not fit the registered key and the data; nothing was stored."
    )
    status = 401


@dataclass(frozen=True)
class BatchEnvelope:
    """What was sent, byte by byte.

    Attributes:
        content: the bytes.
        key_fingerprint: SHA-256 of the public key, hexadecimal; empty when not signed.
        signature: base64 of the signature; empty when not signed.
    """

    content: bytes
    key_fingerprint: str = ""
    signature: str = ""


@transaction.atomic
def register_meter_key(*, actor: Actor, name: str, public_key: str) -> MeterKey:
    """Register a supplier's public key.

    Raises:
        NotPermitted: the actor does not sell.
        Missing, TextTooLong: the name.
        MeterKeyInvalid, MeterKeyUsed: the key.
    """
    if not actor.can_sell or actor.organisation is None:
        raise NotPermitted
    label = check_text(name, field="name", max_length=60, required=True)
    raw = _read_key(public_key)
    fingerprint = hashlib.sha256(raw).hexdigest()
    if MeterKey.objects.filter(fingerprint=fingerprint).exists():
        raise MeterKeyUsed(field="public_key")
    key = MeterKey.objects.create(
        organisation=actor.organisation,
        name=label,
        public_key=raw,
        fingerprint=fingerprint,
        created_by=actor.user,
    )
    record_audit(
        action="meter_key.registered",
        subject=key,
        actor=actor.user,
        organisation=actor.organisation,
        after={"name": label, "fingerprint": fingerprint},
    )
    return key


@transaction.atomic
def end_meter_key(*, actor: Actor, key_public_id: UUID | str) -> MeterKey:
    """End a key: from now on nothing signed with it is taken; a repeated call does nothing.

    Raises:
        NotPermitted, NotFound: the key is not the actor's.
    """
    if not actor.can_sell:
        raise NotPermitted
    keys = MeterKey.objects.select_for_update(no_key=True)
    key = keys.filter(organisation=actor.organisation, public_id=key_public_id).first()
    if key is None:
        raise NotFound
    if key.ended_at is None:
        key.ended_at, key.ended_by = market_now(), actor.user
        key.save(update_fields=["ended_at", "ended_by"])
        record_audit(
            action="meter_key.ended",
            subject=key,
            actor=actor.user,
            organisation=actor.organisation,
        )
    return key


def store_batch(
    *, actor: Actor, source: str, envelope: BatchEnvelope, count: int
) -> ReadingBatch | None:
    """Verify and store the envelope of readings; nothing for one of the platform's own people.

    Raises:
        SignatureWrong: the key is unknown or ended, or the signature does not fit.
    """
    if actor.organisation is None:
        return None
    key, signature = _verified(actor, envelope)
    return ReadingBatch.objects.create(
        organisation=actor.organisation,
        source=source[:20],
        signed=BatchSignature.VERIFIED if key else BatchSignature.UNSIGNED,
        key=key,
        signature=signature,
        content_sha256=hashlib.sha256(envelope.content).hexdigest(),
        reading_count=count,
        recorded_by=actor.user,
    )


def _verified(actor: Actor, envelope: BatchEnvelope) -> tuple[MeterKey | None, bytes | None]:
    if not (envelope.key_fingerprint or envelope.signature):
        return None, None
    key = MeterKey.objects.filter(
        organisation=actor.organisation,
        fingerprint=envelope.key_fingerprint.lower(),
        ended_at__isnull=True,
    ).first()
    if key is None:
        raise SignatureWrong(field="signature")
    try:
        signature = base64.b64decode(envelope.signature, validate=True)
        Ed25519PublicKey.from_public_bytes(bytes(key.public_key)).verify(
            signature, envelope.content
        )
    except (InvalidSignature, ValueError) as error:
        raise SignatureWrong(field="signature") from error
    return key, signature


def _read_key(text: str) -> bytes:
    given = text.strip()
    try:
        if given.startswith("-----"):
            key = load_pem_public_key(given.encode())
            if not isinstance(key, Ed25519PublicKey):
                raise MeterKeyInvalid(field="public_key")
            return key.public_bytes_raw()
        raw = bytes.fromhex(given) if len(given) == 2 * _KEY_BYTES else _base64(given)
        return Ed25519PublicKey.from_public_bytes(raw).public_bytes_raw()
    except ValueError as error:
        raise MeterKeyInvalid(field="public_key") from error


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error
