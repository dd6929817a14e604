"""Signatures of meters on requests: headers, over exactly the bytes of the body."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from settlement.services.meter_keys import BatchEnvelope

KEY_HEADER = "X-Meter-Key"
SIGNATURE_HEADER = "X-Meter-Signature"
SIGNATURE = (
    OpenApiParameter(
        KEY_HEADER,
        location=OpenApiParameter.HEADER,
        description="SHA-256 of the registered public key, hexadecimal; with a signature only.",
    ),
    OpenApiParameter(
        SIGNATURE_HEADER,
        location=OpenApiParameter.HEADER,
        description="Ed25519 signature over the body, base64; a wrong one refuses the whole batch.",
    ),
)


def envelope_of(request: Request, content: bytes) -> BatchEnvelope:
    """Return what was sent with the signature it carried."""
    return BatchEnvelope(
        content=content,
        key_fingerprint=request.headers.get(KEY_HEADER, ""),
        signature=request.headers.get(SIGNATURE_HEADER, ""),
    )
